//! A hotfix from its first commit to production: two developers, a forge, real sshd, and real HAProxy under load.
mod killed;
mod pulls;
mod trunk;

use super::shop::{all_serve, shop};
use lab::{
    Lab, Load, Output, Repository,
    forge::{COMMIT, Dialect, Forge, Pull, Report, Requests, Review, Story},
    needs_lab,
};
use std::{
    collections::BTreeSet,
    process::Command,
    sync::{Arc, Mutex},
};

const TOKEN: &str = "forge-token-hunter2";

/// The shop with a forge in front of its repository, and a colleague's clone.
struct Team {
    lab: Lab,
    load: Load,
    forge: Forge,
    /// The commits that somebody has approved.
    approved: Arc<Mutex<BTreeSet<String>>>,
    colleague: Repository,
}

/// Runs git in the project, and returns what it prints.
fn git(lab: &Lab, words: &[&str]) -> String {
    lab.project.git(words).expect_ok()
}

/// Gives a shop's repository a version, a branch for development, and the settings of git-flow.
fn set_up_git_flow(lab: &Lab) {
    lab.project.commit(&[("VERSION", "3.0.1\n")]);
    git(lab, &["push", "-q", "origin", "main"]);
    git(lab, &["checkout", "-q", "-b", "develop"]);
    lab.project.commit(&[("feature", "half\n")]);
    git(lab, &["push", "-q", "origin", "develop"]);
    for (name, value) in [("branch.master", "main"), ("branch.develop", "develop"), ("prefix.versiontag", "v")] {
        git(lab, &["config", &format!("gitflow.{name}"), value]);
    }
}

impl Team {
    /// Opens the shop, with people who use it. Its fleet wants green checks and one review.
    fn open() -> Team {
        Team::with("", |_| None)
    }

    /// Opens the shop with more keys of the gate, and with pull requests that the forge can open.
    fn with(keys: &str, requests: impl FnOnce(&Lab) -> Option<Arc<Requests>>) -> Team {
        let lab = shop();
        let requests = requests(&lab);
        let approved = Arc::<Mutex<BTreeSet<String>>>::default();
        let (origin, by) = (lab.project.remote.clone(), approved.clone());
        // The tests of a commit fail if it has a file `broken`. A merge's second parent is the head of a pull request
        // into the hotfix, which has one review at most.
        let forge = Forge::judging(Dialect::Github, move |commit| {
            let told = |words: &[&str]| {
                let mut git = Command::new("git");
                for role in ["AUTHOR", "COMMITTER"] {
                    git.env(format!("GIT_{role}_NAME"), "forge").env(format!("GIT_{role}_EMAIL"), "forge@example.org");
                    // The same commit has the same id each time.
                    git.env(format!("GIT_{role}_DATE"), "2026-11-24T12:00:00Z");
                }
                let out = git.arg("-C").arg(&origin).args(words).output().expect("git");
                out.status.success().then(|| String::from_utf8(out.stdout).expect("text").trim().to_owned())
            };
            if commit != COMMIT {
                told(&["cat-file", "-e", &format!("{commit}^{{commit}}")])?;
            }
            let broken = told(&["cat-file", "-e", &format!("{commit}:broken")]);
            let state = if broken.is_some() { "failure" } else { "success" };
            let reports = [Report::of("build", "success"), Report::of("test", state)];
            let story = Story { requests: requests.clone(), ..Story::reported(&reports) };
            let pull = |head: String| {
                let head: &'static str = head.leak();
                let review = Review { commit: head, ..Review::of("berta", "approved") };
                let reviews = if by.lock().unwrap().contains(commit) { vec![review] } else { Vec::new() };
                let base = told(&["rev-parse", &format!("{commit}^1")]).expect("a parent").leak();
                Pull { into: "hotfix", base, head, merge: Some(COMMIT), reviews, ..Pull::default() }
            };
            let merged = told(&["rev-parse", "--verify", "--quiet", &format!("{commit}^2")]);
            // Any other commit that is approved is a pull request that was squashed into main. The forge has its head.
            let squashed = || -> Option<Pull> {
                let [tree, base] = [format!("{commit}^{{tree}}"), format!("{commit}^")];
                let head = told(&["commit-tree", "-p", &base, "-m", "a pull request", &tree])?;
                told(&["update-ref", "refs/pull/12/head", &head])?;
                let [head, base] = [head, told(&["rev-parse", &base])?].map(|id| -> &'static str { id.leak() });
                let reviews = vec![Review { commit: head, ..Review::of("berta", "approved") }];
                Some(Pull { base, head, merge: Some(COMMIT), reviews, ..Pull::default() })
            };
            let squashed = || by.lock().unwrap().contains(commit).then(squashed).flatten();
            Some(Story { pulls: merged.map(pull).or_else(squashed).into_iter().collect(), ..story })
        });
        let gate = format!(
            "\n[gate]\nforge = \"github\"\nproject = \"shop/web\"\nurl = \"{}\"\ntoken = \"env:FORGE_TOKEN\"\n\
             branch = \"main\"\nreviews = 1\nwithin = \"2m\"\nenvironment = \"production\"\n{keys}",
            forge.url("live"),
        );
        lab.edit("fleets/prod.toml", |text| text + gate.as_str());
        set_up_git_flow(&lab);
        let colleague = lab.project.clone_to(&lab.folder.join("colleague"));
        let load = lab.load(120);
        load.wait_for(50);
        Team { lab, load, forge, approved, colleague }
    }

    /// Runs a line with the token.
    fn typed(&self, words: &[&str]) -> Output {
        self.lab.rfab(words).env("FORGE_TOKEN", TOKEN).output()
    }

    /// Runs a line with the token, which must succeed.
    #[track_caller]
    fn done(&self, words: &[&str]) -> String {
        let out = self.typed(words);
        assert_eq!((out.code, &*out.stderr), (Some(0), ""), "rfab {}\n{}", words.join(" "), out.stdout);
        out.stdout
    }

    /// Changes a file on a branch of the hotfix, and merges that by a pull request. Returns the new head.
    fn fixes(&self, version: &str, files: &[(&str, &str)]) -> String {
        let hotfix = format!("hotfix/{version}");
        let git = |words: &[&str]| self.colleague.git(words).expect_ok();
        git(&["fetch", "-q"]);
        git(&["checkout", "-q", "-B", "fix", &format!("origin/{hotfix}")]);
        git(&["rm", "-q", "--ignore-unmatch", "broken"]);
        self.colleague.commit(files);
        git(&["checkout", "-q", "-B", &hotfix, &format!("origin/{hotfix}")]);
        git(&["merge", "-q", "--no-ff", "-m", "Merge pull request #7", "fix"]);
        git(&["push", "-q", "origin", &hotfix]);
        self.colleague.resolve("HEAD")
    }

    fn approve(&self, commit: &str) {
        self.approved.lock().unwrap().insert(commit.to_owned());
    }

    /// Returns what git prints in the remote's repository.
    fn remote(&self, words: &[&str]) -> String {
        git(&self.lab, &[&["--git-dir", &self.lab.project.remote.display().to_string()], words].concat())
    }

    /// Panics unless main, develop and the tag are at the remote as git-flow makes them, and the hotfix is gone there.
    #[track_caller]
    fn expect_finished(&self, version: &str) {
        let wrong = self.unfinished(version);
        assert!(wrong.is_empty(), "{wrong:?}");
    }

    /// Returns what isn't as git-flow makes it.
    fn unfinished(&self, version: &str) -> Vec<String> {
        let subjects = |branch: &str| self.remote(&["log", "--first-parent", "-1", "--format=%s", branch]);
        let tag = format!("v{version}");
        let pairs = [
            (subjects("main"), format!("Merge branch 'hotfix/{version}'\n")),
            (subjects("develop"), format!("Merge tag '{tag}' into develop\n")),
            (self.remote(&["rev-parse", &format!("{tag}^{{commit}}")]), self.remote(&["rev-parse", "main"])),
            (self.remote(&["rev-parse", "develop^2"]), self.remote(&["rev-parse", "main"])),
            (self.remote(&["cat-file", "-t", &tag]), "tag\n".to_owned()),
            (self.remote(&["branch", "--list", "hotfix/*"]), String::new()),
            (git(&self.lab, &["branch", "--show-current"]), "develop\n".to_owned()),
            (git(&self.lab, &["rev-parse", "main", "develop"]), self.remote(&["rev-parse", "main", "develop"])),
            (git(&self.lab, &["status", "--porcelain", "--untracked-files=no"]), String::new()),
        ];
        pairs.into_iter().filter(|(is, want)| is != want).map(|(is, want)| format!("{is:?} isn't {want:?}")).collect()
    }

    /// Panics if a request failed meanwhile.
    #[track_caller]
    fn close(self) {
        self.load.wait_for(50);
        self.load.stop().expect_none_failed();
    }
}

#[test]
fn a_hotfix_goes_from_its_first_commit_past_a_red_gate_to_every_host_and_no_request_fails() {
    if !needs_lab("a_hotfix_goes_from_its_first_commit_past_a_red_gate_to_every_host_and_no_request_fails") {
        return;
    }
    let team = Team::open();
    let told = team.done(&["hotfix:3.0.2"]);
    assert!(told.ends_with("next: rfab prod hotfix:finish\n"), "{told}");
    assert_eq!(git(&team.lab, &["show", "origin/hotfix/3.0.2:VERSION"]), "3.0.2\n");
    // The first fix breaks the tests: the gate is red, and nothing moves.
    let head = team.fixes("3.0.2", &[("index.txt", "shop v3.0.2\n"), ("broken", "")]);
    team.approve(&head);
    let before = team.remote(&["show-ref"]);
    let red = team.typed(&["prod", "hotfix:finish"]);
    assert_eq!(red.code, Some(7), "{red:?}");
    let why = format!("{} doesn't pass the gate of shop/web: test: it's failure", &head[..12]);
    assert!(red.stdout.contains(&why) && red.stdout.contains("type the line again"), "{red:?}");
    assert_eq!(team.remote(&["show-ref"]), before);
    all_serve(&team.lab, "v3.0.0");
    // The second one doesn't, and it's approved while the line waits for that.
    let head = team.fixes("3.0.2", &[("index.txt", "shop v3.0.2\n")]);
    let run = team.lab.rfab(&["prod", "hotfix:finish"]).env("FORGE_TOKEN", TOKEN).start();
    run.wait_for("the gate of shop/web waits for #12: 1 more person with write access");
    assert_eq!(team.remote(&["tag", "--list", "v3.0.2"]), "");
    team.approve(&head);
    let out = run.output();
    assert_eq!((out.code, &*out.stderr), (Some(0), ""), "{out:?}");
    assert!(!out.stdout.contains("hunter2"), "{out:?}");
    all_serve(&team.lab, "v3.0.2");
    team.expect_finished("3.0.2");
    let sent =
        team.forge.asked().into_iter().filter(|asked| asked.path.ends_with("/statuses") && asked.method == "POST");
    let states: Vec<String> = sent.map(|asked| asked.body).collect();
    assert_eq!(states.len(), 2, "{states:?}");
    assert!(states[0].contains("in_progress") && states[1].contains("success"), "{states:?}");
    // Typed once more, it says that nothing is open, and changes nothing.
    let again = team.typed(&["prod", "hotfix:finish"]);
    assert!(again.stdout.contains("no hotfix is open; start one with rfab hotfix:VERSION"), "{again:?}");
    team.close();
}
