//! rfab points out a fabfile with a branch behind its upstream before it touches a guarded fleet.

use crate::project;
use crate::project::Project;
use rfab::{
    event::{EffectKind, EventKind},
    failure::Exit,
};
use std::fs;

/// Makes a project with an upstream that is one commit ahead, on a fleet that is guarded or not.
fn behind(guarded: bool) -> (Project, tempfile::TempDir) {
    let tasks = "
        fn look() { targets().role(\"worker\").each(|host| host.capture(\"uptime\")) }
        fn act() { targets().role(\"worker\").each(|host| { host.run(\"touch x\"); host.run(\"touch y\"); }) }
    ";
    let fleet = format!("guarded = {guarded}\n{}", project::FLEET);
    let project = Project::of(tasks).with("fleet.toml", &fleet).tagged();
    let origin = tempfile::tempdir().unwrap();
    project.git(&["init", "-q", "--bare", origin.path().to_str().unwrap()]);
    project.git(&["remote", "add", "origin", origin.path().to_str().unwrap()]);
    project.git(&["push", "-q", "-u", "origin", "main"]);
    project.git(&["reset", "-q", "--hard", "HEAD~1"]);
    (project, origin)
}

/// Returns a run's warnings, and how many changes came before the last warning.
fn warned(project: &Project, words: &str) -> (Vec<String>, usize) {
    let ran = project.run(words);
    assert_eq!(ran.ended.exit, Exit::Done, "{:?}", ran.ended.failures);
    let (mut warned, mut changes, mut before) = (Vec::new(), 0, 0);
    for event in &ran.events {
        match &event.what {
            EventKind::Warned { text, .. } => {
                warned.push(text.clone());
                before = changes;
            }
            EventKind::EffectFinished { kind, .. } if !matches!(kind, EffectKind::Read | EffectKind::Hold) => {
                changes += 1
            }
            _ => {}
        }
    }
    (warned, before)
}

#[test]
fn it_is_said_once_and_before_the_first_change() {
    let (project, _origin) = behind(true);
    let text = "the fabfile's branch is 1 commit behind `origin/main`: `git pull` gets what others changed";
    assert_eq!(warned(&project, "prod act act"), (vec![text.to_owned()], 0));
}

#[test]
fn it_is_not_said_when_nothing_is_changed_or_the_fleet_is_not_guarded_or_the_branch_has_all() {
    let (project, _origin) = behind(true);
    assert_eq!(warned(&project, "prod look").0, Vec::<String>::new());
    project.git(&["merge", "-q", "--ff-only", "origin/main"]);
    assert_eq!(warned(&project, "prod act").0, Vec::<String>::new());
    let (project, _origin) = behind(false);
    assert_eq!(warned(&project, "prod act").0, Vec::<String>::new());
}

#[test]
fn a_project_that_is_no_repository_is_behind_nothing() {
    let (project, _origin) = behind(true);
    fs::remove_dir_all(project.path().join(".git")).unwrap();
    assert_eq!(warned(&project, "prod act").0, Vec::<String>::new());
}
