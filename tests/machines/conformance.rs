//! Both clients do the same: each case here is a test with OpenSSH's client already, and is run with rfab's own, too.
//!
//! A case fails if a host needs OpenSSH's client without being expected to.

/// Makes a test of each case, with rfab's own client.
macro_rules! natively {
    ($($case:ident of $($module:ident)::+ $(, but for $reason:literal)?;)*) => {
        $(#[test]
        fn $case() {
            lab::natively_but_for(&[$($reason)?], crate::$($module)::+::$case);
        })*
    };
}

natively! {
    a_command_means_the_same_under_every_login_shell_and_on_busybox of ssh;
    lines_come_while_the_command_runs_and_nothing_in_them_is_obeyed_by_a_terminal of ssh;
    output_without_end_stays_in_bounded_memory_and_its_halves_are_marked of ssh;
    sudo_runs_as_whom_it_should_asks_once_and_its_password_is_nowhere_to_be_seen of ssh;
    a_process_that_is_left_in_the_background_holds_nobody_up_and_lives_on of ssh;
    what_a_failed_command_says_last_is_heard_though_it_comes_late_and_is_not_waited_for_without_end of ssh;
    a_balancer_whose_key_is_unknown_is_told_once_for_all_its_hosts of keys;
    an_unknown_or_changed_key_of_a_host_or_its_jump_host_refuses_whatever_the_users_configuration_says of keys;
    trust_shows_the_keys_on_the_way_asks_and_writes_them_beside_the_fabfile of keys;
    known_hosts_of_any_file_that_ssh_is_told_of_count_hashed_or_vouched_for of keys;
    trust_says_loudly_that_a_key_is_of_another_kind_and_takes_up_none_that_is_revoked of keys;
    a_line_that_helps_has_the_words_of_the_fleet_and_the_host_whatever_was_typed of keys;
    hosts_are_reached_through_one_jump_host_or_two_also_where_these_are_of_the_fleet_and_by_ipv6 of logins;
    a_jump_host_is_logged_in_on_once_and_a_server_that_turns_logins_away_is_asked_again of logins;
    what_start_up_files_print_confuses_nothing_and_a_password_is_asked_for_all_the_same of logins;
    a_login_shell_that_hangs_or_prints_for_ever_is_named_in_time_and_ends_on_ctrl_c of logins;
    a_login_shell_that_runs_no_programs_is_named_also_where_the_lock_is_to_be of logins;
    a_host_without_proc_or_with_a_broken_dev_null_runs_commands of logins;
    a_state_folder_that_cannot_be_written_is_found_before_anything_is_changed of logins;
    a_key_with_a_passphrase_and_a_user_that_is_not_there_are_told_by_a_line_that_fails_alike of logins,
        but for "has a passphrase, and the agent doesn't have it";
    a_sudo_that_wants_a_terminal_is_told_and_no_password_is_asked_for of logins;
    dead_mute_and_frozen_hosts_are_told_in_bounded_time_while_the_others_go_on of unreachable;
    files_and_folders_arrive_whole_and_come_back of files;
    a_full_disk_or_a_broken_connection_leaves_what_was_there_and_nothing_else of files;
    a_gigabyte_of_a_hosts_output_passes_in_bounded_memory of flood;
    who_lost_the_lock_changes_nothing_more_and_still_says_how_all_stands of locked;
    a_wait_for_a_lock_ends_at_the_first_signal_and_no_two_runs_wait_for_each_other of locked;
    a_release_whose_output_nobody_reads_any_more_goes_on_to_its_end of vanished;
    a_run_whose_terminal_was_closed_ends_what_it_does_and_restores_and_leaves_nothing_behind of vanished;
    two_balancers_agree_all_or_none_and_one_that_forwards_no_sockets_is_asked_on_its_host of roll;
    the_second_interrupt_stops_what_runs_on_the_hosts_and_leaves_no_process of roll;
    the_five_commands_release_a_hotfix_and_no_request_fails_and_the_ledgers_tell_it of shop;
    an_operator_who_slept_longer_than_the_keeper_waits_changes_nothing_on_waking of shop;
    a_shell_has_the_terminal_and_without_one_it_is_refused of ops;
    no_host_is_given_the_operators_agent of attacks::agent;
    no_reference_argument_or_value_is_taken_for_a_command_or_an_option of attacks::words;
    no_name_of_a_fleet_file_is_taken_for_a_command_or_an_option of attacks::words;
    no_file_of_a_run_can_be_read_by_others_at_any_moment of attacks::folders;
}
