//! A project in its own folder, and its runs in the simulator.
#![allow(dead_code, reason = "each test file uses a part of it")]

use rfab::{
    event::EventKind,
    fabfile::{self, Options},
    failure::{Exit, Failure},
    line,
    model::Model,
    simulate::{Scenario, Simulation, simulate},
};
use std::{fs, path::Path, process::Command};

/// Four web hosts in two groups behind a balancer, and one host for background work.
pub const FLEET: &str = r#"
[app]
repository = "."
path       = "/srv/shop"
user       = "shop"

[app.service]
units = { web = ["shop"], worker = ["shop-jobs"] }
install = "apt-get install --yes shop={version}"
installed = ["dpkg-query", "-W", "-f", "${Version}", "shop"]

[app.health]
url     = "http://{address}:8080/health"
version = "header:X-Release"
good    = 2
over    = "2s"

[hosts]
"web[1..2]" = { group = "group1", roles = ["web"] }
"web[3..4]" = { group = "group2", roles = ["web"] }
"jobs1"     = { roles = ["worker"], address = "10.0.0.9", queue = "mail" }

[balancer.lb1]
driver = "haproxy"
host   = "lb1.example.org"
socket = "/run/haproxy/admin.sock"
pools  = { bk_web = "web" }
server = "{name}"

[roll]
order = ["group1", "group2", "worker"]
"#;

/// The beginning of every test's fabfile: the fleet.
pub const HEAD: &str = "const default_targets = \"prod\";\nfn prod() { fleet(\"fleet.toml\") }\n";

pub struct Project(pub tempfile::TempDir);

impl Project {
    /// Makes a project with these tasks, below the function that names its fleet.
    pub fn of(tasks: &str) -> Project {
        Project::bare(&format!("{HEAD}{tasks}"))
    }

    /// Makes a project with exactly this fabfile, beside the fleet file.
    pub fn bare(fabfile: &str) -> Project {
        let project = Project(tempfile::tempdir().unwrap());
        project.with("fabfile.rhai", fabfile).with("fleet.toml", FLEET)
    }

    /// Adds a file.
    pub fn with(self, name: &str, text: &str) -> Project {
        let file = self.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
        self
    }

    /// Makes it a repository with the tags `v3.0.0` and `v3.0.1`.
    pub fn tagged(self) -> Project {
        self.git(&["init", "-q"]);
        self.git(&["add", "."]);
        self.git(&["commit", "-qm", "one"]);
        self.git(&["tag", "v3.0.0"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", "two"]);
        self.git(&["tag", "v3.0.1"]);
        self
    }

    pub fn git(&self, args: &[&str]) -> String {
        let out = Command::new("git")
            .args(["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main"])
            .args(args)
            .current_dir(self.path())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .output()
            .unwrap();
        assert!(out.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap().trim().to_owned()
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn load(&self) -> Result<fabfile::Project, Failure> {
        fabfile::load(&self.path().join("fabfile.rhai"), Options::default())
    }

    /// Runs a line in a fresh simulated world.
    #[track_caller]
    pub fn run(&self, words: &str) -> Simulation {
        self.run_on(words, Model::new(), Scenario { seed: 1, ..Scenario::default() })
    }

    #[track_caller]
    pub fn run_on(&self, words: &str, model: Model, wish: Scenario) -> Simulation {
        let project = self.load().unwrap_or_else(|failure| panic!("{failure:?}"));
        let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
        let line = line::parse(&words, None, &project.tasks).unwrap();
        simulate(&project, &line, model, wish)
    }

    /// Returns the notes of a run, which must be done.
    #[track_caller]
    pub fn notes(&self, words: &str) -> Vec<String> {
        let ran = self.run(words);
        assert_eq!(ran.ended.exit, Exit::Done, "{:?}", ran.ended.failures);
        notes(&ran)
    }

    /// Returns how a run failed: its exit, and the first failure.
    #[track_caller]
    pub fn fails(&self, words: &str) -> (Exit, Failure) {
        let ran = self.run(words);
        assert_ne!(ran.ended.exit, Exit::Done, "{:?}", notes(&ran));
        (ran.ended.exit, ran.ended.failures.into_iter().next().expect("a failure is told"))
    }
}

/// Returns the notes of a run, each after its host.
pub fn notes(ran: &Simulation) -> Vec<String> {
    let note = |event: &rfab::event::Event| match &event.what {
        EventKind::Noted { host: Some(host), text } => Some(format!("{host}: {text}")),
        EventKind::Noted { host: None, text } => Some(text.clone()),
        _ => None,
    };
    ran.events.iter().filter_map(note).collect()
}
