//! Hooks of a repository that git itself doesn't know, such as those of git-flow.
use super::{
    GitError, Repository, hooks,
    process::program,
    reading::{WITHIN, here},
    write::text,
};
use crate::{
    effect::*,
    failure::Failure,
    model::{Model, Predicted},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// Lists the hooks of a repository that can run.
#[derive(Clone, Debug, Serialize)]
pub struct ReadHooks {
    pub repository: String,
}

impl Read for ReadHooks {
    type Outcome = Vec<String>;
    const NAME: &'static str = "read_hooks";

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.repository)
    }

    fn describe(&self) -> String {
        "list the hooks of the repository".to_owned()
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Vec<String>, Failure> {
        Ok(hooks::names(&Repository::of(&self.repository, &at)?)?)
    }

    fn predict(&self, _: &mut Model) -> Predicted<Vec<String>> {
        Ok(hooks::names(&here(&self.repository)?).map_err(Failure::from)?)
    }
}

/// Runs a hook of a repository in its work tree. To run it twice is what its users expect: git-flow does it, too.
#[derive(Clone, Debug, Serialize)]
pub struct RunHook {
    pub repository: String,
    pub name: String,
    pub arguments: Vec<String>,
    pub variables: BTreeMap<String, String>,
}

impl Effect for RunHook {
    /// What it printed to stdout, without the last line ends.
    type Outcome = String;
    const NAME: &'static str = "run_hook";
    const KIND: EffectKind = EffectKind::Change;

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.repository)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Here
    }

    fn describe(&self) -> String {
        format!("run the hook {}", self.name)
    }

    fn look(&self, _: Ask<'_>) -> Result<Happened<String>, Failure> {
        Ok(Happened::Not)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<String, Failure> {
        let repository = Repository::of(&self.repository, &at)?;
        Ok(self.run(&repository).await?)
    }

    /// A simulated hook prints nothing.
    fn predict(&self, _: &mut Model) -> Predicted<String> {
        here(&self.repository)?;
        Ok(String::new())
    }
}

impl RunHook {
    async fn run(&self, repository: &Repository) -> Result<String, GitError> {
        let words = self.arguments.iter().chain(self.variables.values());
        words.chain([&self.name]).try_for_each(|word| text(word))?;
        if !hooks::names(repository)?.contains(&self.name) {
            return Err(GitError::BadName(super::visible::visible(&self.name)));
        }
        let hook = hooks::folder(repository)?.join(&self.name);
        let ended = program(repository, &hook, &self.arguments, &self.variables, WITHIN).await?;
        if ended.ok {
            return Ok(ended.out.trim_end_matches('\n').to_owned());
        }
        Err(GitError::Git { what: format!("hook {}", self.name), why: ended.why() })
    }
}
