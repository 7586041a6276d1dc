//! Who did what, for the ledgers where it is done.
use super::{Layer, Rest, Run};
use crate::{
    effect::{Answered, Call, Fleets, Kind, Noting, Touch},
    fleet::Fleet,
    host::{Host, Name},
    ledger::{Line, Phase, line},
    world::real::Note,
};
use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering::Relaxed},
};

pub struct Ledger {
    run: Arc<Run>,
    fleets: Arc<Fleets>,
    seq: AtomicU32,
}

impl Ledger {
    pub fn new(run: Arc<Run>, fleets: Arc<Fleets>) -> Self {
        Self { run, fleets, seq: AtomicU32::new(0) }
    }

    fn notings(&self, call: Call<'_>) -> Vec<Noting> {
        let touch = call.effect.touch();
        let Some(fleet) = touch.fleet().map(|name| self.fleets.get(name)) else { return Vec::new() };
        match touch {
            Touch::Admin { hosts, .. } => hosts.iter().flat_map(|host| self.on_balancers(&fleet, host, call)).collect(),
            Touch::Served { host } => self.on_host(&fleet, host, call).into_iter().collect(),
            _ => Vec::new(),
        }
    }

    /// A line for each balancer that the host stands behind.
    fn on_balancers(&self, fleet: &Fleet, host: &Host, call: Call<'_>) -> Vec<Noting> {
        let behind = |b: &&crate::fleet::Balancer| b.pools.values().any(|role| host.roles.contains(role));
        let balancers = fleet.balancers.iter().filter(behind);
        balancers
            .map(|b| {
                let pools = b.pools.iter().filter(|(_, role)| host.roles.contains(role)).map(|(p, _)| p.clone());
                let note = self.note(call, &host.name, pools.collect(), "ledger".into());
                Noting { host: host.name.clone(), place: Some(b.name.clone()), note }
            })
            .collect()
    }

    /// A line under the app's path.
    fn on_host(&self, fleet: &Fleet, host: &Host, call: Call<'_>) -> Option<Noting> {
        let app = fleet.app.as_ref()?;
        let file = format!("{}/.rfab/ledger", app.path.trim_end_matches('/'));
        Some(Noting { host: host.name.clone(), place: None, note: self.note(call, &host.name, Vec::new(), file) })
    }

    fn note(&self, call: Call<'_>, host: &Name, pool: Vec<Name>, file: String) -> Note {
        let story = call.effect.story();
        let line = |phase| {
            Line {
                effect: story.word.unwrap_or(call.effect.name()).into(),
                host: Some(host.clone()),
                pool: pool.clone(),
                commit: story.commit.clone(),
                reason: story.reason.clone(),
                ..self.run.line(self.seq.fetch_add(1, Relaxed), phase)
            }
            .text()
        };
        Note { file, intent: line(Phase::Intent), ok: line(Phase::Ok), failed: line(Phase::Failed) }
    }
}

impl Run {
    /// A ledger line of this run that is about nothing yet.
    pub fn line(&self, seq: u32, phase: Phase) -> Line {
        Line {
            v: 1,
            run: self.id.clone(),
            seq,
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
            reason: None,
            epoch: None,
        }
    }
}

impl Layer for Ledger {
    fn pass(&self, call: Call<'_>, rest: Rest<'_>) -> Answered {
        if !matches!(call.effect.kind(), Kind::Change | Kind::Once) {
            return rest.pass(call);
        }
        let notes = self.notings(call);
        rest.pass(Call { notes: &notes, ..call })
    }
}
