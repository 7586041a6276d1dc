//! Looks whether a host can be deployed to, before anything is changed anywhere.
use super::{Home, Lacks, tree::linked};
use crate::{
    effect::*,
    failure::Failure,
    fleet::Fleet,
    git::{Repository, app},
    host::Host,
    model::{Commit, Model, Predicted},
};
use serde::Serialize;
use std::path::Path;

/// Finds all that would keep a release from being staged: tools, folders, rights and linked files that are missing.
#[derive(Clone, Debug, Serialize)]
pub struct Preflight {
    pub host: Host,
    pub home: Home,
    /// The repository, and the linked names of its app.
    pub repository: String,
    pub linked: Vec<String>,
    /// The commit that is to be deployed, if that is known: it says which linked names are files.
    pub commit: Option<Commit>,
}

impl Preflight {
    /// The look at a host of a fleet; `Fabfile` when the fleet has no app.
    pub fn of(fleet: &Fleet, host: &Host) -> Result<Self, Failure> {
        let (home, app) = (Home::of(fleet, host)?, app(fleet)?);
        let (repository, linked) = (app.repository.clone(), app.linked.clone());
        Ok(Self { host: host.clone(), home, repository, linked, commit: None })
    }
}

impl Preflight {
    /// The linked names that are files; none while nobody knows the commit.
    fn files(&self, mirrors: &Path) -> Vec<String> {
        let (Some(commit), false) = (&self.commit, self.linked.is_empty()) else { return Vec::new() };
        let repository = Repository::locate(&self.repository, mirrors);
        repository.map(|repository| linked::files(&repository, commit, &self.linked)).unwrap_or_default()
    }
}

impl Read for Preflight {
    type Outcome = Lacks;
    const NAME: &'static str = "preflight";

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.host)
    }

    fn describe(&self) -> String {
        "check whether it can be deployed to".to_owned()
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Lacks, Failure> {
        let files = self.files(&at.real.cache.join("mirrors"));
        super::on_host::preflight(&at, self, &files).await
    }

    fn predict(&self, model: &mut Model) -> Predicted<Lacks> {
        let files = self.files(Path::new("/nonexistent"));
        let machine = model.machine(&self.host)?;
        let mut lacks = Lacks::default();
        if !*machine.set_up.get("whether it is set up")? {
            lacks.problems.push("the app's folders aren't there yet".to_owned());
        }
        // What a host serves has all that is linked.
        if machine.current.get("its current release")?.is_none() {
            let there = |file: &String| {
                let fact = machine.files.get(&format!("{}/shared/{file}", self.home.path));
                fact.is_some_and(|fact| matches!(fact.get("a file"), Ok(Some(_))))
            };
            lacks.files = files.into_iter().filter(|file| !there(file)).collect();
        }
        Ok(lacks)
    }
}
