//! A bare origin, clones of it, and what is typed in them.
use lab::alone;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

const FABFILE: &str = r#"
import "std/gitflow" as flow;
import "std/merging" as merging;
import "std/workflow" as workflow;
fn start(kind, version) { ui::note(flow::start(kind, version)); }
fn start(kind, version, base) { ui::note(flow::start(kind, version, base)); }
fn finish(kind, version) { ui::note(`${flow::finish(kind, version)}`); }
fn publish(kind, version) { flow::publish(kind, version); }
fn track(kind, version) { flow::track(kind, version); }
fn delete(kind, version) { flow::delete(kind, version); }
fn list(kind) { flow::list(kind); }
fn merged() { ui::note(`merged: ${merging::names(workflow::of("hotfix", ""))}`); }
fn prod() { fleet("fleets/prod.toml") }
"#;

/// A developer's clone.
pub struct Clone {
    pub folder: PathBuf,
    /// Where the developer's runs and settings are.
    pub home: PathBuf,
}

/// A bare origin with a branch in production and one for development, and a clone.
pub struct Sample {
    pub folder: tempfile::TempDir,
    pub work: Clone,
}

impl Sample {
    /// Makes both, with settings of the clone.
    pub fn new(production: &str, develop: &str, settings: &[(&str, &str)]) -> Sample {
        let folder = tempfile::tempdir().unwrap();
        let origin = folder.path().join("origin.git");
        said(run(folder.path(), folder.path(), &["git", "init", "-q", "--bare", "-b", production, "origin.git"], &[]));
        let sample = Sample { work: Clone::of(folder.path(), &origin, "work"), folder };
        let work = &sample.work;
        for (name, value) in settings {
            work.git(&["config", name, value]);
        }
        work.git(&["checkout", "-q", "-B", production]);
        fs::write(work.folder.join("fabfile.rhai"), FABFILE).unwrap();
        work.commit("VERSION", "3.0.0");
        work.git(&["tag", "-a", "-m", "3.0.0", "v3.0.0"]);
        work.git(&["checkout", "-q", "-b", develop]);
        work.commit("feature", "half");
        work.git(&["push", "-q", "origin", production, develop, "v3.0.0"]);
        sample
    }

    /// Makes a shop whose clone has the settings of git-flow AVH.
    pub fn avh() -> Sample {
        let settings = [
            ("gitflow.branch.master", "production"),
            ("gitflow.branch.develop", "develop"),
            ("gitflow.prefix.hotfix", "hotfix/"),
            ("gitflow.prefix.release", "release/"),
            ("gitflow.prefix.versiontag", "v"),
        ];
        Sample::new("production", "develop", &settings)
    }

    /// Makes a second developer's clone, with the same settings.
    pub fn colleague(&self) -> Clone {
        self.clone_named("colleague")
    }

    /// Makes another clone, with the same settings.
    pub fn clone_named(&self, name: &str) -> Clone {
        let clone = Clone::of(self.folder.path(), &self.folder.path().join("origin.git"), name);
        for line in self.work.git(&["config", "--local", "--get-regexp", "^gitflow\\."]).lines() {
            let (name, value) = line.split_once(' ').unwrap();
            clone.git(&["config", name, value]);
        }
        clone
    }

    /// Returns all refs of the origin and what they name: the same ids mean the same histories.
    pub fn origin(&self) -> String {
        let origin = self.folder.path().join("origin.git");
        said(run(&origin, self.folder.path(), &["git", "for-each-ref", REFS], &[]))
    }
}

const REFS: &str = "--format=%(refname) %(objecttype) %(objectname)";

impl Clone {
    fn of(home: &Path, origin: &Path, name: &str) -> Clone {
        let clone = Clone { folder: home.join(name), home: home.join(format!("{name}.home")) };
        fs::create_dir(&clone.home).unwrap();
        let origin = origin.to_str().unwrap();
        said(run(home, &clone.home, &["git", "clone", "-q", origin, name], &[]));
        clone.git(&["config", "user.name", "Anna"]);
        clone.git(&["config", "user.email", "anna@example.org"]);
        clone
    }

    pub fn git(&self, arguments: &[&str]) -> String {
        said(run(&self.folder, &self.home, &[&["git"], arguments].concat(), &[]))
    }

    /// Runs a program that may fail, and returns what it printed.
    pub fn ended(&self, words: &[&str]) -> String {
        let output = run(&self.folder, &self.home, words, &[]);
        format!("{}{}", text(&output.stdout), text(&output.stderr))
    }

    /// Runs rfab, and returns what it printed and its exit code.
    pub fn typed(&self, words: &[&str]) -> (String, Option<i32>) {
        self.drilled(words, "")
    }

    /// Runs rfab with a drill.
    pub fn drilled(&self, words: &[&str], drill: &str) -> (String, Option<i32>) {
        self.told(words, &[("RFAB_DRILL", drill)])
    }

    /// Runs rfab with variables; one without a value isn't set.
    pub fn told(&self, words: &[&str], variables: &[(&str, &str)]) -> (String, Option<i32>) {
        let set: Vec<_> = variables.iter().filter(|(_, value)| !value.is_empty()).copied().collect();
        let output = run(&self.folder, &self.home, &[&[env!("CARGO_BIN_EXE_rfab")], words].concat(), &set);
        (format!("{}{}", text(&output.stdout), text(&output.stderr)), output.status.code())
    }

    /// Starts rfab with variables.
    pub fn started(&self, words: &[&str], variables: &[(&str, &str)]) -> Child {
        let mut command =
            prepared(&self.folder, &self.home, &[&[env!("CARGO_BIN_EXE_rfab")], words].concat(), variables);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// Runs rfab on a terminal, and returns what the terminal showed.
    pub fn on_terminal(&self, words: &[&str]) -> String {
        let line = format!("'{}' {}", env!("CARGO_BIN_EXE_rfab"), words.join(" "));
        self.ended(&["script", "-q", "-e", "-c", &line, "/dev/null"]).replace('\r', "")
    }

    /// Runs rfab, which must end well.
    #[track_caller]
    pub fn rfab(&self, words: &[&str]) -> String {
        let (out, code) = self.typed(words);
        assert_eq!(code, Some(0), "rfab {words:?}: {out}");
        out
    }

    pub fn commit(&self, file: &str, text: &str) {
        fs::write(self.folder.join(file), text).unwrap();
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", &format!("{file} is {text}")]);
    }

    pub fn branch(&self) -> String {
        self.git(&["branch", "--show-current"]).trim().to_owned()
    }

    /// Returns the clone's own branches and tags, and what they name.
    pub fn refs(&self) -> String {
        self.git(&["for-each-ref", REFS, "refs/heads", "refs/tags"])
    }

    pub fn log(&self) -> String {
        self.git(&["log", "--all", "--graph", "--format=%h %d %s"])
    }
}

/// Runs a program for a developer: everything happens at the same time, so the same commits have the same ids.
fn run(folder: &Path, home: &Path, words: &[&str], more: &[(&str, &str)]) -> Output {
    prepared(folder, home, words, more).output().unwrap()
}

fn prepared(folder: &Path, home: &Path, words: &[&str], more: &[(&str, &str)]) -> Command {
    let mut command = Command::new(words[0]);
    let date = "2026-11-24T12:00:00Z";
    alone::cleared(command.args(&words[1..]).current_dir(folder)).env("HOME", home);
    command.env("GIT_AUTHOR_DATE", date).env("GIT_COMMITTER_DATE", date).env("GIT_MERGE_AUTOEDIT", "no");
    command.env("USER", "anna").env("GIT_EDITOR", ":").envs(more.iter().copied());
    command
}

#[track_caller]
fn said(output: Output) -> String {
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
