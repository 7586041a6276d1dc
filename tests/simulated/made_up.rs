//! The project's own fabfile over a simulated fleet, in a repository with two stable tags.
#![allow(dead_code, reason = "not every test of a made-up world needs all of it")]

use rfab::{
    event::{EffectKind, Event, EventKind},
    fabfile::{self, Options, Project},
    failure::Exit,
    fleet::Fleet,
    host::Host,
    line,
    model::Model,
    simulate::{Scenario, Simulation, simulate},
};
use std::{fs, path::Path, process::Command, sync::Arc};

/// The five commands of a hotfix day.
pub const FIVE: [&str; 5] =
    ["prod proxy.group2", "prod:out deploy:stable", "prod proxy.flip", "prod:out deploy:stable", "prod proxy.all"];

/// Two groups of two behind a balancer, and a host for background work.
pub const FOUR: &str = r#"
[app]
repository = "."
path = "/srv/shop"
user = "shop"
keep = 3
[app.service]
units = { web = ["shop"], worker = ["shop-jobs"] }
[app.health]
url = "http://{address}:8080/health"
version = "header:X-Release"
over = "5s"
within = "30s"
[hosts]
"web[1..2]" = { group = "group1", roles = ["web"] }
"web[3..4]" = { group = "group2", roles = ["web"] }
jobs1 = { roles = ["worker"] }
[balancer.lb1]
driver = "haproxy"
host = "lb1"
socket = "/run/haproxy/admin.sock"
pools = { bk_web = "web" }
min_live = 2
[roll]
order = ["group1", "group2", "worker"]
"#;

/// A fabfile, its fleet files, and the repository that they are in.
pub struct Shop {
    folder: tempfile::TempDir,
    pub project: Project,
    /// The commit that `stable` names.
    pub stable: String,
}

impl Shop {
    /// Makes a shop with the project's own fabfile and fleet files.
    pub fn new() -> Shop {
        let fleet = |name: &str| fs::read_to_string(here(&format!("fleets/{name}.toml"))).unwrap();
        Shop::of(&[("prod", &fleet("prod")), ("testing1", &fleet("testing1"))], "")
    }

    /// Makes a shop with four hosts and a worker, and further tasks in the fabfile.
    pub fn four(tasks: &str) -> Shop {
        Shop::of(&[("prod", FOUR)], tasks)
    }

    pub fn of(fleets: &[(&str, &str)], tasks: &str) -> Shop {
        Shop::dated(&(fs::read_to_string(here("fabfile.rhai")).unwrap() + tasks), fleets, &[])
    }

    /// A shop with a fabfile; variables of git say when its commits were made, and so what they are called.
    pub fn dated(fabfile: &str, fleets: &[(&str, &str)], dates: &[(&str, &str)]) -> Shop {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("fleets")).unwrap();
        fs::write(at("fabfile.rhai"), fabfile).unwrap();
        for (name, text) in fleets {
            fs::write(at(&format!("fleets/{name}.toml")), text).unwrap();
        }
        let git = |args: &[&str]| git_with(folder.path(), args, dates);
        git(&["init", "-q"]);
        git(&["add", "."]);
        git(&["commit", "-qm", "one"]);
        git(&["tag", "v3.0.0"]);
        git(&["commit", "-q", "--allow-empty", "-m", "two"]);
        git(&["tag", "v3.0.1"]);
        let stable = git(&["rev-parse", "v3.0.1^{commit}"]);
        let project = load(folder.path());
        Shop { folder, project, stable }
    }

    /// Returns the commit of a tag.
    pub fn commit(&self, tag: &str) -> String {
        git(self.folder.path(), &["rev-parse", &format!("{tag}^{{commit}}")])
    }

    /// Writes a file beside the fabfile.
    pub fn write(&self, name: &str, text: &str) {
        let file = self.folder.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    /// Adds a commit with a tag.
    pub fn tagged(&self, tag: &str) {
        git(self.folder.path(), &["commit", "-q", "--allow-empty", "-m", tag]);
        git(self.folder.path(), &["tag", tag]);
    }

    /// Returns the name that `stable` gets as the second release of a host.
    pub fn release(&self) -> String {
        format!("0002-{}", &self.stable[..12])
    }

    pub fn git(&self, args: &[&str]) -> String {
        git(self.folder.path(), args)
    }

    pub fn run(&self, words: &str, model: Model) -> Simulation {
        self.run_with(words, model, Scenario { seed: 1, ..Scenario::default() })
    }

    pub fn run_with(&self, words: &str, model: Model, wish: Scenario) -> Simulation {
        let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
        let line = line::parse(&words, None, &self.project.tasks).unwrap();
        simulate(&self.project, &line, model, wish)
    }

    /// Runs a line that must succeed and harm no user.
    #[track_caller]
    pub fn done(&self, words: &str, model: Model) -> Model {
        done(self.run(words, model))
    }

    /// Returns a model that knows the fleet, as after a first look.
    pub fn known(&self) -> Model {
        self.done("prod proxy.status", Model::new())
    }
}

fn here(file: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(file)
}

fn git(folder: &Path, args: &[&str]) -> String {
    git_with(folder, args, &[])
}

fn git_with(folder: &Path, args: &[&str], variables: &[(&str, &str)]) -> String {
    let out = Command::new("git")
        .args(["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main"])
        .args(args)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    assert!(out.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap().trim().to_owned()
}

/// Loads the fabfile of a folder.
pub fn load(folder: &Path) -> Project {
    match fabfile::load(&folder.join("fabfile.rhai"), Options::default()) {
        Ok(project) => project,
        Err(wrong) => panic!("{wrong:?}"),
    }
}

/// Returns the changes of a run, in order, as a person reads them.
pub fn changes(events: &[Event]) -> Vec<String> {
    let change = |event: &Event| match &event.what {
        EventKind::EffectFinished {
            kind: EffectKind::Change | EffectKind::Once, host, text, failure: None, ..
        } => Some(host.as_ref().map_or(text.clone(), |host| format!("{host}: {text}"))),
        _ => None,
    };
    events.iter().filter_map(change).collect()
}

/// Returns why a run failed, with the places in the script.
pub fn failures(simulation: &Simulation) -> Vec<String> {
    let why = |f: &rfab::failure::Failure| {
        format!("{f} {:?}", f.places.iter().map(|p| (&p.file, p.line)).collect::<Vec<_>>())
    };
    simulation.ended.failures.iter().map(why).collect()
}

/// Checks that a run succeeded and harmed no user, and returns its model.
#[track_caller]
pub fn done(simulation: Simulation) -> Model {
    let (why, changes) = (failures(&simulation), changes(&simulation.events));
    assert_eq!(simulation.ended.exit, Exit::Done, "{why:#?}\n{changes:#?}");
    assert!(simulation.model.harmed.is_empty(), "{:?}", simulation.model.harmed);
    simulation.model
}

/// Returns the fleet `prod` of a model.
pub fn fleet(model: &Model) -> Arc<Fleet> {
    model.fleets["prod"].clone()
}

pub fn host(model: &Model, name: &str) -> Host {
    fleet(model).hosts.iter().find(|h| &*h.name == name).expect("a host of that name").clone()
}

/// Returns whether one of `of` items runs today: each has its day, and `RFAB_ALL=1` takes all.
pub fn is_turn(one: u64, of: u64) -> bool {
    let days = std::time::SystemTime::UNIX_EPOCH.elapsed().expect("a time").as_secs() / 86_400;
    std::env::var_os("RFAB_ALL").is_some() || one % of == days % of
}
