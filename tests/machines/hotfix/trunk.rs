//! A team that releases from trunk: a line is cut, fixes are picked onto it, and it's tagged by rfab, and then by CI.
use super::{Team, git};
use crate::shop::all_serve;
use lab::{needs_lab, runnable};

/// Words for lines, in the shop's fabfile.
const WORDS: &str = r#"
fn line(name) { trunk::start(name); }
fn pick(line, fix) { trunk::pick(line, [fix]); }
fn ship(line) { trunk::release(line, hooks()); }
fn ship_tagged(line) { trunk::release(line, hooks(), 60); }
"#;

/// Tags what is pushed to a line a moment later, as a CI does when its tests have passed.
const CI: &str = "#!/bin/sh\nwhile read old new ref; do case $ref in refs/heads/release/*)\n\
                  (sleep 3; git tag v3.1.1 $new) </dev/null >/dev/null 2>&1 & ;; esac; done\n";

impl Team {
    /// Lets the team release lines of trunk: the gate judges a commit by the rules of its line.
    fn on_trunk(self) -> Team {
        self.lab.edit("fabfile.rhai", |text| format!("import \"std/trunk\" as trunk;\n{text}{WORDS}"));
        self.lab.edit("fleets/prod.toml", |text| {
            text.replace("branch = \"main\"", "branch = \"release/*\"").replace("reviews = 1\n", "")
        });
        self.lab.project.commit(&[("feature", "half, and words\n")]);
        self.colleague.git(&["checkout", "-q", "main"]).expect_ok();
        self
    }

    /// Commits a fix to trunk, and pushes it. Returns the commit.
    fn fixes_trunk(&self, files: &[(&str, &str)]) -> String {
        self.colleague.git(&["rm", "-q", "--ignore-unmatch", "broken"]).expect_ok();
        self.colleague.commit(files);
        self.colleague.git(&["push", "-q", "origin", "main"]).expect_ok();
        self.colleague.resolve("HEAD")
    }
}

#[test]
fn a_line_of_trunk_goes_past_a_red_gate_to_every_host_and_no_request_fails_whoever_tags_it() {
    if !needs_lab("a_line_of_trunk_goes_past_a_red_gate_to_every_host_and_no_request_fails_whoever_tags_it") {
        return;
    }
    let team = Team::open().on_trunk();
    team.done(&["line:3.1"]);
    assert_eq!(team.remote(&["rev-parse", "release/3.1"]), team.remote(&["rev-parse", "main"]));
    // The first fix breaks the tests of the line: the gate is red, and nothing is tagged.
    let broken = team.fixes_trunk(&[("index.txt", "shop v3.1.0\n"), ("broken", "")]);
    team.done(&[&format!("pick:3.1,{broken}")]);
    let before = team.remote(&["show-ref"]);
    let red = team.typed(&["prod", "ship:3.1"]);
    assert_eq!(red.code, Some(7), "{red:?}");
    let head = team.remote(&["rev-parse", "release/3.1"]);
    let why = format!("{} doesn't pass the gate of shop/web: test: it's failure", &head[..12]);
    assert!(red.stdout.contains(&why), "{red:?}");
    assert_eq!(team.remote(&["show-ref"]), before);
    all_serve(&team.lab, "v3.0.0");
    // The second fix mends it. Trunk has more, which the line doesn't get.
    team.fixes_trunk(&[("later", "not for 3.1\n"), ("broken", "")]);
    let fix = team.fixes_trunk(&[("index.txt", "shop v3.1.0, mended\n")]);
    team.done(&[&format!("pick:3.1,{fix}")]);
    team.done(&["prod", "ship:3.1"]);
    git(&team.lab, &["fetch", "-q", "--tags"]);
    all_serve(&team.lab, "v3.1.0");
    let tagged = team.remote(&["rev-parse", "v3.1.0^{commit}", "release/3.1"]);
    let (tag, line) = tagged.split_once('\n').unwrap();
    assert_eq!(tag, line.trim(), "the tag is on the line");
    assert_eq!(team.remote(&["ls-tree", "--name-only", "release/3.1", "later", "broken"]), "");
    // From now on, CI tags what it has tested.
    let hook = team.lab.project.remote.join("hooks/post-receive");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    runnable::write(&hook, CI);
    let fix = team.fixes_trunk(&[("index.txt", "shop v3.1.1\n")]);
    team.done(&[&format!("pick:3.1,{fix}")]);
    let told = team.done(&["prod", "ship_tagged:3.1"]);
    assert!(told.contains("the newest commit of release/3.1"), "{told}");
    git(&team.lab, &["fetch", "-q", "--tags"]);
    all_serve(&team.lab, "v3.1.1");
    assert_eq!(team.remote(&["rev-parse", "v3.1.1"]), team.remote(&["rev-parse", "release/3.1"]));
    // Typed once more, nothing is left to do.
    team.done(&["prod", "ship:3.1"]);
    assert_eq!(team.remote(&["tag", "--list", "v3.1.*"]), "v3.1.0\nv3.1.1\n");
    team.close();
}
