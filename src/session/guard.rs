//! Before the first change to a fleet: the question of a guarded one, then the lock, held to the run's end.
use super::{Layer, Rest, Run, Tally};
use crate::{
    balancer::Lock,
    effect::{Answered, Call, Fleets, Kind},
    failure::{Failure, Reason},
    fleet::Fleet,
    host::Name,
    ui::Consent,
    world::real::Holder,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

pub struct Guard {
    run: Arc<Run>,
    fleets: Arc<Fleets>,
    tally: Arc<Tally>,
    /// Fleets whose lock this run holds.
    held: Mutex<BTreeSet<Name>>,
    /// Fleets that may not be changed: who said no is not asked again for the next host.
    refused: Mutex<BTreeMap<Name, Failure>>,
}

impl Guard {
    pub fn new(run: Arc<Run>, fleets: Arc<Fleets>, tally: Arc<Tally>) -> Self {
        Self { run, fleets, tally, held: Mutex::default(), refused: Mutex::default() }
    }

    fn enter(&self, fleet: &Arc<Fleet>, call: Call<'_>, rest: Rest<'_>) -> Result<(), Failure> {
        let held = |name: &Name| self.held.lock().unwrap().contains(name);
        if held(&fleet.name) {
            return Ok(());
        }
        let _alone = rest.world().alone(call, &format!("guard {}", fleet.name));
        if held(&fleet.name) {
            return Ok(());
        }
        if call.lane.deferred {
            let message = format!("fleet `{}` is not locked by this run", fleet.name);
            return Err(Failure::new(Reason::Locked, message));
        }
        if fleet.guarded {
            self.consent(fleet, call, rest)?;
        }
        let holder = Holder {
            who: self.run.who.clone(),
            from: self.run.from.clone(),
            run: self.run.id.to_string(),
            line: self.run.line.clone(),
            since: self.run.since.clone(),
        };
        rest.ask(&call).hold(Lock { fleet: fleet.clone(), holder, take: true, wait: self.run.wait })?;
        self.held.lock().unwrap().insert(fleet.name.clone());
        Ok(())
    }

    fn consent(&self, fleet: &Arc<Fleet>, call: Call<'_>, rest: Rest<'_>) -> Result<(), Failure> {
        if let Some(no) = self.refused.lock().unwrap().get(&fleet.name).cloned() {
            return Err(no);
        }
        let (name, question) = (fleet.name.clone(), self.question(fleet));
        let asked = rest.ask(&call).hold(Consent { fleet: name.clone(), question, given: self.run.yes.clone() });
        asked.inspect_err(|no| drop(self.refused.lock().unwrap().insert(name, no.clone())))
    }

    /// Names the fleet, the line, the commit and how many hosts.
    fn question(&self, fleet: &Fleet) -> String {
        let commit = match self.tally.pinned() {
            Some((name, commit)) => format!("\n  commit  {name} ({})", &commit[..commit.len().min(12)]),
            None => String::new(),
        };
        let hosts = fleet.hosts.len();
        format!(
            "`{}` is guarded.\n  line    rfab {}{commit}\n  hosts   {hosts} in the fleet\nChange it?",
            fleet.name, self.run.line
        )
    }
}

impl Layer for Guard {
    fn pass(&self, call: Call<'_>, rest: Rest<'_>) -> Answered {
        if call.effect.kind() != Kind::Read
            && let Some(fleet) = call.effect.touch().fleet()
        {
            self.enter(&self.fleets.get(fleet), call, rest)?;
        }
        rest.pass(call)
    }
}
