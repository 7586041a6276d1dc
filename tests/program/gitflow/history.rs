//! A history that a seed makes, with settings, and a branch that is started, worked on and finished in it.
use super::sample::Sample;
use rand::{Rng as _, RngExt as _, SeedableRng, rngs::StdRng, seq::IndexedRandom as _};
use std::fs;

/// What a team set, and what its developers did.
#[derive(Debug)]
pub struct History {
    production: &'static str,
    develop: &'static str,
    pub kind: &'static str,
    prefix: String,
    tag_prefix: &'static str,
    /// The options of the kind's `finish` that are set.
    pub options: Vec<&'static str>,
    side_branch: bool,
    commits: usize,
    published: bool,
    /// The branch that somebody else moved meanwhile.
    moved: Option<&'static str>,
}

const KINDS: [&str; 4] = ["hotfix", "release", "feature", "bugfix"];
const OPTIONS: [&str; 7] = ["nobackmerge", "notag", "squash", "keep", "keepremote", "keeplocal", "no-ff"];

impl History {
    pub fn of(seed: u64) -> History {
        let mut rng = StdRng::seed_from_u64(seed);
        let production = *["production", "main", "master"].choose(&mut rng).unwrap();
        let develop = *["develop", "dev/next"].choose(&mut rng).unwrap();
        let kind = *KINDS.choose(&mut rng).unwrap();
        let prefix = ["/", "-", "."].choose(&mut rng).map(|end| format!("{kind}{end}")).unwrap();
        let tag_prefix = *["", "v", "shop-"].choose(&mut rng).unwrap();
        let options = OPTIONS.into_iter().filter(|_| rng.random_ratio(1, 5)).collect();
        let moved = rng.random_ratio(1, 3).then(|| *[production, develop].choose(&mut rng).unwrap());
        let [side_branch, published] = [rng.random_ratio(1, 3), rng.random_ratio(1, 2)];
        let commits = 1 + (rng.next_u32() % 3) as usize;
        History { production, develop, kind, prefix, tag_prefix, options, side_branch, commits, published, moved }
    }

    pub fn name(&self) -> &'static str {
        if self.is_versioned() { "3.0.1" } else { "search" }
    }

    fn is_versioned(&self) -> bool {
        matches!(self.kind, "hotfix" | "release")
    }

    /// Returns the tag that the finish makes, if it makes one.
    pub fn tag(&self) -> Option<String> {
        (self.is_versioned() && !self.options.contains(&"notag")).then(|| format!("{}{}", self.tag_prefix, self.name()))
    }

    /// Makes a repository with these settings.
    pub fn sample(&self) -> Sample {
        let sample = Sample::new(self.production, self.develop, &[]);
        let set = |name: &str, value: &str| drop(sample.work.git(&["config", &format!("gitflow.{name}"), value]));
        set("branch.master", self.production);
        set("branch.develop", self.develop);
        set("prefix.versiontag", self.tag_prefix);
        for kind in KINDS {
            set(&format!("prefix.{kind}"), if kind == self.kind { &self.prefix } else { "other/" });
        }
        for option in &self.options {
            set(&format!("{}.finish.{option}", self.kind), "true");
        }
        if self.side_branch {
            sample.work.git(&["checkout", "-q", "-b", "side"]);
            sample.work.commit("side", "done");
            sample.work.git(&["checkout", "-q", self.develop]);
            sample.work.git(&["merge", "-q", "--no-ff", "--no-edit", "side"]);
            sample.work.git(&["push", "-q", "origin", self.develop]);
        }
        sample
    }

    /// Does the work on the branch that was started.
    pub fn work(&self, sample: &Sample) {
        let (work, branch) = (&sample.work, format!("{}{}", self.prefix, self.name()));
        assert_eq!(work.branch(), branch);
        (0..self.commits).for_each(|at| work.commit(&format!("fix{at}"), "done"));
        if self.published {
            work.git(&["push", "-q", "-u", "origin", &branch]);
        }
        if let Some(moved) = self.moved {
            work.git(&["checkout", "-q", moved]);
            work.commit("moved", "meanwhile");
            work.git(&["push", "-q", "origin", moved]);
            work.git(&["checkout", "-q", &branch]);
        }
    }

    /// Finishes the branch with git-flow, and pushes what that left.
    pub fn finish_with_git_flow(&self, sample: &Sample) {
        let mut words = vec!["flow", self.kind, "finish"];
        // git-flow 1.12.3 says a message given with `-m` twice.
        let message = sample.folder.path().join("message");
        if let Some(tag) = self.tag() {
            fs::write(&message, format!("{tag}\n")).unwrap();
            words.extend(["-f", message.to_str().unwrap()]);
        }
        words.push(self.name());
        sample.work.git(&words);
        let branches = [self.production, self.develop];
        sample.work.git(&[&["push", "-q", "--atomic", "origin"], &branches[..], &["--tags"]].concat());
    }
}
