//! Releases that meet trouble on the way: which hosts are left out, what is refused, and what the next command does.
mod shapes;

use lab::{HostPlan, Lab, Output, Plan, Sudo, needs_lab};
use rustix::process::Signal;

/// Starts two groups of two behind `lb1`, and sets them up.
fn four() -> Lab {
    started(four_of("lb1", Plan::new()))
}

fn four_of(balancer: &'static str, plan: Plan) -> Plan {
    let web = |name, group| HostPlan::new(name).fleet("prod").group(group).role("web").sudo(Sudo::Free);
    plan.serving("v3.0.0")
        .host(web("web1", "group1"))
        .host(web("web2", "group1"))
        .host(web("web3", "group2"))
        .host(web("web4", "group2"))
        .balancer(balancer, &[("bk_web", "web")])
}

fn started(plan: Plan) -> Lab {
    let lab = Lab::start(plan);
    run(&lab, &["prod", "setup"], 0);
    lab
}

/// Runs a line, panics unless it ends with that code, and returns what it printed.
#[track_caller]
fn run(lab: &Lab, words: &[&str], code: i32) -> String {
    let Output { stdout, stderr, code: ended } = lab.rfab(words).output();
    println!("===== rfab {}: {ended:?}\n{stdout}{stderr}", words.join(" "));
    assert_eq!((ended, stderr.as_str()), (Some(code), ""), "rfab {}\n{stdout}", words.join(" "));
    stdout
}

/// Returns the hosts that are out on a balancer.
fn out(lab: &Lab, balancer: &str) -> Vec<String> {
    let states = lab.balancer(balancer).ask("show servers state bk_web").expect("an answer");
    let rows = states.lines().skip(2).filter(|l| !l.is_empty()).map(|l| l.split(' ').collect::<Vec<_>>());
    // `disabled` in the configuration doesn't count as out.
    rows.filter(|cells| !["0", "4"].contains(&cells[6])).map(|cells| cells[3].to_owned()).collect()
}

#[test]
fn a_host_that_somebody_else_took_out_is_named_and_left_until_it_is_typed() {
    if !needs_lab("a_host_that_somebody_else_took_out_is_named_and_left_until_it_is_typed") {
        return;
    }
    let lab = four();
    lab.balancer("lb1").set("bk_web", "web2", "drain");
    // The host may be dead, because nothing connects to it.
    lab.host("web2").stop_sshd();
    let one = run(&lab, &["prod", "proxy.group2"], 0);
    assert_eq!(out(&lab, "lb1"), ["web1", "web2"]);
    assert!(!one.contains("can't be reached"), "{one}");
    let all = run(&lab, &["prod", "proxy.all"], 8);
    let line = "warning: `web2` was out before this run, and the ledger doesn't say who took it out";
    assert!(all.contains(line), "{all}");
    assert_eq!(out(&lab, "lb1"), ["web2"]);
    lab.host("web2").start_sshd();
    run(&lab, &["prod", "proxy.all:web2"], 0);
    assert_eq!(out(&lab, "lb1"), [""; 0]);
    // Half of a group is out: `flip` can't start from that.
    run(&lab, &["prod", "proxy.group2"], 0);
    lab.balancer("lb1").set("bk_web", "web1", "ready");
    let half = run(&lab, &["prod", "proxy.flip"], 7);
    assert!(half.contains("group group1 is partly live and partly out: 1 of 2 live"), "{half}");
    run(&lab, &["prod", "proxy.group2"], 0);
    assert_eq!(out(&lab, "lb1"), ["web1", "web2"]);
    let partly = run(&lab, &["prod:out", "proxy.flip"], 7);
    assert!(partly.contains("these hosts are missing: web3, web4"), "{partly}");
    run(&lab, &["prod", "proxy.all", "--exclude", "web1"], 0);
    assert_eq!(out(&lab, "lb1"), ["web1"]);
}

#[test]
fn a_host_in_maintenance_is_checked_before_it_gets_requests() {
    if !needs_lab("a_host_in_maintenance_is_checked_before_it_gets_requests") {
        return;
    }
    let lab = four();
    lab.edit("fleets/prod.toml", |text| text.replace("drain_within = \"10s\"", "drain_within = \"2s\""));
    let load = lab.load(100);
    lab.balancer("lb1").set("bk_web", "web1", "maint");
    load.wait_for(20);
    lab.host("web1").unit("shop").tell("stop");
    let sick = run(&lab, &["prod", "proxy.all:web1"], 1);
    assert!(sick.contains("host `web1` doesn't become healthy within 15 s"), "{sick}");
    // Its own page is healthy before the balancer's checks see that.
    lab.host("web1").unit("shop").tell("start");
    run(&lab, &["prod", "proxy.all:web1"], 0);
    assert_eq!(out(&lab, "lb1"), [""; 0]);
    load.wait_for(50);
    load.stop().expect_none_failed();
}

#[test]
fn a_sick_release_stops_the_roll_with_the_old_one_live_and_no_request_failed() {
    if !needs_lab("a_sick_release_stops_the_roll_with_the_old_one_live_and_no_request_failed") {
        return;
    }
    let lab = four();
    lab.edit("fleets/prod.toml", |text| text.replace("within = \"15s\"", "within = \"3s\""));
    let berta = lab.colleague("berta");
    berta.write("sick", "");
    berta.release("v3.0.2");
    let load = lab.load(100);
    load.wait_for(20);
    let sick = run(&lab, &["prod", "release:stable"], 1);
    assert!(sick.contains("error: host `web1` doesn't become healthy within 3 s"), "{sick}");
    assert!(sick.contains("the same on web2"), "{sick}");
    assert!(sick.contains("the last responses from http://") && sick.contains("503"), "{sick}");
    assert!(sick.contains("shop: serves "), "the log's tail: {sick}");
    assert_eq!(out(&lab, "lb1"), ["web1", "web2"]);
    let old = lab.project.resolve("v3.0.0")[..12].to_owned();
    for host in ["web3", "web4"] {
        assert_eq!(lab.host(host).serves(), Some(old.clone()));
    }
    let flip = run(&lab, &["prod", "proxy.flip"], 7);
    assert!(flip.contains("host `web1` isn't healthy, so rfab leaves it out: its balancer reports `DOWN`"), "{flip}");
    assert_eq!(out(&lab, "lb1"), ["web1", "web2"]);
    load.wait_for(20);
    load.stop().expect_none_failed();
}

#[test]
fn a_release_in_progress_keeps_its_commit_until_another_is_typed_in_full() {
    if !needs_lab("a_release_in_progress_keeps_its_commit_until_another_is_typed_in_full") {
        return;
    }
    let lab = four();
    run(&lab, &["prod", "proxy.group2"], 0);
    run(&lab, &["prod:out", "deploy:stable"], 0);
    run(&lab, &["prod", "proxy.flip"], 0);
    let newer = lab.colleague("berta").release("v3.0.2");
    let kept = run(&lab, &["prod:out", "deploy:stable"], 0);
    let first = lab.project.resolve("v3.0.1");
    assert!(kept.contains(&format!("stable moved from {} to {}", &first[..12], &newer[..12])), "{kept}");
    assert_eq!(lab.host("web3").serves().as_deref(), Some(&first[..12]));
    // All hosts have it: the release is over, and the next one begins with the newest commit.
    run(&lab, &["prod", "proxy.all"], 0);
    run(&lab, &["prod", "proxy.group2"], 0);
    let next = run(&lab, &["prod:out", "deploy:stable"], 0);
    assert!(!next.contains("moved from"), "{next}");
    assert_eq!(lab.host("web1").serves().as_deref(), Some(&newer[..12]));
    run(&lab, &["prod", "proxy.flip"], 0);
    let typed = run(&lab, &["prod:out", "deploy:v3.0.1"], 0);
    assert!(!typed.contains("moved from"), "{typed}");
    assert_eq!(lab.host("web3").serves().as_deref(), Some(&first[..12]));
    assert_eq!(lab.host("web3").current(), Some(format!("0002-{}", &first[..12])), "a known commit keeps its number");
}

#[test]
fn a_balancer_that_forgot_in_the_middle_is_noticed_before_the_next_change() {
    if !needs_lab("a_balancer_that_forgot_in_the_middle_is_noticed_before_the_next_change") {
        return;
    }
    let lab = four();
    lab.edit("fabfile.rhai", |text| {
        text + "import \"std/proxy\" as p;\n\
                fn careful() {\n    let host = targets().host(\"web1\");\n    p::out(targets().group(\"group1\"), \"only\");\n    \
                ui::note(\"it is out\");\n    clock::deadline(\"20s\", \"100ms\", || host.exists(\"/srv/go\"));\n    \
                service::restart(host);\n}\n"
    });
    let forgetful = lab.rfab(&["prod", "careful"]).start();
    forgetful.wait_for("it is out");
    lab.balancer("lb1").reload();
    lab.balancer("lb1").wait_until_up();
    lab.host("web1").sh("touch /srv/go").expect_ok();
    let told = forgetful.output();
    println!("{}{}", told.stdout, told.stderr);
    // The balancer forgot that the host is out, so the host is live again, and rfab leaves its service alone.
    // Two hosts were drained before that, so the code isn't the 7 of a run that changed nothing.
    assert_eq!(told.code, Some(1), "{told:?}");
    assert!(told.stdout.contains("host `web1` is live in `lb1/bk_web`"), "{told:?}");

    let again = lab.rfab(&["prod", "careful"]).start();
    lab.host("web1").sh("rm /srv/go").expect_ok();
    again.wait_for("it is out");
    lab.balancer("lb1").reload();
    lab.balancer("lb1").wait_until_up();
    for name in ["web1", "web2"] {
        lab.balancer("lb1").set("bk_web", name, "drain");
    }
    lab.host("web1").sh("touch /srv/go").expect_ok();
    let told = again.output();
    println!("{}{}", told.stdout, told.stderr);
    assert_eq!(told.code, Some(6), "{told:?}");
    assert!(told.stdout.contains("`lb1` was reloaded or restarted while this host was out"), "{told:?}");
}

#[test]
fn whoever_removes_the_lock_file_ends_the_run_that_held_it_before_its_next_change() {
    if !needs_lab("whoever_removes_the_lock_file_ends_the_run_that_held_it_before_its_next_change") {
        return;
    }
    let lab = four();
    lab.edit("fabfile.rhai", |text| {
        text + "import \"std/proxy\" as p;\n\
                fn careful() {\n    p::out(targets().group(\"group1\"), \"only\");\n    ui::note(\"it is out\");\n    \
                clock::deadline(\"20s\", \"100ms\", || targets().host(\"web1\").exists(\"/srv/go\"));\n    \
                p::back(targets().group(\"group1\"));\n}\n"
    });
    let first = lab.rfab(&["prod", "careful"]).start();
    first.wait_for("it is out");
    lab.host("lb1").sh(&format!("rm {}/.local/state/rfab/prod/lock", lab.host("lb1").home())).expect_ok();
    run(&lab, &["prod", "proxy.group2"], 0);
    lab.host("web1").sh("touch /srv/go").expect_ok();
    let told = first.output();
    println!("{}{}", told.stdout, told.stderr);
    assert_eq!(told.code, Some(9), "{told:?}");
    assert!(told.stdout.contains("error: rfab can't tell whether this run still has the lock on `lb1`"), "{told:?}");
    assert_eq!(out(&lab, "lb1"), ["web1", "web2"]);
    run(&lab, &["prod", "proxy.all"], 0);
}

#[test]
pub(super) fn two_balancers_agree_all_or_none_and_one_that_forwards_no_sockets_is_asked_on_its_host() {
    if !needs_lab("two_balancers_agree_all_or_none_and_one_that_forwards_no_sockets_is_asked_on_its_host") {
        return;
    }
    let refusing = HostPlan::new("lb2").sshd("AllowStreamLocalForwarding no");
    let lab = started(four_of("lb1", Plan::new().host(refusing)).balancer("lb2", &[("bk_web", "web")]));
    let load = lab.load(100);
    load.wait_for(20);
    let told = run(&lab, &["prod", "proxy.group2"], 0);
    assert!(
        told.contains("`lb2`: its sshd doesn't forward sockets, so rfab talks to it with `socat` on its host"),
        "{told}"
    );
    assert_eq!(
        (out(&lab, "lb1"), out(&lab, "lb2")),
        (vec!["web1".into(), "web2".into()], vec!["web1".into(), "web2".into()])
    );
    run(&lab, &["prod:out", "deploy:stable"], 0);
    run(&lab, &["prod", "proxy.flip"], 0);
    run(&lab, &["prod:out", "deploy:stable"], 0);
    run(&lab, &["prod", "proxy.all"], 0);
    load.wait_for(20);
    load.stop().expect_none_failed();

    // A host that is out on one balancer counts as neither live nor out, and the next command completes it.
    lab.balancer("lb2").set("bk_web", "web1", "drain");
    let half = run(&lab, &["prod", "proxy.status"], 0);
    assert!(half.contains("half out"), "{half}");
    lab.balancer("lb2").set("bk_web", "web1", "ready");
    lab.balancer("lb2").kill();
    let gone = run(&lab, &["prod", "proxy.group2"], 6);
    assert!(gone.contains("balancer `lb2` doesn't answer"), "{gone}");
    assert_eq!(out(&lab, "lb1"), [""; 0], "none is out where the other doesn't answer");
}

/// A lock that outlives its holder must be removed by hand: deployphp/deployer#3335.
#[test]
fn an_interrupted_run_ends_its_effect_gives_the_lock_back_and_says_how_all_stands() {
    if !needs_lab("an_interrupted_run_ends_its_effect_gives_the_lock_back_and_says_how_all_stands") {
        return;
    }
    let lab = four();
    let load = lab.load(100);
    load.wait_for(20);
    let roll = lab.rfab(&["prod", "release:stable"]).start();
    roll.wait_for("restart shop");
    assert!(roll.signal(Signal::INT));
    let told = roll.output();
    println!("{}{}", told.stdout, told.stderr);
    assert_eq!((told.code, told.stderr.as_str()), (Some(130), ""), "{told:?}");
    assert!(told.stdout.contains("\nhost  old ") && told.stdout.contains("\nnext: rfab --resume "), "{told:?}");
    let done = run(&lab, &["prod", "release:stable"], 0);
    assert_eq!(done.lines().filter(|l| l.contains("  live ")).count(), 4, "{done}");
    load.wait_for(20);
    load.stop().expect_none_failed();
}

#[test]
pub(super) fn the_second_interrupt_stops_what_runs_on_the_hosts_and_leaves_no_process() {
    if !needs_lab("the_second_interrupt_stops_what_runs_on_the_hosts_and_leaves_no_process") {
        return;
    }
    let lab = four();
    let tails = |host: &str| lab.host(host).processes().iter().filter(|p| p.name == "tail" && !p.dead).count();
    let all = || ["web1", "web2", "web3", "web4"].map(tails);
    let wait_for = |wanted: [usize; 4]| {
        let begun = std::time::Instant::now();
        while all() != wanted {
            assert!(begun.elapsed().as_secs() < 10, "{:?}", all());
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    };
    for (signal, again) in [
        (Signal::INT, Signal::INT),
        (Signal::TERM, Signal::TERM),
        (Signal::HUP, Signal::TERM),
        (Signal::INT, Signal::TERM),
    ] {
        let long = lab.rfab(&["prod", "--", "tail -f /dev/null; echo over"]).start();
        wait_for([1; 4]);
        assert!(long.signal(signal));
        long.wait_for("interrupted: what is running finishes, and nothing new starts");
        assert_eq!(all(), [1; 4]);
        assert!(long.signal(again));
        let told = long.output();
        let code = if again == Signal::INT { 130 } else { 143 };
        assert_eq!((told.code, told.stderr.as_str()), (Some(code), ""), "{told:?}");
        assert!(told.stdout.contains("4 hosts: "), "{told:?}");
        assert_eq!(all(), [0; 4]);
    }
}

#[test]
fn a_migration_that_fails_stops_before_any_switch_and_one_that_died_is_asked_about() {
    if !needs_lab("a_migration_that_fails_stops_before_any_switch_and_one_that_died_is_asked_about") {
        return;
    }
    let lab = four();
    let current = ["web1", "web2"].map(|host| lab.host(host).current());
    run(&lab, &["prod", "proxy.group2"], 0);
    lab.edit("fabfile.rhai", |text| text.replace("bin/migrate --yes", "bin/migrate-wrongly"));
    let failed = run(&lab, &["prod:out", "deploy:stable"], 1);
    assert!(failed.contains("bin/migrate-wrongly"), "{failed}");
    assert_eq!(["web1", "web2"].map(|host| lab.host(host).current()), current);
    lab.edit("fabfile.rhai", |text| text.replace("bin/migrate-wrongly", "sleep 60"));
    let dying = lab.rfab(&["prod:out", "deploy:stable"]).start();
    dying.wait_for("migrate:");
    std::thread::sleep(std::time::Duration::from_millis(500));
    dying.kill();
    lab.edit("fabfile.rhai", |text| text.replace("sleep 60", "bin/migrate --yes"));
    let asked = run(&lab, &["prod:out", "deploy:stable", "--wait"], 9);
    assert!(
        asked.contains("`migrate` of ")
            && asked.contains("and rfab can't tell how it ended")
            && asked.contains("next: rfab --resume "),
        "{asked}"
    );
    assert_eq!(["web1", "web2"].map(|host| lab.host(host).current()), current);
}

#[test]
fn a_guarded_fleet_asks_by_name_and_takes_no_branch_and_no_piped_yes() {
    if !needs_lab("a_guarded_fleet_asks_by_name_and_takes_no_branch_and_no_piped_yes") {
        return;
    }
    let lab = four();
    lab.edit("fleets/prod.toml", |text| format!("guarded = true\n{text}"));
    let branch = run(&lab, &["prod", "deploy:main", "--yes=prod"], 7);
    assert!(branch.contains("`main`") && branch.contains("branch") && !branch.contains("next: "), "{branch}");
    for (flags, piped) in [(&[][..], "y\nyes\nprod\n"), (&["--yes=testing1"], ""), (&["--yes"], "")] {
        let words = [&["prod", "proxy.group2"], flags].concat();
        let refused = lab.rfab(&words).stdin(piped).output();
        println!("{}{}", refused.stdout, refused.stderr);
        assert_eq!(refused.code, Some(7), "{flags:?} {refused:?}");
        assert!(refused.stdout.contains("--yes=prod"), "{refused:?}");
        assert!(refused.stdout.ends_with("\nnext: rfab --yes=prod prod proxy_group2\n"), "{refused:?}");
        assert_eq!(out(&lab, "lb1"), [""; 0]);
    }
    run(&lab, &["prod", "proxy.group2", "--yes=prod"], 0);
    assert_eq!(out(&lab, "lb1"), ["web1", "web2"]);
    let asked = lab.rfab(&["prod", "proxy.all"]).on_terminal().start();
    asked.wait_for("[y/N]");
    asked.types("n\n");
    let asked = asked.output();
    println!("{}", asked.stdout);
    assert_eq!(asked.code, Some(7), "{asked:?}");
    assert!(asked.stdout.contains("`prod` is guarded.") && asked.stdout.contains("rfab prod proxy_all"), "{asked:?}");
    assert_eq!(out(&lab, "lb1"), ["web1", "web2"]);
    let yes = lab.rfab(&["prod", "proxy.all"]).on_terminal().start();
    yes.wait_for("[y/N]");
    yes.types("y\n");
    let yes = yes.output();
    assert_eq!(yes.code, Some(0), "{yes:?}");
    assert_eq!(out(&lab, "lb1"), [""; 0]);
}

#[test]
fn names_with_a_semicolon_or_a_line_end_never_reach_the_admin_socket() {
    if !needs_lab("names_with_a_semicolon_or_a_line_end_never_reach_the_admin_socket") {
        return;
    }
    let lab = four();
    let fleet = std::fs::read_to_string(lab.project.folder.join("fleets/prod.toml")).expect("a fleet");
    for server in ["{name} state ready;set server bk_web/web2 state maint", "{name}\\nshutdown", "a'b", "../x"] {
        lab.edit("fleets/prod.toml", |_| fleet.replace("server = \"{name}\"", &format!("server = \"{server}\"")));
        let refused = run(&lab, &["prod", "proxy.group2"], 3);
        assert!(refused.contains("server = "), "{refused}");
    }
    lab.edit("fleets/prod.toml", |_| fleet.replace("bk_web", "\"bk_web;shutdown\""));
    run(&lab, &["prod", "proxy.group2"], 3);
    assert_eq!(out(&lab, "lb1"), [""; 0]);
}

#[test]
fn a_rollback_serves_what_was_good_before_again_also_where_it_was_pruned_and_no_request_fails() {
    if !needs_lab("a_rollback_serves_what_was_good_before_again_also_where_it_was_pruned_and_no_request_fails") {
        return;
    }
    let lab = four();
    let newer = lab.colleague("berta").release("v3.0.2");
    run(&lab, &["prod", "release:v3.0.1"], 0);
    run(&lab, &["prod", "release:stable"], 0);
    let (old, new) = (lab.project.resolve("v3.0.1")[..12].to_owned(), newer[..12].to_owned());
    // A file is gone on one host: no host switches.
    let release = lab.host("web4").sh("ls -d /srv/shop/releases/0002-*[0-9a-f]");
    let folder = release.stdout.trim().to_owned();
    let damaged = lab.host("web4").sh(&format!("mv {folder}/bin {folder}.bin"));
    assert_eq!(damaged.code, Some(0), "{folder}: {damaged:?}");
    let refused = run(&lab, &["prod", "rollback"], 7);
    assert!(refused.contains(&format!("error: v3.0.1 ({old}) isn't there as it was staged; web4: [")), "{refused}");
    for host in ["web1", "web2", "web3", "web4"] {
        assert_eq!(lab.host(host).serves().as_deref(), Some(&*new), "{host}");
    }
    lab.host("web4").sh(&format!("mv {folder}.bin {folder}/bin")).expect_ok();
    lab.host("web3").sh("rm -rf /srv/shop/releases/0002-*").expect_ok();
    let load = lab.load(100);
    load.wait_for(20);
    let back = run(&lab, &["prod", "rollback"], 0);
    let table = back.split("\nhost ").nth(1).expect("a table");
    let row = |host: &str| format!("{host}  v3.0.2 (0003-{new})  v3.0.1 (0002-{old})  live      ok\n");
    let rows = ["web1", "web2", "web3", "web4"].map(row).concat();
    let head = format!(
        "host  old                         new                         balancer  result\n{rows}4 hosts: 4 ok; still \
         serving "
    );
    assert!(format!("host {table}").starts_with(&head), "{table}");
    assert!(back.contains("web3  stage v3.0.1 (0002-") && !back.contains("web1  stage v3.0.1 (0002-"), "{back}");
    for host in ["web1", "web2", "web3", "web4"] {
        assert_eq!(lab.host(host).serves().as_deref(), Some(&*old), "{host}");
    }
    load.wait_for(20);
    load.stop().expect_none_failed();
    let again = run(&lab, &["prod", "release:stable"], 7);
    assert!(again.contains(&format!("error: `stable` is v3.0.2 ({new}), which was rolled back by ")), "{again}");
}

#[test]
fn a_balancer_that_is_not_ours_is_changed_by_a_person_who_is_asked_and_what_was_said_holds() {
    if !needs_lab("a_balancer_that_is_not_ours_is_changed_by_a_person_who_is_asked_and_what_was_said_holds") {
        return;
    }
    let lab = four();
    lab.edit("fleets/prod.toml", |text| {
        let (before, after) = text.split_once("driver = \"haproxy\"\n").expect("a balancer");
        let pools = &after[after.find("pools").expect("its pools")..];
        format!("{before}driver = \"manual\"\n{pools}")
    });
    // rfab can't tell the hosts' states, and it has nobody to ask.
    let nobody = run(&lab, &["prod", "proxy.group2"], 6);
    let why = "error: changing `lb1` by hand requires a terminal, and rfab isn't running in one";
    assert!(nobody.contains(why), "{nobody}");
    let asked = |words: &[&str], answers: &[(&str, &str)], code: i32| {
        let run = lab.rfab(words).on_terminal().start();
        for (question, answer) in answers {
            run.wait_for(question);
            run.types(answer);
        }
        let ended = run.output();
        println!("===== rfab {words:?}\n{}", ended.stdout);
        assert_eq!(ended.code, Some(code), "{words:?}");
        ended.stdout
    };
    let how = "Do all of them take requests? [y/N]";
    let done = "Is it done? Any answer but yes stops. [y/N]";
    let no = asked(&["prod", "proxy.group2"], &[(how, "y\n"), (done, "n\n")], 6);
    assert!(no.contains("take web1, web2 out of `bk_web` on lb1, and wait until no request is open there"), "{no}");
    assert!(no.contains("error: nobody confirmed that it's done: take web1, web2 out of `bk_web` on lb1"), "{no}");
    asked(&["prod", "proxy.group2"], &[(done, "y\n")], 0);
    // From now on, everybody knows what the person answered.
    let deployed = run(&lab, &["prod:out", "deploy:stable"], 0);
    assert!(deployed.contains("targets: prod, 2 of 4 hosts (out)"), "{deployed}");
    asked(
        &["prod", "proxy.flip"],
        &[("put web1, web2 back into `bk_web` on lb1", ""), (done, "y\n"), ("take web3, web4 out", ""), (done, "y\n")],
        0,
    );
    assert_eq!(out(&lab, "lb1"), [""; 0], "nothing was sent to the balancer");
}
