//! The operator's machine keeps all output of hosts, and a host's failure is reported with its last lines at the end.

use lab::{HostPlan, Lab, Plan, Sudo, needs_lab};
use serde_json::Value;
use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

const TASKS: &str = r#"
fn work() {
    targets().parallel(|host| {
        if host.name == "web2" {
            host.run(sh("for i in 1 2 3 4 5 6 7 8 9 10 11; do echo \"step $i\"; done; sleep 0.5; printf '\\033[2Jgone\\n' >&2; exit 3"));
        }
        host.run(sh("sleep 1; for i in 1 2 3 4 5 6 7 8 9 10 11; do echo \"fine $i\"; done"));
    });
}
fn linger() { targets().each(|host| host.run(sh("echo before; sleep 60"))); }
"#;

/// Starts three hosts, with tasks that print on them.
fn three() -> Lab {
    let web = |name| HostPlan::new(name).fleet("prod").role("web").sudo(Sudo::Free);
    let lab = Lab::start(Plan::new().host(web("web1")).host(web("web2")).host(web("web3")));
    lab.edit("fabfile.rhai", |text| text + TASKS);
    lab
}

fn runs(lab: &Lab) -> PathBuf {
    lab.home().join(".local/share/rfab/runs")
}

/// Returns a log's lines, without their times.
fn lines(file: &std::path::Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let line = |line: &str| {
        let (at, rest) = line.split_once(' ').expect("a time");
        assert!(at.parse::<jiff::Timestamp>().is_ok(), "{line}");
        rest.to_owned()
    };
    text.lines().map(line).collect()
}

#[test]
fn each_host_has_a_log_of_the_run_and_the_last_lines_of_one_that_failed_are_told_again_at_the_end() {
    if !needs_lab("each_host_has_a_log_of_the_run_and_the_last_lines_of_one_that_failed_are_told_again_at_the_end") {
        return;
    }
    let lab = three();
    let failed = lab.rfab(&["prod", "work"]).output();
    println!("{}{}", failed.stdout, failed.stderr);
    assert_eq!(failed.code, Some(1), "{failed:?}");
    let folders: Vec<PathBuf> = fs::read_dir(runs(&lab)).expect("runs").flatten().map(|e| e.path()).collect();
    let folder = folders.iter().find(|path| path.is_dir()).expect("a folder of logs");
    let log = folder.join("prod.web2.log");
    let steps: String = (3..=11).map(|n| format!("  | step {n}\n")).collect();
    let told = format!("\nlast lines of web2:\n{steps}  ! ␛[2Jgone\n\nlog: {}\n\nerror: host `web2`: ", log.display());
    let (_, end) = failed.stdout.split_once(&told).unwrap_or_else(|| panic!("{failed:?}"));
    let (_, table) = end.split_once("\nhost  balancer  result\n").expect("a table below");
    assert!(table.contains("\n3 hosts: 2 ok, 1 failed\n\nnext: rfab "), "{table}");

    let command =
        r#"`for i in 1 2 3 4 5 6 7 8 9 10 11; do echo "step $i"; done; sleep 0.5; printf '\033[2Jgone\n' >&2; exit 3`"#;
    let own: Vec<String> = lines(&log).into_iter().filter(|line| !line.contains(" list its releases")).collect();
    let steps = (1..=11).map(|n| format!("| step {n}"));
    assert_eq!(own[0], format!("> run {command}"));
    assert_eq!(own[1..13], steps.chain(["! \x1b[2Jgone".to_owned()]).collect::<Vec<_>>());
    let ended = format!("< run {command}  failed after ");
    assert!(own[13].starts_with(&ended) && own[13].ends_with(" ended with status 3"), "{own:?}");
    assert_eq!(own.len(), 14, "{own:?}");
    assert!(lines(&folder.join("prod.web1.log")).contains(&"| fine 11".to_owned()));
    let mode = |path: &std::path::Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!((mode(&log), mode(folder)), (0o600, 0o700));

    let run = folder.file_stem().expect("a run").to_str().expect("its id");
    let shown = lab.rfab(&["--show", run]).output().expect_ok();
    let named = ["web1", "web2", "web3"].map(|host| folder.join(format!("prod.{host}.log")).display().to_string());
    assert!(shown.ends_with(&format!("\nlogs  {}\n", named.join("\n      "))), "{shown}");

    let told = lab.rfab(&["--json", "prod", "--", "true"]).output().expect_ok();
    let last: Value = serde_json::from_str(told.lines().last().expect("an event")).expect("JSON");
    let logs: Vec<&str> =
        last["logs"].as_array().expect("logs").iter().filter_map(|log| log["host"].as_str()).collect();
    assert_eq!(logs, ["web1", "web2", "web3"], "{last}");
    let file = last["logs"][0]["file"].as_str().expect("a file");
    assert!(lines(std::path::Path::new(file)).contains(&"> run `true`".to_owned()));
}

#[test]
fn the_log_of_a_run_that_was_killed_has_every_line_until_then() {
    if !needs_lab("the_log_of_a_run_that_was_killed_has_every_line_until_then") {
        return;
    }
    let lab = three();
    let killed = lab.rfab(&["--limit", "web1", "prod", "linger"]).start();
    killed.wait_for("| before\n");
    killed.kill();
    assert_eq!(killed.output().code, None);
    let folder = fs::read_dir(runs(&lab)).expect("runs").flatten().map(|e| e.path()).find(|path| path.is_dir());
    let own = lines(&folder.expect("a folder of logs").join("prod.web1.log"));
    assert_eq!(own, ["> run `echo before; sleep 60`", "| before"]);
}

#[test]
fn a_run_whose_logs_cannot_be_written_says_so_once_and_goes_on() {
    if !needs_lab("a_run_whose_logs_cannot_be_written_says_so_once_and_goes_on") {
        return;
    }
    let lab = three();
    // The limit holds for every file: the output goes through a pipe, and only the logs are longer than it.
    let limited = "ulimit -f 128; trap '' XFSZ";
    let run = "\"$0\" prod -- 'yes 0123456789012345678901234567890 | head -n 10000'; echo \"ended with $?\"";
    let done = lab
        .program("sh", &["-c", &format!("{limited}; {{ {run}; }} | grep -v ' | 0123'"), env!("CARGO_BIN_EXE_rfab")])
        .output();
    let warnings: Vec<&str> = done.stdout.lines().filter(|line| line.starts_with("warning: the log of `web")).collect();
    let [warning] = warnings[..] else { panic!("{done:?}") };
    assert!(done.stdout.ends_with("\nended with 0\n"), "{done:?}");
    assert!(warning.contains(", so the run continues without it: "), "{warning}");
}
