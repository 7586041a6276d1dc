//! Reviews of pull requests into a hotfix, and of what was merged of it: in a real repository, by each forge.
use super::super::{fabfile, ran_in};
use lab::forge::{Dialect, Forge, Pull, Report, Review, Story};
use std::{collections::BTreeMap, path::Path, process::Command};

/// A repository with a branch `main`, and the pull requests that its forge knows, by the commit they are found with.
pub struct History {
    folder: tempfile::TempDir,
    pub pulls: BTreeMap<String, Vec<Pull>>,
    pub number: i64,
    /// The states of the required check, by commit; a commit without one has no result yet.
    checks: BTreeMap<String, &'static str>,
}

pub fn kept(text: &str) -> &'static str {
    text.to_owned().leak()
}

impl History {
    pub fn new() -> History {
        let folder = fabfile(
            r#"
import "std/github" as github;
import "std/gitlab" as gitlab;
import "std/gitea" as gitea;
import "std/verdict" as deciding;
fn judge(url, dialect, commit, checked, branch) {
    let of = #{ url: url, project: "shop/web", token: secret::env("FORGE_TOKEN"), checks: checked == "true", reviews: 1 };
    let now = switch dialect {
        "github" => github::judge(of, commit, branch),
        "gitlab" => gitlab::judge(of, commit, branch),
        _ => gitea::judge(of, commit, branch),
    };
    ui::note(`${now.verdict} ${deciding::open(now)}`);
}
"#,
        );
        let history = History { folder, pulls: BTreeMap::new(), number: 0, checks: BTreeMap::new() };
        history.git(&["init", "-q", "-b", "main"]);
        history.commit("VERSION", "3.0.0\n");
        history.git(&["checkout", "-q", "-b", "hotfix/3.0.1"]);
        history.commit("VERSION", "3.0.1\n");
        history
    }

    pub fn at(&self) -> &Path {
        self.folder.path()
    }

    pub fn git(&self, words: &[&str]) -> String {
        let settings = ["-c", "user.name=Anna", "-c", "user.email=anna@example.org", "-c", "core.hooksPath=/dev/null"];
        let mut git = Command::new("git");
        git.current_dir(self.at()).args(settings).args(words);
        git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
        let done = git.output().expect("git");
        assert!(done.status.success(), "git {words:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    }

    pub fn commit(&self, file: &str, text: &str) -> String {
        std::fs::write(self.at().join(file), text).unwrap();
        self.git(&["add", file]);
        self.git(&["commit", "-q", "-m", &format!("change {file}")]);
        self.head()
    }

    pub fn head(&self) -> String {
        self.git(&["rev-parse", "HEAD"])
    }

    /// Makes a branch with one change, and returns its head.
    pub fn fix(&self, file: &str) -> String {
        let on = self.git(&["branch", "--show-current"]);
        self.git(&["checkout", "-q", "-B", "fix"]);
        let head = self.commit(file, "fixed\n");
        self.git(&["checkout", "-q", &on]);
        head
    }

    /// Lets the forge know a pull request, approved or not; `merge` is what it was merged as.
    pub fn pull(&mut self, into: &str, head: &str, merge: Option<&str>, is_approved: bool) {
        self.number += 1;
        let review = Review { commit: kept(head), ..Review::of("berta", "approved") };
        let reviews = if is_approved { vec![review] } else { Vec::new() };
        let before = merge.map_or(into.to_owned(), |merge| format!("{merge}^1"));
        self.pull_of(into, &self.git(&["merge-base", head, &before]), head, merge, reviews);
    }

    /// Does the same with a commit that the pull request begins at.
    pub fn pull_of(&mut self, into: &str, base: &str, head: &str, merge: Option<&str>, reviews: Vec<Review>) {
        let (number, merged) = (self.number, merge.map(kept));
        let pull = Pull {
            number,
            into: kept(into),
            base: kept(base),
            head: kept(head),
            merge: merged,
            reviews,
            ..Pull::default()
        };
        for commit in [Some(head), merge].into_iter().flatten() {
            self.pulls.entry(commit.to_owned()).or_default().push(pull.clone());
        }
    }

    /// Merges a branch with one change into the hotfix by a pull request.
    pub fn fixed(&mut self, file: &str, is_approved: bool) {
        let head = self.fix(file);
        self.git(&["merge", "-q", "--no-ff", "--no-edit", "fix"]);
        let merge = self.head();
        self.pull("hotfix/3.0.1", &head, Some(&merge), is_approved);
    }

    /// Merges the hotfix into main, and returns the merge.
    fn finish(&self) -> String {
        self.git(&["checkout", "-q", "main"]);
        self.git(&["merge", "-q", "--no-ff", "--no-edit", "hotfix/3.0.1"]);
        self.head()
    }

    /// Returns what each forge's module says of what is checked out.
    pub fn judged(&self) -> String {
        self.judged_by(&[Dialect::Github, Dialect::Gitlab, Dialect::Gitea])
    }

    fn judged_by(&self, dialects: &[Dialect]) -> String {
        self.judged_for("main", dialects)
    }

    fn judged_for(&self, branch: &str, dialects: &[Dialect]) -> String {
        let head = self.head();
        let said = dialects.iter().map(|dialect| {
            let (out, err, code) = self.answered(branch, *dialect);
            assert_eq!((err.as_str(), code), ("", Some(0)), "{dialect:?}\n{out}");
            out.lines().find(|line| !line.starts_with("rfab ")).unwrap_or_default().to_owned()
        });
        let said: Vec<String> = said.collect();
        assert!(said.iter().all(|one| *one == said[0]), "{said:?}");
        said[0].replace(&head[..12], "HEAD")
    }

    /// Returns what a forge's module prints of what is checked out.
    fn answered(&self, branch: &str, dialect: Dialect) -> (String, String, Option<i32>) {
        let head = self.head();
        let (pulls, checks) = (self.pulls.clone(), self.checks.clone());
        let forge = Forge::judging(dialect, move |commit| {
            let pulls = pulls.get(commit).cloned().unwrap_or_default();
            let reports = checks.get(commit).map(|state| Report::of("build", state)).into_iter().collect();
            Some(Story { pulls, required: vec!["build"], reports, ..Story::default() })
        });
        let module = format!("{dialect:?}").to_lowercase();
        let line = [
            "judge",
            &forge.url("live"),
            &module,
            &head,
            if self.checks.is_empty() { "false" } else { "true" },
            branch,
        ];
        let path = format!("{}:{}", self.at().join("bin").display(), std::env::var("PATH").expect("a path"));
        ran_in(self.at(), &[("FORGE_TOKEN", "hunter2"), ("PATH", &path)], &line)
    }

    /// Puts a git in rfab's way that does this when it's to merge trees.
    fn merges_by(&self, text: &str) {
        let path = std::env::var_os("PATH").expect("a path");
        let own = std::env::split_paths(&path).map(|folder| folder.join("git")).find(|git| git.is_file()).expect("git");
        let text =
            format!("#!/bin/sh\ncase \" $* \" in *' merge-tree '*) {text} ;; esac\nexec {} \"$@\"\n", own.display());
        std::fs::create_dir_all(self.at().join("bin")).unwrap();
        lab::runnable::write(&self.at().join("bin/git"), &text);
    }
}

pub const NONE: &str = "red no pull request into the branch has this commit as its head or its merge";

/// Checks what is said of a history with a hotfix, once of its head, and once of its merge into main.
#[track_caller]
pub fn says(history: &History, head: &str, merge: &str) {
    assert_eq!(history.judged(), head, "the hotfix");
    history.finish();
    assert_eq!(history.judged(), merge, "its merge");
}

#[test]
fn a_hotfix_is_reviewed_if_all_that_came_to_it_was_and_so_is_its_merge() {
    let mut history = History::new();
    history.fixed("a", true);
    history.fixed("b", true);
    says(&history, "green ", "green ");
    // What happens on main later changes nothing.
    let merge = history.head();
    history.commit("later", "1\n");
    history.git(&["checkout", "-q", &merge]);
    assert_eq!(history.judged(), "green ");
}

#[test]
fn one_pull_request_without_a_review_holds_the_hotfix_back() {
    let mut history = History::new();
    history.fixed("a", true);
    history.fixed("b", false);
    history.fixed("c", true);
    let waits = "waiting #2: 1 more person with write access, other than anna, must approve its head";
    says(&history, waits, waits);
}

#[test]
fn what_was_pushed_without_a_pull_request_is_named() {
    let mut history = History::new();
    history.fixed("a", true);
    let pushed = history.commit("sneaked", "in\n");
    history.fixed("b", true);
    let named = format!("red {} (change sneaked) was pushed without a pull request", &pushed[..12]);
    says(&history, &named, &named);
}

#[test]
fn a_bump_alone_has_no_review() {
    let history = History::new();
    says(&history, NONE, NONE);
}

#[test]
fn a_version_that_is_bumped_by_hand_with_more_is_not_a_bump() {
    let mut history = History::new();
    history.fixed("a", true);
    std::fs::write(history.at().join("a"), "other\n").unwrap();
    history.git(&["add", "a"]);
    let pushed = history.commit("VERSION", "3.0.2\n");
    let named = format!("red {} (change VERSION) was pushed without a pull request", "HEAD");
    assert_eq!(history.judged(), named);
    history.finish();
    assert_eq!(history.judged(), named.replace("HEAD", &pushed[..12]));
}

#[test]
fn a_merge_that_somebody_edited_has_no_review() {
    // A pull request's own merge, made by hand with more in it.
    let mut history = History::new();
    let head = history.fix("a");
    history.git(&["merge", "-q", "--no-ff", "--no-commit", "fix"]);
    history.commit("sneaked", "in\n");
    let merge = history.head();
    history.pull("hotfix/3.0.1", &head, Some(&merge), true);
    let named = format!("red {} (change sneaked) was pushed without a pull request", "HEAD");
    assert_eq!(history.judged(), named);
    // The merge of a hotfix that is fine.
    let mut history = History::new();
    history.fixed("a", true);
    assert_eq!(history.judged(), "green ");
    history.git(&["checkout", "-q", "main"]);
    history.git(&["merge", "-q", "--no-ff", "--no-commit", "hotfix/3.0.1"]);
    history.commit("sneaked", "in\n");
    assert_eq!(history.judged(), NONE);
    // The same, where a pull request into main is closed by it.
    let (head, merge) = (history.git(&["rev-parse", "HEAD^2"]), history.head());
    history.pull("main", &head, Some(&merge), true);
    assert_eq!(history.judged(), format!("{NONE}; it has changes that aren't in what was reviewed in #2"));
}

/// Merges a reviewed branch into main by hand, with more in it or not, as what its pull request became.
fn merged_by_hand(sneaked: Option<(&str, &str)>) -> History {
    let mut history = History::new();
    history.git(&["checkout", "-q", "main"]);
    let head = history.fix("a");
    history.git(&["merge", "-q", "--no-ff", "--no-commit", "fix"]);
    if let Some((file, text)) = sneaked {
        std::fs::write(history.at().join(file), text).unwrap();
        history.git(&["add", file]);
    }
    history.git(&["commit", "-q", "-m", "merge"]);
    let merge = history.head();
    history.pull("main", &head, Some(&merge), true);
    history
}

#[test]
fn whatever_git_warns_of_an_edited_merge_has_no_review_and_a_plain_one_has() {
    let edited = format!("{NONE}; it has changes that aren't in what was reviewed in #1");
    for sneaked in [None, Some(("sneaked", "in\n")), Some(("a", "other\n")), Some(("VERSION", "3.0.1\n"))] {
        let expected = if sneaked.is_some() { &*edited } else { "green " };
        let history = merged_by_hand(sneaked);
        history.merges_by("echo 'warning: something' >&2");
        assert_eq!(history.judged(), expected, "{sneaked:?}");
        // Git itself warns of this.
        std::fs::remove_dir_all(history.at().join("bin")).unwrap();
        std::fs::write(history.at().join(".gitattributes"), "!*.foo text\n").unwrap();
        assert_eq!(history.judged(), expected, "{sneaked:?}");
    }
}

#[test]
fn where_git_cannot_merge_nothing_passes_unless_it_is_too_old_and_then_a_merge_into_the_branch_does() {
    for sneaked in [None, Some(("sneaked", "in\n"))] {
        let history = merged_by_hand(sneaked);
        for how in ["exit 2", "exit 128", "echo 'fatal: no memory' >&2; exit 128", "kill -9 $$", "exit 0"] {
            history.merges_by(how);
            for dialect in [Dialect::Github, Dialect::Gitlab, Dialect::Gitea] {
                let (out, err, code) = history.answered("main", dialect);
                assert!(out.contains("error: git merge-tree failed") && err.is_empty(), "{how}\n{out}\n{err}");
                assert_ne!(code, Some(0), "{how}");
            }
        }
        history.merges_by("echo 'usage: git merge-tree <base-tree> <branch1> <branch2>' >&2; exit 129");
        assert_eq!(history.judged(), "green ");
    }
    let mut history = History::new();
    history.fixed("a", true);
    history.merges_by("exit 129");
    assert_eq!(history.judged(), "red HEAD (Merge branch 'fix' into hotfix/3.0.1) was pushed without a pull request");
}

#[test]
fn what_main_has_already_needs_no_review_in_the_hotfix() {
    let mut history = History::new();
    history.fixed("a", true);
    history.git(&["checkout", "-q", "main"]);
    history.commit("other", "1\n");
    history.git(&["checkout", "-q", "hotfix/3.0.1"]);
    history.git(&["merge", "-q", "--no-ff", "--no-edit", "main"]);
    says(&history, "green ", "green ");
}

#[test]
fn what_another_branch_has_needs_one() {
    let mut history = History::new();
    history.fixed("a", true);
    history.git(&["checkout", "-q", "-b", "junk", "main"]);
    history.commit("sneaked", "in\n");
    history.git(&["checkout", "-q", "hotfix/3.0.1"]);
    history.git(&["merge", "-q", "--no-ff", "-m", "merge junk", "junk"]);
    let named = "red HEAD (merge junk) was pushed without a pull request";
    assert_eq!(history.judged(), named);
}

#[test]
fn a_pull_request_that_was_squashed_into_the_hotfix_counts() {
    for is_edited in [false, true] {
        let mut history = History::new();
        let head = history.fix("a");
        history.git(&["merge", "-q", "--squash", "fix"]);
        if is_edited {
            std::fs::write(history.at().join("a"), "other\n").unwrap();
            history.git(&["add", "a"]);
        }
        history.git(&["commit", "-q", "-m", "squashed"]);
        let merge = history.head();
        history.pull("hotfix/3.0.1", &head, Some(&merge), true);
        let named = "red HEAD (squashed) was pushed without a pull request";
        assert_eq!(history.judged(), if is_edited { named } else { "green " });
    }
}

#[test]
fn a_review_of_a_pull_request_into_main_covers_all_below_its_head() {
    let mut history = History::new();
    let pushed = history.commit("a", "fixed\n");
    history.pull("main", &pushed, None, true);
    says(&history, "green ", "green ");
    // What comes on top of it needs its own.
    let mut history = History::new();
    let reviewed = history.commit("a", "fixed\n");
    history.pull("main", &reviewed, None, true);
    history.fixed("b", true);
    history.commit("VERSION", "3.0.2\n");
    assert_eq!(history.judged(), "green ");
    history.commit("sneaked", "in\n");
    assert_eq!(history.judged(), "red HEAD (change sneaked) was pushed without a pull request");
}

#[test]
fn a_pull_request_whose_reviewers_saw_only_a_part_of_it_does_not_count() {
    // `y` has a commit that nobody reviewed, and `x` is merged into `y`. The merge begins at main instead.
    let mut history = History::new();
    history.git(&["checkout", "-q", "-b", "y", "main"]);
    let sneaked = history.commit("sneaked", "in\n");
    history.git(&["checkout", "-q", "-b", "x"]);
    let harmless = history.commit("a", "fixed\n");
    history.git(&["checkout", "-q", "-b", "trick", "main"]);
    history.git(&["merge", "-q", "--no-ff", "-m", "merge x", "x"]);
    let merge = history.head();
    history.number = 1;
    let review = Review { commit: kept(&harmless), ..Review::of("berta", "approved") };
    history.pull_of("y", &sneaked, &harmless, Some(&merge), vec![review]);
    assert_eq!(history.judged(), "red HEAD (merge x) was pushed without a pull request");
    history.git(&["checkout", "-q", "main"]);
    history.git(&["merge", "-q", "--ff-only", "trick"]);
    let red = history.judged();
    assert!(red.starts_with("red "), "{red}");
}

#[test]
fn what_was_merged_squashed_or_rebased_by_the_forge_is_what_was_reviewed() {
    // GitLab squashes a branch into one commit, and merges that.
    let mut history = History::new();
    history.git(&["checkout", "-q", "main"]);
    let head = history.fix("a");
    history.git(&["checkout", "-q", "--detach", "main"]);
    history.git(&["merge", "-q", "--squash", &head]);
    history.git(&["commit", "-q", "-m", "squashed"]);
    let squashed = history.head();
    history.git(&["checkout", "-q", "main"]);
    history.git(&["merge", "-q", "--no-ff", "-m", "merged", &squashed]);
    let merge = history.head();
    history.pull("main", &head, Some(&merge), true);
    assert_eq!(history.judged(), "green ");
    // A bump of the version on top of it adds nothing.
    history.commit("VERSION", "3.1.0\n");
    assert_eq!(history.judged(), "green ");
    // Rebased: the last of its commits is what it became.
    let mut history = History::new();
    history.git(&["checkout", "-q", "main"]);
    history.git(&["checkout", "-q", "-b", "two"]);
    history.commit("a", "1\n");
    let head = history.commit("a", "2\n");
    history.git(&["checkout", "-q", "main"]);
    history.commit("other", "1\n");
    history.git(&["cherry-pick", "two~1", "two"]);
    let merge = history.head();
    history.pull("main", &head, Some(&merge), true);
    assert_eq!(history.judged(), "green ");
}

#[test]
fn a_release_line_that_begins_at_what_main_reviewed_is_reviewed() {
    let mut history = History::new();
    history.git(&["checkout", "-q", "main"]);
    let head = history.fix("a");
    history.git(&["merge", "-q", "--no-ff", "--no-edit", "fix"]);
    let merge = history.head();
    history.pull("main", &head, Some(&merge), true);
    history.git(&["branch", "release/3.1"]);
    let all = [Dialect::Github, Dialect::Gitlab, Dialect::Gitea];
    assert_eq!(history.judged_for("release/3.1", &all), "green ");
}

#[test]
fn a_merge_with_the_files_of_what_it_merged_has_its_green_checks_until_its_own_are_done() {
    let judged = |own: Option<&'static str>, head: &'static str, main_moves: bool, dialects: &[Dialect]| {
        let mut history = History::new();
        history.fixed("a", true);
        if main_moves {
            history.git(&["checkout", "-q", "main"]);
            history.commit("other", "1\n");
            history.git(&["checkout", "-q", "hotfix/3.0.1"]);
        }
        history.checks.insert(history.head(), head);
        let merge = history.finish();
        history.checks.extend(own.map(|state| (merge, state)));
        history.judged_by(dialects)
    };
    let both = [Dialect::Github, Dialect::Gitea];
    let waits = "waiting build: it hasn't reported for this commit: does CI run it on a push?";
    assert_eq!(judged(None, "success", false, &both), "green ");
    assert_eq!(judged(Some("success"), "failure", false, &both), "green ");
    assert_eq!(judged(None, "failure", false, &both), waits);
    assert_eq!(judged(None, "success", true, &both), waits);
    for dialect in both {
        let red = judged(Some("failure"), "success", false, &[dialect]);
        assert!(red.starts_with("red build: ") && red.ends_with("failure"), "{red}");
    }
}
