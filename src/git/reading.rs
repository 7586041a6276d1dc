//! Reads repositories, as effects.
use super::{
    Between, FetchProgress, GitError, ReferenceNames, ReferenceQuery, Repository, Resolved, log_between,
    made::{names_with, resolve_with},
    names,
    open::OpenRepository,
    resolve, silent,
};
use crate::{
    effect::*,
    event::EventKind,
    failure::{Cause, Failure},
    fleet::{Accept, App, Fleet, TagPattern},
    model::{Miss, Model, Predicted},
};
use futures_util::FutureExt;
use serde::{Deserialize, Serialize};
use std::{path::Path, time::Duration};

/// How long the user's git may take with a remote. For a fetch, how long nothing may arrive.
pub const WITHIN: Duration = Duration::from_secs(120);

/// Finds the one commit that a name means.
#[derive(Clone, Debug, Serialize)]
pub struct Resolve {
    pub repository: String,
    pub reference: String,
    pub accept: Vec<Accept>,
    pub guarded: bool,
    /// Which tags are the app's releases.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<TagPattern>,
    /// The folder of the repository that is the app.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tree: Option<String>,
}

impl Resolve {
    /// Asks the repository of the fleet's app, by the fleet's rules.
    pub fn of(fleet: &Fleet, reference: &str) -> Result<Self, Failure> {
        let (app, reference) = (app(fleet)?, reference.to_owned());
        let (repository, tags, tree) = (app.repository.clone(), app.tags.clone(), app.rules.tree.clone());
        Ok(Self { repository, reference, accept: fleet.accept.clone(), guarded: fleet.guarded, tags, tree })
    }

    /// Asks for a commit that is pushed, without the rules of a fleet.
    pub fn pushed(repository: &str, reference: &str) -> Self {
        let (repository, reference) = (repository.to_owned(), reference.to_owned());
        let accept = vec![Accept::Stable, Accept::Tag, Accept::Branch, Accept::Commit];
        Self { repository, reference, accept, guarded: true, tags: None, tree: None }
    }

    fn wanted<'a>(&'a self, fetch: bool, progress: FetchProgress<'a>) -> ReferenceQuery<'a> {
        let (reference, accept, guarded) = (&self.reference, &self.accept, self.guarded);
        let (tags, tree) = (self.tags.as_ref(), self.tree.as_deref());
        ReferenceQuery { reference, fetch, accept, guarded, tags, tree, within: WITHIN, progress }
    }
}

/// Returns the app of a fleet.
///
/// Fails with `Fabfile` if it has none.
pub fn app(fleet: &Fleet) -> Result<&App, Failure> {
    let none = || {
        Failure::new(Cause::Fabfile, format!("fleet `{}` has no app", fleet.name))
            .help("add `[app]` with `repository` and `path` to the fleet file")
    };
    fleet.app.as_ref().ok_or_else(|| fleet.unchosen().unwrap_or_else(none))
}

impl Read for Resolve {
    type Outcome = Resolved;
    const NAME: &'static str = "resolve";

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.repository)
    }

    fn describe(&self) -> String {
        format!("resolve {}", self.reference)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Resolved, Failure> {
        let repository = Repository::of(&self.repository, &at)?;
        let told = fetched(&at);
        let fetch = at.real.fetch && repository.remote.is_some();
        let resolved = resolve(&repository, self.wanted(fetch, &told)).await?;
        for warning in &resolved.warnings {
            at.tell(EventKind::Warned { host: None, text: warning.clone() });
        }
        Ok(resolved)
    }

    /// A dry run reads the real repository, as it was last fetched, and what the run itself made.
    fn predict(&self, model: &mut Model) -> Predicted<Resolved> {
        let repository = here(&self.repository)?;
        let ask = self.wanted(false, &silent);
        if let Some(made) = resolve_with(model, &self.repository, &repository, &ask).map_err(Failure::from)? {
            return Ok(made);
        }
        let resolved = resolve(&repository, ask).now_or_never();
        let resolved = resolved.ok_or_else(|| Failure::unknown("a reading of the repository waits"))?;
        resolved.map_err(|e| Miss::Fails(e.into()))
    }
}

/// Reports the progress of a fetch.
pub fn fetched<'a>(at: &'a At<'_>) -> impl Fn(u64, u64) + Send + Sync + 'a {
    |done, total| at.tell(EventKind::Progressed { host: None, what: "fetched".into(), done, total, unit: "objects" })
}

/// Finds a repository on this machine without creating anything.
pub fn here(source: &str) -> Result<Repository, Failure> {
    if !source.starts_with('/') {
        let message = format!("the simulator reads repositories of this machine, and `{source}` isn't on it");
        return Err(Failure::failed(message));
    }
    Ok(Repository::locate(source, Path::new("/nonexistent"))?)
}

/// Lists the commits that each of two commits has and the other doesn't.
#[derive(Clone, Debug, Serialize)]
pub struct ReadLog {
    pub repository: String,
    pub old: String,
    pub new: String,
    pub most: usize,
    /// The folder of the repository that the commits must change; `None` for all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tree: Option<String>,
}

impl ReadLog {
    /// Lists the commits. A host's release has only the beginning of its commit's id.
    fn between(&self, repository: &Repository) -> Result<Between, GitError> {
        let open = OpenRepository::of(repository)?;
        let whole = |id: &str| Ok::<_, GitError>(open.beginning(id)?.unwrap_or_else(|| id.to_owned()));
        log_between(repository, &whole(&self.old)?, &whole(&self.new)?, self.most, self.tree.as_deref())
    }
}

impl Read for ReadLog {
    type Outcome = Between;
    const NAME: &'static str = "read_log";

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.repository)
    }

    fn describe(&self) -> String {
        let short = |commit: &str| commit.get(..12).unwrap_or(commit).to_owned();
        format!("read the commits between {} and {}", short(&self.old), short(&self.new))
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Between, Failure> {
        Ok(self.between(&Repository::of(&self.repository, &at)?)?)
    }

    fn predict(&self, model: &mut Model) -> Predicted<Between> {
        let repository = here(&self.repository)?;
        let real = |commit: &str| model.prepared.stand_in(commit).to_owned();
        let read = ReadLog { old: real(&self.old), new: real(&self.new), ..self.clone() };
        read.between(&repository).map_err(|e| Miss::Fails(e.into()))
    }
}

/// Lists the branches and tags as last fetched.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReadNames {
    pub repository: String,
}

impl Read for ReadNames {
    type Outcome = ReferenceNames;
    const NAME: &'static str = "read_ref_names";

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.repository)
    }

    fn describe(&self) -> String {
        "read branches and tags".to_owned()
    }

    async fn carry_out(&self, at: At<'_>) -> Result<ReferenceNames, Failure> {
        let repository = Repository::of(&self.repository, &at)?;
        Ok(names(&repository)?)
    }

    fn predict(&self, model: &mut Model) -> Predicted<ReferenceNames> {
        names_with(model, &self.repository, &here(&self.repository)?).map_err(|e| Miss::Fails(e.into()))
    }
}
