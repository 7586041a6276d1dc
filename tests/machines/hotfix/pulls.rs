//! A hotfix of branches that the forge protects: pull requests move them, and no request fails.
use super::{TOKEN, Team, git};
use crate::shop::all_serve;
use lab::{
    forge::{Dialect, How, Opening, Requests},
    needs_lab,
};
use std::{fs, os::unix::fs::PermissionsExt, sync::Arc};

const FINISH: [&str; 2] = ["prod", "hotfix:finish"];

/// Opens the shop with a forge that protects main and develop; also returns its pull requests.
fn protected(deletes: bool) -> (Team, Arc<Requests>) {
    let mut opened = None;
    let team = Team::with("pulls = true\n", |lab| {
        let mut requests = Requests::of(&lab.project.remote, Dialect::Github, Opening::Fine);
        requests.deletes = deletes;
        opened = Some(Arc::new(requests));
        opened.clone()
    });
    let hook = team.lab.project.remote.join("hooks/update");
    let text = "#!/bin/sh\ncase $1 in refs/heads/main|refs/heads/develop) echo it is protected; exit 1;; esac\n";
    fs::write(&hook, text).expect("a hook");
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).expect("a hook");
    (team, opened.expect("pull requests"))
}

/// Panics unless everything is finished: both pull requests are merged, the version is tagged where main has it, and
/// the branches are gone.
#[track_caller]
fn expect_finished(team: &Team, requests: &Requests) {
    let both = ["hotfix/3.0.2 -> main merged", "back/hotfix/3.0.2 -> develop merged"];
    assert_eq!(requests.list(), both);
    assert_eq!(team.remote(&["rev-parse", "v3.0.2^{commit}"]), team.remote(&["rev-parse", "main"]));
    assert_eq!(team.remote(&["log", "--first-parent", "-1", "--format=%s", "develop"]), "Merge pull request #2\n");
    assert_eq!(team.remote(&["branch", "--list", "*hotfix*"]), "");
    assert_eq!(git(&team.lab, &["branch", "--list", "*hotfix*"]), "");
}

#[test]
fn a_hotfix_of_protected_branches_is_released_when_somebody_merges_it_and_no_request_fails() {
    if !needs_lab("a_hotfix_of_protected_branches_is_released_when_somebody_merges_it_and_no_request_fails") {
        return;
    }
    let (team, requests) = protected(false);
    team.done(&["hotfix:3.0.2"]);
    let head = team.fixes("3.0.2", &[("index.txt", "shop v3.0.2\n")]);
    team.approve(&head);
    let run = team.lab.rfab(&FINISH).env("FORGE_TOKEN", TOKEN).start();
    run.wait_for("waits until somebody merges https://github.com/shop/web/pull/1 into main");
    assert_eq!(team.remote(&["tag", "--list", "v3.0.2"]), "");
    all_serve(&team.lab, "v3.0.0");
    requests.merge(1, How::Merged);
    let out = run.output();
    assert_eq!(out.code, Some(0), "{out:?}");
    let owed = "hotfix/3.0.2 isn't done until https://github.com/shop/web/pull/2 is merged; then type the line again";
    assert!(out.stdout.contains(owed) && !out.stdout.contains("hunter2"), "{out:?}");
    all_serve(&team.lab, "v3.0.2");
    requests.merge(2, How::Merged);
    // Meanwhile the next version is tagged, which has the hotfix: the line doesn't go back to the hotfix.
    let next = team.remote(&["commit-tree", "-p", "main", "-m", "the next version", "main^{tree}"]);
    team.remote(&["update-ref", "refs/tags/v3.1.0", next.trim()]);
    let again = team.done(&FINISH);
    let kept = "v3.1.0 is newer than v3.0.2 and contains it, so nothing is released; release:stable releases v3.1.0\n";
    assert!(again.contains(kept), "{again}");
    expect_finished(&team, &requests);
    all_serve(&team.lab, "v3.0.2");
    team.close();
}

#[test]
fn a_hotfix_that_the_forge_squashed_and_deleted_is_found_tagged_and_released_from_a_clone_without_it() {
    if !needs_lab("a_hotfix_that_the_forge_squashed_and_deleted_is_found_tagged_and_released_from_a_clone_without_it") {
        return;
    }
    let (team, requests) = protected(true);
    team.done(&["hotfix:3.0.2"]);
    let head = team.fixes("3.0.2", &[("index.txt", "shop v3.0.2\n")]);
    team.approve(&head);
    let run = team.lab.rfab(&FINISH).env("FORGE_TOKEN", TOKEN).start();
    run.wait_for("waits until somebody merges https://github.com/shop/web/pull/1 into main");
    run.kill();
    requests.merge(1, How::Squashed);
    // A clone that never had the hotfix.
    git(&team.lab, &["checkout", "-q", "develop"]);
    git(&team.lab, &["branch", "-q", "-D", "hotfix/3.0.2"]);
    team.approve(team.remote(&["rev-parse", "main"]).trim());
    let out = team.typed(&FINISH);
    assert_eq!(out.code, Some(0), "{out:?}");
    all_serve(&team.lab, "v3.0.2");
    requests.merge(2, How::Squashed);
    let nothing = team.typed(&FINISH);
    let said = "error: no hotfix is open; start one with rfab hotfix:VERSION, or release v3.0.2, the newest tag, with release:stable";
    assert!(nothing.stdout.contains(said), "{nothing:?}");
    assert_eq!(requests.list(), ["hotfix/3.0.2 -> main merged", "back/hotfix/3.0.2 -> develop merged"]);
    assert_eq!(team.remote(&["branch", "--list", "*hotfix*"]), "");
    team.close();
}
