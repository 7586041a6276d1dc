//! Another branch in the work tree.
use super::{
    Repository, WorkTree,
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

/// Switches to a branch, which is made first if it begins at a commit.
#[derive(Clone, Debug, Serialize)]
pub struct Switch {
    pub repository: String,
    pub branch: String,
    /// The commit that a new branch begins at.
    pub at: Option<String>,
}

impl Effect for Switch {
    type Outcome = ();
    const NAME: &'static str = "switch";
    const KIND: EffectKind = EffectKind::Once;

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.repository)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Here
    }

    fn describe(&self) -> String {
        match &self.at {
            Some(_) => format!("start the branch {}", self.branch),
            None => format!("switch to {}", self.branch),
        }
    }

    fn look(&self, ask: Ask<'_>) -> Result<Happened<()>, Failure> {
        let state = ask.read(ReadWorkTree { repository: self.repository.clone() })?;
        let there = state.branch.as_deref() == Some(&self.branch);
        Ok(if there { Happened::Done(()) } else { Happened::Not })
    }

    fn assumed(&self) -> Option<()> {
        Some(())
    }

    async fn carry_out(&self, at: At<'_>) -> Result<(), Failure> {
        let repository = Repository::locate(&self.repository, &at.real.cache.join("mirrors"))?;
        named("refs/heads/", &self.branch)?;
        let mut args = vec!["switch", "--quiet", "--no-guess"];
        match &self.at {
            Some(commit) => args.extend(["--no-track", "--create", &self.branch, whole_commit(commit)?]),
            None => args.push(&self.branch),
        }
        Ok(done(&repository, &args, WITHIN).await?)
    }

    fn predict(&self, model: &mut Model) -> Predicted<()> {
        WorkTree::of(&here(&self.repository)?).map_err(Failure::from)?;
        model.checked_out.insert(self.repository.clone(), self.branch.clone());
        if let Some(commit) = &self.at {
            let name = format!("refs/heads/{}", self.branch);
            model.refs.insert((self.repository.clone(), name), Some(commit.as_str().into()));
        }
        Ok(())
    }
}
