//! Before the first change of a fleet: asks about a guarded fleet, then takes the lock and keeps it to the run's end.
use super::{InnerLayers, Layer, Observed, Run, invariants::reads_before, unfinished::tell};
use crate::{
    balancer::{Holds, Lock, SetWeight},
    bookkeeping::{Mark, Owner, ReadHome, RecordOwner, RecordRun, foreign},
    control::shown,
    effect::{Answered, AnyEffect, Call, EffectKind, Fleets, Touch},
    event::EventKind,
    failure::{Cause, Failure, Reason},
    fleet::Fleet,
    git::{Behind, ReadBehind},
    host::Name,
    ledger::{Book, LedgerLine, Phase},
    port::Holder,
    release::RecordNumber,
    ui::Consent,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

pub(super) struct Guard {
    run: Arc<Run>,
    fleets: Arc<Fleets>,
    observed: Arc<Observed>,
    /// Fleets with a host that an earlier attempt changed.
    touched: BTreeSet<Name>,
    /// Whether the layer of the invariants follows.
    lawful: bool,
    /// Fleets with a lock that this run holds.
    held: Mutex<BTreeSet<Name>>,
    /// Fleets that may not be changed: a person who said no isn't asked again for the next host.
    refused: Mutex<BTreeMap<Name, Failure>>,
    /// Whether the fabfile's branch was checked.
    looked: AtomicBool,
}

impl Guard {
    pub(super) fn new(
        run: Arc<Run>,
        fleets: Arc<Fleets>,
        observed: Arc<Observed>,
        touched: BTreeSet<Name>,
        lawful: bool,
    ) -> Self {
        let (held, refused, looked) = (Mutex::default(), Mutex::default(), AtomicBool::default());
        Self { run, fleets, observed, touched, lawful, held, refused, looked }
    }

    fn enter(&self, fleet: &Arc<Fleet>, call: Call<'_>, rest: InnerLayers<'_>) -> Result<(), Failure> {
        let held = |name: &Name| self.held.lock().unwrap().contains(name);
        if held(&fleet.name) {
            // A run that lost the lock changes nothing more.
            let asked_later = writes_first(call.effect) || self.lawful && reads_before(call.effect, fleet);
            return rest.ask(&call).read(Holds { fleet: fleet.clone(), run: self.run.id.clone(), asked_later });
        }
        let _alone = rest.world().alone(call, &format!("guard {}", fleet.name));
        if held(&fleet.name) {
            return Ok(());
        }
        if call.lane.is_of_attempt() {
            let message = format!("fleet `{}` isn't locked by this run", fleet.name);
            return Err(Failure::new(Cause::Locked, message));
        }
        if fleet.guarded {
            self.reachable(fleet, call)?;
            self.point_out(call, rest);
            self.consent(fleet, call, rest)?;
        }
        let holder = Holder {
            who: self.run.who.clone(),
            from: self.run.from.clone(),
            run: self.run.id.to_string(),
            line: self.run.typed(),
            since: self.run.since.clone(),
        };
        let later = self.held.lock().unwrap().iter().find(|other| **other > fleet.name).cloned();
        let wait = self.run.allowed.wait && later.is_none();
        let taken = rest.ask(&call).hold(Lock { fleet: fleet.clone(), holder, take: true, wait });
        taken.map_err(|failure| {
            match later.filter(|_| self.run.allowed.wait && failure.reason() == Reason::Locked) {
                Some(later) => circle(failure, &fleet.name, &later),
                None => failure,
            }
        })?;
        let (owner, book) = rest.ask(&call).read(ReadHome { fleet: fleet.clone() })?;
        self.own(fleet, owner, call, rest)?;
        self.alone_since(fleet, &book)?;
        // The holder of the lock knows that no other run is in progress.
        tell(&self.run, &self.observed, &book, call.lane, || None);
        let line = self.run.line(Phase::Intent);
        rest.ask(&call).hold(RecordRun { fleet: fleet.clone(), typed: self.run.typed(), line })?;
        self.held.lock().unwrap().insert(fleet.name.clone());
        self.observed.locked(&fleet.name);
        Ok(())
    }

    /// Fails if the change is impossible, before a person is asked: the lock's machine or the host itself didn't
    /// answer.
    fn reachable(&self, fleet: &Fleet, call: Call<'_>) -> Result<(), Failure> {
        let homes = fleet.balancers.iter().map(|balancer| &balancer.host);
        let touched = call.effect.touch();
        let mute = homes.chain(touched.hosts()).find_map(|host| self.observed.host(host).unreachable);
        mute.map_or(Ok(()), Err)
    }

    /// Refuses a state folder in which another project keeps a fleet; records the owner if there is none.
    fn own(
        &self,
        fleet: &Arc<Fleet>,
        owner: Option<Owner>,
        call: Call<'_>,
        rest: InnerLayers<'_>,
    ) -> Result<(), Failure> {
        let ours = Owner::of(fleet);
        match owner {
            Some(owner) if owner == ours => Ok(()),
            Some(owner) if !owner.is_same(&ours) => Err(foreign(fleet, &owner)),
            _ => rest.ask(&call).hold(RecordOwner { fleet: fleet.clone() }),
        }
    }

    /// Refuses to resume or abort a run if another run has changed the fleet since.
    fn alone_since(&self, fleet: &Fleet, book: &Book) -> Result<(), Failure> {
        if self.run.attempt == 0 && self.run.undoes.is_none() {
            return Ok(());
        }
        let run = self.run.undoes.as_ref().unwrap_or(&self.run.id);
        let ours = |line: &LedgerLine| self.run.is_about(book, line);
        let began = book.lines.iter().any(ours);
        // An abort concerns only fleets that the run changed.
        if !began
            && !self.run.allowed.force_changed
            && (self.run.undoes.is_some() || self.touched.contains(&fleet.name))
        {
            let message = format!(
                "the ledger of fleet `{}` no longer has run `{run}`, which changed this fleet: the ledger was \
                 emptied or lost, or many steps were recorded since",
                fleet.name
            );
            return Err(Failure::new(Cause::Overtaken, message)
                .unchanged()
                .help("check the hosts' state, then type the line again"));
        }
        match book.changed_since(ours).filter(|_| began) {
            Some(line) if !self.run.allowed.force_changed => {
                self.observed.was_overtaken();
                let LedgerLine { run: other, who, from, at, .. } = line;
                let message = format!(
                    "fleet `{}` was changed after run `{run}`, by {who}'s run `{other}` from {from} at {at}",
                    fleet.name
                );
                Err(Failure::new(Cause::Overtaken, message).unchanged().help(self.instead(book)))
            }
            _ => Ok(()),
        }
    }

    /// Says how to continue after another run has changed the fleet: only this run can tell what it left half done.
    fn instead(&self, book: &Book) -> String {
        match book.left_once(&self.run.id).and_then(|line| line.reason.as_deref()) {
            Some(name) => format!(
                "check what the other run changed; then `rfab --resume {} --force-changed` finds out what became of \
                 `{}`, and continues",
                self.run.id,
                shown(name)
            ),
            None => "type the line again; rfab skips what is already done".to_owned(),
        }
    }

    /// Warns that the fabfile isn't what others run, before the first guarded fleet is changed.
    fn point_out(&self, call: Call<'_>, rest: InnerLayers<'_>) {
        let folder = self.run.folder.to_string_lossy().into_owned();
        if self.looked.swap(true, Relaxed) {
            return;
        }
        if let Ok(Some(Behind { upstream, commits })) = rest.ask(&call).read(ReadBehind { folder }) {
            let by = match commits {
                Some(1) => format!("1 commit behind `{upstream}`"),
                Some(commits) => format!("{commits} commits behind `{upstream}`"),
                None => format!("behind `{upstream}`: somebody pushed to it since the last fetch"),
            };
            let text = format!("the fabfile's branch is {by}: `git pull` gets what others changed");
            call.lane.tell(EventKind::Warned { host: None, text });
        }
    }

    fn consent(&self, fleet: &Arc<Fleet>, call: Call<'_>, rest: InnerLayers<'_>) -> Result<(), Failure> {
        if let Some(no) = self.refused.lock().unwrap().get(&fleet.name).cloned() {
            return Err(no);
        }
        let (name, question) = (fleet.name.clone(), self.question(fleet));
        let (of, given, project) = (fleet.of.clone(), self.run.allowed.yes.given(), self.run.folder.clone());
        let asked = rest.ask(&call).hold(Consent { fleet: name.clone(), of, project, question, given });
        asked.inspect_err(|no| {
            // If a person said no, the run doesn't lack a yes.
            if no.cause == Cause::Unconfirmed {
                self.observed.wants_yes(&fleet.name);
            }
            self.refused.lock().unwrap().insert(name, no.clone());
        })
    }

    /// Returns the question, with the fleet, the line, the commit and the number of hosts.
    fn question(&self, fleet: &Fleet) -> String {
        let commit = match self.observed.pinned() {
            Some((name, commit)) => format!("\n  commit  {name} ({})", &commit[..commit.len().min(12)]),
            None => String::new(),
        };
        let hosts = fleet.hosts.len();
        let unasked: Vec<&str> = fleet.unasked.keys().map(|pool| &**pool).collect();
        let unasked = if unasked.is_empty() {
            String::new()
        } else {
            format!(
                "\n  it doesn't use the balancer of {}: hosts may take requests while they are switched",
                unasked.join(", ")
            )
        };
        format!(
            "`{}` is guarded.\n  line    rfab {}{commit}\n  hosts   {hosts} in the fleet{unasked}\nChange it?",
            fleet.name, self.run.line
        )
    }
}

/// Makes the failure of a run that could wait forever: the holder of the fleet may wait for one that this run has.
///
/// Runs wait for fleets only in the order of their names, so that no two of them wait for each other.
fn circle(failure: Failure, fleet: &str, later: &str) -> Failure {
    let message =
        format!("{}. This run already has the lock of `{later}`, so it doesn't wait for `{fleet}`", failure.message);
    Failure { message, ..failure }.help(format!(
        "the run that has `{fleet}` may wait for `{later}`; a line that changes `{fleet}` before `{later}` waits for \
         both"
    ))
}

/// Returns whether an effect begins with a line in the ledger, which isn't written without the lock.
fn writes_first(effect: &dyn AnyEffect) -> bool {
    effect.as_any().is::<Mark>() || effect.as_any().is::<RecordNumber>()
}

/// Returns whether an effect changes a balancer's pools: if there are several apps, each has its own lock for them.
fn of_pools(effect: &dyn AnyEffect) -> bool {
    matches!(effect.touch(), Touch::Admin { .. }) || effect.as_any().is::<SetWeight>()
}

impl Layer for Guard {
    fn pass(&self, call: Call<'_>, rest: InnerLayers<'_>) -> Answered {
        if call.effect.kind() != EffectKind::Read
            && let Some(fleet) = call.effect.touch().fleet()
        {
            let fleet = self.fleets.get(fleet);
            if of_pools(call.effect) {
                fleet.unchosen().map_or(Ok(()), Err)?;
            }
            self.enter(&fleet, call, rest)?;
        }
        rest.pass(call)
    }
}
