//! What a forge calls merged, held against what was reviewed: squashed, rebased, moved forward, or something else.
use super::steps::{History, NONE, kept, says};
use lab::forge::Review;
use std::process::Command;

#[test]
fn a_commit_that_is_only_called_merged_is_not_what_was_reviewed() {
    for (branch, text) in [("main", "other\n"), ("main", "fixed\nand more\n"), ("hotfix/3.0.1", "fixed \n")] {
        let mut history = History::new();
        history.git(&["checkout", "-q", branch]);
        let head = history.fix("a");
        let called = history.commit("a", text);
        history.pull(branch, &head, Some(&called), true);
        let red = match branch {
            "main" => format!("{NONE}; it has changes that aren't in what was reviewed in #1"),
            _ => "red HEAD (change a) was pushed without a pull request".to_owned(),
        };
        assert_eq!(history.judged(), red, "{branch} {text}");
    }
}

#[test]
fn the_head_of_a_pull_request_that_was_squashed_is_fetched_and_without_it_nothing_passes() {
    let mut history = History::new();
    history.git(&["checkout", "-q", "main"]);
    let origin = tempfile::tempdir().unwrap();
    let at = origin.path().to_str().unwrap().to_owned();
    history.git(&["init", "-q", "--bare", &at]);
    history.git(&["remote", "add", "origin", &at]);
    let head = history.fix("a");
    history.pull("main", &head, None, true);
    let names = ["refs/pull/1/head", "refs/merge-requests/1/head"];
    let pushed = names.map(|name| format!("{head}:{name}"));
    history.git(&["push", "-q", "origin", "main", &pushed[0], &pushed[1]]);
    history.git(&["merge", "-q", "--squash", "fix"]);
    history.git(&["commit", "-q", "-m", "squashed"]);
    let merge = history.head();
    history.number = 0;
    history.pulls.clear();
    history.pull("main", &head, Some(&merge), true);
    history.git(&["push", "-q", "origin", "main"]);
    let forget = |history: &History| {
        let _ = Command::new("git").current_dir(history.at()).args(["branch", "-qD", "fix"]).output();
        std::fs::remove_file(history.at().join(".git/FETCH_HEAD")).ok();
        history.git(&["reflog", "expire", "--expire=now", "--all"]);
        history.git(&["gc", "-q", "--prune=now"]);
    };
    forget(&history);
    assert_eq!(history.judged(), "green ");
    forget(&history);
    history.git(&["--git-dir", &at, "update-ref", "-d", names[0]]);
    history.git(&["--git-dir", &at, "update-ref", "-d", names[1]]);
    let why = "rfab can't compare it with what was reviewed in #1, because one of the two isn't here, or git is older than 2.38";
    assert_eq!(history.judged(), format!("{NONE}; {why}"));
}

/// Rebases a pull request of two commits, which change the same line of `a` or another file, into the hotfix.
fn rebased(history: &mut History, other: &str, between: impl Fn(&History)) {
    history.git(&["checkout", "-q", "-b", "two", "hotfix/3.0.1"]);
    history.commit("a", "1\n");
    let head = history.commit(other, "2\n");
    history.git(&["checkout", "-q", "hotfix/3.0.1"]);
    history.fixed("b", true);
    history.git(&["cherry-pick", "two~1"]);
    between(history);
    history.git(&["cherry-pick", "two"]);
    let merge = history.head();
    let base = history.git(&["merge-base", &head, &merge]);
    history.number += 1;
    let review = Review { commit: kept(&head), ..Review::of("berta", "approved") };
    history.pull_of("hotfix/3.0.1", &base, &head, Some(&merge), vec![review]);
}

#[test]
fn each_commit_of_a_pull_request_that_was_rebased_into_the_hotfix_was_reviewed() {
    for other in ["a", "c"] {
        let mut history = History::new();
        rebased(&mut history, other, |_| {});
        says(&history, "green ", "green ");
        let mut history = History::new();
        rebased(&mut history, other, |history| _ = history.commit("sneaked", "in\n"));
        let sneaked = history.git(&["rev-parse", "HEAD~1"]);
        let red = format!("red {} (change sneaked) was pushed without a pull request", &sneaked[..12]);
        assert_eq!(history.judged(), red, "{other}");
        let mut history = History::new();
        rebased(&mut history, other, |_| {});
        let sneaked = history.commit("sneaked", "in\n");
        history.fixed("d", true);
        let red = format!("red {} (change sneaked) was pushed without a pull request", &sneaked[..12]);
        assert_eq!(history.judged(), red, "{other}");
    }
}

#[test]
fn what_an_author_took_out_in_a_merge_does_not_land_by_a_rebase_of_the_branch() {
    for is_edited in [false, true] {
        let mut history = History::new();
        history.git(&["checkout", "-q", "main"]);
        history.git(&["checkout", "-q", "-b", "topic"]);
        history.commit("a", "evil\n");
        history.git(&["checkout", "-q", "main"]);
        history.commit("other", "1\n");
        history.git(&["checkout", "-q", "topic"]);
        history.git(&["merge", "-q", "--no-ff", "--no-commit", "main"]);
        if is_edited {
            history.git(&["rm", "-q", "-f", "a"]);
        }
        history.git(&["commit", "-q", "-m", "merge main"]);
        let head = history.commit("b", "harmless\n");
        history.git(&["checkout", "-q", "main"]);
        history.git(&["cherry-pick", "topic~2", "topic"]);
        let merge = history.head();
        history.pull("main", &head, Some(&merge), true);
        let red = format!("{NONE}; it has changes that aren't in what was reviewed in #1");
        assert_eq!(history.judged(), if is_edited { &*red } else { "green " }, "{is_edited}");
    }
}

#[test]
fn a_hotfix_that_was_moved_forward_to_a_reviewed_head_is_reviewed_up_to_where_that_began() {
    let mut history = History::new();
    let base = history.head();
    history.commit("a", "1\n");
    let head = history.commit("a", "2\n");
    let review = || vec![Review { commit: kept(&head), ..Review::of("berta", "approved") }];
    history.number = 1;
    history.pull_of("hotfix/3.0.1", &base, &head, Some(&head), review());
    assert_eq!(history.judged(), "green ");
    // It began at another branch, which has a commit of the two already.
    let mut history = History::new();
    let pushed = history.commit("sneaked", "in\n");
    let head = history.commit("a", "2\n");
    history.git(&["checkout", "-q", "-b", "junk", "hotfix/3.0.1~2"]);
    history.git(&["merge", "-q", "--no-ff", "-m", "merge", &pushed]);
    let junk = history.head();
    history.git(&["checkout", "-q", "hotfix/3.0.1"]);
    history.number = 1;
    let review = vec![Review { commit: kept(&head), ..Review::of("berta", "approved") }];
    history.pull_of("junk", &junk, &head, Some(&head), review);
    assert_eq!(history.judged(), format!("red {} (change sneaked) was pushed without a pull request", &pushed[..12]));
}
