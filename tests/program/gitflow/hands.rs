//! What a new user sees when a finish or a gate stops, and that doing what the message says leads to the end.
use super::{
    pulls::Protected,
    sample::{Clone, Sample},
};
use lab::{
    forge::{Dialect, Forge, Manner, Opening, Report, Review, Story},
    runnable,
};
use std::fs;

const FINISH: [&str; 3] = ["finish", "hotfix", "3.0.1"];

/// Makes a shop with a hotfix that is ready to be finished.
fn hotfix() -> Sample {
    let sample = Sample::avh();
    sample.work.rfab(&["start", "hotfix", "3.0.1"]);
    sample.work.commit("VERSION", "3.0.1");
    sample
}

/// Returns the first error of a run with its help, without the place in the fabfile.
fn error(out: &str) -> String {
    let lines = out.lines().skip_while(|line| !line.starts_with("error: "));
    let block = lines.take_while(|line| !line.trim().is_empty());
    let said = block.filter(|line| line.starts_with("error: ") || line.starts_with("  help: "));
    said.collect::<Vec<_>>().join("\n")
}

/// Types the line, which stops with this message, on a terminal as in a pipe. Returns what else it printed.
#[track_caller]
fn stops(work: &Clone, on_terminal: bool, message: &str) -> String {
    let out = if on_terminal { work.on_terminal(&FINISH) } else { work.typed(&FINISH).0 };
    assert_eq!(error(&out), message, "{out}");
    out
}

/// Panics unless the hotfix is in production and in develop, tagged, and gone.
#[track_caller]
fn is_finished(sample: &Sample) {
    let work = &sample.work;
    work.git(&["fetch", "-q", "--prune", "--tags"]);
    for branch in ["origin/production", "origin/develop"] {
        work.git(&["merge-base", "--is-ancestor", "v3.0.1", branch]);
    }
    assert!(!sample.origin().contains("hotfix"), "{}", sample.origin());
}

/// Lets the origin run a hook.
fn at_origin(sample: &Sample, name: &str, text: &str) {
    let hook = sample.folder.path().join("origin.git/hooks").join(name);
    runnable::write(&hook, &format!("#!/bin/sh\n{text}\n"));
}

#[test]
fn what_a_hook_of_the_remote_says_is_done_and_the_line_typed_again() {
    for on_terminal in [false, true] {
        let sample = hotfix();
        at_origin(&sample, "pre-receive", "echo 'the freeze ends on Monday'; exit 1");
        let before = (sample.origin(), sample.work.refs());
        stops(
            &sample.work,
            on_terminal,
            "error: the remote rejects the push of `develop`, `production`, `v3.0.1` [remote rejected] (pre-receive hook \
             declined): the freeze ends on Monday; nothing was pushed\n  help: do what the remote says, or ask the people who maintain its hooks; then type the line again",
        );
        assert_eq!((sample.origin(), sample.work.refs()), before);
        at_origin(&sample, "pre-receive", "exit 0");
        sample.work.rfab(&FINISH);
        is_finished(&sample);
    }
}

#[test]
fn a_protected_branch_is_moved_by_a_pull_request_after_what_the_message_says() {
    let shop = Protected::new(Dialect::Github, Opening::Fine, "1s");
    stops(
        &shop.sample.work,
        false,
        "error: the remote rejects the push of `develop` [remote rejected] (hook declined): it is protected; error: \
         hook declined to update refs/heads/develop; nothing was pushed\n  help: let a pull request move \
         `develop`: write `pulls = true` into `[gate]` of the fleet file, and begin the line with that fleet",
    );
    // The fleet file has that line; now the line begins with the fleet.
    shop.typed();
    shop.requests.merge(1, lab::forge::How::Merged);
    shop.typed();
    shop.requests.merge(2, lab::forge::How::Merged);
    shop.typed();
    is_finished(&shop.sample);
}

#[test]
fn a_protected_tag_is_said_to_be_one() {
    let sample = hotfix();
    let text = "GitLab: You are not allowed to create this tag as it is protected.";
    at_origin(&sample, "update", &format!("case $1 in refs/tags/*) echo '{text}'; exit 1;; esac"));
    stops(
        &sample.work,
        false,
        &format!(
            "error: the remote rejects the push of `v3.0.1` [remote rejected] (hook declined): {text}; error: hook \
             declined to update refs/tags/v3.0.1; nothing was pushed\n  help: ask somebody who may push this tag, or \
             have its rule changed"
        ),
    );
    at_origin(&sample, "update", "exit 0");
    sample.work.rfab(&FINISH);
    is_finished(&sample);
}

#[test]
fn somebody_who_pushed_meanwhile_is_fetched_by_the_line_typed_again() {
    let sample = hotfix();
    let colleague = sample.colleague();
    colleague.git(&["checkout", "-q", "production"]);
    colleague.commit("other", "theirs");
    let before = colleague.git(&["rev-parse", "production"]);
    let hook = sample.work.folder.join(".git/hooks/pre-push");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    let push = format!("git -C {} push -q origin production", colleague.folder.display());
    runnable::write(&hook, &format!("#!/bin/sh\nunset GIT_DIR\n{push}\nrm \"$0\"\n"));
    let out = sample.work.typed(&FINISH).0;
    let said = error(&out);
    assert!(said.starts_with("error: the remote rejects the push of "), "{out}");
    assert!(
        said.ends_with("\n  help: somebody pushed meanwhile: type the line again, which fetches that first"),
        "{out}"
    );
    sample.work.rfab(&FINISH);
    is_finished(&sample);
    sample.work.git(&["merge-base", "--is-ancestor", before.trim(), "v3.0.1"]);
}

/// Has a branch say another version than the hotfix.
fn says(sample: &Sample, branch: &str, version: &str) {
    sample.work.git(&["checkout", "-q", branch]);
    sample.work.commit("VERSION", version);
    sample.work.git(&["push", "-q", "origin", branch]);
}

#[test]
fn a_conflict_in_a_version_file_is_solved_by_the_words_of_the_message() {
    let solve = "resolve the conflict in these files and type git commit -a, then type the line again (git merge \
                 --abort undoes it)";
    let begun = "is checked out, with this merge in progress";
    for (branch, version, message) in [
        (
            "production",
            "3.0.0-1",
            format!("error: `hotfix/3.0.1` conflicts with `production` in VERSION. production {begun}: {solve}"),
        ),
        (
            "develop",
            "3.1.0",
            format!(
                "error: production is done, and only develop lacks it: `v3.0.1` conflicts with `develop` in VERSION. \
                 develop {begun}: {solve}"
            ),
        ),
    ] {
        for on_terminal in [false, true] {
            let sample = hotfix();
            says(&sample, branch, version);
            let out = stops(&sample.work, on_terminal, &message);
            let next: Vec<_> = out.lines().filter(|line| line.starts_with("next: ")).collect();
            assert_eq!(next, ["next: rfab finish:hotfix,3.0.1"]);
            let unsolved = "error: git is in the middle of a merge; resolve its conflicts and type git commit -a, or \
                            undo it with git merge --abort";
            stops(&sample.work, on_terminal, unsolved);
            fs::write(sample.work.folder.join("VERSION"), "3.1.0").unwrap();
            sample.work.git(&["commit", "-q", "-a", "--no-edit"]);
            sample.work.rfab(&["finish:hotfix,3.0.1"]);
            is_finished(&sample);
        }
    }
}

#[test]
fn a_merge_that_was_taken_back_is_begun_again() {
    let sample = hotfix();
    says(&sample, "production", "3.0.0-1");
    let first = error(&sample.work.typed(&FINISH).0);
    sample.work.git(&["merge", "--abort"]);
    stops(&sample.work, false, &first);
}

/// Makes a shop with a task that asks a forge which tells this story about each commit.
fn gated(story: Story) -> (Sample, Forge) {
    let sample = Sample::avh();
    let forge = Forge::judging(Dialect::Github, move |_| Some(story.clone()));
    let fleet = format!(
        "[app]\npath = \"/srv/shop\"\n[hosts]\nweb1 = {{ address = \"127.0.0.1\", port = 1 }}\n[gate]\nforge = \"github\"\n\
         project = \"shop/web\"\nurl = \"{}\"\ntoken = \"env:FORGE_TOKEN\"\nbranch = \"main\"\nreviews = 1\n\
         within = \"2s\"\n",
        forge.url("live")
    );
    fs::create_dir(sample.work.folder.join("fleets")).unwrap();
    fs::write(sample.work.folder.join("fleets/prod.toml"), fleet).unwrap();
    let fabfile = "import \"std/gate\" as gate;\nfn prod() { fleet(\"fleets/prod.toml\") }\n\
                   fn green() { gate::pass(git::resolve(\"stable\")); }\n";
    fs::write(sample.work.folder.join("fabfile.rhai"), fabfile).unwrap();
    (sample, forge)
}

const WAIVE: &str = "if it can't wait, add --without-gate=REASON";

#[test]
fn each_gate_that_doesnt_open_says_what_is_missing_and_who_can_mend_it() {
    let build = |state: &'static str| Story::reported(&[Report::of("build", state), Report::of("test", "success")]);
    let asked = "FORGE answers /repos/shop/web/rules/branches/main?per_page=100 with status";
    let red = "fix that on the forge, or choose a commit that is green, and type the line again";
    let late = "type the line again when that is done";
    for (story, why, help) in [
        (build("failure"), "COMMIT doesn't pass the gate of shop/web: build: it's failure", red),
        (build("in_progress"), "COMMIT didn't pass the gate of shop/web in time: build: it's in_progress", late),
        (
            Story::reported(&[Report::of("test", "success")]),
            "COMMIT didn't pass the gate of shop/web in time: build: it hasn't reported for this commit: does CI run it \
             on a push?",
            late,
        ),
        (
            Story::reviewed(&[]),
            "COMMIT didn't pass the gate of shop/web in time: #12: 1 more person with write access, other than \
             anna, must approve its head",
            late,
        ),
        (
            Story::reviewed(&[Review::of("carl", "against")]),
            "COMMIT doesn't pass the gate of shop/web: #12: changes were asked for by carl",
            red,
        ),
        (
            Story::behaving(Manner::Always(401)),
            &format!("{asked} 401"),
            "its token may have expired: make another one, and keep it in env:FORGE_TOKEN",
        ),
        (
            Story::behaving(Manner::Always(404)),
            &format!("{asked} 404"),
            "check `project` and `branch` of `[gate]`; a private project looks like this to a token that can't read it",
        ),
    ] {
        let (sample, forge) = gated(story);
        let (out, code) = sample.work.told(&["prod", "green"], &[("FORGE_TOKEN", "forge-token-hunter2")]);
        let commit = sample.work.git(&["rev-parse", "v3.0.0^{commit}"])[..12].to_owned();
        let said = error(&out).replace(&commit, "COMMIT").replace(&forge.url("live"), "FORGE");
        let waive = if help == red || help == late { format!("; {WAIVE}") } else { String::new() };
        assert_eq!(said, format!("error: {why}\n  help: nothing was changed; {help}{waive}"), "{out}");
        assert!(code == Some(7) && !out.contains("hunter2"), "{out}");
        // What the message says at last: a reason in place of the gate.
        let waived = sample.work.typed(&["prod", "green", "--without-gate=it burns"]).0;
        assert!(!error(&waived).contains("gate"), "{waived}");
    }
}
