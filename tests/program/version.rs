//! Versions in files: `std/version` changes nothing but the version, and commits it.
use super::ran_in;
use lab::alone;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const FABFILE: &str = r#"
import "std/version" as versions;
fn bump(version) { ui::note(versions::bump(version)); }
fn propose(part) { ui::note(versions::next(part)); }
fn agree(tag) { versions::agrees(git::tagged(tag), tag); ui::note("they agree"); }
"#;

const CARGO: &str = "[package]\r\nname = \"shop\" # the shop\r\nversion = '3.0.1'\r\nedition = \"2024\"\r\n";
const LOCK: &str = "version = 4\n\n[[package]]\nname = \"shop\"\nversion = \"3.0.1\"\n";

/// A bare origin, and a clone of it with a fabfile and a version.
struct Sample {
    folder: tempfile::TempDir,
    work: PathBuf,
}

impl Sample {
    fn new(files: &[(&str, &str)]) -> Sample {
        let folder = tempfile::tempdir().unwrap();
        let sample = Sample { work: folder.path().join("work"), folder };
        sample.run(sample.folder.path(), &["init", "-q", "--bare", "-b", "main", "origin.git"]);
        sample.run(sample.folder.path(), &["clone", "-q", "origin.git", "work"]);
        for (name, value) in [("user.name", "Anna"), ("user.email", "anna@example.org"), ("core.autocrlf", "false")] {
            sample.git(&["config", name, value]);
        }
        sample.git(&["checkout", "-q", "-B", "main"]);
        for (file, text) in files.iter().chain(&[("fabfile.rhai", FABFILE)]) {
            fs::write(sample.work.join(file), text).unwrap();
        }
        sample.git(&["add", "-A"]);
        sample.git(&["commit", "-q", "-m", "first"]);
        sample.git(&["tag", "-a", "-m", "3.0.1", "v3.0.1"]);
        sample.git(&["push", "-q", "origin", "main", "v3.0.1"]);
        sample
    }

    fn run(&self, folder: &Path, arguments: &[&str]) -> String {
        let mut git = Command::new("git");
        let output = alone::cleared(git.args(arguments).current_dir(folder)).env("HOME", self.folder.path()).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn git(&self, arguments: &[&str]) -> String {
        self.run(&self.work, arguments)
    }

    fn rfab(&self, line: &[&str]) -> (String, String, Option<i32>) {
        ran_in(&self.work, &[("HOME", self.folder.path().to_str().unwrap())], line)
    }

    /// Runs a line that fails, and returns its error, without the help.
    fn refused(&self, line: &[&str]) -> String {
        let (out, err, code) = self.rfab(line);
        assert_ne!(code, Some(0), "{out}");
        let all = format!("{out}{err}");
        all.lines().find_map(|line| line.strip_prefix("error: ")).unwrap_or(&all).to_owned()
    }

    fn text(&self, file: &str) -> String {
        fs::read_to_string(self.work.join(file)).unwrap()
    }
}

#[test]
fn a_bump_commits_the_version_and_the_lock_file_and_nothing_else() {
    let sample = Sample::new(&[("Cargo.toml", CARGO), ("Cargo.lock", LOCK), ("notes", "old\n")]);
    fs::write(sample.work.join("notes"), "new\n").unwrap();
    let (out, err, code) = sample.rfab(&["bump:3.0.2"]);
    assert_eq!(code, Some(0), "{out}{err}");
    let head = sample.git(&["rev-parse", "HEAD"]);
    assert!(out.contains("the version is in Cargo.toml\n") && out.contains(head.trim()), "{out}");
    let shown = sample.git(&["show", "--format=%s", "--unified=0", "HEAD"]);
    let lines: Vec<&str> = shown.lines().filter(|line| !line.starts_with("index ")).collect();
    assert_eq!(
        lines,
        [
            "version 3.0.2",
            "",
            "diff --git a/Cargo.lock b/Cargo.lock",
            "--- a/Cargo.lock",
            "+++ b/Cargo.lock",
            "@@ -5 +5 @@ name = \"shop\"",
            "-version = \"3.0.1\"",
            "+version = \"3.0.2\"",
            "diff --git a/Cargo.toml b/Cargo.toml",
            "--- a/Cargo.toml",
            "+++ b/Cargo.toml",
            "@@ -3 +3 @@ name = \"shop\" # the shop",
            "-version = '3.0.1'",
            "+version = '3.0.2'",
        ]
    );
    assert_eq!(sample.text("Cargo.toml"), CARGO.replace("3.0.1", "3.0.2"));
    assert_eq!(sample.git(&["status", "--porcelain"]), " M notes\n");
}

#[test]
fn settings_name_several_files_and_a_mistake_in_them_is_shown_with_its_place() {
    let settings = "[[version]]\nfile = \"VERSION\"\n\n[[version]]\nfile = \"app.conf\"\nformat = \"ini\"\n\
                    key = \"app.version\"\n";
    let files = [
        ("VERSION", "v3.0.1\n"),
        ("app.conf", "; 3.0.1\n[app]\nversion: 3.0.0"),
        ("package.json", "{\"version\": \"1.0.0\"}"),
    ];
    let sample = Sample::new(&[&files[..], &[("rfab.toml", settings)]].concat());
    let (out, err, code) = sample.rfab(&["bump:3.0.2"]);
    assert_eq!((code, out.contains("the version is in")), (Some(0), false), "{out}{err}");
    assert_eq!(sample.git(&["show", "--format=", "--name-only"]), "VERSION\napp.conf\n");
    assert_eq!((&*sample.text("VERSION"), &*sample.text("app.conf")), ("v3.0.2\n", "; 3.0.1\n[app]\nversion: 3.0.2"));

    fs::write(sample.work.join("rfab.toml"), settings.replace("format", "fromat")).unwrap();
    let (out, err, _) = sample.rfab(&["bump:3.0.3"]);
    let all = format!("{out}{err}");
    for part in ["unknown key `fromat`", "did you mean `format`?", "rfab.toml:6:1"] {
        assert!(all.contains(part), "{part}: {all}");
    }
    fs::remove_file(sample.work.join("rfab.toml")).unwrap();
    let both = "several files have a version: `VERSION`, `package.json`";
    assert_eq!(sample.refused(&["bump:3.0.3"]), both);
}

#[test]
fn a_version_that_is_not_newer_and_a_file_with_other_changes_are_refused() {
    let sample = Sample::new(&[("VERSION", "3.0.1\n")]);
    let head = sample.git(&["rev-parse", "HEAD"]);
    for old in ["3.0.1", "3.0.0", "3.0.1-rc.1"] {
        assert_eq!(
            sample.refused(&[&format!("bump:{old}")]),
            format!("{old} isn't newer than 3.0.1, which VERSION has")
        );
    }
    assert_eq!(sample.refused(&["bump:next"]), "`next` isn't a semantic version, such as `1.2.3`");
    assert_eq!(sample.refused(&["bump:v3.0.2"]), "`VERSION`: `v3.0.2` can't be written as a version");
    assert_eq!(sample.text("VERSION"), "3.0.1\n");
    fs::write(sample.work.join("VERSION"), "3.0.1 \n").unwrap();
    let open = "VERSION has changes that aren't committed; commit or stash them first";
    assert_eq!(sample.refused(&["bump:3.0.2"]), open);
    assert_eq!((&*sample.text("VERSION"), sample.git(&["rev-parse", "HEAD"])), ("3.0.1 \n", head));
}

#[test]
fn the_next_version_follows_the_newest_stable_tag_of_the_remote() {
    let sample = Sample::new(&[("VERSION", "3.0.1\n")]);
    let origin = sample.folder.path().join("origin.git");
    for tag in ["v3.9.0-rc.1", "v3.1.0", "latest"] {
        sample.run(&origin, &["tag", tag, "main"]);
    }
    sample.git(&["tag", "v9.0.0"]);
    for (part, next) in [("patch", "3.1.1"), ("minor", "3.2.0"), ("major", "4.0.0")] {
        let (out, err, code) = sample.rfab(&[&format!("propose:{part}")]);
        assert!(code == Some(0) && out.lines().any(|line| line.trim() == next), "{next}: {out}{err}");
    }
    let wrong = "`pach` isn't a part of a version";
    assert_eq!(sample.refused(&["propose:pach"]), wrong);
}

#[test]
fn a_tag_agrees_with_the_files_at_its_commit_or_the_run_stops() {
    let sample = Sample::new(&[("VERSION", "3.0.1\n")]);
    sample.git(&["tag", "v3.0.2"]);
    fs::write(sample.work.join("VERSION"), "3.0.2\n").unwrap();
    let (out, err, code) = sample.rfab(&["agree:v3.0.1"]);
    assert!(code == Some(0) && out.contains("they agree"), "{out}{err}");
    assert_eq!(sample.refused(&["agree:v3.0.2"]), "VERSION has the version 3.0.1 at the tag v3.0.2");
}

/// The changes of a bump: the write and the commit, after it read its files, the work tree and the version.
const CHANGES: [u32; 2] = [3, 4];

#[test]
fn a_bump_that_died_at_any_of_its_changes_is_completed_by_resume() {
    for number in CHANGES {
        for when in ["before", "after"] {
            let sample = Sample::new(&[("Cargo.toml", CARGO), ("Cargo.lock", LOCK)]);
            let head = sample.git(&["rev-parse", "HEAD"]);
            let home = sample.folder.path().to_str().unwrap();
            let drill = format!("kill:{when}:0.bump#{number}");
            let (out, err, code) = ran_in(&sample.work, &[("HOME", home), ("RFAB_DRILL", &drill)], &["bump:3.0.2"]);
            assert_eq!(code, None, "{drill}: {out}{err}");
            if (number, when) == (3, "after") {
                // A person undid one of the files, so the write is done again.
                fs::write(sample.work.join("Cargo.lock"), LOCK).unwrap();
            }
            let (out, err, code) = sample.rfab(&["--resume"]);
            assert_eq!(code, Some(0), "{drill}: {out}{err}");
            assert_eq!(sample.git(&["rev-parse", "HEAD~"]), head, "{drill}");
            let shown = sample.git(&["show", "--format=%s", "--name-only"]);
            assert_eq!(shown, "version 3.0.2\n\nCargo.lock\nCargo.toml\n", "{drill}");
            assert_eq!(sample.text("Cargo.lock"), LOCK.replace("3.0.1", "3.0.2"), "{drill}");
            assert_eq!(sample.git(&["status", "--porcelain"]), "", "{drill}");
        }
    }
}
