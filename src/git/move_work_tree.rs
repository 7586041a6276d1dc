//! Another branch or commit in the work tree.
use super::{
    GitError, Repository, WorkTree,
    open::OpenRepository,
    pick::{pick_words, short},
    process::{git, verb},
    reading::{WITHIN, here},
    work_tree::ReadWorkTree,
    write::{done, named, whole_commit},
};
use crate::{
    effect::*,
    failure::Failure,
    model::{Model, Predicted},
};
use serde::Serialize;

/// Changes what the work tree has checked out.
#[derive(Clone, Debug, Serialize)]
pub struct MoveWorkTree {
    pub repository: String,
    /// The branch that is checked out afterwards.
    pub branch: String,
    pub how: WorkTreeMove,
}

/// How a work tree comes to a branch.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkTreeMove {
    /// It switches to the branch.
    Switch,
    /// It makes the branch at a commit, and switches to it.
    Create(String),
    /// The branch is checked out, and moves forward to a commit.
    Forward(String),
    /// It switches to the branch, and moves it forward to `onto`. Then it begins a merge that conflicts, of a branch or
    /// a tag, and leaves it for a person to finish.
    Merge { onto: String, name: String },
    /// The same with a pick.
    Pick { onto: String, commit: String },
}

impl Effect for MoveWorkTree {
    type Outcome = ();
    const NAME: &'static str = "move_work_tree";
    const KIND: EffectKind = EffectKind::Once;

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.repository)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Here
    }

    fn describe(&self) -> String {
        let branch = &self.branch;
        match &self.how {
            WorkTreeMove::Switch => format!("switch to {branch}"),
            WorkTreeMove::Create(_) => format!("start the branch {branch}"),
            WorkTreeMove::Forward(_) => format!("move {branch} forward"),
            WorkTreeMove::Merge { name, .. } => format!("begin the merge of {name} into {branch} in the work tree"),
            WorkTreeMove::Pick { commit, .. } => {
                format!("begin the pick of {} onto {branch} in the work tree", short(commit))
            }
        }
    }

    fn look(&self, ask: Ask<'_>) -> Result<Happened<()>, Failure> {
        let state = ask.read(ReadWorkTree { repository: self.repository.clone() })?;
        let is_out = state.branch.as_deref() == Some(&self.branch);
        let there = match &self.how {
            WorkTreeMove::Switch | WorkTreeMove::Create(_) => is_out,
            WorkTreeMove::Forward(commit) => state.commit.as_deref() == Some(commit),
            WorkTreeMove::Merge { .. } => is_out && state.doing.as_deref() == Some("merge"),
            WorkTreeMove::Pick { .. } => is_out && state.doing.as_deref() == Some("cherry-pick"),
        };
        Ok(if there { Happened::Done(()) } else { Happened::Not })
    }

    fn assumed(&self) -> Option<()> {
        Some(())
    }

    async fn carry_out(&self, at: At<'_>) -> Result<(), Failure> {
        let repository = Repository::of(&self.repository, &at)?;
        {
            let open = OpenRepository::of(&repository)?;
            self.check(&WorkTree::of(&repository)?, |name| open.peeled(name).is_some())?;
        }
        Ok(self.make(&repository).await?)
    }

    fn predict(&self, model: &mut Model) -> Predicted<()> {
        let repository = here(&self.repository)?;
        let mut tree = WorkTree::of(&repository).map_err(Failure::from)?;
        if let Some(branch) = model.checked_out.get(&self.repository) {
            tree.branch = Some(branch.clone());
        }
        let open = OpenRepository::of(&repository).map_err(Failure::from)?;
        self.check(&tree, |name| match model.refs.get(&(self.repository.clone(), name.to_owned())) {
            Some(made) => made.is_some(),
            None => open.peeled(name).is_some(),
        })?;
        model.checked_out.insert(self.repository.clone(), self.branch.clone());
        if let WorkTreeMove::Create(commit) | WorkTreeMove::Forward(commit) = &self.how {
            let name = format!("refs/heads/{}", self.branch);
            model.refs.insert((self.repository.clone(), name), Some(commit.as_str().into()));
        }
        Ok(())
    }
}

impl MoveWorkTree {
    /// Refuses what git would refuse; `is_there` says whether there is a ref.
    fn check(&self, tree: &WorkTree, is_there: impl Fn(&str) -> bool) -> Result<(), Failure> {
        let (branch, full) = (&self.branch, named("refs/heads/", &self.branch)?);
        match &self.how {
            WorkTreeMove::Switch => {}
            WorkTreeMove::Create(commit) => _ = whole_commit(commit)?,
            WorkTreeMove::Forward(commit) => {
                whole_commit(commit)?;
                if tree.branch.as_deref() != Some(branch) {
                    return Err(Failure::failed(format!("`{branch}` isn't checked out any more")));
                }
            }
            WorkTreeMove::Merge { onto, name } => {
                whole_commit(onto)?;
                named("refs/heads/", name)?;
            }
            WorkTreeMove::Pick { onto, commit } => {
                whole_commit(onto)?;
                whole_commit(commit)?;
            }
        }
        let is_new = matches!(self.how, WorkTreeMove::Create(_));
        match is_there(&full) {
            true if is_new => Err(Failure::failed(format!("the branch `{branch}` already exists"))),
            false if !is_new => Err(Failure::failed(format!("`{branch}` isn't a branch here"))),
            _ if tree.elsewhere.contains(branch) => {
                Err(Failure::failed(format!("another work tree has `{branch}` checked out")))
            }
            _ => Ok(()),
        }
    }

    async fn make(&self, repository: &Repository) -> Result<(), GitError> {
        let switch = ["switch", "--quiet", "--no-guess", &self.branch];
        let forward = ["merge", "--quiet", "--ff-only"];
        let (onto, words) = match &self.how {
            WorkTreeMove::Switch => return done(repository, &switch, WITHIN).await,
            WorkTreeMove::Create(commit) => {
                let args = ["switch", "--quiet", "--no-guess", "--no-track", "--create", &self.branch, commit];
                return done(repository, &args, WITHIN).await;
            }
            WorkTreeMove::Forward(commit) => {
                return done(repository, &[&forward[..], &[commit]].concat(), WITHIN).await;
            }
            WorkTreeMove::Merge { onto, name } => (onto, vec!["merge", "--quiet", "--no-ff", "--no-edit", name]),
            WorkTreeMove::Pick { onto, commit } => (onto, pick_words(repository, commit).await?),
        };
        done(repository, &switch, WITHIN).await?;
        done(repository, &[&forward[..], &[onto]].concat(), WITHIN).await?;
        let ended = git(repository, &words, WITHIN).await?;
        if ended.ok || WorkTree::of(repository)?.doing.is_some() {
            return Ok(());
        }
        Err(GitError::Git { what: verb(&words), why: ended.why() })
    }
}
