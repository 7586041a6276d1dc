//! The demo as a program: its output, its end, and what it leaves behind.
use rustix::process::{Pid, Signal, kill_process_group};
use std::{
    fs,
    io::{BufRead, BufReader, Read},
    os::unix::{fs::symlink, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// A running demo, with its own folder for all temporary files.
struct Demo {
    folder: tempfile::TempDir,
    child: Child,
    began: Instant,
}

/// How a demo ended.
struct Ended {
    out: String,
    err: String,
    code: Option<i32>,
    took: Duration,
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Demo {
    fn start(flags: &[&str], path: Option<&Path>) -> Demo {
        let folder = tempfile::Builder::new().prefix("d").tempdir_in("/tmp").unwrap();
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--", env!("CARGO_BIN_EXE_rfab"), "--demo"]).args(flags);
        // Its own group, as at a terminal, where Ctrl-C goes to all of it.
        command.env("TMPDIR", folder.path()).env_remove("NO_COLOR").process_group(0);
        // In a pipeline of GitHub or GitLab it would print more.
        command.env_remove("GITHUB_ACTIONS").env_remove("GITLAB_CI");
        // A bare machine has no certificates.
        command.env("SSL_CERT_FILE", "/dev/null").env("SSL_CERT_DIR", "/nonexistent");
        if let Some(path) = path {
            command.env("PATH", path);
        }
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        Demo { folder, child: child.expect("setpriv: run tests/install-needs"), began: Instant::now() }
    }

    fn signal(&self, signal: Signal) {
        kill_process_group(Pid::from_raw(self.child.id() as i32).unwrap(), signal).unwrap();
    }

    /// Reads until a line contains this text, sends the signal, and waits for the end.
    fn ended_by(mut self, text: &str, signal: Signal) -> Ended {
        let mut lines = BufReader::new(self.child.stdout.take().unwrap());
        let mut out = String::new();
        while !out.lines().last().unwrap_or_default().contains(text) {
            assert_ne!(lines.read_line(&mut out).unwrap(), 0, "`{text}` was never printed:\n{out}");
        }
        self.signal(signal);
        lines.read_to_string(&mut out).unwrap();
        self.end(out)
    }

    fn ended(mut self) -> Ended {
        let mut out = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
        self.end(out)
    }

    fn end(mut self, out: String) -> Ended {
        let mut err = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        let code = self.child.wait().unwrap().code();
        let took = self.began.elapsed();
        assert_eq!(processes(self.folder.path()), Vec::<String>::new(), "{out}");
        assert_eq!(fs::read_dir(self.folder.path()).unwrap().count(), 0, "{out}");
        Ended { out, err, code, took }
    }
}

/// Returns the processes with that folder in their arguments or environment.
fn processes(folder: &Path) -> Vec<String> {
    let text = folder.to_str().unwrap();
    let read = |path: PathBuf| String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned();
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.filter(|e| e.file_name().to_string_lossy().bytes().all(|b| b.is_ascii_digit()));
    let said = pids.map(|e| (read(e.path().join("cmdline")), read(e.path().join("environ"))));
    said.filter(|(line, environ)| line.contains(text) || environ.contains(text)).map(|(line, _)| line).collect()
}

/// Returns how many requests the last line counts; panics if one failed.
#[track_caller]
fn requests(out: &str) -> u64 {
    let last = out.lines().last().unwrap_or_default();
    let count = last.strip_suffix(" requests, 0 failed").and_then(|count| count.parse().ok());
    count.unwrap_or_else(|| panic!("{out}"))
}

/// Returns the host rows of each closing table, with single spaces between columns.
fn tables(out: &str) -> Vec<Vec<String>> {
    let mut tables = Vec::new();
    let mut lines = out.lines();
    while lines.by_ref().any(|line| line.starts_with("host  ") && line.contains("balancer  result")) {
        let rows = lines.by_ref().take_while(|line| line.starts_with("web"));
        tables.push(rows.map(|row| row.split_whitespace().collect::<Vec<_>>().join(" ")).collect());
    }
    tables
}

#[test]
fn the_day_of_a_hotfix_is_shown_on_a_fleet_of_its_own_and_no_request_fails() {
    let Ended { out, err, code, took } = Demo::start(&[], None).ended();
    assert_eq!((code, &*err), (Some(0), ""), "{out}");
    assert!(requests(&out) > 300, "{out}");
    assert!(took < Duration::from_secs(60), "{took:?}");
    let typed: Vec<&str> = out.lines().filter_map(|line| line.strip_prefix("$ ")?.split("  ").next()).collect();
    let wanted =
        ["prod proxy.group2", "prod:out deploy:stable", "prod proxy.flip", "prod:out deploy:stable", "prod proxy.all"];
    assert_eq!(typed, wanted.map(|words| format!("rfab {words}")));

    // The commits are new each time; the tables of the first deploy name both.
    let tables = tables(&out);
    let [_, _, name, new, ..] = tables[1][0].split(' ').collect::<Vec<_>>()[..] else { panic!("{out}") };
    let new = &format!("{name} {new}");
    let old = tables[0][0].split(' ').nth(1).unwrap();
    assert!(old.starts_with("0001-") && new.starts_with("v3.0.1 (0002-"), "{out}");
    assert!(!out.contains("warning: "), "{out}");
    let rows = |hosts: std::ops::RangeInclusive<u8>, rest: &str| {
        let rest = rest.replace("OLD", old).replace("NEW", new);
        hosts.map(move |n| format!("web{n} {rest}")).collect::<Vec<_>>()
    };
    assert_eq!(tables.len(), 5, "{out}");
    assert_eq!(tables[0], [rows(1..=3, "OLD same out ok"), rows(4..=6, "OLD same live untouched")].concat());
    assert_eq!(tables[1], rows(1..=3, "OLD NEW out ok"));
    assert_eq!(tables[2], [rows(1..=3, "NEW same live ok"), rows(4..=6, "OLD same out ok")].concat());
    assert_eq!(tables[3], rows(4..=6, "OLD NEW out ok"));
    assert_eq!(tables[4], [rows(1..=3, "NEW same live untouched"), rows(4..=6, "NEW same live ok")].concat());
    assert!(!out.contains("\n0 responses from"), "{out}");
}

#[test]
fn the_client_in_rfab_reaches_a_server_that_is_not_openssh_and_the_day_ends_the_same() {
    let Ended { out, err, code, .. } = Demo::start(&["--transport", "native"], None).ended();
    assert_eq!((code, &*err), (Some(0), ""), "{out}");
    assert!(requests(&out) > 0 && !out.contains("warning: "), "{out}");
    let tables = tables(&out);
    assert_eq!(tables.len(), 5, "{out}");
    let ends = |row: &String| row.ends_with(" live ok") || row.ends_with(" live untouched");
    assert!(tables[4].len() == 6 && tables[4].iter().all(ends), "{out}");
}

#[test]
fn ctrl_c_in_the_middle_of_a_deploy_ends_it_in_order_and_leaves_nothing() {
    let Ended { out, code, .. } = Demo::start(&[], None).ended_by("bin/install-dependencies", Signal::INT);
    assert_eq!(code, Some(130), "{out}");
    assert!(requests(&out) > 0);
    // The interrupted command reports the hosts' states.
    assert_eq!(tables(&out).len(), 2, "{out}");
    assert!(out.contains("`rfab prod:out deploy:stable` ended with 130"), "{out}");
}

#[test]
fn a_demo_that_is_told_to_end_while_it_is_set_up_leaves_nothing() {
    let demo = Demo::start(&[], None);
    let until = Instant::now() + Duration::from_secs(10);
    while fs::read_dir(demo.folder.path()).unwrap().count() == 0 {
        assert!(Instant::now() < until, "it doesn't begin");
        thread::sleep(Duration::from_millis(2));
    }
    demo.signal(Signal::TERM);
    let ended = demo.ended();
    assert_eq!((ended.code, &*ended.out), (Some(143), ""), "{}", ended.err);
}

#[test]
fn a_day_that_does_not_come_to_its_end_is_no_success() {
    // Hosts without `flock` can't hold a lock.
    let tools = tempfile::tempdir().unwrap();
    for folder in ["/usr/local/bin", "/usr/bin", "/bin"] {
        for entry in fs::read_dir(folder).unwrap().flatten().filter(|e| e.file_name() != "flock") {
            let _ = symlink(entry.path(), tools.path().join(entry.file_name()));
        }
    }
    let Ended { out, code, .. } = Demo::start(&["--quiet"], Some(tools.path())).ended();
    assert_eq!(code, Some(1), "{out}");
    assert!(out.contains("error: host `lb1` has no `flock`, which the lock needs"), "{out}");
    assert!(out.contains("`rfab prod proxy.group2` ended with 1\n"), "{out}");
    assert!(requests(&out) > 0);
}

#[test]
fn with_json_the_output_is_events_alone() {
    let Ended { out, err, code, .. } = Demo::start(&["--json"], None).ended();
    assert_eq!(code, Some(0), "{out}\n{err}");
    let events: Vec<serde_json::Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.iter().filter(|event| event["event"] == "run_finished").count(), 5);
    assert!(requests(&err) > 300);
}
