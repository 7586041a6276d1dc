//! What a ref of a repository names.
use super::{Repository, open::OpenRepository, process, reading::here, write::named};
use crate::{
    effect::*,
    failure::Failure,
    model::{Model, Predicted},
};
use serde::Serialize;

/// Reads which commit a ref leads to, or which object it names; `None` if there is no such ref.
#[derive(Clone, Debug, Serialize)]
pub struct ReadRef {
    pub repository: String,
    /// The full name, such as `refs/heads/main`.
    pub name: String,
    /// Whether the tag's own object is meant, if it names an annotated tag.
    pub object: bool,
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
        let repository = Repository::of(&self.repository, &at)?;
        self.read(&repository)
    }

    fn predict(&self, model: &mut Model) -> Predicted<Option<String>> {
        let repository = here(&self.repository)?;
        if let Some(named) = model.refs.get(&(self.repository.clone(), self.name.clone())) {
            let led_to =
                |object: &str| if self.object { object.to_owned() } else { model.prepared.tagged(object).to_owned() };
            return Ok(named.as_deref().map(led_to));
        }
        Ok(self.read(&repository)?)
    }
}

impl ReadRef {
    fn read(&self, repository: &Repository) -> Result<Option<String>, Failure> {
        if !self.object {
            return Ok(OpenRepository::of(repository)?.peeled(&self.name));
        }
        let name = named("", &self.name)?;
        let (ended, out) = process::read(repository, &["rev-parse", "--verify", "--quiet", &name], "")?;
        Ok(ended.ok.then(|| String::from_utf8_lossy(&out).trim().to_owned()))
    }
}
