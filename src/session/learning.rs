//! The layer that learns from effects and their answers.
use super::{InnerLayers, Layer, Observed, observed::UNPROVEN};
use crate::{
    balancer::{self, Balance, CutOff, ReadBalance, Reopen, SetAdmin, WaitUp},
    effect::{Admin, Answered, AnyEffect, AnyOutcome, Call, EffectKind, Subject, Touch},
    failure::Reason,
    health::{Probe, Proof},
    ledger::called,
    model::Time,
    release::{Activate, Listing, ReadReleases, RecordNumber},
    remote::{Connect, Connected},
};
use std::sync::Arc;

impl Layer for Arc<Observed> {
    fn pass(&self, call: Call<'_>, rest: InnerLayers<'_>) -> Answered {
        let answered = rest.pass(call);
        self.learn(call, rest.world().now(call.lane), &answered);
        self.tell_places(call, &answered);
        answered
    }
}

impl Observed {
    fn learn(&self, call: Call<'_>, now: Time, answered: &Answered) {
        let effect = call.effect;
        self.learn_balancing(effect, now, answered);
        if let Some(activate) = effect.as_any().downcast_ref::<Activate>()
            && answered.is_ok()
        {
            self.note(&activate.host, |told| told.new = Some(Some(activate.release.clone())));
        }
        match effect.touch() {
            Touch::Served { host } => self.note(host, |told| told.proven = false),
            Touch::Anything { host } => self.note(host, |told| told.proven = false),
            _ => {}
        }
        self.learn_change(effect, call.lane.path.contains('!'), answered);
        if let Ok(answer) = answered {
            // `as_any` on the box itself would return the box.
            self.learn_answer(effect, &**answer);
        }
    }

    /// Learns which hosts went out or came back, and the state of their servers.
    fn learn_balancing(&self, effect: &dyn AnyEffect, now: Time, answered: &Answered) {
        if let Some(set) = effect.as_any().downcast_ref::<SetAdmin>() {
            for host in &set.hosts {
                self.note(host, |told| match (set.to, answered.is_ok()) {
                    (Admin::Ready, true) => {
                        (told.drained, told.out_since, told.back, told.looked) = (false, None, Some(now), None);
                        told.shut.clear();
                    }
                    (Admin::Drain | Admin::Maint, true) => (told.drained, told.back) = (true, None),
                    (_, false) => {}
                });
            }
        }
        if let Some(cut) = effect.as_any().downcast_ref::<CutOff>()
            && let Ok(answer) = answered
            && let Some(places) = answer.as_any().downcast_ref::<Vec<balancer::ServerPlace>>()
        {
            self.note(&cut.host, |told| told.shut.extend(places.iter().cloned()));
        }
        if let Some(reopen) = effect.as_any().downcast_ref::<Reopen>()
            && answered.is_ok()
        {
            self.note(&reopen.host, |told| told.shut.clear());
        }
        if let Some(wait) = effect.as_any().downcast_ref::<WaitUp>()
            && answered.as_ref().is_err_and(|failure| failure.reason() == Reason::Failed)
        {
            // It was proven before it was put back, and died after that.
            self.note(&wait.host, |told| told.died |= told.back.is_some());
        }
    }

    /// Learns what was read, and the names of releases.
    fn learn_answer(&self, effect: &dyn AnyEffect, answer: &dyn AnyOutcome) {
        self.names.read(effect.as_any(), answer.as_any());
        if let Some(number) = effect.as_any().downcast_ref::<RecordNumber>()
            && let Some(name) = called(&number.commit, Some(&number.name), &number.names)
        {
            self.names.learn(&number.commit, name);
        }
        if let (EffectKind::Read, Subject::Host(host)) = (effect.kind(), effect.subject()) {
            self.note(host, |told| told.seen = true);
        }
        if let Some(read) = effect.as_any().downcast_ref::<ReadReleases>()
            && let Some(listing) = answer.as_any().downcast_ref::<Listing>()
        {
            self.saw_releases(&read.host, listing);
        }
        if let Some(read) = effect.as_any().downcast_ref::<ReadBalance>()
            && let Some(balance) = answer.as_any().downcast_ref::<Balance>()
        {
            self.saw_balance(&read.fleet, balance);
        }
        if let Some(connect) = effect.as_any().downcast_ref::<Connect>()
            && let Some(connected) = answer.as_any().downcast_ref::<Connected>()
        {
            for host in &connect.hosts {
                self.note(host, |told| told.unreachable = connected.unreachable.get(&host.name).cloned());
            }
        }
        if let Some(probe) = effect.as_any().downcast_ref::<Probe>() {
            self.proven(probe);
            if let Some(proof) = answer.as_any().downcast_ref::<Proof>()
                && !proof.version_proven
            {
                self.remark(&probe.host, UNPROVEN);
            }
        }
    }

    /// Learns what was changed, or may have been: after a lost answer or an interrupted change, that is unknown.
    fn learn_change(&self, effect: &dyn AnyEffect, is_aside: bool, answered: &Answered) {
        if !matches!(effect.kind(), EffectKind::Change | EffectKind::Once) {
            return;
        }
        let touch = effect.touch();
        let begun = touch.fleet().is_none_or(|fleet| self.has_lock(fleet));
        let doubtful = answered.as_ref().is_err_and(|failure| match failure.reason() {
            Reason::Unknown => true,
            Reason::Interrupted | Reason::Killed => begun,
            _ => false,
        });
        if !doubtful && answered.is_err() {
            return;
        }
        for host in touch.hosts() {
            self.note(host, |told| if doubtful { told.doubtful = true } else { told.changed = true });
        }
        // What each attempt does again, such as a report to a forge, is no reason to resume a run.
        if effect.kind() == EffectKind::Once && touch.hosts().is_empty() && !is_aside {
            self.seen.lock().unwrap().once_here = true;
        }
    }
}
