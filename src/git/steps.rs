//! The steps from a branch to a commit.
use super::{GitError, Repository, parents::parents_in, reading::here, work_tree::ask, write::whole_commit};
use crate::{
    effect::*,
    failure::Failure,
    model::{Model, Predicted},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The most steps that rfab lists.
const MOST: usize = 200;

/// A commit on the own line of a branch, which follows the first parents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    pub commit: String,
    /// The second one is what was merged.
    pub parents: Vec<String>,
    /// The first line of the message.
    pub subject: String,
}

/// Lists the steps that lead from a branch to a commit, newest first: none if the commit is on the branch's own line.
///
/// `None` if more than 200 steps don't lead to the branch, or if the history ends before it.
#[derive(Clone, Debug, Serialize)]
pub struct ReadSteps {
    pub repository: String,
    pub commit: String,
    /// The commit that the branch is at.
    pub branch: String,
}

impl Read for ReadSteps {
    type Outcome = Option<Vec<Step>>;
    const NAME: &'static str = "read_steps";

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.repository)
    }

    fn describe(&self) -> String {
        format!("list the steps from {} to {}", short(&self.branch), short(&self.commit))
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Self::Outcome, Failure> {
        let repository = Repository::of(&self.repository, &at)?;
        Ok(steps(&repository, &self.commit, &self.branch)?)
    }

    fn predict(&self, model: &mut Model) -> Predicted<Self::Outcome> {
        let (mut made, commit) = self.made(model, &self.commit);
        let (others, branch) = self.made(model, &self.branch);
        let others: BTreeSet<String> = others.into_iter().map(|step| step.commit).collect();
        if let Some(place) = made.iter().position(|step| others.contains(&step.commit)) {
            made.truncate(place);
            return Ok(Some(made));
        }
        let real = steps(&here(&self.repository)?, &commit, &branch).map_err(Failure::from)?;
        Ok(real.map(|real| [made, real].concat()))
    }
}

impl ReadSteps {
    /// Returns the steps that only the model has, and the real commit below them.
    fn made(&self, model: &Model, commit: &str) -> (Vec<Step>, String) {
        let (mut made, mut at) = (Vec::new(), commit.to_owned());
        loop {
            let parents = parents_in(model, &self.repository, &at);
            let Some(parents) = parents.filter(|parents| !parents.is_empty()) else { return (made, at) };
            let below = parents[0].clone();
            made.push(Step { commit: at, parents, subject: "made by this run".to_owned() });
            at = below;
        }
    }
}

fn steps(repository: &Repository, commit: &str, branch: &str) -> Result<Option<Vec<Step>>, GitError> {
    let (commit, branch) = (whole_commit(commit)?, whole_commit(branch)?);
    let line = ask(repository, &["rev-list", "--first-parent", branch, "--"])?;
    let line: BTreeSet<&str> = line.lines().collect();
    let most = format!("--max-count={}", MOST + 1);
    let args = ["log", "--first-parent", &most, "--format=%H%x00%P%x00%s", "--no-show-signature", commit, "--"];
    let listed = ask(repository, &args)?;
    let mut steps = Vec::new();
    for entry in listed.lines() {
        let mut parts = entry.splitn(3, '\0').map(str::to_owned);
        let mut part = || parts.next().unwrap_or_default();
        let (commit, parents, subject) = (part(), part(), part());
        if line.contains(commit.as_str()) {
            return Ok(Some(steps));
        }
        steps.push(Step { commit, parents: parents.split_whitespace().map(str::to_owned).collect(), subject });
    }
    Ok(None)
}

fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::sample::Sample;

    #[test]
    fn steps_lead_from_the_own_line_of_a_branch_and_a_merge_is_one_of_them() {
        let sample = Sample::new();
        let at = sample.repository();
        let base = sample.git(&["rev-parse", "HEAD"]);
        sample.git(&["checkout", "-q", "-b", "hotfix"]);
        let bump = sample.commit("VERSION", "2");
        sample.git(&["checkout", "-q", "-b", "fix"]);
        let fix = sample.commit("a", "fixed");
        sample.git(&["checkout", "-q", "hotfix"]);
        sample.git(&["merge", "-q", "--no-ff", "-m", "merge the fix", "fix"]);
        let hotfix = sample.git(&["rev-parse", "HEAD"]);
        let of = |commit: &str, branch: &str| {
            let found = steps(&at, commit, branch).unwrap();
            found.map(|all| all.into_iter().map(|step| (step.commit, step.parents)).collect::<Vec<_>>())
        };
        let all = vec![(hotfix.clone(), vec![bump.clone(), fix.clone()]), (bump.clone(), vec![base.clone()])];
        assert_eq!(of(&hotfix, &base), Some(all));
        assert_eq!(steps(&at, &hotfix, &base).unwrap().unwrap()[0].subject, "merge the fix");
        // What is on the branch's own line is no step. What came there by a merge is.
        assert_eq!(of(&bump, &hotfix), Some(Vec::new()));
        assert_eq!(of(&fix, &hotfix), Some(vec![(fix.clone(), vec![bump])]));
        sample.git(&["checkout", "-q", "--orphan", "other"]);
        let other = sample.commit("b", "other");
        assert_eq!(of(&hotfix, &other), None);
        assert!(matches!(steps(&at, "--all", &base), Err(GitError::BadName(_))));
    }
}
