//! What a host should serve, as it is written down where it is served.
use super::{Answer, Probe, says, says::names_commit};
use crate::{
    bookkeeping::ReadLedger,
    effect::*,
    failure::Failure,
    fleet::Fleet,
    host::Host,
    ledger::Book,
    model::{Commit, Model, Predicted},
    release::{Listing, ReadBook, ReadReleases},
    service::ReadInstalled,
};
use serde::{Deserialize, Serialize, Serializer};
use std::sync::Arc;

/// A release, in the forms that a service may name it by.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Expected {
    /// A commit, or a package's version; none where nobody knows.
    pub id: Option<Commit>,
    /// What else it is called: tags, the version and the digest of an archive, another tool's folder.
    pub names: Vec<String>,
    /// Whether only a service that names it is right; else one that is healthy is, too.
    pub sure: bool,
}

impl Expected {
    /// A commit, or a package's version, that must be named.
    pub fn of(id: Commit, names: Vec<String>) -> Expected {
        Expected { id: Some(id), names, sure: true }
    }

    /// How people call it: its first name, and its commit.
    pub fn shown(&self) -> String {
        match self.names.first() {
            Some(name) if name != self.short() => format!("`{name}` ({})", self.short()),
            _ => format!("`{}`", self.short()),
        }
    }

    /// Its commit in short, or its version.
    pub fn short(&self) -> &str {
        self.id.as_ref().map_or("what it should serve", |id| &id[..id.len().min(12)])
    }

    /// Whether names are to be looked up in ledgers, where a good answer does not prove it without.
    ///
    /// `nameless` says that an answer is good, too, that could name no release.
    pub(super) fn looks_up(&self, answer: &Answer, nameless: bool) -> bool {
        let unproven = answer.version.as_deref().is_some_and(|said| answer.good && !says(said, self));
        // A package is called by its version alone.
        let unnamed = self.names.is_empty() && self.id.as_deref().is_some_and(names_commit);
        unproven && self.sure && (nameless || unnamed)
    }

    /// Writes its commit or version alone, as effects record it.
    pub fn by_id<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.id.serialize(to)
    }

    /// What a host has as its current release.
    ///
    /// What another tool deployed need not be named, for nobody wrote down how; nor what no tool put into the app's folder.
    fn on(host: &Host, listing: Listing, packaged: bool) -> Result<Expected, Failure> {
        if let Some(current) = listing.current {
            return Ok(Expected::of(current.commit, Vec::new()));
        }
        if let Some(target) = listing.foreign {
            let folder = target.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned();
            return Ok(Expected { id: listing.revision.map(Commit::from), names: vec![folder], sure: false });
        }
        match listing.set_up || packaged {
            true if packaged => Err(Failure::refused("has no package: left out").on(&host.name)),
            true => Err(Failure::refused("has no release: left out").on(&host.name)),
            false => Ok(Expected::default()),
        }
    }
}

/// Finds out what a host should serve: the package that is installed, else its current release.
#[derive(Clone, Serialize)]
pub struct ReadExpected {
    #[serde(serialize_with = "crate::fleet::by_name")]
    pub fleet: Arc<Fleet>,
    pub host: Host,
}

impl ReadExpected {
    fn installed(&self) -> Result<Option<ReadInstalled>, Failure> {
        let service = self.fleet.app.as_ref().and_then(|app| app.service.as_ref());
        let asked = service.is_some_and(|service| service.installed.is_some());
        asked.then(|| ReadInstalled::of(&self.fleet, &self.host)).transpose()
    }
}

impl Read for ReadExpected {
    type Outcome = Expected;
    const NAME: &'static str = "read_expected";

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.host)
    }

    fn describe(&self) -> String {
        "read what it should serve".to_owned()
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Expected, Failure> {
        // Of another host nobody knows what it should serve.
        if !self.fleet.releases_to(&self.host) {
            return Ok(Expected::default());
        }
        let installed = self.installed()?;
        if let Some(read) = &installed
            && let Some(version) = Effect::carry_out(read, at).await?
        {
            return Ok(Expected::of(version.into(), Vec::new()));
        }
        let listing = Effect::carry_out(&ReadReleases::of(&self.fleet, &self.host)?, at).await?;
        Expected::on(&self.host, listing, installed.is_some())
    }

    fn predict(&self, model: &mut Model) -> Predicted<Expected> {
        // Of another host nobody knows what it should serve.
        if !self.fleet.releases_to(&self.host) {
            return Ok(Expected::default());
        }
        let installed = self.installed()?;
        if let Some(read) = &installed
            && let Some(version) = Effect::predict(read, model)?
        {
            return Ok(Expected::of(version.into(), Vec::new()));
        }
        let listing = Effect::predict(&ReadReleases::of(&self.fleet, &self.host)?, model)?;
        Ok(Expected::on(&self.host, listing, installed.is_some())?)
    }
}

/// What ledgers say of the names of releases.
#[derive(Clone, Debug, Default)]
pub struct Written {
    /// What the expected release is called; none where no ledger has it.
    names: Option<Vec<String>>,
    others: Vec<Expected>,
}

impl Written {
    /// Of a release about which nothing needs to be looked up.
    pub(super) fn known() -> Written {
        Written { names: Some(Vec::new()), others: Vec::new() }
    }

    /// Reads the fleet's ledger, and the host's own where the fleet's does not have the release.
    pub(super) async fn of(probe: &Probe, at: At<'_>) -> Result<Written, Failure> {
        let id = probe.expected.id.as_deref();
        let fleet = Effect::carry_out(&ReadLedger { fleet: probe.fleet.clone() }, at).await?;
        let of_fleet = Written::in_book(&fleet, id);
        if of_fleet.names.is_some() {
            return Ok(of_fleet);
        }
        let own = ReadBook::of(&probe.fleet, &probe.host)?.whole(&at).await?;
        Ok(of_fleet.or(Written::in_book(&own, id)))
    }

    /// Reads the same on the model.
    pub(super) fn on_model(probe: &Probe, model: &mut Model) -> Predicted<Written> {
        let id = probe.expected.id.as_deref();
        let fleet = Effect::predict(&ReadLedger { fleet: probe.fleet.clone() }, model)?;
        let own = ReadBook::of(&probe.fleet, &probe.host)?.on_model(model)?;
        Ok(Written::in_book(&fleet, id).or(Written::in_book(&own, id)))
    }

    fn in_book(book: &Book, id: Option<&str>) -> Written {
        let mut written = Written::default();
        for (commit, names) in book.names() {
            match id.is_some_and(|id| commit.starts_with(id) || id.starts_with(commit)) {
                true => written.names.get_or_insert_default().extend(names),
                false => written.others.push(Expected::of(commit.into(), names)),
            }
        }
        written
    }

    fn or(self, other: Written) -> Written {
        Written { names: self.names.or(other.names), others: [self.others, other.others].concat() }
    }

    /// Whether a text names what is expected, with what is written down of it.
    pub(super) fn proves(&self, said: &str, expected: &Expected) -> bool {
        says(said, &Expected { names: self.names.clone().unwrap_or_default(), ..expected.clone() })
    }

    /// Whether a text names a release that a ledger has.
    pub(super) fn names_one(&self, said: &str) -> bool {
        self.others.iter().any(|other| says(said, other))
            || self.names.as_ref().is_some_and(|names| names.iter().any(|name| name == said))
    }

    /// Whether nobody can know what a text should be: no ledger has the release, and the text names no other one.
    pub(super) fn leaves_open(&self, said: &str) -> bool {
        self.names.is_none() && !names_commit(said) && !self.others.iter().any(|other| says(said, other))
    }
}
