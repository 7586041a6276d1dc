//! The newest stable tag of a repository.
use super::{
    GitError, ReferenceNames, Repository, made::names_with, open::OpenRepository, reading::here, stable::stable_tags,
};
use crate::{
    effect::*,
    failure::Failure,
    fleet::TagPattern,
    model::{Miss, Model, Predicted},
};
use serde::Serialize;

/// Finds the newest stable tag as last fetched; `None` if there is none.
#[derive(Clone, Debug, Serialize)]
pub struct ReadNewestStable {
    pub repository: String,
    /// Which tags are releases; `None` for `vX.Y.Z` and `X.Y.Z`.
    pub tags: Option<TagPattern>,
}

impl Read for ReadNewestStable {
    type Outcome = Option<String>;
    const NAME: &'static str = "read_newest_stable";

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.repository)
    }

    fn describe(&self) -> String {
        "find the newest stable tag".to_owned()
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Option<String>, Failure> {
        Ok(self.newest(&Repository::of(&self.repository, &at)?)?)
    }

    fn predict(&self, model: &mut Model) -> Predicted<Option<String>> {
        let names = names_with(model, &self.repository, &here(&self.repository)?).map_err(Failure::from)?;
        let newest = names.stable(self.tags.as_ref()).map_err(|e| Miss::Fails(e.into()))?;
        Ok(newest.map(|named| named.name.clone()))
    }
}

impl ReadNewestStable {
    fn newest(&self, repository: &Repository) -> Result<Option<String>, GitError> {
        let tags = stable_tags(&OpenRepository::of(repository)?, repository, self.tags.as_ref())?;
        let names = ReferenceNames { branches: Vec::new(), tags };
        Ok(names.stable(self.tags.as_ref())?.map(|named| named.name.clone()))
    }
}
