//! A team that releases from trunk: a line is cut, fixes are picked onto it by reviewed pull requests, and it's tagged by
//! rfab, and then by CI.
use super::{TOKEN, Team, git};
use crate::shop::all_serve;
use lab::{
    forge::{Dialect, How, Opening, Requests},
    needs_lab,
};
use std::sync::Arc;

/// Words for lines, in the shop's fabfile.
const WORDS: &str = r#"
fn line(name) { trunk::start(name); }
fn pick(line, fix) { trunk::pick(line, [fix]); }
fn ship(line) { trunk::release(line, hooks()); }
fn ship_tagged(line) { trunk::release(line, hooks(), 60); }
"#;

/// A team that releases lines of trunk: the gate judges a commit by the rules of its line, and wants a review.
pub(super) struct Trunk {
    pub team: Team,
    requests: Arc<Requests>,
}

impl Trunk {
    /// Opens the shop, and starts the line `3.1`.
    pub(super) fn open() -> Trunk {
        let mut opened = None;
        let team = Team::with("pulls = true\n", |lab| {
            opened = Some(Arc::new(Requests::of(&lab.project.remote, Dialect::Github, Opening::Fine)));
            opened.clone()
        });
        team.lab.edit("fabfile.rhai", |text| format!("import \"std/trunk\" as trunk;\n{text}{WORDS}"));
        team.lab.edit("fleets/prod.toml", |text| text.replace("branch = \"main\"", "branch = \"release/*\""));
        team.lab.project.commit(&[("feature", "half, and words\n")]);
        team.colleague.git(&["checkout", "-q", "main"]).expect_ok();
        team.done(&["line:3.1"]);
        Trunk { team, requests: opened.expect("pull requests") }
    }

    /// Commits a fix to trunk, and pushes it. Returns the commit.
    fn fixes(&self, files: &[(&str, &str)]) -> String {
        let colleague = &self.team.colleague;
        colleague.git(&["rm", "-q", "--ignore-unmatch", "broken"]).expect_ok();
        colleague.commit(files);
        colleague.git(&["push", "-q", "origin", "main"]).expect_ok();
        colleague.resolve("HEAD")
    }

    /// Picks a fix onto the line by a pull request, which somebody merges. Returns the line's new head.
    fn picks(&self, fix: &str) -> String {
        self.team.done(&["prod", &format!("pick:3.1,{fix}")]);
        self.requests.merge(self.requests.list().len(), How::Merged);
        self.team.remote(&["rev-parse", "release/3.1"]).trim().to_owned()
    }

    /// Brings the next version to the line, reviewed.
    pub(super) fn prepare(&self, version: &str) {
        let fix = self.fixes(&[("index.txt", &format!("shop v{version}\n"))]);
        self.team.approve(&self.picks(&fix));
    }

    /// Returns what isn't as a release leaves it: the tag is on the line's newest commit, here and at the remote.
    pub(super) fn unfinished(&self, version: &str) -> Vec<String> {
        let line = self.team.remote(&["rev-parse", "release/3.1"]);
        let tag = format!("v{version}^{{commit}}");
        let all = [self.team.remote(&["rev-parse", &tag]), git(&self.team.lab, &["rev-parse", &tag])];
        all.into_iter().filter(|is| *is != line).map(|is| format!("{is:?} isn't {line:?}")).collect()
    }
}

#[test]
fn a_line_of_trunk_goes_past_a_red_gate_to_every_host_and_no_request_fails_whoever_tags_it() {
    if !needs_lab("a_line_of_trunk_goes_past_a_red_gate_to_every_host_and_no_request_fails_whoever_tags_it") {
        return;
    }
    let trunk = Trunk::open();
    let team = &trunk.team;
    assert_eq!(team.remote(&["rev-parse", "release/3.1"]), team.remote(&["rev-parse", "main"]));
    // The first fix breaks the tests of the line: the gate is red, and nothing is tagged.
    let broken = trunk.fixes(&[("index.txt", "shop v3.1.0\n"), ("broken", "")]);
    let head = trunk.picks(&broken);
    team.approve(&head);
    let before = team.remote(&["show-ref"]);
    let red = team.typed(&["prod", "ship:3.1"]);
    assert_eq!(red.code, Some(7), "{red:?}");
    let why = format!("{} doesn't pass the gate of shop/web: test: it's failure", &head[..12]);
    assert!(red.stdout.contains(&why), "{red:?}");
    assert_eq!(team.remote(&["show-ref"]), before);
    all_serve(&team.lab, "v3.0.0");
    // The second fix mends it, and is reviewed while the line waits. Trunk has more, which the line doesn't get.
    trunk.fixes(&[("later", "not for 3.1\n"), ("broken", "")]);
    let fix = trunk.fixes(&[("index.txt", "shop v3.1.0, mended\n")]);
    let head = trunk.picks(&fix);
    let run = team.lab.rfab(&["prod", "ship:3.1"]).env("FORGE_TOKEN", TOKEN).start();
    run.wait_for("the gate of shop/web waits for #12: 1 more person with write access");
    team.approve(&head);
    let out = run.output();
    assert_eq!((out.code, &*out.stderr), (Some(0), ""), "{out:?}");
    git(&team.lab, &["fetch", "-q", "--tags"]);
    all_serve(&team.lab, "v3.1.0");
    assert_eq!(trunk.unfinished("3.1.0"), Vec::<String>::new());
    assert_eq!(team.remote(&["ls-tree", "--name-only", "release/3.1", "later", "broken"]), "");
    // From now on, CI tags what it has tested.
    trunk.prepare("3.1.1");
    let run = team.lab.rfab(&["prod", "ship_tagged:3.1"]).env("FORGE_TOKEN", TOKEN).start();
    run.wait_for("the newest commit of release/3.1");
    team.remote(&["tag", "v3.1.1", "release/3.1"]);
    let out = run.output();
    assert_eq!((out.code, &*out.stderr), (Some(0), ""), "{out:?}");
    git(&team.lab, &["fetch", "-q", "--tags"]);
    all_serve(&team.lab, "v3.1.1");
    assert_eq!(team.remote(&["rev-parse", "v3.1.1"]), team.remote(&["rev-parse", "release/3.1"]));
    // Typed once more, nothing is left to do.
    team.done(&["prod", "ship:3.1"]);
    assert_eq!(team.remote(&["tag", "--list", "v3.1.*"]), "v3.1.0\nv3.1.1\n");
    trunk.team.close();
}
