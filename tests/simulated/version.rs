//! Versions in files, as the simulator predicts them: it reads the real files, and writes only into its model.
use crate::project::Project;

const TASKS: &str = r#"
import "std/version" as versions;
fn bump(version) {
    let before = git::work_tree().commit;
    let made = versions::bump(version);
    versions::agrees(made, `v${version}`);
    for one in version::files(made) { ui::note(`${one.file}: ${version::read(one, before)}, then ${version::read(one, made)}`); }
    ui::note(`${version::read(#{ file: "Cargo.lock", key: "package.0.version", format: "toml" }, made)} in the lock file`);
    ui::note(`the branch moved: ${git::local("main") == made}`);
}
fn propose(part) { ui::note(versions::next(part)); }
"#;

const MANIFEST: &str = "[package]\nname = \"shop\"\nversion = \"3.0.1\"\n";
const LOCK: &str = "[[package]]\nname = \"shop\"\nversion = \"3.0.1\"\n";

#[test]
fn a_bump_is_predicted_with_its_commit_and_changes_no_file() {
    let project = Project::of(TASKS).with("Cargo.toml", MANIFEST).with("Cargo.lock", LOCK).tagged();
    let before = project.git(&["log", "--all", "--format=%H"]);
    assert_eq!(
        project.notes("prod bump:3.0.2"),
        [
            "the version is in Cargo.toml",
            "Cargo.toml: 3.0.1, then 3.0.2",
            "3.0.2 in the lock file",
            "the branch moved: true"
        ]
    );
    assert_eq!(project.git(&["log", "--all", "--format=%H"]), before);
    assert_eq!(project.git(&["status", "--porcelain"]), "");
    let (_, failure) = project.fails("prod bump:3.0.1");
    assert_eq!(failure.message, "3.0.1 isn't newer than 3.0.1, which Cargo.toml has");
}

#[test]
fn the_next_version_is_proposed_from_the_newest_stable_tag() {
    let project = Project::of(TASKS).tagged();
    assert_eq!(project.notes("prod propose:minor"), ["3.1.0"]);
    project.git(&["tag", "--delete", "v3.0.0", "v3.0.1"]);
    let (_, failure) = project.fails("prod propose:minor");
    assert_eq!(failure.message, "there is no stable tag yet, such as v1.2.3; choose the first version yourself");
}
