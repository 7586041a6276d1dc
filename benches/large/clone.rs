//! Two clones of one origin: git alone works in one, and rfab in the other.
use std::{
    fmt, fs,
    iter::Sum,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant, SystemTime},
};

const FABFILE: &str = r#"
import "std/finish" as finishing;
import "std/gitflow" as flow;
import "std/version" as versions;
import "std/workflow" as workflow;
fn fetch() { git::fetch(); }
fn start(version) { flow::start("hotfix", version); }
fn bump(version) { versions::bump(version); }
fn publish(version) { flow::publish("hotfix", version); }
fn finish(version) { finishing::publish(workflow::of("hotfix", version)); }
fn tidy(version) { finishing::tidy(workflow::of("hotfix", version)); }
fn list(kind) { flow::list(kind); }
fn stable() { git::fetch(); ui::note(git::newest_stable_tag()); }
"#;

const SETTINGS: [(&str, &str); 8] = [
    ("user.name", "Anna"),
    ("user.email", "anna@example.org"),
    ("gitflow.branch.master", "production"),
    ("gitflow.branch.develop", "develop"),
    ("gitflow.prefix.hotfix", "hotfix/"),
    ("gitflow.prefix.feature", "feature/"),
    ("gitflow.prefix.versiontag", "v"),
    ("gitflow.multi-hotfix", "true"),
];

/// What a step took.
#[derive(Clone, Copy, Default)]
pub struct Spent {
    /// The time of processors, in the program and all that it started.
    pub cpu: Duration,
    pub wall: Duration,
}

impl Spent {
    /// Returns the medians.
    pub fn median(times: &mut [Spent]) -> Spent {
        let mut middle = |time: fn(&Spent) -> Duration| {
            times.sort_by_key(time);
            time(&times[times.len() / 2])
        };
        Spent { cpu: middle(|spent| spent.cpu), wall: middle(|spent| spent.wall) }
    }
}

impl Sum for Spent {
    fn sum<I: Iterator<Item = Spent>>(all: I) -> Spent {
        all.fold(Spent::default(), |sum, one| Spent { cpu: sum.cpu + one.cpu, wall: sum.wall + one.wall })
    }
}

impl fmt::Display for Spent {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.pad(&format!("{} ms, {} ms of CPU", self.wall.as_millis(), self.cpu.as_millis()))
    }
}

pub struct Clone {
    home: PathBuf,
    git: PathBuf,
    rfab: PathBuf,
}

impl Clone {
    /// Clones the origin for each of the two, each from its own copy.
    pub fn of(folder: &Path, origin: &Path, name: &str, how: &[&str]) -> Clone {
        let home = folder.join(format!("{name}.home"));
        fs::create_dir(&home).expect("a folder");
        let work = |program: &str| {
            let (copy, work) = (home.join(format!("{program}.git")), home.join(program));
            let copied = Command::new("cp").arg("-a").arg(origin).arg(&copy).status().expect("cp can be run");
            assert!(copied.success(), "cp");
            let url = format!("file://{}", copy.display());
            let target = work.to_str().expect("UTF-8");
            run(&home, &home, "git", &[&["clone", "-q"], how, &[&url, target]].concat());
            for (name, value) in SETTINGS {
                run(&home, &work, "git", &["config", name, value]);
            }
            run(&home, &work, "git", &["branch", "-q", "develop", "origin/develop"]);
            work
        };
        let (git, rfab) = (work("git"), work("rfab"));
        fs::write(rfab.join("fabfile.rhai"), FABFILE).expect("a file");
        fs::write(rfab.join(".git/info/exclude"), "fabfile.rhai\n").expect("a file");
        Clone { home, git, rfab }
    }

    pub fn git(&self, line: &str) -> Spent {
        run(&self.home, &self.git, "git", &line.split(' ').collect::<Vec<_>>())
    }

    pub fn rfab(&self, line: &str) -> Spent {
        run(&self.home, &self.rfab, env!("CARGO_BIN_EXE_rfab"), &line.split(' ').collect::<Vec<_>>())
    }

    /// Writes the version as a person does by hand.
    pub fn write_version(&self, version: &str) {
        fs::write(self.git.join("VERSION"), format!("{version}\n")).expect("a file");
    }

    /// Makes the last fetch of rfab an hour old.
    pub fn age_the_last_fetch(&self) {
        let lock = fs::File::options().append(true).open(self.rfab.join(".git/rfab-fetch.lock")).expect("a file");
        lock.set_modified(SystemTime::now() - Duration::from_secs(3600)).expect("a time");
    }
}

/// Runs a program, which must end well.
fn run(home: &Path, folder: &Path, program: &str, words: &[&str]) -> Spent {
    let mut command = Command::new(program);
    command.args(words).current_dir(folder).env("HOME", home).env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_EDITOR", ":");
    let (before, began) = (cpu(), Instant::now());
    let output = command.output().expect("it can be run");
    let wall = began.elapsed();
    assert!(output.status.success(), "{program} {words:?}: {output:?}");
    Spent { cpu: cpu() - before, wall }
}

/// Returns the processor time of all children that ended, by proc(5): `cutime` and `cstime`, in ticks of 10 ms.
fn cpu() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").expect("proc(5)");
    let after_name = stat.rsplit(") ").next().unwrap_or_default();
    let ticks = after_name.split(' ').skip(13).take(2).map(|ticks| ticks.parse::<u64>().expect("a number"));
    Duration::from_millis(ticks.sum::<u64>() * 10)
}
