//! Commits that a simulated run made, and their parents.
use std::collections::{BTreeMap, BTreeSet};

/// The commits and tags that no repository has.
#[derive(Clone, Debug, Default)]
pub struct PreparedCommits {
    /// Parents by commit.
    commits: BTreeMap<String, Vec<String>>,
    /// Commits by the tag's object.
    tags: BTreeMap<String, String>,
}

impl PreparedCommits {
    pub fn add(&mut self, commit: &str, parents: &[&str]) {
        self.commits.insert(commit.to_owned(), parents.iter().map(|&parent| parent.to_owned()).collect());
    }

    pub fn tag(&mut self, object: &str, commit: &str) {
        self.tags.insert(object.to_owned(), commit.to_owned());
    }

    /// Returns the commit that a tag's object leads to, or the object itself if it's none that a run made.
    pub fn tagged<'a>(&'a self, object: &'a str) -> &'a str {
        self.tags.get(object).map_or(object, String::as_str)
    }

    /// Returns the parents of a commit that a run made; `None` for a commit of a repository.
    pub fn parents(&self, commit: &str) -> Option<&[String]> {
        self.commits.get(commit).map(Vec::as_slice)
    }

    /// Returns a commit of a repository whose files a made commit stands for: what it merged, or its parent.
    ///
    /// The first digits of a commit are enough.
    pub fn stand_in<'a>(&'a self, commit: &'a str) -> &'a str {
        let mut found = commit;
        while let Some(parents) = self.beginning(found) {
            let Some(last) = parents.last() else { break };
            found = last;
        }
        found
    }

    fn beginning(&self, digits: &str) -> Option<&Vec<String>> {
        let (commit, parents) = self.commits.range(digits.to_owned()..).next()?;
        (digits.len() >= 12 && commit.starts_with(digits)).then_some(parents)
    }

    /// Returns the made commits that a commit contains, itself included, and the commits of a repository below them.
    pub fn ancestors(&self, commit: &str) -> (BTreeSet<String>, BTreeSet<String>) {
        let (mut made, mut ends, mut open) = (BTreeSet::new(), BTreeSet::new(), vec![commit.to_owned()]);
        while let Some(one) = open.pop() {
            match self.commits.get(&one) {
                Some(parents) => {
                    if made.insert(one) {
                        open.extend(parents.iter().cloned());
                    }
                }
                None => drop(ends.insert(one)),
            }
        }
        (made, ends)
    }
}
