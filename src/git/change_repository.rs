//! Changes a repository with the user's git, as an effect.
use super::{Change, ChangeTrace, ReadChange, Repository, commit, merge, predicted_commit, push, reading::WITHIN, tag};
use crate::{
    effect::*,
    failure::Failure,
    model::{Model, Predicted},
};
use serde::Serialize;

/// Changes a repository.
#[derive(Clone, Debug, Serialize)]
pub struct ChangeRepository {
    pub repository: String,
    pub change: Change,
}

impl Effect for ChangeRepository {
    /// The commit that the change made, if it made one.
    type Outcome = Option<String>;
    const NAME: &'static str = "git";
    const KIND: EffectKind = EffectKind::Once;

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.repository)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Here
    }

    fn describe(&self) -> String {
        self.change.describe()
    }

    fn look(&self, ask: Ask<'_>) -> Result<Happened<Option<String>>, Failure> {
        let read = ReadChange { repository: self.repository.clone(), change: self.change.clone() };
        Ok(match ask.read(read)? {
            ChangeTrace::Yes(commit) => Happened::Done(commit),
            ChangeTrace::No => Happened::Not,
            ChangeTrace::Unclear => Happened::Cannot,
        })
    }

    fn assumed(&self) -> Option<Option<String>> {
        (!matches!(self.change, Change::Commit { .. } | Change::Merge { .. })).then_some(None)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Option<String>, Failure> {
        let repository = Repository::of(&self.repository, &at)?;
        Ok(match &self.change {
            Change::Commit { message, files } => {
                let files: Vec<&str> = files.iter().map(String::as_str).collect();
                Some(commit(&repository, message, &files, WITHIN).await?)
            }
            Change::Merge { reference } => Some(merge(&repository, reference, WITHIN).await?),
            Change::Tag { name, commit, message } => {
                tag(&repository, name, commit, message.as_deref(), WITHIN).await?;
                None
            }
            Change::Push { what } => {
                push(&repository, what, WITHIN).await?;
                None
            }
        })
    }

    /// Only git can know the result of a merge, or of a commit of other files than the run wrote.
    fn predict(&self, model: &mut Model) -> Predicted<Option<String>> {
        if let Change::Commit { message, files } = &self.change
            && let Some(made) = predicted_commit(&self.repository, message, files, model)?
        {
            return Ok(Some(made));
        }
        match self.change {
            Change::Tag { .. } | Change::Push { .. } => {
                model.repositories.insert((self.repository.clone(), self.change.describe()));
                Ok(None)
            }
            Change::Commit { .. } | Change::Merge { .. } => {
                let message = format!("the simulator doesn't change repositories: {}", Effect::describe(self));
                Err(Failure::failed(message).into())
            }
        }
    }
}
