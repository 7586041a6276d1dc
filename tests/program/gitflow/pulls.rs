//! Where the forge protects the branches, pull requests move them, and the same line completes the rest.
use super::sample::{Clone, Sample};
use lab::forge::{Dialect, Forge, How, Opening, Requests, Story};
use std::{fs, os::unix::fs::PermissionsExt, path::Path, sync::Arc};

pub const DIALECTS: [Dialect; 3] = [Dialect::Github, Dialect::Gitlab, Dialect::Gitea];
pub const FINISH: [&str; 4] = ["prod", "finish", "hotfix", "3.0.1"];

/// A shop with a forge that protects production and develop, and a published hotfix.
pub struct Protected {
    pub sample: Sample,
    pub requests: Arc<Requests>,
    forge: Forge,
}

impl Protected {
    pub fn new(dialect: Dialect, opening: Opening, within: &str) -> Protected {
        Protected::with(dialect, within, |requests| requests.opening = opening)
    }

    /// Makes one whose forge behaves in a way of its own.
    pub fn with(dialect: Dialect, within: &str, behave: impl FnOnce(&mut Requests)) -> Protected {
        let sample = Sample::avh();
        let origin = sample.folder.path().join("origin.git");
        let mut requests = Requests::of(&origin, dialect, Opening::Fine);
        behave(&mut requests);
        let requests = Arc::new(requests);
        let story = Story { requests: Some(requests.clone()), ..Story::default() };
        let forge = Forge::start(dialect, vec![("shop", story)]);
        let (kind, url) = (format!("{dialect:?}").to_lowercase(), forge.url("shop"));
        let fleet = format!(
            "[app]\npath = \"/srv/shop\"\n[hosts]\nweb1 = {{ address = \"127.0.0.1\", port = 1 }}\n[gate]\nforge = \"{kind}\"\n\
             project = \"shop/web\"\nurl = \"{url}\"\ntoken = \"env:FORGE_TOKEN\"\nbranch = \"production\"\n\
             checks = false\npulls = true\nwithin = \"{within}\"\n"
        );
        let work = &sample.work;
        work.git(&["checkout", "-q", "production"]);
        fs::create_dir(work.folder.join("fleets")).unwrap();
        fs::write(work.folder.join("fleets/prod.toml"), fleet).unwrap();
        work.git(&["add", "-A"]);
        work.git(&["commit", "-q", "-m", "add a fleet"]);
        // A line that is typed again after its end may find develop checked out.
        work.git(&["checkout", "-q", "develop"]);
        work.git(&["merge", "-q", "--no-edit", "production"]);
        work.git(&["push", "-q", "origin", "production", "develop"]);
        protect(&origin);
        work.rfab(&["start", "hotfix", "3.0.1"]);
        work.commit("VERSION", "3.0.1");
        work.rfab(&["publish", "hotfix", "3.0.1"]);
        Protected { sample, requests, forge }
    }

    pub fn typed(&self) -> (String, Option<i32>) {
        typed(&self.sample.work, "")
    }

    /// Squashes the hotfix into a branch, as a person may who isn't held up by the protection. Returns the commit.
    pub fn squashed_by_hand(&self, into: &str) -> String {
        self.requests.open("hotfix/3.0.1", into, false);
        let number = self.requests.list().len();
        self.requests.merge(number, How::Squashed);
        self.requests.forget_newest();
        self.is(&format!("origin/{into}"))
    }

    pub fn is(&self, what: &str) -> String {
        self.sample.work.git(&["fetch", "-q", "--prune", "--tags"]);
        self.sample.work.git(&["rev-parse", what]).trim().to_owned()
    }
}

/// Types the line in a clone, with a drill.
pub fn typed(work: &Clone, drill: &str) -> (String, Option<i32>) {
    work.told(&FINISH, &[("FORGE_TOKEN", "forge-token-hunter2"), ("RFAB_DRILL", drill)])
}

/// Lets the origin refuse each push to production and develop.
fn protect(origin: &Path) {
    let hook = origin.join("hooks/update");
    let text = "#!/bin/sh\ncase $1 in refs/heads/production|refs/heads/develop) echo it is protected; exit 1;; esac\n";
    fs::write(&hook, text).unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn fixes_are_picked_onto_a_protected_line_by_one_pull_request() {
    for dialect in [Dialect::Github, Dialect::Gitlab, Dialect::Gitea] {
        let shop = Protected::new(dialect, Opening::Fine, "1s");
        let work = &shop.sample.work;
        work.git(&["config", "trunk.branch", "production"]);
        work.git(&["config", "trunk.lines", "stable/"]);
        work.git(&["push", "-q", "origin", "production:refs/heads/stable/3.0"]);
        let fabfile = "import \"std/trunk\" as trunk;\nfn pick(line, fix) { trunk::pick(line, [fix]); }\n\
                       fn prod() { fleet(\"fleets/prod.toml\") }\n";
        fs::write(work.folder.join("fabfile.rhai"), fabfile).unwrap();
        work.commit("fix", "fixed");
        work.git(&["push", "-q", "origin", "HEAD:refs/heads/fixes"]);
        let fix = work.git(&["rev-parse", "HEAD"]).trim().to_owned();
        let before = shop.is("origin/stable/3.0");
        let pull = format!("pick/stable/3.0/{} -> stable/3.0 open", &fix[..12]);
        for _ in 0..2 {
            let token = ("FORGE_TOKEN", "forge-token-hunter2");
            let (out, _) = work.told(&["prod", "pick", "3.0", &fix[..12]], &[token]);
            assert!(out.contains(" into stable/3.0. It can be merged by "), "{out}");
            assert_eq!(shop.requests.list(), [&*pull], "{dialect:?}");
        }
        assert_eq!(shop.is("origin/stable/3.0"), before);
    }
}

#[test]
fn in_every_dialect_a_pull_request_merges_and_the_same_line_tags_that_and_brings_it_back() {
    for dialect in DIALECTS {
        let shop = Protected::new(dialect, Opening::Fine, "1s");
        let (out, _) = shop.typed();
        assert!(out.contains("wasn't merged into production in time"), "{out}");
        assert_eq!(shop.requests.list(), ["hotfix/3.0.1 -> production open"]);
        shop.requests.merge(1, How::Merged);
        let merge = shop.is("origin/production");
        let (out, _) = shop.typed();
        assert_eq!(shop.is("v3.0.1^{commit}"), merge, "{out}");
        let both = ["hotfix/3.0.1 -> production merged", "back/hotfix/3.0.1 -> develop open"];
        assert_eq!(shop.requests.list(), both);
        shop.requests.merge(2, How::Merged);
        shop.typed();
        assert!(!shop.sample.origin().contains("hotfix"), "{}", shop.sample.origin());
        assert_eq!(shop.requests.list().len(), 2);
        assert!(!shop.forge.asked().is_empty());
    }
}

#[test]
fn a_squashed_hotfix_is_tagged_where_the_forge_squashed_it() {
    let shop = Protected::new(Dialect::Github, Opening::Fine, "1s");
    shop.typed();
    shop.requests.merge(1, How::Squashed);
    let squashed = shop.is("origin/production");
    let (out, _) = shop.typed();
    assert_eq!(shop.is("v3.0.1^{commit}"), squashed, "{out}");
    shop.requests.merge(2, How::Squashed);
    shop.typed();
    assert!(!shop.sample.origin().contains("hotfix"), "{}", shop.sample.origin());
}

#[test]
fn a_pull_request_that_is_there_whose_answer_got_lost_or_that_a_fork_has_makes_no_second_one() {
    for dialect in DIALECTS {
        let shop = Protected::new(dialect, Opening::Lost, "1s");
        shop.requests.open("hotfix/3.0.1", "production", true);
        shop.typed();
        shop.typed();
        let all = ["hotfix/3.0.1 -> production open", "hotfix/3.0.1 -> production open"];
        assert_eq!(shop.requests.list(), all, "one is the fork's");
    }
}

#[test]
fn a_forge_that_opens_none_ends_in_one_report_and_nothing_is_pushed() {
    for (status, why) in [
        (403, "error: the forge doesn't open a pull request into production: it answers with status 403"),
        (404, "error: the forge doesn't open a pull request into production: it answers with status 404"),
        (
            422,
            "error: the forge doesn't open a pull request from hotfix/3.0.1 into production: it answers with status \
             422: Validation Failed",
        ),
    ] {
        let shop = Protected::new(Dialect::Github, Opening::Refused(status), "1s");
        let before = shop.sample.origin();
        let (out, _) = shop.typed();
        assert!(out.contains(why), "{out}");
        assert!(!out.contains("hunter2"), "{out}");
        assert_eq!(shop.sample.origin(), before);
    }
}
