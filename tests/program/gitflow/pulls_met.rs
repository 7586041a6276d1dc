//! What people and forges do to a pull request meanwhile: the line goes on, or says how to.
use super::pulls::{DIALECTS, Protected, typed};
use lab::forge::{Dialect, How, Opening};
use std::{thread, time::Duration};

const HOTFIX: &str = "hotfix/3.0.1 -> production";

/// Returns what is said about the end of a run, with `URL` for the address of a pull request's project.
fn said(out: &str) -> String {
    let first = |start: &str| out.lines().find(|line| line.starts_with(start)).unwrap_or_default();
    let out = [first("error: "), first("  help: "), ""].join("\n");
    let parts = ["https://github.com/shop/web/pull/", "https://gitlab.com/shop/web/-/merge_requests/"];
    let all = parts.iter().chain([&"https://gitea.example.org/shop/web/pulls/"]);
    all.fold(out, |text, part| text.replace(part, "URL/"))
}

/// Types the line, and while it waits for the first pull request, lets something happen. Returns what it says.
fn meanwhile(shop: &Protected, happens: impl FnOnce()) -> String {
    let (out, _) = thread::scope(|scope| {
        let run = scope.spawn(|| shop.typed());
        while shop.requests.list().is_empty() {
            thread::sleep(Duration::from_millis(20));
        }
        thread::sleep(Duration::from_millis(300));
        happens();
        run.join().expect("a run")
    });
    said(&out)
}

/// Panics unless a line ended well.
#[track_caller]
pub fn expect_done(out: &str, code: Option<i32>) {
    assert!(is_done(out, code), "{code:?} {out}");
}

/// Returns whether a line ended well: its fleet has only a host that isn't there.
pub fn is_done(out: &str, code: Option<i32>) -> bool {
    code == Some(4) && said(out).starts_with("error: host `web1` can't be reached")
}

fn waiting(dialect: Dialect) -> Protected {
    Protected::new(dialect, Opening::Fine, "20s")
}

#[test]
fn one_that_is_closed_unmerged_stops_the_line_and_typed_again_it_opens_another() {
    for dialect in DIALECTS {
        let shop = waiting(dialect);
        let told = meanwhile(&shop, || shop.requests.close(1));
        assert_eq!(
            told,
            "\
error: URL/1 was closed, and isn't merged into production
  help: nothing was changed; open it again there, or type the line again for a new one
"
        );
        assert_eq!(shop.requests.list(), [format!("{HOTFIX} closed")]);
        let again = meanwhile_open(&shop);
        assert_eq!(again, [format!("{HOTFIX} closed"), format!("{HOTFIX} open")]);
    }
}

/// Types the line again with little patience, and returns the pull requests then.
fn meanwhile_open(shop: &Protected) -> Vec<String> {
    thread::scope(|scope| {
        let run = scope.spawn(|| shop.typed());
        while shop.requests.list().len() < 2 && !run.is_finished() {
            thread::sleep(Duration::from_millis(20));
        }
        let all = shop.requests.list();
        (0..all.len()).for_each(|at| shop.requests.close(at + 1));
        all
    })
}

#[test]
fn one_whose_base_is_changed_is_named_with_the_branch_that_it_merges_into_now() {
    for dialect in DIALECTS {
        let shop = waiting(dialect);
        let told = meanwhile(&shop, || shop.requests.retarget(1, "develop"));
        assert_eq!(
            told,
            "\
error: URL/1 doesn't merge into production any more: its base is develop now
  help: nothing was changed; change that back there, or type the line again for a new one
"
        );
        assert_eq!(meanwhile_open(&shop), ["hotfix/3.0.1 -> develop open".to_owned(), format!("{HOTFIX} open")]);
    }
}

#[test]
fn one_that_gets_commits_while_the_line_waits_stops_it_and_typed_again_it_takes_them() {
    for dialect in DIALECTS {
        let shop = waiting(dialect);
        let colleague = shop.sample.colleague();
        colleague.git(&["checkout", "-q", "hotfix/3.0.1"]);
        colleague.commit("fix", "better");
        let told = meanwhile(&shop, || drop(colleague.git(&["push", "-q", "origin", "hotfix/3.0.1"])));
        assert_eq!(
            told,
            "\
error: URL/1 has other commits than hotfix/3.0.1 had when this line began
  help: nothing was changed; type the line again: it fetches them, and asks the gate about them
"
        );
        shop.requests.merge(1, How::Merged);
        shop.typed();
        assert_eq!(shop.is("v3.0.1^{commit}"), shop.is("origin/production"));
        assert_eq!(shop.sample.work.git(&["show", "v3.0.1:fix"]), "better");
    }
}

#[test]
fn one_that_was_squashed_or_rebased_is_tagged_as_production_has_it_from_any_clone() {
    for dialect in DIALECTS {
        for how in [How::Merged, How::Squashed, How::Rebased] {
            for deletes in [false, true] {
                let shop = Protected::with(dialect, "1s", |requests| requests.deletes = deletes);
                // Production goes on, and so does the hotfix, in another clone.
                let other = shop.sample.colleague();
                other.git(&["checkout", "-q", "hotfix/3.0.1"]);
                other.commit("fix", "better");
                other.git(&["push", "-q", "origin", "hotfix/3.0.1"]);
                let case = format!("{dialect:?} {how:?} {deletes}");
                let (out, _) = typed(&shop.sample.work, "");
                assert!(out.contains("wasn't merged into production in time"), "{case}: {out}");
                shop.requests.merge(1, how);
                let merge = shop.is("origin/production");
                // In one case the first clone goes on, which has an old hotfix; in the other, a new one does.
                let fresh = shop.sample.clone_named("fresh");
                let from = if deletes { &fresh } else { &shop.sample.work };
                let (out, _) = typed(from, "");
                assert_eq!(shop.is("v3.0.1^{commit}"), merge, "{case}: {out}");
                assert_eq!(shop.requests.list().len(), 2, "{case}: {out}");
                shop.requests.merge(2, how);
                let (out, code) = typed(&shop.sample.work, "");
                expect_done(&out, code);
                assert!(!shop.sample.origin().contains("hotfix"), "{case}: {out}{}", shop.sample.origin());
                assert!(!shop.sample.work.refs().contains("hotfix"), "{case}: {out}{}", shop.sample.work.refs());
                assert_eq!(shop.requests.list().len(), 2, "{case}");
            }
        }
    }
}

#[test]
fn one_that_is_closed_because_somebody_squashed_it_by_hand_is_done_once_that_commit_is_tagged() {
    for dialect in DIALECTS {
        let shop = Protected::new(dialect, Opening::Fine, "1s");
        shop.typed();
        let by_hand = shop.squashed_by_hand("production");
        shop.requests.close(1);
        let before = shop.sample.origin();
        let (out, _) = shop.typed();
        assert_eq!(
            said(&out),
            "\
error: URL/1 was closed, and production has its changes in other commits
  help: nothing was changed; tag the commit that has them, git tag -a v3.0.1 COMMIT, push the tag, and type the line again
"
        );
        assert_eq!((shop.sample.origin(), shop.requests.list()), (before, vec![format!("{HOTFIX} closed")]));
        let other = shop.sample.colleague();
        other.git(&["tag", "-a", "-m", "3.0.1", "v3.0.1", &by_hand]);
        other.git(&["push", "-q", "origin", "v3.0.1"]);
        shop.typed();
        let both = [format!("{HOTFIX} closed"), "back/hotfix/3.0.1 -> develop open".to_owned()];
        assert_eq!(shop.requests.list(), both);
        shop.requests.merge(2, How::Merged);
        let (out, code) = shop.typed();
        expect_done(&out, code);
        assert!(!shop.sample.origin().contains("hotfix"), "{out}{}", shop.sample.origin());
        assert_eq!(shop.is("v3.0.1^{commit}"), by_hand);
    }
}

#[test]
fn one_that_the_forge_calls_merged_although_the_branch_lacks_it_is_not_tagged() {
    for dialect in DIALECTS {
        let shop = Protected::new(dialect, Opening::Fine, "1s");
        shop.typed();
        shop.requests.pretend(1);
        let before = shop.sample.origin();
        let (out, _) = shop.typed();
        assert_eq!(
            said(&out),
            "\
error: the forge says that URL/1 is merged, but production doesn't have it
  help: nothing was changed; type the line again when it has
"
        );
        assert_eq!(shop.sample.origin(), before);
    }
}

#[test]
fn of_one_whose_branch_the_forge_deleted_only_the_forge_knows_and_commits_that_are_only_here_stay() {
    for dialect in DIALECTS {
        let shop = Protected::with(dialect, "1s", |requests| requests.deletes = true);
        shop.typed();
        shop.requests.merge(1, How::Squashed);
        let fresh = shop.sample.clone_named("fresh");
        assert!(!fresh.git(&["branch", "-a"]).contains("hotfix"));
        let (out, code) = fresh.told(&["prod", "merged"], &[("FORGE_TOKEN", "forge-token-hunter2")]);
        assert_eq!((code, out.contains("merged: [\"3.0.1\"]")), (Some(4), true), "{out}");
        // The first clone has a commit that it never pushed.
        let work = &shop.sample.work;
        work.git(&["checkout", "-q", "hotfix/3.0.1"]);
        work.commit("secret", "only here");
        let before = (shop.sample.origin(), work.refs());
        let (out, _) = shop.typed();
        assert_eq!(
            said(&out),
            "\
error: URL/1 is merged, and your hotfix/3.0.1 has commits that production lacks
  help: nothing was changed; keep them on another branch, delete this one with git branch -D hotfix/3.0.1, and type the line again
"
        );
        assert_eq!((shop.sample.origin(), work.refs()), before);
        work.git(&["checkout", "-q", "-B", "kept"]);
        work.git(&["branch", "-q", "-D", "hotfix/3.0.1"]);
        shop.typed();
        assert_eq!(shop.is("v3.0.1^{commit}"), shop.is("origin/production"));
    }
}

#[test]
fn commits_that_come_to_the_branch_after_its_merge_are_not_deleted_with_it() {
    let shop = Protected::new(Dialect::Github, Opening::Fine, "1s");
    shop.typed();
    shop.requests.merge(1, How::Squashed);
    shop.typed();
    shop.requests.merge(2, How::Merged);
    let colleague = shop.sample.colleague();
    colleague.git(&["checkout", "-q", "hotfix/3.0.1"]);
    colleague.commit("late", "late");
    colleague.git(&["push", "-q", "origin", "hotfix/3.0.1"]);
    let (out, _) = shop.typed();
    assert!(shop.sample.origin().contains("refs/heads/hotfix/3.0.1"), "{out}");
}
