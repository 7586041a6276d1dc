//! How far many commits are ahead of one.
use super::{GitError, ReadAhead, Repository, process::read, process::verb, reading::here, write::whole_commit};
use crate::{
    effect::*,
    failure::Failure,
    model::{Model, Predicted},
};
use serde::Serialize;
use std::collections::HashMap;

/// Counts, for each of many commits, those that it has and another commit doesn't.
///
/// Git lists the commits once, however many there are.
#[derive(Clone, Debug, Serialize)]
pub struct ReadAllAhead {
    pub repository: String,
    pub commits: Vec<String>,
    pub other: String,
}

impl Read for ReadAllAhead {
    /// The counts, in the order of the commits.
    type Outcome = Vec<usize>;
    const NAME: &'static str = "read_all_ahead";

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.repository)
    }

    fn describe(&self) -> String {
        format!(
            "for each of {} commits, count the commits that {} doesn't have",
            self.commits.len(),
            self.other.get(..12).unwrap_or(&self.other)
        )
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Vec<usize>, Failure> {
        Ok(self.count(&Repository::of(&self.repository, &at)?)?)
    }

    fn predict(&self, model: &mut Model) -> Predicted<Vec<usize>> {
        let all = [&self.commits[..], std::slice::from_ref(&self.other)].concat();
        if all.iter().all(|commit| model.prepared.parents(commit).is_none()) {
            return Ok(self.count(&here(&self.repository)?).map_err(Failure::from)?);
        }
        let one = |commit: &String| {
            let [repository, commit, other] = [&self.repository, commit, &self.other].map(String::clone);
            Read::predict(&ReadAhead { repository, commit, other }, model)
        };
        self.commits.iter().map(one).collect()
    }
}

impl ReadAllAhead {
    fn count(&self, repository: &Repository) -> Result<Vec<usize>, GitError> {
        let mut input = format!("^{}\n", whole_commit(&self.other)?);
        for commit in &self.commits {
            input += whole_commit(commit)?;
            input.push('\n');
        }
        let args = ["rev-list", "--parents", "--stdin"];
        let (ended, out) = read(repository, &args, &input)?;
        if !ended.ok {
            return Err(GitError::Git { what: verb(&args), why: ended.why() });
        }
        let listed = String::from_utf8_lossy(&out);
        let mut family = Family::of(&listed);
        Ok(self.commits.iter().map(|commit| family.members(commit)).collect())
    }
}

/// The commits that the other one doesn't have, with their parents among them.
struct Family<'a> {
    places: HashMap<&'a str, usize>,
    parents: Vec<Vec<usize>>,
    /// The last search that came to a commit.
    seen: Vec<usize>,
    searches: usize,
}

impl<'a> Family<'a> {
    /// Reads `git rev-list --parents`.
    fn of(listed: &'a str) -> Family<'a> {
        let own = |line: &'a str| line.split(' ').next().unwrap_or_default();
        let places: HashMap<&str, usize> = listed.lines().enumerate().map(|(place, line)| (own(line), place)).collect();
        let parents = |line: &str| line.split(' ').skip(1).filter_map(|one| places.get(one).copied()).collect();
        let parents: Vec<Vec<usize>> = listed.lines().map(parents).collect();
        Family { seen: vec![0; parents.len()], searches: 0, places, parents }
    }

    /// Counts a commit and its ancestors.
    fn members(&mut self, commit: &str) -> usize {
        self.searches += 1;
        let (mut open, mut found) = (Vec::from_iter(self.places.get(commit).copied()), 0);
        while let Some(place) = open.pop() {
            if std::mem::replace(&mut self.seen[place], self.searches) != self.searches {
                found += 1;
                open.extend(&self.parents[place]);
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::{open::OpenRepository, sample::Sample};

    #[test]
    fn counts_of_many_commits_are_those_of_each_alone() {
        let sample = Sample::new();
        let base = sample.commit("a", "base");
        let mut commits = vec![base.clone(), sample.git(&["rev-parse", "HEAD~1"])];
        for branch in ["left", "right"] {
            sample.git(&["checkout", "-q", "-b", branch, &base]);
            commits.push(sample.commit(branch, "1"));
            commits.push(sample.commit(branch, "2"));
        }
        sample.git(&["merge", "-q", "--no-edit", "left"]);
        commits.push(sample.git(&["rev-parse", "HEAD"]));
        let at = sample.repository();
        let all = ReadAllAhead { repository: String::new(), commits: commits.clone(), other: base.clone() };
        let open = OpenRepository::of(&at).unwrap();
        let alone: Vec<usize> = commits.iter().map(|commit| open.ahead(commit, &base).unwrap()).collect();
        assert_eq!((all.count(&at).unwrap(), alone), (vec![0, 0, 1, 2, 1, 2, 5], vec![0, 0, 1, 2, 1, 2, 5]));
        let none = ReadAllAhead { commits: Vec::new(), ..all.clone() };
        assert_eq!(none.count(&at), Ok(Vec::new()));
        let option = ReadAllAhead { commits: vec!["--all".to_owned()], ..all };
        assert!(matches!(option.count(&at), Err(GitError::BadName(_))));
    }
}
