//! A run that dies or is interrupted at an effect that its operator names.
use super::{fabfile, ran, ran_in};
use lab::{alone, needs_root};
use std::process::Command;

const SLOW: &str = r#"
fn slow() {
    clock::wait("1ms");
    ui::note("half");
    clock::wait("2ms");
    ui::note("whole");
}
"#;

#[test]
fn a_run_dies_where_it_is_told_to_and_one_word_goes_on_with_it() {
    let folder = fabfile(SLOW);
    let (out, err, code) = ran_in(folder.path(), &[("RFAB_DRILL", "kill:before:0.slow#1")], &["slow"]);
    assert_eq!((out.as_str(), code), ("rfab slow\nhalf\n", None));
    assert_eq!(err, "warning: this run is a drill: it is killed before 0.slow#1\n");
    let (none, err, code) = ran(folder.path(), &["--resume"]);
    assert_eq!((none.as_str(), code), ("", 1));
    let anew = err.lines().find_map(|line| line.trim_start().strip_prefix("run `")).expect("the run that isn't meant");
    let (run, rest) = anew.split_once('`').unwrap();
    assert!(
        rest.starts_with(" isn't done, and changed nothing (") && rest.ends_with("type it again, `rfab slow`"),
        "{err}"
    );
    let (out, err, code) = ran(folder.path(), &["--resume", run]);
    assert_eq!((out.as_str(), err.as_str(), code), ("rfab slow\nhalf\nwhole\n", "", 0));
}

#[test]
fn a_run_is_interrupted_where_it_is_told_to_and_one_without_that_effect_says_so() {
    let folder = fabfile(SLOW);
    let (out, _, code) = ran_in(folder.path(), &[("RFAB_DRILL", "int:after:0.slow#0")], &["slow"]);
    assert!(out.contains("half") && !out.contains("whole") && out.ends_with("\nnext: rfab slow\n"), "{out}");
    assert_eq!(code, Some(130));
    let (_, err, code) = ran_in(folder.path(), &[("RFAB_DRILL", "int:after:0.slow#7")], &["slow"]);
    let first = "warning: this run is a drill: it is interrupted after 0.slow#7\n";
    let last = "warning: the run wasn't interrupted after 0.slow#7: it has no such effect\n";
    assert_eq!((err, code), (format!("{first}{last}"), Some(0)));
}

#[test]
fn a_signal_is_handled_from_the_first_effect_on_however_slowly_the_system_takes_handlers() {
    if !needs_root("a_signal_is_handled_from_the_first_effect_on_however_slowly_the_system_takes_handlers") {
        return;
    }
    let folder = fabfile(SLOW);
    let slowly = ["-f", "-qq", "-o", "/dev/null", "-e", "inject=rt_sigaction:delay_enter=50000"];
    let output = alone::cleared(&mut Command::new("strace"))
        .args(slowly)
        .args([env!("CARGO_BIN_EXE_rfab"), "slow"])
        .current_dir(folder.path())
        .env("HOME", folder.path())
        .env("RFAB_DRILL", "int:before:0.slow#0")
        .output()
        .unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(out.ends_with("\nnext: rfab slow\n"), "{out}");
    assert_eq!(output.status.code(), Some(130));
}

#[test]
fn a_drill_that_is_not_understood_is_a_wrong_line_and_nothing_is_begun() {
    let folder = fabfile(SLOW);
    let (out, err, code) = ran_in(folder.path(), &[("RFAB_DRILL", "kill:at:0.slow#1")], &["slow"]);
    assert_eq!((out.as_str(), code), ("", Some(2)));
    assert_eq!(
        err,
        "\
error: `RFAB_DRILL=kill:at:0.slow#1`: `at` isn't `before`, `amid` or `after`
  help: write `kill:before:LANE#NUMBER`: `kill`, `int` or `int2`, `before`, `amid` or `after`, and an effect of a run's journal
"
    );
    assert_eq!(ran(folder.path(), &["--history"]).0, "there are no runs on this machine\n");
}
