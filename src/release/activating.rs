//! Makes a staged release the current one, and removes old ones.
use super::{Error, Home, ReadReleases, on_host};
use crate::{
    bookkeeping::ReadLedger,
    effect::*,
    failure::Failure,
    host::Host,
    model::{Machine, Model, Predicted, Release},
};
use serde::Serialize;
use std::collections::BTreeSet;

/// Makes a release current by one rename.
#[derive(Clone, Debug, Serialize)]
pub struct Activate {
    pub host: Host,
    pub release: Release,
    pub home: Home,
    /// Folders whose files stay reachable from release to release.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub assets: Vec<String>,
    /// What else a service may call the commit, for the host's ledger.
    #[serde(skip_serializing)]
    pub names: Vec<String>,
}

impl Effect for Activate {
    type Outcome = ();
    const NAME: &'static str = "activate";
    const KIND: Kind = Kind::Change;

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.host)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Served { host: &self.host }
    }

    fn describe(&self) -> String {
        format!("activate {}", self.release)
    }

    fn story(&self) -> Story {
        let names = Some(self.names.clone());
        Story { commit: Some(self.release.commit.clone()), names, ..Story::default() }
    }

    async fn carry_out(&self, at: At<'_>) -> Result<(), Failure> {
        super::on_host::activate(&at, self).await
    }

    fn look(&self, ask: Ask<'_>) -> Result<Seen<()>, Failure> {
        let there = ask.read(ReadReleases { host: self.host.clone(), home: self.home.clone() })?;
        Ok(if there.current.as_ref() == Some(&self.release) { Seen::Done(()) } else { Seen::Not })
    }

    fn predict(&self, model: &mut Model) -> Predicted<()> {
        let machine = set_up(model, &self.host, "`releases`, `shared` or `.rfab`")?;
        if !machine.releases.get("its releases")?.contains(&self.release) {
            return Err(on_host::on(&self.host)(Error::NotStaged).into());
        }
        machine.current.predict(Some(self.release.clone()));
        (machine.foreign, machine.revision) = (None, None);
        model.harms(&self.host, "activation");
        Ok(())
    }
}

/// Removes old releases, by number; never the current one, the one before it, those that a rollback would go to, or one that
/// runs.
#[derive(Clone, Debug, Serialize)]
pub struct Prune {
    pub host: Host,
    pub home: Home,
    pub keep: usize,
}

impl Effect for Prune {
    /// How many were removed.
    type Outcome = u32;
    const NAME: &'static str = "prune";
    const KIND: Kind = Kind::Change;

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.host)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Staged { host: &self.host }
    }

    fn describe(&self) -> String {
        format!("keep the newest {} releases", self.keep)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<u32, Failure> {
        super::on_host::prune(&at, self).await
    }

    /// One that still runs is not told from one that is to go; to prune once more does no harm.
    fn look(&self, ask: Ask<'_>) -> Result<Seen<u32>, Failure> {
        let there = ask.read(ReadReleases { host: self.host.clone(), home: self.home.clone() })?;
        let stays = |r: &Release| there.current.as_ref() == Some(r) || there.previous() == Some(r);
        let gone = there.releases.iter().rev().skip(self.keep).all(stays);
        Ok(if gone { Seen::Done(0) } else { Seen::Not })
    }

    fn predict(&self, model: &mut Model) -> Predicted<u32> {
        set_up(model, &self.host, "`releases`, `shared` or `.rfab`")?;
        let fleet = model.fleets[&self.host.fleet].clone();
        let spared = Effect::predict(&ReadLedger { fleet }, model)?.spared(&self.host.name);
        let machine = model.machine(&self.host)?;
        let all = machine.releases.get("its releases")?.clone();
        let current = machine.current.get("its current release")?.clone();
        let running = machine.running.get("what it runs")?.clone();
        let previous = all.iter().filter(|r| current.as_ref().is_some_and(|c| r.number < c.number)).max().cloned();
        let newest: BTreeSet<_> = all.iter().rev().take(self.keep).cloned().collect();
        let stays = |r: &Release| {
            newest.contains(r)
                || current.as_ref() == Some(r)
                || previous.as_ref() == Some(r)
                || spared.iter().any(|commit| r.is_of(commit))
                || running.as_deref().is_some_and(|c| r.is_of(c))
        };
        let kept: BTreeSet<_> = all.iter().filter(|r| stays(r)).cloned().collect();
        let removed = (all.len() - kept.len()) as u32;
        machine.releases.predict(kept);
        Ok(removed)
    }
}

/// Makes the folders of an app on a fresh host; what is there stays as it is.
#[derive(Clone, Debug, Serialize)]
pub struct SetUp {
    pub host: Host,
    pub home: Home,
}

impl Effect for SetUp {
    type Outcome = ();
    const NAME: &'static str = "set_up";
    const KIND: Kind = Kind::Change;

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.host)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Staged { host: &self.host }
    }

    fn describe(&self) -> String {
        format!("make the folders of {}", self.home.path)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<(), Failure> {
        super::on_host::set_up(&at, self).await
    }

    fn look(&self, ask: Ask<'_>) -> Result<Seen<()>, Failure> {
        let there = ask.read(ReadReleases { host: self.host.clone(), home: self.home.clone() })?;
        Ok(if there.set_up { Seen::Done(()) } else { Seen::Not })
    }

    fn predict(&self, model: &mut Model) -> Predicted<()> {
        let machine = model.machine(&self.host)?;
        if machine.foreign.is_some() && !*machine.set_up.get("whether it is set up")? {
            return Err(super::adopting::refused(&self.host, "another tool's layout").into());
        }
        machine.set_up.predict(true);
        Ok(())
    }
}

/// The host, which must have the app's folders; `lacks` names those that it has not.
pub(super) fn set_up<'a>(model: &'a mut Model, host: &Host, lacks: &'static str) -> Predicted<&'a mut Machine> {
    let machine = model.machine(host)?;
    match machine.set_up.get("whether it is set up")? {
        true => Ok(machine),
        false => Err(on_host::on(host)(Error::NotSetUp(lacks)).into()),
    }
}
