//! Versions in real repositories.
use super::{
    super::{change, snapshot::Snapshot, work_folder::WorkFolder},
    file,
};
use crate::{failure::Failure, fleet::VersionFile, git::sample::Sample};
use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
};

/// Writes a version as the effect does.
fn write(sample: &Sample, file: &VersionFile, value: &str) -> Result<Vec<String>, Failure> {
    let folder = WorkFolder::of(&sample.repository())?;
    let all = change::texts(&Snapshot::of(&sample.repository(), None)?, file, value)?;
    for changed in all.iter().filter(|changed| changed.before != changed.after) {
        folder.write(&changed.path, &changed.after)?;
    }
    Ok(all.into_iter().map(|changed| changed.path).collect())
}

fn version(sample: &Sample, file: &VersionFile, commit: Option<&str>) -> Result<String, String> {
    let snapshot = Snapshot::of(&sample.repository(), commit);
    snapshot.and_then(|snapshot| snapshot.version(file)).map_err(|failure| failure.message)
}

#[test]
fn a_version_is_read_in_the_work_tree_and_at_a_commit() {
    let sample = Sample::new();
    let first = sample.commit("app/VERSION", "1.2.3\n");
    let plain = file("app/VERSION", "");
    assert_eq!(write(&sample, &plain, "1.3.0").unwrap(), ["app/VERSION"]);
    assert_eq!(version(&sample, &plain, None).as_deref(), Ok("1.3.0"));
    assert_eq!(version(&sample, &plain, Some(&first)).as_deref(), Ok("1.2.3"));
    let absent = file("VERSION", "");
    assert_eq!(version(&sample, &absent, None), Err("there is no file `VERSION` in the repository".into()));
    let at = format!("there is no file `VERSION` at {}", &first[..12]);
    assert_eq!(version(&sample, &absent, Some(&first)), Err(at));
    assert_eq!(version(&sample, &plain, Some("main")), Err("there is no tag, branch or commit `main`".into()));
    let none = "0".repeat(40);
    assert_eq!(version(&sample, &plain, Some(&none)), Err(format!("there is no tag, branch or commit `{none}`")));
}

#[test]
fn a_file_keeps_its_mode_and_nothing_is_left_beside_it() {
    let sample = Sample::new();
    sample.write("VERSION", b"1.2.3\n");
    let path = sample.work.join("VERSION");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    sample.commit_all();
    let before: Vec<_> = fs::read_dir(&sample.work).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    write(&sample, &file("VERSION", ""), "1.3.0").unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(fs::read(&path).unwrap(), b"1.3.0\n");
    let after: Vec<_> = fs::read_dir(&sample.work).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(before.len(), after.len());
    let inode = |path| std::os::unix::fs::MetadataExt::ino(&fs::metadata(path).unwrap());
    let first = inode(&path);
    write(&sample, &file("VERSION", ""), "1.3.0").unwrap();
    assert_eq!(inode(&path), first, "a file that has the version isn't written again");
}

#[test]
fn links_and_paths_out_of_the_repository_are_refused() {
    let sample = Sample::new();
    let outside = sample.folder.path().join("VERSION");
    fs::write(&outside, "1.2.3\n").unwrap();
    symlink(&outside, sample.work.join("VERSION")).unwrap();
    symlink(sample.folder.path(), sample.work.join("app")).unwrap();
    let commit = sample.commit_all();
    for path in ["VERSION", "app/VERSION"] {
        let why = format!("`{path}` is a link, or goes through one");
        assert_eq!(version(&sample, &file(path, ""), None), Err(why.clone()));
        assert_eq!(write(&sample, &file(path, ""), "1.3.0").unwrap_err().message, why);
    }
    let linked = version(&sample, &file("VERSION", ""), Some(&commit));
    assert_eq!(linked, Err("`VERSION` is a link, or goes through one".into()));
    let out = version(&sample, &file("../VERSION", ""), None);
    assert_eq!(out, Err("`../VERSION` isn't below the top of the repository".into()));
    assert_eq!(version(&sample, &file(".git/VERSION", ""), None), Err("`.git/VERSION` belongs to git".into()));
    sample.write("bytes/VERSION", b"1.2.3\xff");
    assert_eq!(version(&sample, &file("bytes/VERSION", ""), None), Err("`bytes/VERSION` isn't UTF-8 text".into()));
    assert_eq!(version(&sample, &file("bytes", ""), None), Err("`bytes` can't be read: it isn't a file".into()));
    assert_eq!(fs::read_to_string(outside).unwrap(), "1.2.3\n");
}

#[test]
fn lock_files_that_git_tracks_change_with_their_manifest() {
    let sample = Sample::new();
    sample.write(".gitignore", b"/lib/Cargo.lock\n");
    let package = |name: &str, version: &str| format!("[package]\nname = \"{name}\"\n{version}\n");
    let inherits = "version.workspace = true";
    sample.write(
        "Cargo.toml",
        b"[workspace]\nmembers = [\"a\", \"crates/*\"]\n[workspace.package]\nversion = \"1.2.3\"\n",
    );
    sample.write("a/Cargo.toml", package("a", inherits).as_bytes());
    sample.write("crates/b/Cargo.toml", package("b", inherits).as_bytes());
    sample.write("crates/c/Cargo.toml", package("c", "version = \"1.2.3\"").as_bytes());
    let other = format!("{}[workspace]\n", package("other", "version = \"1.2.3\""));
    sample.write("other/Cargo.toml", other.as_bytes());
    sample.write("other/d/Cargo.toml", package("d", inherits).as_bytes());
    let row = |name: &str, version: &str| format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n\n");
    let lock =
        |a: &str, c: &str| format!("version = 4\n\n{}{}{}{}", row("a", a), row("b", a), row("c", c), row("d", "1.2.3"));
    sample.write("Cargo.lock", lock("1.2.3", "1.2.3").as_bytes());
    sample.write("lib/Cargo.toml", package("lib", "version = \"1.2.3\"").as_bytes());
    sample.commit_all();
    sample.write("lib/Cargo.lock", row("lib", "1.2.3").as_bytes());
    let text = |path: &str| fs::read_to_string(sample.work.join(path)).unwrap();

    assert_eq!(write(&sample, &file("Cargo.toml", ""), "1.3.0").unwrap(), ["Cargo.lock", "Cargo.toml"]);
    assert_eq!(text("Cargo.lock"), lock("1.3.0", "1.2.3"), "only what inherits the version");
    assert_eq!(
        write(&sample, &file("crates/c/Cargo.toml", ""), "2.0.0").unwrap(),
        ["Cargo.lock", "crates/c/Cargo.toml"]
    );
    assert_eq!(text("Cargo.lock"), lock("1.3.0", "2.0.0"));
    assert_eq!(write(&sample, &file("lib/Cargo.toml", ""), "3.0.0").unwrap(), ["Cargo.lock", "lib/Cargo.toml"]);
    assert_eq!(text("lib/Cargo.lock"), row("lib", "1.2.3"), "git doesn't track it, so cargo keeps it up to date");
    assert_eq!(text("Cargo.lock"), lock("1.3.0", "2.0.0"));
}

#[test]
fn the_only_file_with_a_version_is_found_and_several_are_named() {
    let sample = Sample::new();
    let found = |commit: Option<&str>| {
        let found = Snapshot::of(&sample.repository(), commit).and_then(|snapshot| snapshot.only_version_file());
        found.map(|file| file.file).map_err(|failure| (failure.message, failure.help.unwrap_or_default()))
    };
    let name_it = "name it in `rfab.toml` beside the fabfile: \
                   `version = { file = \"app/settings.ini\", key = \"app.version\" }`";
    assert_eq!(found(None), Err(("rfab found no file that has a version".into(), name_it.into())));
    sample.write("package.json", b"{\"private\": true}");
    sample.write("shop.gemspec", b"spec.version = Shop::VERSION\n");
    sample.write("pyproject.toml", b"[project]\ndynamic = [\"version\"]\n");
    sample.write("docs/VERSION", b"9.9.9\n");
    sample.write("lib/shop/version.rb", b"VERSION = '1.2.3'\n");
    let commit = sample.commit_all();
    assert_eq!(found(None).as_deref(), Ok("lib/shop/version.rb"));
    sample.write("VERSION", b"1.2.3\n");
    assert_eq!(found(Some(&commit)).as_deref(), Ok("lib/shop/version.rb"));
    let name_them = "name the ones that belong to your project in `rfab.toml` beside the fabfile: \
                     `version = [{ file = \"VERSION\" }, { file = \"lib/shop/version.rb\" }]`";
    let several = "several files have a version: `VERSION`, `lib/shop/version.rb`";
    assert_eq!(found(None), Err((several.into(), name_them.into())));
    sample.write("Cargo.toml", b"[package\n");
    assert!(found(None).unwrap_err().0.starts_with("`Cargo.toml`: this isn't TOML: "));
}
