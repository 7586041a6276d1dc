//! Branches of git-flow: `std/gitflow` makes the same branches, merges and tags as git-flow AVH does from the same start.
use lab::alone;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

const FABFILE: &str = r#"
import "std/gitflow" as flow;
fn start(kind, version) { ui::note(flow::start(kind, version)); }
fn finish(kind, version) { ui::note(flow::finish(kind, version)); }
"#;

/// A bare origin with `production` and `develop`, and a clone of it.
struct Sample {
    folder: tempfile::TempDir,
    work: PathBuf,
}

impl Sample {
    fn new(settings: &[(&str, &str)]) -> Sample {
        let folder = tempfile::tempdir().unwrap();
        let work = folder.path().join("work");
        let sample = Sample { folder, work };
        sample.run(sample.folder.path(), "git", &["init", "-q", "--bare", "-b", "production", "origin.git"]);
        sample.run(sample.folder.path(), "git", &["clone", "-q", "origin.git", "work"]);
        let own = [("user.name", "Anna"), ("user.email", "anna@example.org"), ("gitflow.prefix.versiontag", "v")];
        for (name, value) in own.iter().chain(settings) {
            sample.git(&["config", name, value]);
        }
        sample.git(&["checkout", "-q", "-B", "production"]);
        fs::write(sample.work.join("fabfile.rhai"), FABFILE).unwrap();
        sample.commit("VERSION", "3.0.0");
        sample.git(&["tag", "-a", "-m", "3.0.0", "v3.0.0"]);
        sample.git(&["checkout", "-q", "-b", "develop"]);
        sample.commit("feature", "half");
        sample.git(&["push", "-q", "origin", "production", "develop", "v3.0.0"]);
        sample
    }

    fn run(&self, folder: &Path, program: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new(program);
        // The same commits at the same times in each sample.
        let date = "2026-11-24T12:00:00Z";
        let output = alone::cleared(command.args(arguments).current_dir(folder))
            .env("HOME", self.folder.path())
            .env("GIT_AUTHOR_DATE", date)
            .env("GIT_COMMITTER_DATE", date)
            .env("GIT_MERGE_AUTOEDIT", "no")
            .output()
            .unwrap();
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "{program} {arguments:?}: {}{}", said(&output.stdout), said(&output.stderr));
        output
    }

    fn git(&self, arguments: &[&str]) -> String {
        String::from_utf8(self.run(&self.work, "git", arguments).stdout).unwrap()
    }

    fn rfab(&self, line: &[&str]) {
        self.run(&self.work, env!("CARGO_BIN_EXE_rfab"), line);
    }

    fn commit(&self, file: &str, text: &str) {
        fs::write(self.work.join(file), text).unwrap();
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", &format!("{file} is {text}")]);
    }

    /// All branches and tags of the origin, with what they name: the same ids mean the same histories.
    fn origin(&self) -> String {
        let origin = self.folder.path().join("origin.git");
        let format = "--format=%(refname) %(objecttype) %(objectname)";
        String::from_utf8(self.run(&origin, "git", &["for-each-ref", format]).stdout).unwrap()
    }

    fn log(&self) -> String {
        self.git(&["log", "--all", "--format=%H %P%n%B", "--date-order"])
    }
}

#[test]
fn a_hotfix_leaves_the_origin_as_git_flow_does() {
    let flow = [("gitflow.branch.master", "production"), ("gitflow.branch.develop", "develop")];
    let settings =
        [&flow[..], &[("gitflow.prefix.hotfix", "hotfix/"), ("gitflow.prefix.release", "release/")]].concat();
    let (ours, theirs) = (Sample::new(&settings), Sample::new(&settings));
    assert_eq!(ours.origin(), theirs.origin());

    ours.rfab(&["start", "hotfix", "3.0.1"]);
    theirs.git(&["flow", "hotfix", "start", "3.0.1"]);
    for sample in [&ours, &theirs] {
        assert_eq!(sample.git(&["branch", "--show-current"]), "hotfix/3.0.1\n");
        sample.commit("VERSION", "3.0.1");
        sample.commit("fix", "done");
    }
    ours.rfab(&["finish", "hotfix", "3.0.1"]);
    // git-flow 1.12.3 says a message given with `-m` twice.
    let message = theirs.folder.path().join("message");
    fs::write(&message, "v3.0.1\n").unwrap();
    theirs.git(&["flow", "hotfix", "finish", "-f", message.to_str().unwrap(), "3.0.1"]);
    theirs.git(&["push", "-q", "--atomic", "origin", "production", "develop", "v3.0.1"]);
    assert_eq!(ours.origin(), theirs.origin(), "{}\n{}", ours.log(), theirs.log());
    assert_eq!(ours.git(&["branch", "--show-current"]), "develop\n");
    assert_eq!(ours.git(&["status", "--porcelain"]), "");
}
