//! Every example compiles, lists its tasks, and does in the made-up world what it says.
use rfab::{
    event::{Event, Kind, What},
    fabfile::{self, Options, Project},
    failure::Exit,
    line,
    model::Model,
    simulate::{Simulation, Wish, simulate},
};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

/// A copy of an example in a repository with one stable tag.
struct Example {
    #[expect(dead_code, reason = "it is removed when dropped")]
    folder: tempfile::TempDir,
    project: Project,
}

impl Example {
    fn open(name: &str) -> Example {
        let copy = tempfile::tempdir().unwrap();
        for file in fs::read_dir(folder().join(name)).unwrap().flatten() {
            fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
        }
        let setup = "git init -q && git add . && git -c user.name=t -c user.email=t@example.org commit -qm one && git tag v1.0.0";
        let made = Command::new("sh").args(["-c", setup]).current_dir(copy.path()).status().unwrap();
        assert!(made.success());
        let project = fabfile::load(&copy.path().join("fabfile.rhai"), Options::default());
        Example { project: project.unwrap_or_else(|wrong| panic!("{name}: {wrong:?}")), folder: copy }
    }

    #[track_caller]
    fn run(&self, words: &[&str], model: Model) -> (Model, Vec<String>) {
        let words: Vec<String> = words.iter().map(|word| word.to_string()).collect();
        let line = line::parse(&words, None, &self.project.tasks).unwrap_or_else(|e| panic!("{e}"));
        let Simulation { ended, model, events, .. } = simulate(&self.project, &line, model, Wish::default());
        assert_eq!(ended.exit, Exit::Done, "{words:?}: {:#?}", ended.failures);
        assert_eq!(model.harmed, [""; 0], "{words:?}");
        (model, changes(&events))
    }
}

/// What was changed, with the host in front, in order.
fn changes(events: &[Event]) -> Vec<String> {
    let change = |event: &Event| match &event.what {
        What::EffectFinished { kind: Kind::Change | Kind::Once, host: Some(host), text, .. } => {
            Some(format!("{host}: {text}"))
        }
        _ => None,
    };
    events.iter().filter_map(change).collect()
}

#[test]
fn each_example_is_tested_here() {
    let there: BTreeSet<String> =
        fs::read_dir(folder()).unwrap().flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect();
    assert_eq!(there.iter().map(String::as_str).collect::<Vec<_>>(), ["canary", "one-host", "ports", "upkeep"]);
}

#[test]
fn one_host_is_set_up_deployed_to_and_its_log_shown() {
    let example = Example::open("one-host");
    let (model, made) = example.run(&["setup"], Model::new());
    assert_eq!(made, ["www.example.org: make the folders of /srv/site"]);
    let (model, deployed) = example.run(&["deploy", "stable"], model);
    assert!(deployed.iter().any(|c| c.starts_with("www.example.org: activate 0002-")), "{deployed:#?}");
    assert!(deployed.iter().any(|c| c == "www.example.org: restart site"), "{deployed:#?}");
    example.run(&["logs", "5"], model);
}

#[test]
fn the_canary_comes_first_and_nobody_is_switched_while_live() {
    let example = Example::open("canary");
    let (model, _) = example.run(&["setup"], Model::new());
    let (_, deployed) = example.run(&["deploy:stable,bake=10m"], model);
    let activated: Vec<&str> =
        deployed.iter().filter_map(|c| c.split_once(": activate").map(|(host, _)| host)).collect();
    assert_eq!(activated[0], "web1");
    assert_eq!(activated.iter().copied().collect::<BTreeSet<_>>().len(), 6, "{deployed:#?}");
}

#[test]
fn upkeep_looks_writes_and_restarts() {
    let example = Example::open("upkeep");
    example.run(&["disks"], Model::new());
    let (_, written) = example.run(&["motd:hello"], Model::new());
    assert_eq!(written.len(), 5, "{written:#?}");
    let (_, restarted) = example.run(&["restart:nginx,at_once=2"], Model::new());
    assert_eq!(restarted.len(), 5, "{restarted:#?}");
}
