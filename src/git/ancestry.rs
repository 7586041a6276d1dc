//! How two commits stand to each other.
use super::{GitError, Repository, open::OpenRepository, reading::here, work_tree::ask, write::whole_commit};
use crate::{
    effect::*,
    failure::Failure,
    model::{Model, Predicted},
};
use serde::Serialize;
use std::collections::BTreeSet;

/// Counts the commits that one commit has and another doesn't.
#[derive(Clone, Debug, Serialize)]
pub struct ReadAhead {
    pub repository: String,
    pub commit: String,
    pub other: String,
}

impl Read for ReadAhead {
    type Outcome = usize;
    const NAME: &'static str = "read_ahead";

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.repository)
    }

    fn describe(&self) -> String {
        format!("count the commits of {} that {} doesn't have", short(&self.commit), short(&self.other))
    }

    async fn carry_out(&self, at: At<'_>) -> Result<usize, Failure> {
        Ok(self.count(&Repository::of(&self.repository, &at)?)?)
    }

    fn predict(&self, model: &mut Model) -> Predicted<usize> {
        let repository = here(&self.repository)?;
        let (made, ends) = model.prepared.ancestors(&self.commit);
        let (others, other_ends) = model.prepared.ancestors(&self.other);
        let mut ahead = made.difference(&others).count();
        for end in ends.iter().filter(|end| !other_ends.contains(*end)) {
            let beside = other_ends.iter().map(|other| self.of(end, other).count(&repository));
            ahead += beside.collect::<Result<Vec<_>, _>>().map_err(Failure::from)?.into_iter().min().unwrap_or(0);
        }
        Ok(ahead)
    }
}

impl ReadAhead {
    fn of(&self, commit: &str, other: &str) -> ReadAhead {
        ReadAhead { repository: self.repository.clone(), commit: commit.to_owned(), other: other.to_owned() }
    }

    fn count(&self, repository: &Repository) -> Result<usize, GitError> {
        let (commit, other) = (whole_commit(&self.commit)?, whole_commit(&self.other)?);
        OpenRepository::of(repository)?.ahead(commit, other)
    }
}

/// Finds the commit by which a branch got another commit: the first on its own line that contains it.
///
/// That is the merge, or the commit itself if the branch was moved to it. `None` if the branch doesn't contain it.
#[derive(Clone, Debug, Serialize)]
pub struct ReadMergedAt {
    pub repository: String,
    /// The commit that the branch is at.
    pub branch: String,
    pub commit: String,
}

impl Read for ReadMergedAt {
    type Outcome = Option<String>;
    const NAME: &'static str = "read_merged_at";

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.repository)
    }

    fn describe(&self) -> String {
        format!("find where {} was merged into {}", short(&self.commit), short(&self.branch))
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Option<String>, Failure> {
        Ok(self.find(&Repository::of(&self.repository, &at)?)?)
    }

    fn predict(&self, model: &mut Model) -> Predicted<Option<String>> {
        let repository = here(&self.repository)?;
        let (made, _) = model.prepared.ancestors(&self.branch);
        if made.contains(&self.commit) || self.branch == self.commit {
            return Ok(Some(self.commit.clone()));
        }
        let Some(parents) = model.prepared.parents(&self.branch).map(<[String]>::to_vec) else {
            return Ok(self.find(&repository).map_err(Failure::from)?);
        };
        for parent in parents {
            let read = ReadAhead { repository: self.repository.clone(), commit: self.commit.clone(), other: parent };
            if Read::predict(&read, model)? == 0 {
                return Ok(Some(self.branch.clone()));
            }
        }
        Ok(None)
    }
}

impl ReadMergedAt {
    fn find(&self, repository: &Repository) -> Result<Option<String>, GitError> {
        let (branch, commit) = (whole_commit(&self.branch)?, whole_commit(&self.commit)?);
        let open = OpenRepository::of(repository)?;
        if branch == commit || open.ahead(commit, branch)? > 0 {
            return Ok((branch == commit).then(|| commit.to_owned()));
        }
        let since = format!("^{commit}");
        let line = ask(repository, &["rev-list", "--first-parent", "--parents", branch, &since])?;
        let containing = ask(repository, &["rev-list", "--ancestry-path", branch, &since])?;
        let containing: BTreeSet<&str> = containing.lines().collect();
        let oldest = line.lines().next_back().and_then(|oldest| oldest.split(' ').nth(1));
        if oldest == Some(commit) {
            return Ok(Some(commit.to_owned()));
        }
        let own = line.lines().filter_map(|one| one.split(' ').next());
        // The newest comes first.
        Ok(own.rev().find(|one| containing.contains(one)).map(str::to_owned))
    }
}

fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::sample::Sample;

    #[test]
    fn a_branch_says_by_which_commit_it_got_another() {
        let sample = Sample::new();
        let at = sample.repository();
        let found = |branch: &str, commit: &str| {
            let [branch, commit] = [branch, commit].map(str::to_owned);
            ReadMergedAt { repository: String::new(), branch, commit }.find(&at).unwrap()
        };
        let first = sample.git(&["rev-parse", "HEAD"]);
        sample.git(&["checkout", "-q", "-b", "side"]);
        sample.commit("a", "side");
        let side = sample.commit("b", "side");
        sample.git(&["checkout", "-q", "main"]);
        let own = sample.commit("README", "main");
        assert_eq!(found(&own, &side), None);
        sample.git(&["merge", "-q", "--no-ff", "--no-edit", "side"]);
        let merge = sample.git(&["rev-parse", "HEAD"]);
        let later = sample.commit("README", "later");
        assert_eq!(found(&merge, &side), Some(merge.clone()));
        assert_eq!(found(&later, &side), Some(merge.clone()));
        assert_eq!(found(&later, &first), Some(first.clone()));
        assert_eq!(found(&later, &own), Some(own));
        assert_eq!(found(&later, &later), Some(later.clone()));
        sample.git(&["checkout", "-q", "-b", "moved", &first]);
        sample.git(&["merge", "-q", "--ff-only", "side"]);
        assert_eq!(found(&sample.git(&["rev-parse", "HEAD"]), &side), Some(side));
    }
}
