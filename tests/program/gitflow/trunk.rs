//! Release lines that are cut from trunk: what is picked onto them is what `git cherry-pick -x` makes, and tags are safe.
use super::sample::{Clone, Sample};
use std::{fs, os::unix::fs::PermissionsExt};

const FABFILE: &str = r#"
import "std/trunk" as trunk;
fn line(name) { ui::note(trunk::start(name)); }
fn pick(line, one) { trunk::pick(line, [one]); }
fn pick(line, one, two) { trunk::pick(line, [one, two]); }
fn tag(line) { ui::note(trunk::tag(line)); }
fn tagged(line) { ui::note(trunk::tagged(line, 3)); }
fn next(line) { ui::note(trunk::next(line)); }
"#;

/// Makes a shop with a line `3.1`, and a fix on trunk.
pub fn cut() -> Sample {
    let sample = Sample::new("main", "wip", &[("gitflow.prefix.versiontag", "v")]);
    let work = &sample.work;
    work.git(&["checkout", "-q", "main"]);
    fs::write(work.folder.join("fabfile.rhai"), FABFILE).unwrap();
    work.commit("app", "3.1");
    work.git(&["push", "-q", "origin", "main"]);
    work.rfab(&["line", "3.1"]);
    work.commit("later", "not for 3.1");
    work.commit("fix", "fixed");
    work.git(&["push", "-q", "origin", "main"]);
    sample
}

pub fn id(clone: &Clone, name: &str) -> String {
    clone.git(&["rev-parse", name]).trim().to_owned()
}

#[test]
fn a_line_gets_what_git_cherry_pick_makes_and_its_next_tags() {
    let sample = cut();
    let work = &sample.work;
    assert_eq!(id(work, "origin/release/3.1"), id(work, "main~2"), "it begins where trunk was");
    assert!(work.rfab(&["line", "3.1"]).contains("release/3.1 is at the remote already"));
    // A fix that came to trunk by a pull request is a merge.
    work.git(&["checkout", "-q", "-b", "bug", "main~1"]);
    work.commit("second", "fixed, too");
    work.git(&["checkout", "-q", "main"]);
    work.git(&["merge", "-q", "--no-ff", "-m", "Merge pull request #8", "bug"]);
    work.git(&["push", "-q", "origin", "main"]);
    let (fix, merge) = (id(work, "main~1"), id(work, "main"));
    let before = work.refs();
    work.rfab(&["pick", "3.1", &fix, &merge]);
    assert_eq!(work.refs(), before, "no branch of the clone is made or moved");
    let colleague = sample.colleague();
    colleague.git(&["checkout", "-q", "--detach", &id(work, "main~3")]);
    colleague.git(&["cherry-pick", "-x", &fix]);
    colleague.git(&["cherry-pick", "-x", "-m", "1", &merge]);
    assert_eq!(id(&colleague, "origin/release/3.1"), id(&colleague, "HEAD"), "the same commits, up to their ids");
    assert!(work.rfab(&["pick", "3.1", &fix]).contains("release/3.1 at the remote already has that"));
    assert!(work.rfab(&["next", "3.1"]).contains("3.1.0"));
    assert!(work.rfab(&["tag", "3.1"]).contains("v3.1.0"));
    let told = work.rfab(&["tag", "3.1"]);
    assert!(told.contains("v3.1.0") && !told.contains("v3.1.1"), "a commit that has a tag gets no other: {told}");
    assert_eq!(id(work, "v3.1.0^{commit}"), id(&colleague, "HEAD"));
    assert!(sample.origin().contains(&format!("refs/tags/v3.1.0 tag {}", id(work, "v3.1.0"))), "{}", sample.origin());
    // Beside a line, trunk has the next minor version, and a line goes on where it was.
    assert!(work.rfab(&["tag", "main"]).contains("v3.2.0"));
    work.commit("third", "fixed");
    work.git(&["push", "-q", "origin", "main"]);
    work.rfab(&["pick", "3.1", &id(work, "main")]);
    assert!(work.rfab(&["tag", "3.1"]).contains("v3.1.1"));
    assert!(work.rfab(&["next", "3.10"]).contains("3.10.0"), "3.10 isn't 3.1");
}

#[test]
fn a_pick_that_conflicts_is_solved_as_an_ordinary_cherry_pick_and_the_line_typed_again() {
    let sample = cut();
    let work = &sample.work;
    let fix = id(work, "main");
    work.commit("app", "3.2, fixed");
    work.git(&["push", "-q", "origin", "main"]);
    let bad = id(work, "main");
    work.git(&["checkout", "-q", "-b", "release/3.1", "origin/release/3.1"]);
    work.commit("app", "3.1.x");
    work.git(&["push", "-q", "origin", "release/3.1"]);
    work.git(&["checkout", "-q", "main"]);
    let before = sample.origin();
    let (said, code) = work.typed(&["pick", "3.1", &fix, &bad]);
    assert_eq!(code, Some(1), "{said}");
    let why = format!(
        "`{}` conflicts with `release/3.1` in app. release/3.1 is checked out, with this pick in progress: resolve the \
         conflict, type git add and git cherry-pick --continue, then type the line again (git \
         cherry-pick --abort undoes it)",
        &bad[..12]
    );
    assert!(said.contains(&why), "{said}");
    assert_eq!(sample.origin(), before, "nothing was pushed");
    assert_eq!((work.branch(), id(work, "CHERRY_PICK_HEAD")), ("release/3.1".to_owned(), bad.clone()));
    let (said, _) = work.typed(&["pick", "3.1", &fix, &bad]);
    assert!(said.contains("git is in the middle of a cherry-pick"), "{said}");
    fs::write(work.folder.join("app"), "3.1.x, fixed").unwrap();
    work.git(&["add", "app"]);
    work.git(&["cherry-pick", "--continue"]);
    let said = work.rfab(&["pick", "3.1", &fix, &bad]);
    assert!(said.contains("release/3.1 has") && said.contains(" here, which rfab pushes, too"), "{said}");
    let subjects = work.git(&["log", "--format=%s", "-3", "origin/release/3.1"]);
    assert_eq!(subjects, "app is 3.2, fixed\nfix is fixed\napp is 3.1.x\n");
    assert_eq!(work.git(&["show", "origin/release/3.1:app"]), "3.1.x, fixed");
    assert_eq!(id(work, "release/3.1"), id(work, "origin/release/3.1"));
}

#[test]
fn the_tag_that_ci_makes_is_waited_for_and_not_longer_than_said() {
    let sample = cut();
    let work = &sample.work;
    let (said, code) = work.typed(&["tagged", "3.1"]);
    let head = id(work, "origin/release/3.1");
    let why = format!("nobody tagged {}, the newest commit of release/3.1, in time", &head[..12]);
    assert!(code == Some(7) && said.contains(&why) && said.contains("see what CI does with it"), "{code:?} {said}");
    // CI tests what is pushed to a line, and tags it a little later.
    let hook = sample.folder.path().join("origin.git/hooks/post-receive");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    let ci = "#!/bin/sh\nwhile read old new ref; do case $ref in refs/heads/release/*)\n\
              (sleep 1; git tag v3.1.0 $new) </dev/null >/dev/null 2>&1 & ;; esac; done\n";
    fs::write(&hook, ci).unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    work.rfab(&["pick", "3.1", &id(work, "main")]);
    let said = work.rfab(&["tagged", "3.1"]);
    assert!(said.contains("v3.1.0"), "{said}");
    assert!(work.rfab(&["tag", "3.1"]).contains("v3.1.0"), "and it's taken here, too");
    assert_eq!(id(work, "v3.1.0"), id(work, "origin/release/3.1"));
}

#[test]
fn what_is_not_pushed_or_not_there_is_refused_by_name() {
    let sample = cut();
    let work = &sample.work;
    let before = sample.origin();
    let said = |words: &[&str]| {
        let (said, code) = work.typed(words);
        assert_eq!(code, Some(1), "{said}");
        said
    };
    assert!(
        said(&["pick", "9.9", "main"]).contains("there is no branch release/9.9 at the remote; start the line first")
    );
    work.git(&["branch", "release/4.0"]);
    assert!(said(&["line", "4.0"]).contains("the branch release/4.0 is only here"));
    work.git(&["tag", "v3.1.0"]);
    assert!(said(&["tag", "3.1"]).contains("the tag v3.1.0 is only here"));
    work.commit("secret", "not pushed");
    assert!(said(&["line", "5.0"]).contains("main has 1 commits that aren't at the remote"));
    assert_eq!(sample.origin(), before);
}
