//! The refs of a repository below a prefix.
use super::{Repository, open::OpenRepository, reading::here, write::named};
use crate::{
    effect::*,
    failure::Failure,
    model::{Model, Predicted},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// Lists the refs below a prefix, such as `refs/heads/hotfix/`.
#[derive(Clone, Debug, Serialize)]
pub struct ListRefs {
    pub repository: String,
    pub prefix: String,
}

impl Read for ListRefs {
    /// The commits by the refs' names without the prefix.
    type Outcome = BTreeMap<String, String>;
    const NAME: &'static str = "list_refs";

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.repository)
    }

    fn describe(&self) -> String {
        format!("list {}*", self.prefix)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Self::Outcome, Failure> {
        self.list(&Repository::of(&self.repository, &at)?)
    }

    fn predict(&self, model: &mut Model) -> Predicted<Self::Outcome> {
        let mut all = self.list(&here(&self.repository)?)?;
        for ((repository, name), commit) in &model.refs {
            let Some(name) = name.strip_prefix(&self.prefix).filter(|_| *repository == self.repository) else {
                continue;
            };
            match commit {
                Some(commit) => drop(all.insert(name.to_owned(), commit.to_string())),
                None => drop(all.remove(name)),
            }
        }
        Ok(all)
    }
}

impl ListRefs {
    fn list(&self, repository: &Repository) -> Result<BTreeMap<String, String>, Failure> {
        named("", &format!("{}x", self.prefix))?;
        let below = OpenRepository::of(repository)?.below(&self.prefix)?;
        Ok(below.into_iter().map(|named| (named.name, named.commit)).collect())
    }
}
