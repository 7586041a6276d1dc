//! What a ref of a repository names.
use super::{Repository, open::OpenRepository, reading::here};
use crate::{
    effect::*,
    failure::Failure,
    model::{Model, Predicted},
};
use serde::Serialize;

/// Reads which commit a ref names in the end; `None` if there is no such ref.
#[derive(Clone, Debug, Serialize)]
pub struct ReadRef {
    pub repository: String,
    /// The full name, such as `refs/heads/main`.
    pub name: String,
}

impl Read for ReadRef {
    type Outcome = Option<String>;
    const NAME: &'static str = "read_ref";

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.repository)
    }

    fn describe(&self) -> String {
        format!("read {}", self.name)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Option<String>, Failure> {
        let repository = Repository::locate(&self.repository, &at.real.cache.join("mirrors"))?;
        Ok(OpenRepository::of(&repository)?.peeled(&self.name))
    }

    fn predict(&self, model: &mut Model) -> Predicted<Option<String>> {
        let repository = here(&self.repository)?;
        if let Some(named) = model.refs.get(&(self.repository.clone(), self.name.clone())) {
            return Ok(named.as_ref().map(|commit| commit.to_string()));
        }
        Ok(OpenRepository::of(&repository).map_err(Failure::from)?.peeled(&self.name))
    }
}
