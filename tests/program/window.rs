//! The live view in a real terminal, while its window gets narrower and wider.

use rfab::{
    event::{EffectKind, Event, EventKind, HostPlace, PoolState},
    failure::Exit,
    report::{self, Loud, Style},
};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    thread::sleep,
    time::{Duration, Instant},
};

/// The folder in which the run in the terminal looks for signals from the test.
const FOLDER: &str = "RFAB_WINDOW";

/// A tmux server for one test; it ends when dropped.
struct Tmux(tempfile::TempDir);

impl Tmux {
    /// Starts it with a window of this size, in which a test of this file runs.
    fn playing(test: &str, columns: u16, rows: u16) -> Tmux {
        let tmux = Tmux(tempfile::tempdir().unwrap());
        let (columns, rows) = (columns.to_string(), rows.to_string());
        let itself = env::current_exe().unwrap();
        let play = format!("stty -echo; clear; exec '{}' --exact {test} --ignored --nocapture -q", itself.display());
        let told = format!("{FOLDER}={}", tmux.folder().display());
        tmux.says(&["new-session", "-d", "-x", &columns, "-y", &rows, "-e", &told, &play]);
        tmux
    }

    fn folder(&self) -> &Path {
        self.0.path()
    }

    fn says(&self, words: &[&str]) -> String {
        let mut tmux = Command::new("tmux");
        tmux.arg("-S").arg(self.folder().join("tmux")).args(["-f", "/dev/null"]).args(words);
        let pipelines = ["TMUX", "GITHUB_ACTIONS", "GITLAB_CI"];
        pipelines.iter().for_each(|name| _ = tmux.env_remove(name));
        let out = tmux.env("LC_ALL", "C.UTF-8").output().unwrap();
        assert!(out.status.success(), "tmux {words:?}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    }

    fn resize(&self, columns: u16, rows: u16) {
        self.says(&["resize-window", "-x", &columns.to_string(), "-y", &rows.to_string()]);
    }

    /// Lets the run continue.
    fn goes_on(&self, to: &str) {
        fs::write(self.folder().join(to), "").unwrap();
    }

    /// Waits until the window shows this.
    #[track_caller]
    fn shows(&self, expected: &str) {
        let until = Instant::now() + Duration::from_secs(10);
        loop {
            let screen = self.says(&["capture-pane", "-p"]);
            let lines: Vec<&str> = screen.lines().map(timeless).collect();
            let screen = format!("{}\n", lines.join("\n").trim_end());
            if screen == expected {
                return;
            }
            assert!(Instant::now() < until, "{screen}\ninstead of\n{expected}");
            sleep(Duration::from_millis(20));
        }
    }
}

/// Returns a line without how long a step takes.
fn timeless(line: &str) -> &str {
    let line = line.trim_end();
    let taken = line.strip_suffix(" s").map(|line| line.trim_end_matches(|c: char| c.is_ascii_digit()));
    taken.filter(|line| line.ends_with("  ")).map_or(line, str::trim_end)
}

impl Drop for Tmux {
    fn drop(&mut self) {
        let _ = Command::new("tmux").arg("-S").arg(self.folder().join("tmux")).arg("kill-server").output();
    }
}

#[test]
#[ignore = "it is played in the terminal of the test below"]
fn plays() {
    print!("\x1b[H\x1b[2J\x1b[3J");
    let folder = PathBuf::from(env::var_os(FOLDER).unwrap());
    let waits_for = |name: &str| {
        while !folder.join(name).exists() {
            sleep(Duration::from_millis(10));
        }
    };
    let shown = report::listener(Style { json: false, loud: Loud::Normal, color: true }, Path::new("."));
    // The clock stands still, so that the view is the same at any moment.
    let tell =
        |lane: &str, what: EventKind| shown.tell(&Event { v: 1, at: 0, run: "r".into(), lane: lane.into(), what });
    let hosts = || (1..=6).map(|n| format!("web{n}").into());
    tell("", EventKind::RunStarted { line: "prod deploy:stable".into(), who: "anna".into(), world: "real" });
    tell(
        "",
        EventKind::TargetsChanged { fleet: "prod".into(), hosts: hosts().collect(), of: 6, selection: "all".into() },
    );
    let place = |n: usize| HostPlace {
        host: format!("web{n}").into(),
        group: Some(format!("group{}", n.div_ceil(3)).into()),
        balancer: if n > 3 { PoolState::Out } else { PoolState::Live },
        open: 0,
    };
    tell("", EventKind::BalanceSeen { fleet: "prod".into(), hosts: (1..=6).map(place).collect() });
    tell("0.deploy", EventKind::HostsStarted { hosts: hosts().collect() });
    for n in 4..=6 {
        let text = "stage 0002-bbbbbbbbbbbb of a repository with a long name".to_owned();
        let host = Some(format!("web{n}").into());
        tell(
            &format!("0.deploy/1.web{n}"),
            EventKind::EffectStarted { effect: "stage", kind: EffectKind::Change, host, text },
        );
    }
    waits_for("note");
    tell("", EventKind::Noted { host: None, text: "told meanwhile".into() });
    waits_for("ask");
    shown.aside(&mut || {
        println!("go on? [y/N]");
        waits_for("yes");
        println!("y");
    });
    waits_for("end");
    let (table, next, failures, logs) = (vec![], vec!["prod status".to_owned()], vec![], vec![]);
    tell("", EventKind::RunFinished { exit: Exit::Done, took: 1, table, next, failures, logs });
    waits_for("over");
}

/// The lines above the window: those that scrolled, and those that the terminal pushed up when it got narrower.
const ABOVE: &str = "\
rfab prod deploy:stable
targets: prod, 6 of 6 hosts
group1  3 live   group2  3 out (drained)
group1  3 live   group2  3 out (drained)
web4  stage 0002-bbbbbbbbbbbb of a…
told meanwhile
go on? [y/N]
y

next: rfab prod status";

#[test]
fn a_window_that_is_resized_has_one_live_part_and_none_in_the_end() {
    let tmux = Tmux::playing("window::plays", 80, 20);
    let live = "\
group1  3 live   group2  3 out (drained)
web4  stage 0002-bbbbbbbbbbbb of a repository with a long name
web5  stage 0002-bbbbbbbbbbbb of a repository with a long name
web6  stage 0002-bbbbbbbbbbbb of a repository with a long name
… and 3 more waiting
prod deploy:stable
";
    tmux.shows(&format!("rfab prod deploy:stable\ntargets: prod, 6 of 6 hosts\n{live}"));
    tmux.resize(40, 20);
    // Such a terminal keeps its cursor in its row, so lines that scroll go up.
    tmux.shows(
        "\
group1  3 live   group2  3 out (drained)
web4  stage 0002-bbbbbbbbbbbb of a…
web5  stage 0002-bbbbbbbbbbbb of a…
web6  stage 0002-bbbbbbbbbbbb of a…
… and 3 more waiting
prod deploy:stable
",
    );
    tmux.resize(24, 20);
    tmux.shows(
        "\
group2 3 out (drained) …
web4  stage 0002-b…
web5  stage 0002-b…
web6  stage 0002-b…
… and 3 more waiting
prod deploy:sta…
",
    );
    tmux.resize(120, 20);
    tmux.shows(live);
    tmux.goes_on("note");
    tmux.shows(&format!("told meanwhile\n{live}"));
    tmux.goes_on("ask");
    tmux.shows("told meanwhile\ngo on? [y/N]\n");
    tmux.goes_on("yes");
    tmux.shows(&format!("told meanwhile\ngo on? [y/N]\ny\n{live}"));
    tmux.goes_on("end");
    tmux.shows("told meanwhile\ngo on? [y/N]\ny\n\nnext: rfab prod status\n");
    let all = tmux.says(&["capture-pane", "-p", "-S", "-"]);
    assert_eq!(all.lines().map(timeless).collect::<Vec<_>>().join("\n").trim_end(), ABOVE);
}
