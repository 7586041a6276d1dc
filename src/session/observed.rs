//! What a run has seen and done so far, host by host.
use super::{Layer, Rest, names::Names};
use crate::{
    balancer::{self, Balance, CutOff, ReadBalance, Reopen, SetAdmin, WaitUp},
    effect::{Admin, Answered, Call, Kind, Record, Subject, Touch},
    event::{Outcome, Place, Standing, What},
    failure::{Cause, Failure, Reason},
    fleet::Fleet,
    git::Resolved,
    health::Probe,
    host::{Host, Name},
    ledger::called,
    model::{Commit, Release, Time, key},
    release::{Activate, Listing, Number, ReadReleases},
    remote::{Connect, Connected},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

/// What is noted of a host that is healthy while nothing tells which version it serves.
pub const UNPROVEN: &str = "version not proven";

/// The layer, and what it noted down.
#[derive(Default)]
pub struct Observed {
    seen: Mutex<Seen>,
    /// What people call the releases.
    pub names: Names,
}

#[derive(Default)]
struct Seen {
    told: BTreeMap<(Name, Name), HostState>,
    /// How hosts stand in the balancer, as last told.
    places: BTreeMap<(Name, Name), Place>,
    epochs: BTreeMap<Name, String>,
    commit: Option<(String, Commit)>,
    resolved: BTreeMap<(Name, String), Resolved>,
    targets: Vec<(Arc<Fleet>, Host)>,
    left_out: Vec<String>,
    next: Vec<String>,
    locked: BTreeSet<Name>,
    unfinished: BTreeSet<Name>,
    /// Whether something was done here, or may have been, that may be done only once.
    once_here: bool,
    /// The guarded fleet that nobody said yes to.
    unsaid: Option<Name>,
    overtaken: bool,
}

/// What a run knows of one host.
#[derive(Clone, Debug, Default)]
pub struct HostState {
    /// What was current when it was first looked at; `Some(None)` is nothing.
    pub old: Option<Option<Release>>,
    pub new: Option<Option<Release>>,
    /// Whether this run drained it and did not put it back.
    pub drained: bool,
    /// What the next drain or ready of it is about.
    pub moves: Moves,
    /// When this run put it back, if it did and nobody took it out since by rfab.
    pub back: Option<Time>,
    /// How long after its put-back it was seen to serve, in milliseconds.
    pub looked: Option<Time>,
    /// That a balancer forgot it was out, and may have sent it requests meanwhile.
    pub exposed: Option<Failure>,
    /// Whether it was down at a look after this run put it back.
    pub died: bool,
    /// What proved it last.
    pub probe: Option<Probe>,
    /// The balancers' epochs when it was first seen out.
    pub out_since: Option<BTreeMap<Name, String>>,
    /// Where its servers went from drain into maintenance, so that nobody reaches it.
    pub shut: Vec<balancer::Place>,
    /// Whether a probe was good since it was last changed.
    pub proven: bool,
    pub changed: bool,
    /// Whether nobody knows how a change of it ended.
    pub doubtful: bool,
    pub unchanged: bool,
    /// Whether a person's command read from it, and that went well.
    pub answered: bool,
    /// Whether something was read from it.
    pub seen: bool,
    pub failure: Option<Failure>,
    /// What was on it when it was last looked at.
    pub listing: Option<Listing>,
    pub note: Option<String>,
    /// Why it could not be connected to before the first step.
    pub unreachable: Option<Failure>,
    /// Whether it is out by somebody else, so that only who names it looks at it.
    pub left_alone: bool,
}

/// Which of a host's servers a drain or a ready changes.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Moves {
    #[default]
    All,
    /// Those of these places, as `BALANCER/POOL`: the others were out before.
    Only(Vec<String>),
    /// None: it is out by somebody else, and stays theirs.
    Nothing,
}

impl HostState {
    pub fn outcome(&self) -> Outcome {
        match &self.failure {
            Some(failure) if failure.reason() == Reason::Unknown => Outcome::Unknown,
            Some(_) => Outcome::Failed,
            None if self.changed => Outcome::Ok,
            None if self.doubtful => Outcome::Unknown,
            None if self.unchanged => Outcome::Unchanged,
            None if self.answered => Outcome::Ok,
            None => Outcome::Untouched,
        }
    }
}

impl Observed {
    pub fn host(&self, host: &Host) -> HostState {
        self.seen.lock().unwrap().told.get(&key(host)).cloned().unwrap_or_default()
    }

    fn note(&self, host: &Host, f: impl FnOnce(&mut HostState)) {
        f(self.seen.lock().unwrap().told.entry(key(host)).or_default());
    }

    /// What was on a host when this run last looked.
    pub fn listing(&self, host: &Host) -> Option<Listing> {
        self.host(host).listing
    }

    /// A lane of this host ended with a failure; an interrupted one did what it did until then.
    pub fn failed(&self, host: &Host, failure: &Failure) {
        self.note(host, |told| {
            if failure.reason() == Reason::Interrupted {
                told.note.get_or_insert_with(|| "interrupted".to_owned());
                return;
            }
            told.failure.get_or_insert_with(|| failure.clone());
        });
    }

    /// A host was left as it is, for it is as it should be.
    pub fn unchanged(&self, host: &Host) {
        self.note(host, |told| told.unchanged = true);
    }

    /// A host was read from, as a person asked.
    pub fn answered(&self, host: &Host) {
        self.note(host, |told| told.answered = true);
    }

    /// A host is out by somebody else.
    pub fn left_alone(&self, host: &Host) {
        self.note(host, |told| told.left_alone = true);
    }

    /// Hosts were left as they are and need a person: the run ends with exit code 8.
    pub fn left_out(&self, why: &str) {
        self.seen.lock().unwrap().left_out.push(why.to_owned());
    }

    pub fn all_left_out(&self) -> Vec<String> {
        self.seen.lock().unwrap().left_out.clone()
    }

    /// A note for the host's row of the closing table.
    pub fn remark(&self, host: &Host, note: &str) {
        self.note(host, |told| match &mut told.note {
            Some(noted) if noted.contains(note) => {}
            Some(noted) => *noted += &format!("; {note}"),
            none => *none = Some(note.to_owned()),
        });
    }

    /// A host goes out now: that it was out before does not count any more.
    pub fn goes_out(&self, host: &Host) {
        self.note(host, |told| (told.out_since, told.exposed) = (None, None));
    }

    /// Whoever took requests while it was out has failed: nobody knows how they were answered.
    pub fn exposed(&self) {
        for told in self.seen.lock().unwrap().told.values_mut() {
            told.failure = told.failure.take().or(told.exposed.take());
        }
    }

    /// What the drain or ready in hand of a host is about; all of it where no places are named.
    pub fn moves(&self, host: &Host, places: Option<Vec<String>>) {
        self.note(host, |told| told.moves = places.map_or(Moves::All, Moves::Only));
    }

    /// The drain in hand does not concern a host: it is out by somebody else.
    pub fn stays_theirs(&self, host: &Host) {
        self.note(host, |told| told.moves = Moves::Nothing);
    }

    /// The run has a fleet's lock.
    pub fn locked(&self, fleet: &Name) {
        self.seen.lock().unwrap().locked.insert(fleet.clone());
    }

    /// Whether nobody was told of that run yet.
    pub fn first_told_of(&self, run: &Name) -> bool {
        self.seen.lock().unwrap().unfinished.insert(run.clone())
    }

    pub fn has_lock(&self, fleet: &Name) -> bool {
        self.seen.lock().unwrap().locked.contains(fleet)
    }

    /// Whether the run changed any host, or may have.
    pub fn changed(&self) -> bool {
        self.seen.lock().unwrap().told.values().any(|told| told.changed || told.doubtful)
    }

    /// Whether it did something on no host, or may have, that may be done only once.
    pub fn did_once(&self) -> bool {
        self.seen.lock().unwrap().once_here
    }

    /// Nobody said yes to changing a guarded fleet.
    pub fn wants_yes(&self, fleet: &Name) {
        self.seen.lock().unwrap().unsaid.get_or_insert_with(|| fleet.clone());
    }

    /// The guarded fleet that nobody said yes to.
    pub fn unsaid(&self) -> Option<Name> {
        self.seen.lock().unwrap().unsaid.clone()
    }

    /// Another run changed a fleet since the run that this one goes on with, or takes back.
    pub fn was_overtaken(&self) {
        self.seen.lock().unwrap().overtaken = true;
    }

    pub fn overtaken(&self) -> bool {
        self.seen.lock().unwrap().overtaken
    }

    /// A probe was good, since the host was last changed.
    pub fn proven(&self, probe: &Probe) {
        self.note(&probe.host, |told| (told.proven, told.probe) = (true, Some(probe.clone())));
    }

    /// The hosts of a fleet that this run put back and that it did not take out since, with when; not those that were
    /// seen to be down already.
    pub fn back(&self, fleet: &Fleet) -> Vec<(Host, Time)> {
        let seen = self.seen.lock().unwrap();
        let back = |host: &Host| {
            let told = seen.told.get(&key(host)).filter(|told| told.failure.is_none())?;
            Some((host.clone(), told.back?))
        };
        fleet.hosts.iter().filter_map(back).collect()
    }

    /// A host that was put back was seen to be down after it.
    pub fn died(&self, host: &Host, failure: &Failure) {
        self.note(host, |told| told.died = true);
        self.failed(host, failure);
    }

    /// A host that was put back was seen to serve so long after it.
    pub fn looked(&self, host: &Host, after: Time) {
        self.note(host, |told| told.looked = Some(after));
    }

    /// What should be typed next, as a script says.
    pub fn next(&self, line: &str) {
        self.seen.lock().unwrap().next.push(line.to_owned());
    }

    pub fn all_next(&self) -> Vec<String> {
        self.seen.lock().unwrap().next.clone()
    }

    /// Keeps what a reference means for the rest of the run.
    pub fn resolve(&self, fleet: &Name, reference: &str, resolved: &Resolved) {
        self.names.learn(&resolved.commit, resolved.tag.as_ref().unwrap_or(&resolved.name));
        let mut seen = self.seen.lock().unwrap();
        seen.commit = Some((resolved.name.clone(), Commit::from(&*resolved.commit)));
        seen.resolved.insert((fleet.clone(), reference.to_owned()), resolved.clone());
    }

    pub fn resolved(&self, fleet: &Name, reference: &str) -> Option<Resolved> {
        self.seen.lock().unwrap().resolved.get(&(fleet.clone(), reference.to_owned())).cloned()
    }

    /// Hosts became targets: they are in the closing table.
    pub fn target(&self, fleet: &Arc<Fleet>, hosts: &[Host]) {
        let mut seen = self.seen.lock().unwrap();
        for host in hosts {
            if !seen.targets.iter().any(|(_, h)| h == host) {
                seen.targets.push((fleet.clone(), host.clone()));
            }
        }
    }

    /// Every host that was a target, in the order of their fleets.
    pub fn targets(&self) -> Vec<(Arc<Fleet>, Host)> {
        self.seen.lock().unwrap().targets.clone()
    }

    pub fn pinned(&self) -> Option<(String, Commit)> {
        self.seen.lock().unwrap().commit.clone()
    }

    /// The balancers' epochs, as last seen.
    pub fn epochs(&self) -> BTreeMap<Name, String> {
        self.seen.lock().unwrap().epochs.clone()
    }

    /// Remembers the moment that hosts were first seen out.
    pub fn saw_balance(&self, fleet: &Fleet, balance: &Balance) {
        let mut seen = self.seen.lock().unwrap();
        let epochs = balance.epochs();
        seen.epochs.extend(epochs.clone());
        for (host, standing) in fleet.hosts.iter().zip(balance.standings(fleet)) {
            if let Some(told) = seen.told.get_mut(&key(host)).filter(|told| told.drained && told.exposed.is_none())
                && matches!(standing, Some(Standing::Live | Standing::Mixed))
                && let Some(balancer) = told.out_since.as_ref().and_then(|known| balance.reloaded_since(known))
            {
                told.exposed = Some(exposed(host, balancer));
            }
            match standing {
                Some(Standing::Out) => {
                    seen.told.entry(key(host)).or_default().out_since.get_or_insert_with(|| epochs.clone());
                }
                // A host that should be out keeps its epoch: that it is not out now is what is to be found.
                Some(Standing::Live) => {
                    if let Some(told) = seen.told.get_mut(&key(host))
                        && !told.drained
                    {
                        told.out_since = None;
                    }
                }
                _ => {}
            }
        }
    }

    /// The hosts that stand otherwise in the balancer than was last told.
    fn stand_otherwise(
        &self,
        fleet: &Fleet,
        stand: impl Fn(&Host, Option<&Place>) -> Option<(Standing, u64)>,
    ) -> Vec<Place> {
        let mut seen = self.seen.lock().unwrap();
        let mut otherwise = Vec::new();
        for host in &fleet.hosts {
            let before = seen.places.get(&key(host));
            let Some((balancer, open)) = stand(host, before) else { continue };
            let same = |told: &Place| told.balancer == balancer && (told.open == open || balancer == Standing::Live);
            if !before.is_some_and(same) {
                let place = Place { host: host.name.clone(), group: host.group.clone(), balancer, open };
                seen.places.insert(key(host), place.clone());
                otherwise.push(place);
            }
        }
        otherwise
    }

    /// Tells how hosts stand in the balancer, if it was read or changed.
    fn tell_places(&self, call: Call<'_>, answered: &Answered) {
        let (Ok(answer), effect) = (answered, call.effect.as_any()) else { return };
        let (fleet, hosts) = if let Some(read) = effect.downcast_ref::<ReadBalance>()
            && let Some(balance) = answer.as_any().downcast_ref::<Balance>()
        {
            let stand = |host: &Host, _: Option<&Place>| {
                let standing =
                    balance.standing(&read.fleet, host).ok().filter(|standing| *standing != Standing::None)?;
                Some((standing, balance.in_flight(&read.fleet, host).ok()?))
            };
            (&read.fleet, self.stand_otherwise(&read.fleet, stand))
        } else if let Some(set) = effect.downcast_ref::<SetAdmin>() {
            let to = if set.to == Admin::Ready { Standing::Live } else { Standing::Out };
            let stand = |host: &Host, before: Option<&Place>| {
                set.hosts.contains(host).then_some(before).flatten().map(|before| (to, before.open))
            };
            (&set.fleet, self.stand_otherwise(&set.fleet, stand))
        } else {
            return;
        };
        if !hosts.is_empty() {
            call.lane.tell(What::BalanceSeen { fleet: fleet.name.clone(), hosts });
        }
    }

    /// Notes the release that a host has now.
    pub fn saw_releases(&self, host: &Host, listing: &Listing) {
        self.note(host, |told| {
            told.old.get_or_insert_with(|| listing.current.clone());
            told.new = Some(listing.current.clone());
            told.listing = Some(listing.clone());
        });
    }

    /// What was changed, or may have been: a lost answer, or a stop amid a change, says nothing of what was done.
    fn learn_change(&self, effect: &dyn Record, answered: &Answered) {
        if !matches!(effect.kind(), Kind::Change | Kind::Once) {
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
        if effect.kind() == Kind::Once && touch.hosts().is_empty() {
            self.seen.lock().unwrap().once_here = true;
        }
    }

    fn learn(&self, call: Call<'_>, now: Time, answered: &Answered) {
        let effect = call.effect;
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
            && let Some(places) = answer.as_any().downcast_ref::<Vec<balancer::Place>>()
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
            // It was proven before it was put back, and has died since.
            self.note(&wait.host, |told| told.died |= told.back.is_some());
        }
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
        self.learn_change(effect, answered);
        let Ok(answer) = answered else { return };
        self.names.read(effect.as_any(), answer.as_any());
        if let Some(number) = effect.as_any().downcast_ref::<Number>()
            && let Some(name) = called(&number.commit, Some(&number.name), &number.names)
        {
            self.names.learn(&number.commit, name);
        }
        if let (Kind::Read, Subject::Host(host)) = (effect.kind(), effect.subject()) {
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
            if let Some(proof) = answer.as_any().downcast_ref::<crate::health::Proof>()
                && !proof.version_proven
            {
                self.remark(&probe.host, UNPROVEN);
            }
        }
    }
}

/// That a balancer forgot that a host is out.
pub fn exposed(host: &Host, balancer: &Name) -> Failure {
    let message = format!("`{balancer}` was reloaded or restarted while this host was out, and sent it requests");
    Failure::new(Cause::Balancer, message).on(&host.name)
}

impl Layer for Arc<Observed> {
    fn pass(&self, call: Call<'_>, rest: Rest<'_>) -> Answered {
        let answered = rest.pass(call);
        // A box's own `as_any` would be the box.
        self.learn(call, rest.world().now(call.lane), &answered);
        self.tell_places(call, &answered);
        answered
    }
}
