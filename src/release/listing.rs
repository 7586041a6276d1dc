//! The releases of a host.
use crate::{
    effect::*,
    failure::{Cause, Failure},
    fleet::Fleet,
    git::app,
    host::{Host, Name},
    model::{Model, Predicted, Release},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What is staged on a host, and what is current.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Listing {
    pub releases: BTreeSet<Release>,
    pub current: Option<Release>,
    /// Where `current` leads, if that is another tool's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub foreign: Option<String>,
    /// The commit that the other tool's `REVISION` names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The highest number that a whole release there has.
    pub highest: u32,
    /// Folders that are named like releases, of higher numbers, and are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub incomplete: Vec<String>,
    /// Whether the app's folders are there at all.
    pub set_up: bool,
}

impl Listing {
    /// The release of a commit, the newest if there are several.
    pub fn of(&self, commit: &str) -> Option<&Release> {
        self.releases.iter().rev().find(|r| r.is_of(commit))
    }

    /// The newest release before the current one.
    pub fn previous(&self) -> Option<&Release> {
        let current = self.current.as_ref()?;
        self.releases.iter().filter(|r| r.number < current.number).max()
    }
}

/// Where an app is on a host, and who owns it there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Home {
    pub path: String,
    /// The login user if absent.
    pub user: Option<Name>,
}

impl Home {
    /// Where the fleet's app is on a host.
    ///
    /// `Fabfile` when the fleet has no app, or the host does not get it.
    pub fn of(fleet: &Fleet, host: &Host) -> Result<Home, Failure> {
        let app = app(fleet)?;
        if !app.is_on(host) {
            let roles: Vec<String> = app.roles.iter().map(|role| format!("`{role}`")).collect();
            let message = format!("host `{host}` doesn't get the app: it has none of its roles, {}", roles.join(", "));
            let help = "leave it out with `release::hosts(targets())`, or give it such a role in the fleet file";
            return Err(Failure::new(Cause::Fabfile, message).on(&host.name).help(help));
        }
        Ok(Home { path: app.path_on(host), user: app.user.clone() })
    }
}

/// Lists a host's releases.
#[derive(Clone, Debug, Serialize)]
pub struct ReadReleases {
    pub host: Host,
    pub home: Home,
}

impl ReadReleases {
    pub fn of(fleet: &Fleet, host: &Host) -> Result<Self, Failure> {
        Ok(Self { host: host.clone(), home: Home::of(fleet, host)? })
    }
}

impl Read for ReadReleases {
    type Outcome = Listing;
    const NAME: &'static str = "read_releases";

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.host)
    }

    fn describe(&self) -> String {
        "list its releases".to_owned()
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Listing, Failure> {
        super::on_host::list(&at, &self.host, &self.home).await
    }

    fn predict(&self, model: &mut Model) -> Predicted<Listing> {
        let machine = model.machine(&self.host)?;
        let releases = machine.releases.get("its releases")?.clone();
        let current = machine.current.get("its current release")?.clone();
        let set_up = *machine.set_up.get("whether it is set up")?;
        let highest = releases.iter().chain(&current).map(|r| r.number).max().unwrap_or(0);
        let (foreign, revision) = (machine.foreign.clone(), machine.revision.clone());
        Ok(Listing { releases, current, foreign, revision, highest, incomplete: Vec::new(), set_up })
    }

    fn learn(&self, outcome: &Listing, model: &mut Model) {
        if let Ok(machine) = model.machine(&self.host) {
            machine.releases.tell(outcome.releases.clone());
            machine.current.tell(outcome.current.clone());
            machine.set_up.tell(outcome.set_up);
            machine.foreign.clone_from(&outcome.foreign);
            machine.revision.clone_from(&outcome.revision);
        }
    }
}
