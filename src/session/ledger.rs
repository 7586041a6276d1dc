//! Records who did what, in the ledgers of the machines that it affects.
use super::{InnerLayers, Layer, Moves, Observed, Run};
use crate::{
    bookkeeping::place,
    effect::{Answered, Call, EffectKind, Fleets, LedgerWrite, Touch},
    fleet::Fleet,
    host::{Host, Name},
    ledger::{LedgerLine, Phase, line},
    port::LedgerLines,
};
use std::sync::{Arc, atomic::Ordering::Relaxed};

pub(super) struct Ledger {
    run: Arc<Run>,
    fleets: Arc<Fleets>,
    observed: Arc<Observed>,
}

/// The subject of a line, in addition to what the effect tells.
struct About<'a> {
    host: &'a Name,
    pool: Vec<Name>,
    places: Vec<String>,
    epoch: Option<String>,
}

impl Ledger {
    pub(super) fn new(run: Arc<Run>, fleets: Arc<Fleets>, observed: Arc<Observed>) -> Self {
        Self { run, fleets, observed }
    }

    fn ledger_writes(&self, call: Call<'_>) -> Vec<LedgerWrite> {
        let touch = call.effect.touch();
        let Some(fleet) = touch.fleet().map(|name| self.fleets.get(name)) else { return Vec::new() };
        match touch {
            Touch::Admin { hosts, .. } => {
                let theirs = |host: &&Host| self.observed.host(host).moves == Moves::Nothing;
                let moved = hosts.iter().filter(|host| !theirs(host));
                moved.flat_map(|host| self.on_balancers(&fleet, host, call)).collect()
            }
            Touch::Served { host } => self.on_host(&fleet, host, call).into_iter().collect(),
            _ => Vec::new(),
        }
    }

    /// Makes a line for each balancer in front of the host, and for the one that keeps the fleet's ledger.
    fn on_balancers(&self, fleet: &Fleet, host: &Host, call: Call<'_>) -> Vec<LedgerWrite> {
        let home = place(fleet).ok();
        let balancers = fleet.balancers.iter().filter(|b| b.has(host) || home.as_ref() == Some(&b.name));
        let places = match self.observed.host(host).moves {
            Moves::Only(places) => Some(places),
            Moves::All | Moves::Nothing => None,
        };
        balancers
            .map(|b| {
                let pools = b.pools_of(host).cloned();
                let epoch = self.observed.epochs().get(&b.name).cloned();
                let kept = places.clone().unwrap_or_default();
                let about = About { host: &host.name, pool: pools.collect(), places: kept, epoch };
                let lines = self.lines(call, about, "ledger".into());
                LedgerWrite { host: host.name.clone(), place: Some(b.name.clone()), places: places.clone(), lines }
            })
            .collect()
    }

    /// Makes a line under the app's path, if the host has the app.
    fn on_host(&self, fleet: &Fleet, host: &Host, call: Call<'_>) -> Option<LedgerWrite> {
        let app = fleet.app.as_ref().filter(|app| app.is_on(host))?;
        let file = format!("{}/.rfab/ledger", app.path_on(host));
        let behind = |name: &Name| fleet.balancers.iter().any(|b| b.name == *name);
        let epochs = self.observed.epochs().into_iter().filter(|(name, _)| behind(name));
        let epochs: Vec<String> = epochs.map(|(name, epoch)| format!("{name} {epoch}")).collect();
        let epoch = (!epochs.is_empty()).then(|| epochs.join(", "));
        let about = About { host: &host.name, pool: Vec::new(), places: Vec::new(), epoch };
        Some(LedgerWrite { host: host.name.clone(), place: None, places: None, lines: self.lines(call, about, file) })
    }

    fn lines(&self, call: Call<'_>, about: About<'_>, file: String) -> LedgerLines {
        let detail = call.effect.ledger_detail();
        let pools = self.run.allowed.without_balancer.join(", ");
        let unasked = (!pools.is_empty()).then(|| format!("without the balancer of {pools}"));
        let ungated = self.run.allowed.without_gate.as_ref().map(|why| format!("without the gate: {why}"));
        let beside: Vec<String> = unasked.into_iter().chain(ungated).collect();
        let beside = (!beside.is_empty()).then(|| self.run.masks.text(&beside.join("; ")).into_owned());
        let line = |phase| LedgerLine {
            effect: detail.word.unwrap_or(call.effect.name()).into(),
            host: Some(about.host.clone()),
            pool: about.pool.clone(),
            places: about.places.clone(),
            commit: detail.commit.clone(),
            names: detail.names.clone(),
            reason: detail
                .reason
                .as_ref()
                .map(|reason| self.run.masks.text(reason).into_owned())
                .or_else(|| beside.clone()),
            epoch: about.epoch.clone(),
            ..self.run.line(phase)
        };
        let (intent, ok) = (line(Phase::Intent), line(Phase::Ok));
        // Only one of the two is ever written.
        let failed = LedgerLine { phase: Phase::Failed, ..ok.clone() };
        LedgerLines { file, intent: intent.text(), ok: ok.text(), failed: failed.text() }
    }
}

impl Run {
    /// Returns the run's line as hosts keep it.
    pub fn typed(&self) -> String {
        self.masks.text(&self.line).into_owned()
    }

    /// Returns the next ledger line of this run, without a subject.
    pub fn line(&self, phase: Phase) -> LedgerLine {
        LedgerLine {
            v: 1,
            run: self.id.clone(),
            seq: self.lines.fetch_add(1, Relaxed),
            at: line::AT.into(),
            who: self.who.clone(),
            on_behalf_of: self.on_behalf_of.clone(),
            from: self.from.clone(),
            effect: String::new(),
            host: None,
            pool: Vec::new(),
            phase,
            commit: None,
            number: None,
            names: None,
            content: None,
            reason: None,
            places: Vec::new(),
            epoch: None,
        }
    }
}

impl Layer for Ledger {
    fn pass(&self, call: Call<'_>, rest: InnerLayers<'_>) -> Answered {
        if !matches!(call.effect.kind(), EffectKind::Change | EffectKind::Once) {
            return rest.pass(call);
        }
        let writes = self.ledger_writes(call);
        rest.pass(Call { ledger_writes: &writes, ..call })
    }
}
