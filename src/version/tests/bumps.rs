//! Which commits change only the version.
use super::super::only_version::ReadOnlyVersion;
use crate::git::sample::Sample;

const SETTINGS: &str = "[[version]]\nfile = \"Cargo.toml\"\n\n[[version]]\nfile = \"web/package.json\"\n";

fn cargo(version: &str) -> String {
    format!("[package]\nname = \"shop\"\nversion = \"{version}\" # the shop's\n")
}

fn lock(shop: &str, other: &str) -> String {
    let row = |name: &str, version: &str| format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n\n");
    format!("version = 4\n\n{}{}", row("other", other), row("shop", shop))
}

fn package(version: &str) -> String {
    format!("{{\n  \"name\": \"web\",\n  \"version\": \"{version}\",\n  \"private\": true\n}}\n")
}

/// Commits the files of a version, and what else changes.
fn bumped(sample: &Sample, version: &str, more: &[(&str, &str)]) -> String {
    sample.write("Cargo.toml", cargo(version).as_bytes());
    sample.write("Cargo.lock", lock(version, "1.0.0").as_bytes());
    sample.write("web/package.json", package(version).as_bytes());
    for (path, text) in more {
        sample.write(path, text.as_bytes());
    }
    sample.commit_all()
}

#[test]
fn a_commit_that_changes_anything_else_is_not_a_bump() {
    let sample = Sample::new();
    sample.write("rfab.toml", SETTINGS.as_bytes());
    sample.write("run", b"echo\n");
    let first = bumped(&sample, "1.0.0", &[]);
    let is_bump = |commit: &str| {
        let read =
            ReadOnlyVersion { repository: String::new(), project: sample.work.clone(), commit: commit.to_owned() };
        read.read(&sample.repository()).unwrap()
    };
    assert!(!is_bump(&first), "it adds files");
    assert!(is_bump(&bumped(&sample, "1.0.1", &[])));
    assert!(is_bump(&bumped(&sample, "1.0.2", &[("web/package.json", &package("1.0.1"))])), "each file has its own");
    // Each of these begins at the bump before it.
    let others: [(&str, &[(&str, &str)]); 6] = [
        ("another file", &[("index.txt", "2\n")]),
        ("a new file", &[("new.txt", "2\n")]),
        ("another package's version in the lock", &[("Cargo.lock", &lock("1.0.3", "1.0.3"))]),
        ("the lock isn't changed", &[("Cargo.lock", &lock("1.0.2", "1.0.0"))]),
        ("a comment", &[("Cargo.toml", &cargo("1.0.3").replace("the shop's", "ours"))]),
        ("another key", &[("web/package.json", &package("1.0.3").replace("true", "false"))]),
    ];
    let base = sample.git(&["rev-parse", "HEAD"]);
    for (what, files) in others {
        sample.git(&["reset", "-q", "--hard", &base]);
        assert!(!is_bump(&bumped(&sample, "1.0.3", files)), "{what}");
    }
    sample.git(&["reset", "-q", "--hard", &base]);
    sample.make_executable("run");
    assert!(!is_bump(&bumped(&sample, "1.0.3", &[])), "a mode");
    sample.git(&["reset", "-q", "--hard", &base]);
    sample.git(&["rm", "-q", "run"]);
    assert!(!is_bump(&bumped(&sample, "1.0.3", &[])), "a file that is gone");
    sample.git(&["reset", "-q", "--hard", &base]);
    sample.git(&["commit", "-q", "--allow-empty", "-m", "nothing"]);
    let head = sample.git(&["rev-parse", "HEAD"]);
    assert!(is_bump(&head), "it changes nothing at all");
    sample.git(&["checkout", "-q", "-b", "side"]);
    bumped(&sample, "1.0.3", &[]);
    sample.git(&["checkout", "-q", "main"]);
    sample.git(&["merge", "-q", "--no-ff", "--no-edit", "side"]);
    assert!(!is_bump(&sample.git(&["rev-parse", "HEAD"])), "a merge");
}
