//! What isn't fit to be started or finished is refused before anything changes, and the message says what to type.
use super::sample::{Clone, Sample};
use std::fs;

/// What is done to a shop with a hotfix, what is typed then, and the error.
struct Case {
    name: &'static str,
    before: fn(&Sample),
    typed: &'static [&'static str],
    error: &'static str,
}

const FINISH: [&str; 3] = ["finish", "hotfix", "3.0.1"];

const CASES: [Case; 18] = [
    Case {
        name: "changed files",
        before: |sample| fs::write(sample.work.folder.join("VERSION"), "x").unwrap(),
        typed: &FINISH,
        error: "commit or stash these changes first: [\"VERSION\"]",
    },
    Case {
        name: "a detached head",
        before: |sample| drop(sample.work.git(&["checkout", "-q", "--detach"])),
        typed: &FINISH,
        error: "no branch is checked out (the head is detached); switch to one with git switch BRANCH",
    },
    Case {
        name: "a bisect",
        before: |sample| drop(sample.work.git(&["bisect", "start"])),
        typed: &FINISH,
        error: "git is in the middle of a bisect; end it with git bisect reset",
    },
    Case {
        name: "a branch that diverged",
        before: |sample| {
            let colleague = sample.colleague();
            colleague.git(&["checkout", "-q", "production"]);
            push(&colleague, "theirs", "production");
            sample.work.git(&["checkout", "-q", "production"]);
            sample.work.commit("mine", "1");
            sample.work.git(&["checkout", "-q", "hotfix/3.0.1"]);
        },
        typed: &FINISH,
        error: "production has 1 commits here and 1 at the remote that the other lacks; merge them with git pull, then type the line again",
    },
    Case {
        name: "commits that were never pushed",
        before: |sample| {
            sample.work.git(&["checkout", "-q", "develop"]);
            sample.work.commit("mine", "1");
            sample.work.git(&["checkout", "-q", "hotfix/3.0.1"]);
        },
        typed: &FINISH,
        error: "develop has 1 commits that aren't at the remote; push them with git push, then type the line again",
    },
    Case {
        name: "a tag of another commit",
        before: |sample| {
            let colleague = sample.colleague();
            colleague.git(&["tag", "-a", "-m", "theirs", "v3.0.1", "origin/production"]);
            colleague.git(&["push", "-q", "origin", "v3.0.1"]);
        },
        typed: &FINISH,
        error: "the tag v3.0.1 already exists on another commit; nothing was changed",
    },
    Case {
        name: "a work tree that has the branch",
        before: |sample| {
            let other = sample.folder.path().join("other");
            sample.work.git(&["worktree", "add", "-q", other.to_str().unwrap(), "develop"]);
        },
        typed: &FINISH,
        error: "another work tree has develop checked out, and this would move it; switch that one to another branch \
                (git worktree list)",
    },
    Case {
        name: "a second hotfix",
        before: |_| {},
        typed: &["start", "hotfix", "3.0.2"],
        error: "hotfix/3.0.1 isn't finished; to have several, type git config gitflow.multi-hotfix true",
    },
    Case {
        name: "a branch that is there",
        before: |_| {},
        typed: &["start", "hotfix", "3.0.1"],
        error: "the branch hotfix/3.0.1 already exists; switch to it with git switch hotfix/3.0.1",
    },
    Case {
        name: "a tag that is there",
        before: |_| {},
        typed: &["start", "release", "3.0.0"],
        error: "the tag v3.0.0 already exists",
    },
    Case {
        name: "a version that doesn't grow",
        before: |_| {},
        typed: &["start", "release", "2.9.9"],
        error: "2.9.9 isn't newer than the tag v3.0.0; the next one is 3.0.1",
    },
    Case {
        name: "a version that doesn't grow in its line",
        before: |sample| {
            sample.work.git(&["push", "-q", "origin", "production:support/2.9", "v3.0.0:refs/tags/v2.9.4"]);
            sample.work.git(&["config", "gitflow.multi-hotfix", "true"]);
        },
        typed: &["start", "hotfix", "2.9.3", "support/2.9"],
        error: "2.9.3 isn't newer than the tag v2.9.4",
    },
    Case {
        name: "a version that doesn't grow, of an app with its own tags",
        before: |sample| of_shop(sample, "shop-v"),
        typed: &["start", "release", "3.0.9"],
        error: "3.0.9 isn't newer than the tag shop-v3.1.0; the next one is 3.1.1",
    },
    Case {
        name: "a version that doesn't grow in the line of an app whose tags have dots",
        before: |sample| {
            of_shop(sample, "shop.2.v");
            sample.work.git(&["push", "-q", "origin", "production:support/3.1"]);
            sample.work.git(&["config", "gitflow.multi-hotfix", "true"]);
        },
        typed: &["start", "hotfix", "3.1.0-rc.1", "support/3.1"],
        error: "3.1.0-rc.1 isn't newer than the tag shop.2.v3.1.0",
    },
    Case {
        name: "a support branch that is finished",
        before: |_| {},
        typed: &["finish", "support", "2.9"],
        error: "a support branch stays, so it isn't finished",
    },
    Case {
        name: "a branch that nobody has",
        before: |_| {},
        typed: &["finish", "hotfix", "3.0.9"],
        error: "there is no branch hotfix/3.0.9, here or at the remote",
    },
    Case {
        name: "a branch that nobody published",
        before: |_| {},
        typed: &["track", "hotfix", "3.0.9"],
        error: "nobody published hotfix/3.0.9",
    },
    Case {
        name: "a branch whose commits are nowhere else",
        before: |_| {},
        typed: &["delete", "hotfix", "3.0.1"],
        error: "hotfix/3.0.1 has commits that are nowhere else; publish it first",
    },
];

/// Gives the shop tags with a prefix of its own, 3.1.0 the newest, beside a tag of another app.
fn of_shop(sample: &Sample, prefix: &str) {
    let newest = format!("v3.0.0:refs/tags/{prefix}3.1.0");
    sample.work.git(&["push", "-q", "origin", &newest, "v3.0.0:refs/tags/v9.0.0"]);
    sample.work.git(&["config", "gitflow.prefix.versiontag", prefix]);
}

fn push(clone: &Clone, file: &str, branch: &str) {
    clone.commit(file, "1");
    clone.git(&["push", "-q", "origin", branch]);
}

#[test]
fn what_is_not_fit_is_refused_before_anything_changes() {
    for case in CASES {
        let sample = Sample::avh();
        sample.work.rfab(&["start", "hotfix", "3.0.1"]);
        sample.work.commit("fix", "done");
        (case.before)(&sample);
        let before = (sample.origin(), sample.work.refs());
        let (out, code) = sample.work.typed(case.typed);
        let first = out.lines().find_map(|line| line.strip_prefix("error: ")).unwrap_or_default();
        assert_eq!((first, code), (case.error, Some(1)), "{}: {out}", case.name);
        assert_eq!((sample.origin(), sample.work.refs()), before, "{}", case.name);
    }
}

#[test]
fn the_tags_of_another_app_hold_nobody_back() {
    for (prefix, version) in [("shop-v", "3.1.1"), ("shop-v", "4"), ("web/", "3.2.0"), ("shop.2.v", "3.1.0.1")] {
        let sample = Sample::avh();
        of_shop(&sample, prefix);
        sample.work.rfab(&["start", "release", version]);
        assert_eq!(sample.work.branch(), format!("release/{version}"), "{prefix}");
    }
}

#[test]
fn a_shallow_clone_is_told_how_to_become_whole() {
    let sample = Sample::avh();
    let url = format!("file://{}", sample.folder.path().join("origin.git").display());
    let shallow = sample.folder.path().join("shallow");
    sample.work.git(&["clone", "-q", "--depth", "1", &url, shallow.to_str().unwrap()]);
    let clone = Clone { folder: shallow, home: sample.work.home.clone() };
    clone.git(&["config", "gitflow.branch.master", "production"]);
    let (out, code) = clone.typed(&["start", "hotfix", "3.0.1"]);
    let first = out.lines().find(|line| line.starts_with("error: "));
    let says = "error: the history of this clone is cut off; complete it with git fetch --unshallow";
    assert_eq!((first, code), (Some(says), Some(1)), "{out}");
}

#[test]
fn a_branch_is_shared_tracked_and_listed() {
    let sample = Sample::avh();
    sample.work.rfab(&["start", "hotfix", "3.0.1"]);
    sample.work.commit("fix", "done");
    let table = |clone: &Clone| clone.rfab(&["list", "hotfix"]).lines().skip(2).collect::<Vec<_>>().join("\n");
    assert_eq!(table(&sample.work), "hotfix/3.0.1  only here  1 commits");
    sample.work.rfab(&["publish", "hotfix", "3.0.1"]);
    assert_eq!(table(&sample.work), "hotfix/3.0.1  here and at the remote  1 commits");
    let colleague = sample.colleague();
    assert_eq!(table(&colleague), "hotfix/3.0.1  only at the remote  1 commits");
    colleague.rfab(&["track", "hotfix", "3.0.1"]);
    colleague.commit("fix", "more");
    colleague.rfab(&["publish", "hotfix", "3.0.1"]);
    sample.work.git(&["pull", "-q"]);
    assert_eq!(sample.work.git(&["show", "HEAD:fix"]), "more");
    sample.work.git(&["checkout", "-q", "develop"]);
    sample.work.rfab(&["delete", "hotfix", "3.0.1"]);
    assert_eq!(table(&sample.work), "hotfix/3.0.1  only at the remote  2 commits");
}

#[test]
fn a_support_branch_begins_at_a_tag_and_is_listed() {
    let sample = Sample::avh();
    sample.work.rfab(&["start", "support", "3.0", "v3.0.0"]);
    assert_eq!(sample.work.branch(), "support/3.0");
    assert_eq!(sample.work.git(&["rev-parse", "HEAD"]), sample.work.git(&["rev-parse", "v3.0.0^{commit}"]));
    assert!(sample.work.rfab(&["list", "support"]).contains("support/3.0  only here  0 commits"));
}

#[test]
fn a_start_that_is_refused_offers_no_resume() {
    let sample = Sample::avh();
    let (out, _) = sample.work.typed(&["start", "release", "3.0.0"]);
    assert!(out.contains("the tag v3.0.0 already exists") && !out.contains("--resume"), "{out}");
    let (out, _) = sample.work.typed(&["--resume"]);
    assert!(out.contains("changed nothing"), "{out}");
}
