//! Picks and features that people and forges bring in otherwise: the same line goes on from there.
use super::{
    pulls::Protected,
    sample::Clone,
    trunk::{cut, id},
};
use lab::forge::{Dialect, How, Opening};
use std::fs;

const TOKEN: (&str, &str) = ("FORGE_TOKEN", "forge-token-hunter2");

/// Makes a shop with a protected line `3.0`, which differs from the fixes in the file `app`.
fn protected() -> Protected {
    let shop = Protected::new(Dialect::Github, Opening::Fine, "1s");
    let work = &shop.sample.work;
    for (name, value) in [("trunk.branch", "production"), ("trunk.lines", "stable/")] {
        work.git(&["config", name, value]);
    }
    work.git(&["checkout", "-q", "production"]);
    let fabfile = "import \"std/trunk\" as trunk;\nfn pick(line, fix) { trunk::pick(line, [fix]); }\n\
                   fn prod() { fleet(\"fleets/prod.toml\") }\n";
    fs::write(work.folder.join("fabfile.rhai"), fabfile).unwrap();
    work.commit("later", "1");
    line_gets(&shop, "app", "3.0");
    shop
}

/// Commits to the line at the remote, as a merged pull request would.
fn line_gets(shop: &Protected, file: &str, text: &str) {
    let work = &shop.sample.work;
    let on = work.branch();
    let there = work.ended(&["git", "rev-parse", "-q", "--verify", "origin/stable/3.0"]).trim().to_owned();
    work.git(&["checkout", "-q", "--detach", if there.is_empty() { "production" } else { &there }]);
    work.commit(file, text);
    work.git(&["push", "-q", "origin", "HEAD:refs/heads/stable/3.0"]);
    work.git(&["checkout", "-q", &on]);
}

/// Pushes a fix of a file, which isn't on the line. Returns its first digits.
fn fixed(work: &Clone, file: &str, text: &str) -> String {
    let on = work.branch();
    work.git(&["checkout", "-q", "-B", "fixes"]);
    work.commit(file, text);
    work.git(&["push", "-q", "-f", "origin", "fixes"]);
    let fix = id(work, "HEAD")[..12].to_owned();
    work.git(&["checkout", "-q", &on]);
    fix
}

fn picked(work: &Clone, fix: &str) -> (String, Option<i32>) {
    work.told(&["prod", "pick", "3.0", fix], &[TOKEN])
}

/// Solves a pick that conflicts.
fn solve(work: &Clone, file: &str, text: &str) {
    fs::write(work.folder.join(file), text).unwrap();
    work.git(&["add", file]);
    work.git(&["cherry-pick", "--continue"]);
}

#[test]
fn a_solved_pick_that_the_forge_squashed_leaves_nothing_in_the_way_of_the_next_one() {
    for how in [How::Squashed, How::Rebased, How::Merged] {
        let shop = protected();
        let work = &shop.sample.work;
        let fix = fixed(work, "app", "4.0");
        let (said, _) = picked(work, &fix);
        assert!(said.contains("stable/3.0 is checked out, with this pick in progress"), "{said}");
        solve(work, "app", "3.0, fixed");
        let (said, code) = picked(work, &fix);
        assert_eq!(code, Some(4), "{said}");
        // The line moves meanwhile, so that the forge makes another commit of the pick.
        line_gets(&shop, "other", "1");
        shop.requests.merge(1, how);
        let next = fixed(work, "second", "fixed");
        let (said, code) = picked(work, &next);
        let pull = format!("pick/stable/3.0/{next} -> stable/3.0 open");
        assert_eq!(shop.requests.list().last(), Some(&pull), "{how:?} {code:?} {said}");
        let changed = work.git(&[
            "diff",
            "--name-only",
            &shop.is("origin/stable/3.0"),
            &shop.is(&format!("origin/pick/stable/3.0/{next}")),
        ]);
        assert_eq!(changed, "second\n", "{how:?}");
        if how != How::Merged {
            assert!(said.contains("your stable/3.0 now matches the remote's"), "{how:?} {said}");
            assert_eq!(
                (work.branch(), id(work, "stable/3.0")),
                ("production".to_owned(), shop.is("origin/stable/3.0"))
            );
        }
    }
}

#[test]
fn a_pull_request_of_a_pick_gets_what_has_come_to_the_line_and_keeps_what_people_added() {
    let shop = protected();
    let work = &shop.sample.work;
    let fix = fixed(work, "fix", "fixed");
    let branch = format!("pick/stable/3.0/{fix}");
    picked(work, &fix);
    work.git(&["checkout", "-q", "-b", "added", &shop.is(&format!("origin/{branch}"))]);
    work.commit("fix", "fixed, as the review wants it");
    let added = id(work, "HEAD");
    work.git(&["push", "-q", "origin", &format!("added:refs/heads/{branch}")]);
    work.git(&["checkout", "-q", "production"]);
    line_gets(&shop, "other", "1");
    let (said, _) = picked(work, &fix);
    let head = format!("origin/{branch}");
    assert_ne!(shop.is(&head), added, "{said}");
    assert_eq!(
        work.git(&["rev-parse", &format!("{head}^1"), &format!("{head}^2")]),
        format!("{added}\n{}\n", shop.is("origin/stable/3.0"))
    );
    let before = shop.is(&head);
    picked(work, &fix);
    assert_eq!(shop.is(&head), before, "typed again, it has all of it");
    assert_eq!(shop.requests.list(), [format!("{branch} -> stable/3.0 open")]);
    // What conflicts is solved on the pull request's branch.
    line_gets(&shop, "fix", "otherwise");
    let (said, code) = picked(work, &fix);
    assert!(
        code == Some(4) && said.contains(&format!("stable/3.0 has moved since the pick. Type git switch {branch}")),
        "{said}"
    );
    assert_eq!(shop.is(&head), before);
}

#[test]
fn a_feature_that_somebody_merged_by_hand_is_done() {
    let shop = Protected::new(Dialect::Github, Opening::Fine, "1s");
    let work = &shop.sample.work;
    work.git(&["checkout", "-q", "develop"]);
    work.rfab(&["start", "feature", "basket"]);
    work.commit("basket", "full");
    work.rfab(&["publish", "feature", "basket"]);
    let finish = || work.told(&["prod", "finish", "feature", "basket"], &[TOKEN]);
    let (said, _) = finish();
    assert!(said.contains("wasn't merged into develop in time"), "{said}");
    shop.requests.open("feature/basket", "develop", false);
    shop.requests.merge(2, How::Squashed);
    shop.requests.forget_newest();
    shop.requests.close(1);
    let (said, _) = finish();
    assert!(!shop.sample.origin().contains("basket") && !work.refs().contains("basket"), "{said}");
    assert_eq!(shop.requests.list(), ["feature/basket -> develop closed"]);
}

#[test]
fn a_run_that_stopped_for_a_person_goes_on_when_it_is_resumed() {
    let sample = cut();
    let work = &sample.work;
    work.commit("app", "3.2");
    work.git(&["push", "-q", "origin", "main"]);
    let bad = id(work, "main");
    work.git(&["checkout", "-q", "-b", "release/3.1", "origin/release/3.1"]);
    work.commit("app", "3.1.x");
    work.git(&["push", "-q", "origin", "release/3.1"]);
    let (said, _) = work.typed(&["pick", "3.1", &bad]);
    assert!(said.contains("conflicts with `release/3.1` in app"), "{said}");
    let (said, code) = work.typed(&["--resume"]);
    assert!(code == Some(1) && said.contains("git is in the middle of a cherry-pick"), "{said}");
    solve(work, "app", "3.1.x, fixed");
    let said = work.rfab(&["--resume"]);
    assert!(said.contains("stopped to ask a person, so its line starts over"), "{said}");
    assert_eq!(work.git(&["show", "origin/release/3.1:app"]), "3.1.x, fixed");
    let (said, _) = work.typed(&["--resume"]);
    assert!(said.contains("there is no run of"), "{said}");
}
