//! Which hooks of the repository run, git's and git-flow's, and what one that refuses stops.
use super::sample::{Clone, Sample};
use lab::runnable;
use std::{fs, path::PathBuf};

/// Hooks that can refuse or change something, and those that are told of it.
const HOOKS: [&str; 16] = [
    "pre-commit",
    "prepare-commit-msg",
    "commit-msg",
    "post-commit",
    "pre-merge-commit",
    "post-merge",
    "pre-push",
    "pre-flow-hotfix-start",
    "post-flow-hotfix-start",
    "pre-flow-hotfix-publish",
    "post-flow-hotfix-publish",
    "pre-flow-hotfix-finish",
    "post-flow-hotfix-finish",
    "pre-flow-hotfix-delete",
    "filter-flow-hotfix-start-version",
    "filter-flow-hotfix-finish-tag-message",
];

/// Writes a hook of a clone.
fn hook(clone: &Clone, name: &str, text: &str) {
    let folder = clone.folder.join(".git/hooks");
    fs::create_dir_all(&folder).unwrap();
    runnable::write(&folder.join(name), &format!("#!/bin/sh\n{text}\n"));
}

/// What hooks tell, a line each: their names and arguments, and for those of git-flow its branches.
struct Told(PathBuf);

impl Told {
    fn by(clone: &Clone) -> Told {
        let file = clone.home.join("told");
        for name in HOOKS {
            let filter = if name.starts_with("filter") { "; printf %s \"$1\"" } else { "" };
            let words = if name.contains("flow") { "\"$@\" $MASTER_BRANCH $DEVELOP_BRANCH" } else { "" };
            hook(clone, name, &format!("echo {name} {words} >> {}{filter}", file.display()));
        }
        Told(file)
    }

    /// Returns what was told since the last call.
    fn next(&self) -> Vec<String> {
        let text = fs::read_to_string(&self.0).unwrap_or_default();
        let _ = fs::remove_file(&self.0);
        text.lines().map(|line| line.trim_end().to_owned()).collect()
    }
}

/// Makes a shop with these settings, in which hooks tell that they run.
fn telling(settings: &[(&str, &str)]) -> (Sample, Told) {
    let sample = Sample::avh();
    settings.iter().for_each(|(name, value)| drop(sample.work.git(&["config", name, value])));
    let told = Told::by(&sample.work);
    (sample, told)
}

#[test]
fn hooks_that_can_refuse_run_as_with_git_flow_and_in_its_order() {
    // git-flow 1.12.3 says a message of the settings twice, but filters it once.
    let message = [("gitflow.hotfix.finish.message", "3.0.1 for all")];
    let squash = [("gitflow.hotfix.finish.squash", "true")];
    for settings in [&[][..], &message, &squash] {
        let [(ours, we), (theirs, they)] = [telling(settings), telling(settings)];
        ours.work.rfab(&["start", "hotfix", "3.0.1"]);
        theirs.work.git(&["flow", "hotfix", "start", "3.0.1"]);
        assert_eq!(we.next(), they.next(), "{settings:?}");
        ours.work.commit("VERSION", "3.0.1");
        theirs.work.commit("VERSION", "3.0.1");
        assert_eq!(we.next(), they.next(), "{settings:?}");
        ours.work.rfab(&["publish", "hotfix", "3.0.1"]);
        theirs.work.git(&["flow", "hotfix", "publish", "3.0.1"]);
        assert_eq!(we.next(), they.next(), "{settings:?}");
        ours.work.rfab(&["finish", "hotfix", "3.0.1"]);
        let file = theirs.folder.path().join("message");
        fs::write(&file, "v3.0.1\n").unwrap();
        let words = ["flow", "hotfix", "finish", "-f", file.to_str().unwrap(), "3.0.1"];
        theirs.work.git(if settings == message { &["flow", "hotfix", "finish", "3.0.1"] } else { &words });
        theirs.work.git(&["push", "-q", "--atomic", "origin", "production", "develop", "--tags"]);
        // git-flow merges in your work tree, and pushes after it's done; a merge that nobody pushed yet is none of yours.
        let rest = |told: Vec<String>| {
            let own = ["post-merge", "post-commit", "pre-push", "post-flow-hotfix-finish"];
            told.into_iter().filter(|line| !own.iter().any(|name| line.starts_with(name))).collect::<Vec<_>>()
        };
        let (we, they) = (we.next(), they.next());
        assert!(we.iter().any(|line| line.starts_with("pre-push")), "{we:?}");
        assert_eq!(
            we.last(),
            Some(&"post-flow-hotfix-finish v3.0.1 origin hotfix/3.0.1 production develop".to_owned())
        );
        assert_eq!(rest(we), rest(they), "{settings:?}");
    }
}

#[test]
fn a_filter_of_git_flow_changes_the_version_and_the_message_of_the_tag() {
    let sample = Sample::avh();
    sample.work.git(&["config", "gitflow.hotfix.finish.message", "the hotfix"]);
    hook(&sample.work, "filter-flow-hotfix-start-version", "echo $1.1");
    hook(&sample.work, "filter-flow-hotfix-finish-tag-message", "echo $2: $1");
    sample.work.rfab(&["start", "hotfix", "3.0.1"]);
    assert_eq!(sample.work.branch(), "hotfix/3.0.1.1");
    sample.work.commit("VERSION", "3.0.1.1");
    sample.work.rfab(&["finish", "hotfix", "3.0.1.1"]);
    let message = sample.work.git(&["tag", "--list", "--format=%(contents)", "v3.0.1.1"]);
    assert_eq!(message.trim(), "v3.0.1.1: the hotfix");
}

#[test]
fn a_hook_that_refuses_stops_the_finish_and_nothing_moves() {
    let commit = "git merge failed: a hook of the repository refuses the commit: ask Berta first";
    for (name, error) in [
        ("pre-merge-commit", commit),
        ("prepare-commit-msg", commit),
        ("commit-msg", commit),
        ("pre-push", "git push failed: ask Berta first"),
        ("pre-flow-hotfix-finish", "git hook pre-flow-hotfix-finish failed: ask Berta first"),
    ] {
        let sample = Sample::avh();
        sample.work.rfab(&["start", "hotfix", "3.0.1"]);
        sample.work.commit("VERSION", "3.0.1");
        hook(&sample.work, name, "echo ask Berta first >&2; exit 1");
        let before = (sample.origin(), sample.work.refs());
        let (out, code) = sample.work.typed(&["finish", "hotfix", "3.0.1"]);
        let first = out.lines().find_map(|line| line.strip_prefix("error: ")).unwrap_or_default();
        assert!(first.starts_with(error) && code == Some(1), "{name}: {out}");
        assert_eq!((sample.origin(), sample.work.refs()), before, "{name}");
        fs::remove_file(sample.work.folder.join(".git/hooks").join(name)).unwrap();
        sample.work.rfab(&["finish", "hotfix", "3.0.1"]);
        assert!(sample.origin().contains("refs/tags/v3.0.1 tag "));
    }
}

#[test]
fn hooks_in_a_folder_that_git_doesnt_track_run_and_see_what_is_merged() {
    let sample = Sample::avh();
    let work = &sample.work;
    work.git(&["config", "core.hooksPath", ".husky/_"]);
    fs::create_dir_all(work.folder.join(".husky/_")).unwrap();
    fs::write(work.folder.join(".git/info/exclude"), ".husky\n").unwrap();
    let file = work.home.join("told");
    let text = format!(
        "#!/bin/sh\necho \"${{0#$HOME/}} $(cat VERSION) $(git diff --cached --name-only)\" >> {}\n",
        file.display()
    );
    runnable::write(&work.folder.join(".husky/_/pre-merge-commit"), &text);
    work.rfab(&["start", "hotfix", "3.0.1"]);
    work.commit("VERSION", "3.0.1");
    work.rfab(&["finish", "hotfix", "3.0.1"]);
    let place = work.folder.join(".husky/_/pre-merge-commit");
    let line = format!("{} 3.0.1 VERSION\n", place.display());
    assert_eq!(fs::read_to_string(file).unwrap(), line.repeat(2));
}

#[test]
fn a_hook_that_lets_no_branch_move_here_leaves_the_rest_to_the_same_line() {
    let sample = Sample::avh();
    let work = &sample.work;
    work.rfab(&["start", "hotfix", "3.0.1"]);
    work.commit("VERSION", "3.0.1");
    let text = "[ $1 = prepared ] && grep -q refs/heads/production && echo ask Berta first >&2 && exit 1; exit 0";
    hook(work, "reference-transaction", text);
    let before = work.refs();
    let (out, code) = work.typed(&["finish", "hotfix", "3.0.1"]);
    assert_eq!((work.refs(), code), (before, Some(1)), "{out}");
    fs::remove_file(work.folder.join(".git/hooks/reference-transaction")).unwrap();
    work.rfab(&["finish", "hotfix", "3.0.1"]);
    assert_eq!(work.git(&["rev-parse", "production"]), work.git(&["rev-parse", "origin/production"]));
    assert!(!sample.origin().contains("refs/heads/hotfix"));
}
