//! What refs of the remote name now.
use super::{
    GitError, Repository,
    process::git,
    reading::{WITHIN, here},
    write::named,
};
use crate::{
    effect::*,
    failure::Failure,
    model::{Model, Predicted},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// Asks the remote what refs name: an annotated tag names the tag's object.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ReadRemoteRefs {
    pub repository: String,
    /// Full names, such as `refs/heads/main`.
    pub names: Vec<String>,
}

impl Read for ReadRemoteRefs {
    /// The objects by name, without the refs that aren't there.
    type Outcome = BTreeMap<String, String>;
    const NAME: &'static str = "read_remote_refs";

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.repository)
    }

    fn describe(&self) -> String {
        format!("ask the remote for {}", self.names.join(", "))
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Self::Outcome, Failure> {
        let repository = Repository::of(&self.repository, &at)?;
        Ok(self.ask(&repository).await?)
    }

    fn predict(&self, model: &mut Model) -> Predicted<Self::Outcome> {
        here(&self.repository)?;
        let known = |name: &String| {
            let own = format!("refs/rfab/{}", name.trim_start_matches("refs/"));
            let commit = model.refs.get(&(self.repository.clone(), own))?.as_ref()?;
            Some((name.clone(), commit.to_string()))
        };
        Ok(self.names.iter().filter_map(known).collect())
    }
}

impl ReadRemoteRefs {
    async fn ask(&self, repository: &Repository) -> Result<BTreeMap<String, String>, GitError> {
        let remote = repository.remote.as_deref().ok_or(GitError::NoRemote)?;
        let names = self.names.iter().map(|name| named("", name)).collect::<Result<Vec<_>, _>>()?;
        let mut args = vec!["ls-remote", "--quiet", "--", remote];
        args.extend(names.iter().map(String::as_str));
        let ended = git(repository, &args, WITHIN).await?;
        if !ended.ok {
            return Err(GitError::Git { what: "ls-remote".to_owned(), why: ended.why() });
        }
        let pair = |line: &str| line.split_once('\t').map(|(object, name)| (name.to_owned(), object.to_owned()));
        // A pattern also finds refs that only end like it.
        Ok(ended.out.lines().filter_map(pair).filter(|(name, _)| self.names.contains(name)).collect())
    }
}
