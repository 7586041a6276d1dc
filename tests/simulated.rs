//! The project's own fabfile in the made-up world.
use rfab::{
    event::{Event, Outcome, Standing, What},
    fabfile::{self, Options, Project},
    failure::Exit,
    line,
    model::Model,
    simulate::{Simulation, Wish, simulate},
};
use std::{fs, path::Path, process::Command};

/// A copy of the project's fabfile and fleets in a repository with two stable tags.
struct Shop {
    #[expect(dead_code, reason = "it is removed when dropped")]
    folder: tempfile::TempDir,
    project: Project,
    v3_0_1: String,
}

fn git(folder: &Path, args: &[&str]) -> String {
    let out = Command::new("git")
        .args(["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main"])
        .args(args)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .output()
        .unwrap();
    assert!(out.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap().trim().to_owned()
}

impl Shop {
    fn new() -> Shop {
        let folder = tempfile::tempdir().unwrap();
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        fs::copy(here.join("fabfile.rhai"), folder.path().join("fabfile.rhai")).unwrap();
        fs::create_dir(folder.path().join("fleets")).unwrap();
        for fleet in ["prod", "testing1"] {
            let name = format!("fleets/{fleet}.toml");
            fs::copy(here.join(&name), folder.path().join(&name)).unwrap();
        }
        git(folder.path(), &["init", "-q"]);
        git(folder.path(), &["add", "."]);
        git(folder.path(), &["commit", "-qm", "one"]);
        git(folder.path(), &["tag", "v3.0.0"]);
        git(folder.path(), &["commit", "-q", "--allow-empty", "-m", "two"]);
        git(folder.path(), &["tag", "v3.0.1"]);
        let commit = |tag: &str| git(folder.path(), &["rev-parse", &format!("{tag}^{{commit}}")]);
        let v3_0_1 = commit("v3.0.1");
        let project = load(folder.path());
        Shop { folder, project, v3_0_1 }
    }

    fn run(&self, words: &str, model: Model) -> Simulation {
        self.run_with(words, model, Wish { seed: 1, ..Wish::default() })
    }

    fn run_with(&self, words: &str, model: Model, wish: Wish) -> Simulation {
        let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
        let line = line::parse(&words, None, &self.project.tasks).unwrap();
        simulate(&self.project, &line, model, wish)
    }
}

fn load(folder: &Path) -> Project {
    match fabfile::load(&folder.join("fabfile.rhai"), Options::default()) {
        Ok(project) => project,
        Err(wrong) => panic!("{wrong:?}"),
    }
}

/// The changes of a run, in order, as a person reads them.
fn changes(events: &[Event]) -> Vec<String> {
    let change = |event: &Event| match &event.what {
        What::EffectFinished {
            kind: rfab::event::Kind::Change | rfab::event::Kind::Once,
            host,
            text,
            failure: None,
            ..
        } => Some(host.as_ref().map_or(text.clone(), |host| format!("{host}: {text}"))),
        _ => None,
    };
    events.iter().filter_map(change).collect()
}

fn done(simulation: Simulation) -> Model {
    let Simulation { ended, model, events, .. } = simulation;
    let why = |f: &rfab::failure::Failure| {
        format!("{f} {:?}", f.places.iter().map(|p| (&p.file, p.line)).collect::<Vec<_>>())
    };
    let failures: Vec<String> = ended.failures.iter().map(why).collect();
    assert_eq!(ended.exit, Exit::Done, "{failures:#?}\n{:#?}", changes(&events));
    assert!(model.harmed.is_empty(), "{:?}", model.harmed);
    model
}

const FIVE: [&str; 5] =
    ["prod proxy.group2", "prod:out deploy:stable", "prod proxy.flip", "prod:out deploy:stable", "prod proxy.all"];

#[test]
fn the_five_commands_bring_the_newest_stable_tag_to_every_host_and_all_end_live() {
    let shop = Shop::new();
    let mut model = Model::new();
    for line in FIVE {
        model = done(shop.run(line, model));
    }
    let last = shop.run("prod proxy.status", model);
    assert_eq!(last.ended.exit, Exit::Done);
    for row in last.ended.table.iter().filter(|row| row.host.starts_with("web")) {
        assert_eq!(row.new.as_deref(), Some(&*format!("0002-{}", &shop.v3_0_1[..12])), "{row:?}");
        assert_eq!(row.balancer, Standing::Live);
    }
    assert!(last.model.fewest_live.values().all(|live| *live >= 2), "{:?}", last.model.fewest_live);
}

#[test]
fn release_does_the_same_in_one() {
    let shop = Shop::new();
    let ran = shop.run("prod release:stable", Model::new());
    let table = ran.ended.table.clone();
    done(ran);
    assert_eq!(table.len(), 43);
    for row in table {
        assert_eq!((row.result, row.new), (Outcome::Ok, Some(format!("0002-{}", &shop.v3_0_1[..12]))), "{}", row.host);
    }
}
