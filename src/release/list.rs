//! Lists the releases of a host.
use super::{
    Home, ReleaseError,
    held::HeldReleases,
    listed::{self, Current, listed},
    on_host::{on, plain, run},
    program::Program,
};
use crate::{
    command::Command,
    effect::*,
    failure::Failure,
    fleet::Fleet,
    host::Host,
    model::{Model, Predicted, Release},
    port::LATELY,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What is staged on a host, and what is current.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Listing {
    pub releases: BTreeSet<Release>,
    pub current: Option<Release>,
    /// The target of `current`, if it belongs to another tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub foreign: Option<String>,
    /// The commit in the other tool's `REVISION`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The highest number of a complete release.
    pub highest: u32,
    /// Folders with a release's name and a higher number that aren't releases.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub incomplete: Vec<String>,
    /// Whether the app's folders exist.
    pub set_up: bool,
}

impl Listing {
    /// Finds the release of a commit, the newest if there are several.
    pub fn of(&self, commit: &str) -> Option<&Release> {
        self.releases.iter().rev().find(|r| r.is_of(commit))
    }

    /// Returns the newest release before the current one.
    pub fn previous(&self) -> Option<&Release> {
        let current = self.current.as_ref()?;
        self.releases.iter().filter(|r| r.number < current.number).max()
    }
}

/// Lists a host's releases.
#[derive(Clone, Debug, Serialize)]
pub struct ReadReleases {
    pub host: Host,
    pub home: Home,
}

impl ReadReleases {
    /// Makes the reading for the fleet's app on a host.
    pub fn of(fleet: &Fleet, host: &Host) -> Result<Self, Failure> {
        Ok(Self { host: host.clone(), home: Home::of(fleet, host)? })
    }

    async fn read(&self, at: &At<'_>) -> Result<Listing, Failure> {
        let listed = match listing(at, &self.host, &self.home).await? {
            Err(ReleaseError::NotSetUp(_)) => return Ok(Listing::default()),
            listed => listed.map_err(on(&self.host))?,
        };
        let release = |r: &listed::ListedRelease| Release { number: r.name.number, commit: r.commit.as_str().into() };
        let current = match &listed.current {
            Current::None => None,
            Current::Release(name) => listed
                .releases
                .iter()
                .find(|r| r.name == *name)
                .map(release)
                .or_else(|| Some(Release { number: name.number, commit: name.short().into() })),
            Current::Foreign(what) if what.is_empty() => {
                return Err(on(&self.host)(ReleaseError::CurrentFolder(format!("{}/current", self.home.path))));
            }
            Current::Foreign(_) => None,
        };
        let foreign = match &listed.current {
            Current::Foreign(target) => Some(target.clone()),
            _ => None,
        };
        let highest = listed.highest();
        let others = listed.incomplete.iter().filter(|name| name.number > highest);
        Ok(Listing {
            releases: listed.releases.iter().map(release).collect(),
            current,
            foreign,
            revision: listed.revision.clone(),
            highest,
            incomplete: others.map(ToString::to_string).collect(),
            set_up: !listed.lacks_folders,
        })
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

    /// A listing that ended a moment ago is as good, if this run has changed nothing since it began.
    async fn carry_out(&self, at: At<'_>) -> Result<Listing, Failure> {
        let place = format!("{} {}", self.host.name, self.home.path);
        let last = at.real.site(&self.host.fleet).releases.of(&place);
        match last.lately(LATELY).await {
            Some(listing) => Ok(listing),
            None => last.get(self.read(&at)).await,
        }
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

/// Lists a host's releases, and remembers them for the rest of the run.
pub(super) async fn listing(
    at: &At<'_>,
    host: &Host,
    home: &Home,
) -> Result<Result<listed::Listed, ReleaseError>, Failure> {
    let command = list(&home.path).map_err(on(host))?;
    let listed = listed(&run(at, host, &home.user, plain(&command)).await?);
    if let Ok(listed) = &listed {
        at.real.kept.get::<HeldReleases>().remember(host, home, listed);
    }
    Ok(listed)
}

/// Makes the command that lists the releases and which is current; it changes nothing.
pub fn list(path: &str) -> Result<Command, ReleaseError> {
    Program::List.command(path, &[])
}
