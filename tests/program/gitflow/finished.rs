//! What a finish leaves is what git-flow AVH leaves, also after a conflict, a rejected push and a pull request.
use super::{
    history::History,
    sample::{Clone, Sample},
};
use std::time::SystemTime;

/// How many histories there are; a day tries one in twenty, and `RFAB_ALL=1` all of them.
const HISTORIES: u64 = 240;

#[test]
fn from_the_same_start_every_kind_ends_as_with_git_flow() {
    let days = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs() / 86_400;
    let all = std::env::var_os("RFAB_ALL").is_some();
    for seed in (0..HISTORIES).filter(|seed| all || seed % 20 == days % 20) {
        let history = History::of(seed);
        let (ours, theirs) = (history.sample(), history.sample());
        ours.work.rfab(&["start", history.kind, history.name()]);
        theirs.work.git(&["flow", history.kind, "start", history.name()]);
        history.work(&ours);
        history.work(&theirs);
        ours.work.rfab(&["finish", history.kind, history.name()]);
        history.finish_with_git_flow(&theirs);
        let logs = || format!("seed {seed}: {history:?}\n{}\n{}", ours.work.log(), theirs.work.log());
        assert_eq!(ours.origin(), theirs.origin(), "{}", logs());
        assert_eq!(ours.work.branch(), theirs.work.branch(), "{}", logs());
        // git-flow doesn't delete a squashed hotfix or bugfix here, because it looks whether it's merged.
        if !history.options.contains(&"squash") {
            assert_eq!(ours.work.refs(), theirs.work.refs(), "{}", logs());
        }
    }
}

/// Starts a hotfix that is ready to be finished.
fn hotfix(work: &Clone) {
    work.rfab(&["start", "hotfix", "3.0.1"]);
    work.commit("VERSION", "3.0.1");
}

#[test]
fn without_settings_rfab_proposes_what_the_repository_has_and_remembers_the_answer() {
    let sample = Sample::new("main", "develop", &[]);
    let (out, code) = sample.work.typed(&["start", "hotfix", "3.0.1"]);
    assert!(out.contains("`main is in production, and new work begins in develop: is that right?`"), "{out}");
    assert_eq!((code, sample.work.branch()), (Some(7), "develop".to_owned()));
    sample.work.rfab(&["--yes", "start", "hotfix", "3.0.1"]);
    let set = sample.work.git(&["config", "--local", "--get-regexp", "^gitflow"]);
    assert_eq!(set, "gitflow.branch.master main\ngitflow.branch.develop develop\ngitflow.prefix.versiontag v\n");
    sample.work.commit("VERSION", "3.0.1");
    sample.work.rfab(&["finish", "hotfix", "3.0.1"]);
    assert_eq!(sample.work.git(&["tag", "--list", "v3.0.1"]), "v3.0.1\n");
}

#[test]
fn a_hotfix_of_a_support_branch_is_finished_into_it_alone() {
    let sample = Sample::avh();
    sample.work.git(&["push", "-q", "origin", "production:support/2.9"]);
    sample.work.rfab(&["start", "hotfix", "2.9.1", "support/2.9"]);
    sample.work.commit("fix", "done");
    let others =
        |refs: String| refs.lines().filter(|line| !line.contains("2.9")).map(str::to_owned).collect::<Vec<_>>();
    let before = others(sample.origin());
    sample.work.rfab(&["finish", "hotfix", "2.9.1"]);
    assert_eq!(others(sample.origin()), before);
    sample.work.git(&["fetch", "-q"]);
    let merge = sample.work.git(&["rev-parse", "origin/support/2.9"]);
    assert_eq!(sample.work.git(&["rev-parse", "v2.9.1^{commit}"]), merge);
}

#[test]
fn a_conflict_with_production_is_solved_by_hand_and_the_same_line_goes_on() {
    let sample = Sample::avh();
    let work = &sample.work;
    hotfix(work);
    work.git(&["checkout", "-q", "production"]);
    work.commit("VERSION", "3.0.0-1");
    work.git(&["push", "-q", "origin", "production"]);
    let before = sample.origin();
    let (out, code) = work.typed(&["finish", "hotfix", "3.0.1"]);
    assert_eq!(code, Some(1), "{out}");
    assert_eq!(
        out.lines().find(|line| line.starts_with("error: ")),
        Some(
            "error: `hotfix/3.0.1` conflicts with `production` in VERSION. production is checked out, with this merge \
             in progress: resolve the conflict in these files and type git commit -a, then type the line again (git \
             merge \
             --abort undoes it)"
        )
    );
    assert_eq!((sample.origin(), work.branch()), (before, "production".to_owned()));
    let (again, code) = work.typed(&["finish", "hotfix", "3.0.1"]);
    assert!(again.contains("git is in the middle of a merge") && code == Some(1), "{again}");
    work.commit("VERSION", "3.0.1");
    work.rfab(&["finish", "hotfix", "3.0.1"]);
    assert_eq!(work.git(&["show", "v3.0.1:VERSION"]), "3.0.1");
    assert_eq!(work.git(&["log", "-1", "--format=%s", "origin/production"]), "VERSION is 3.0.1\n");
    assert!(work.git(&["branch", "--contains", "v3.0.1"]).contains("develop"));
}

#[test]
fn when_only_the_merge_back_conflicts_the_tag_goes_first_and_the_merge_back_is_owed() {
    let sample = Sample::avh();
    let work = &sample.work;
    hotfix(work);
    work.git(&["checkout", "-q", "develop"]);
    work.commit("VERSION", "3.1.0");
    work.git(&["push", "-q", "origin", "develop"]);
    let (out, code) = work.typed(&["finish", "hotfix", "3.0.1"]);
    assert_eq!(code, Some(1), "{out}");
    assert!(
        out.contains("only develop lacks it: `v3.0.1` conflicts with `develop` in VERSION. develop is checked out"),
        "{out}"
    );
    let origin = sample.origin();
    assert!(origin.contains("refs/tags/v3.0.1 tag "), "{origin}");
    work.commit("VERSION", "3.1.0");
    work.rfab(&["finish", "hotfix", "3.0.1"]);
    work.git(&["fetch", "-q"]);
    assert_eq!(work.git(&["log", "-1", "--format=%s %P", "origin/develop"]).split(' ').count(), 5);
    assert_eq!(sample.origin().matches("hotfix").count(), 0);
    assert_eq!(
        sample.origin().lines().find(|line| line.contains("v3.0.1")),
        origin.lines().find(|l| l.contains("v3.0.1"))
    );
}

#[test]
fn a_rejected_push_changes_nothing_and_the_same_line_goes_on() {
    let sample = Sample::avh();
    let work = &sample.work;
    hotfix(work);
    let hook = sample.folder.path().join("origin.git/hooks/update");
    std::fs::write(
        &hook,
        "#!/bin/sh\n[ \"$1\" != refs/heads/production ] || { echo production is protected; exit 1; }\n",
    )
    .unwrap();
    std::process::Command::new("chmod").arg("+x").arg(&hook).status().unwrap();
    let before = (sample.origin(), work.refs());
    let (out, code) = work.typed(&["finish", "hotfix", "3.0.1"]);
    assert_eq!((code, (sample.origin(), work.refs())), (Some(1), before), "{out}");
    assert_eq!(
        out.lines().find(|line| line.starts_with("error: ")),
        Some(
            "error: the remote rejects the push of `production` [remote rejected] (hook declined): production is \
             protected; error: hook declined to update refs/heads/production; nothing was pushed"
        )
    );
    // Where production is protected, a pull request merges the hotfix.
    std::fs::remove_file(&hook).unwrap();
    let colleague = sample.colleague();
    work.rfab(&["publish", "hotfix", "3.0.1"]);
    colleague.git(&["fetch", "-q"]);
    colleague.git(&["checkout", "-q", "production"]);
    colleague.git(&["merge", "-q", "--no-ff", "-m", "Merge pull request #7", "origin/hotfix/3.0.1"]);
    let merge = colleague.git(&["rev-parse", "HEAD"]);
    colleague.commit("more", "later");
    colleague.git(&["push", "-q", "origin", "production"]);
    work.rfab(&["finish", "hotfix", "3.0.1"]);
    assert_eq!(work.git(&["rev-parse", "v3.0.1^{commit}"]), merge);
    assert_eq!(work.git(&["log", "-1", "--format=%s", "develop"]), "Merge tag 'v3.0.1' into develop\n");
}
