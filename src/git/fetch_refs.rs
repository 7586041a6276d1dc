//! A fetch into rfab's own refs, as an effect that changes nothing of the user's.
use super::{
    Repository, fetch,
    reading::{WITHIN, fetched},
};
use crate::{
    effect::*,
    failure::Failure,
    model::{Model, Predicted},
};
use serde::Serialize;

/// Fetches the remote's branches and tags into rfab's own refs. A run that did only this isn't resumed.
#[derive(Clone, Debug, Serialize)]
pub struct FetchRefs {
    pub repository: String,
}

impl Read for FetchRefs {
    type Outcome = ();
    const NAME: &'static str = "fetch";

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.repository)
    }

    fn describe(&self) -> String {
        "fetch".to_owned()
    }

    async fn carry_out(&self, at: At<'_>) -> Result<(), Failure> {
        let repository = Repository::of(&self.repository, &at)?;
        Ok(fetch(&repository, WITHIN, &fetched(&at)).await?)
    }

    fn predict(&self, _: &mut Model) -> Predicted<()> {
        Ok(())
    }
}
