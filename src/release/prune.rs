//! Removes old releases.
use super::{
    Home, ReadReleases, ReleaseError, ReleaseName,
    answer::{AnswerLines, text},
    held::HeldReleases,
    machine::set_up,
    on_host::{on, plain, run},
    program::Program,
};
use crate::{
    bookkeeping::ReadLedger,
    command::{Command, quoted},
    control::shown,
    effect::*,
    event::EventKind,
    failure::Failure,
    host::Host,
    model::{Commit, Model, Predicted, Release},
    port::Ended,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Removes old releases, by number; never the current one, the one before it, one that a rollback would return to, or
/// one that runs.
#[derive(Clone, Debug, Serialize)]
pub struct Prune {
    pub host: Host,
    pub home: Home,
    pub keep: usize,
}

impl Effect for Prune {
    /// How many releases were removed.
    type Outcome = u32;
    const NAME: &'static str = "prune";
    const KIND: EffectKind = EffectKind::Change;

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
        let (host, home) = (&self.host, &self.home);
        let fleet = at.real.site(&host.fleet).fleet.clone();
        let spared = Effect::carry_out(&ReadLedger { fleet }, at).await?.spared(&host.name);
        let command = prune(&home.path, self.keep, &spared).map_err(on(host))?;
        at.real.kept.get::<HeldReleases>().forget(host, home);
        let ended = run(&at, host, &home.user, plain(&command)).await?;
        let pruned = pruned(&ended).map_err(on(host))?;
        for left in &pruned.gone {
            let path = format!("{}/{}", home.path, shown(left));
            let remove = format!("sudo rm -rf {}", quoted(&path));
            let text = format!(
                "`{path}` is left over from a removed release, and has another user's files; to remove it, type \
                 `{remove}` there"
            );
            at.tell(EventKind::Warned { host: Some(host.name.clone()), text });
        }
        for name in &pruned.left {
            let text = format!("release {name} can't be moved away: `releases` belongs to another user");
            at.tell(EventKind::Warned { host: Some(host.name.clone()), text });
        }
        Ok(pruned.removed.len() as u32)
    }

    /// The host can't tell which releases are still to be removed; to prune once more does no harm.
    fn look(&self, ask: Ask<'_>) -> Result<Happened<u32>, Failure> {
        let there = ask.read(ReadReleases { host: self.host.clone(), home: self.home.clone() })?;
        let stays = |r: &Release| there.current.as_ref() == Some(r) || there.previous() == Some(r);
        let gone = there.releases.iter().rev().skip(self.keep).all(stays);
        Ok(if gone { Happened::Done(0) } else { Happened::Not })
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

/// Removes leftovers of dead runs, and old releases. The newest `keep` releases stay, those of the commits in `spared`,
/// the current one, the one before it by number, and those in which a process is seen to run.
pub fn prune(path: &str, keep: usize, spared: &[Commit]) -> Result<Command, ReleaseError> {
    if keep == 0 {
        return Err(ReleaseError::KeepNone);
    }
    let short = |commit: &Commit| commit.chars().take(12).collect();
    let args: Vec<String> = [keep.to_string()].into_iter().chain(spared.iter().map(short)).collect();
    Program::Prune.command(path, &args)
}

/// The result of pruning.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pruned {
    pub removed: Vec<ReleaseName>,
    /// Releases that stay because a process runs in them.
    pub running: Vec<ReleaseName>,
    /// Releases that couldn't be moved away: `releases` belongs to another user.
    pub left: Vec<ReleaseName>,
    /// Folders of removed releases in which another user's files remain.
    pub gone: Vec<String>,
    /// Calls of dead runs that had left something, by id; it was removed.
    pub cleaned: Vec<String>,
    /// The number of processes that this user can't inspect; 0 if there was nothing to remove.
    pub unseen: u64,
}

/// Reads the answer of `prune`.
pub fn pruned(ended: &Ended) -> Result<Pruned, ReleaseError> {
    let mut pruned = Pruned::default();
    AnswerLines::of(Program::Prune, ended)?.each(|word, rest| {
        match (word, rest) {
            ("removed", [name]) => pruned.removed.push(name.parse().ok()?),
            ("running", [name]) => pruned.running.push(name.parse().ok()?),
            ("left", [name]) => pruned.left.push(name.parse().ok()?),
            ("gone", [folder]) => pruned.gone.push(text(folder)?),
            ("cleaned", [id]) => pruned.cleaned.push(id.to_string()),
            ("hidden", [number]) => pruned.unseen = number.parse().ok()?,
            _ => return None,
        }
        Some(())
    })?;
    Ok(pruned)
}
