//! A fetch of one name of the remote, such as the head of a pull request.
use super::{
    Repository,
    fetch::fetch_one,
    reading::{WITHIN, fetched},
    write::named,
};
use crate::{
    effect::*,
    failure::Failure,
    model::{Model, Predicted},
};
use serde::Serialize;

/// Fetches the commits that a name of the remote has, and gives them no name here.
#[derive(Clone, Debug, Serialize)]
pub struct FetchName {
    pub repository: String,
    /// The full name: `refs/pull/12/head`.
    pub name: String,
}

impl Read for FetchName {
    type Outcome = ();
    const NAME: &'static str = "fetch_name";

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.repository)
    }

    fn describe(&self) -> String {
        format!("fetch {}", self.name)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<(), Failure> {
        let name = named("refs/", self.name.trim_start_matches("refs/"))?;
        let repository = Repository::of(&self.repository, &at)?;
        Ok(fetch_one(&repository, &name, WITHIN, &fetched(&at)).await?)
    }

    fn predict(&self, _: &mut Model) -> Predicted<()> {
        named("", &self.name).map_err(Failure::from)?;
        Ok(())
    }
}
