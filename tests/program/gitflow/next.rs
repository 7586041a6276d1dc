//! The settings of git-flow-next 2, by its documentation: the program itself isn't run.
use super::sample::Sample;

const SETTINGS: [(&str, &str); 12] = [
    ("gitflow.branch.main.type", "base"),
    ("gitflow.branch.develop.type", "base"),
    ("gitflow.branch.develop.parent", "main"),
    ("gitflow.branch.develop.autoUpdate", "true"),
    ("gitflow.branch.hotfix.type", "topic"),
    ("gitflow.branch.hotfix.parent", "main"),
    ("gitflow.branch.hotfix.prefix", "hot/"),
    ("gitflow.branch.hotfix.tag", "true"),
    ("gitflow.branch.hotfix.tagprefix", "v"),
    ("gitflow.branch.feature.type", "topic"),
    ("gitflow.branch.feature.parent", "develop"),
    ("gitflow.branch.feature.upstreamStrategy", "squash"),
];

#[test]
fn a_hotfix_goes_into_its_parent_and_the_parent_into_what_updates_from_it() {
    let sample = Sample::new("main", "develop", &SETTINGS);
    let work = &sample.work;
    work.rfab(&["start", "hotfix", "3.0.1"]);
    assert_eq!(work.branch(), "hot/3.0.1");
    work.commit("VERSION", "3.0.1");
    work.rfab(&["finish", "hotfix", "3.0.1"]);
    let log = |branch: &str| work.git(&["log", "-1", "--format=%s", branch]);
    assert_eq!(log("main"), "Merge branch 'hot/3.0.1'\n");
    assert_eq!(log("develop"), "Merge branch 'main' into develop\n");
    assert_eq!(work.git(&["rev-parse", "v3.0.1^{commit}"]), work.git(&["rev-parse", "main"]));
}

#[test]
fn the_settings_may_be_in_a_committed_file_and_git_s_own_come_first() {
    let sample = Sample::new("main", "develop", &[("gitflow.branch.feature.prefix", "own/")]);
    let work = &sample.work;
    let shared = work.folder.join(".gitflow");
    for (name, value) in SETTINGS {
        work.git(&["config", "--file", shared.to_str().unwrap(), name, value]);
    }
    work.git(&["config", "--file", shared.to_str().unwrap(), "gitflow.branch.feature.prefix", "shared/"]);
    work.git(&["add", "-A"]);
    work.git(&["commit", "-q", "-m", "share the settings"]);
    work.git(&["push", "-q", "origin", "develop"]);
    work.rfab(&["start", "feature", "search"]);
    assert_eq!(work.branch(), "own/search");
    work.commit("search", "half");
    work.commit("search", "whole");
    work.rfab(&["finish", "feature", "search"]);
    assert_eq!(work.git(&["log", "-1", "--format=%s", "develop"]), "Squashed commit of the following:\n");
    assert_eq!(work.git(&["rev-list", "--count", "HEAD^..HEAD"]), "1\n");
}
