//! The simulated world: effects are predicted on a model, under a virtual clock.
use super::lanes;
use crate::{
    effect::{Alone, Answered, Call, Lane, LaneWork, Subject, World},
    failure::Failure,
    fleet::Fleet,
    model::{Miss, Model, Time},
    port::{LedgerLines, Spending},
};
use std::sync::{Arc, Mutex};

/// A complete world in memory; the same seed gives the same run.
pub struct Simulated {
    pub model: Mutex<Model>,
    seed: u64,
    begins: Time,
    held: lanes::HeldByLanes,
}

impl Simulated {
    pub fn new(model: Model, seed: u64) -> Self {
        let begins = model.now;
        Self { model: Mutex::new(model), seed, begins, held: Mutex::default() }
    }
}

impl World for Simulated {
    fn name(&self) -> &'static str {
        "simulated"
    }

    fn begins(&self) -> Time {
        self.begins
    }

    fn admit(&self, fleet: &Arc<Fleet>) -> Result<(), Failure> {
        self.model.lock().unwrap().admit(fleet);
        Ok(())
    }

    fn perform(&self, call: Call<'_>) -> Answered {
        let lane = call.lane;
        let began = lane.clock();
        loop {
            let mut model = self.model.lock().unwrap();
            model.come_to(lane.clock());
            model.began = began;
            model.spent = 20;
            let only = call.ledger_writes.iter().filter_map(|write| Some((write.host.clone(), write.places.clone()?)));
            model.only_in = only.collect();
            model.id = format!("{} {}", lane.run(), call.id());
            let answered = match call.effect.predict(&mut model) {
                Err(Miss::Later(at)) => {
                    drop(model);
                    lane.advance(at.max(lane.clock() + 1));
                    lanes::turn();
                    continue;
                }
                Ok(answer) => Ok(answer),
                Err(Miss::Fails(failure)) => Err(failure),
                Err(Miss::Untold(what)) => Err(Failure::failed(format!("the simulator doesn't know {what}"))),
            };
            write_down(&mut model, call, &answered);
            lane.meter.add(Spending::Demanded, lane.clock() - began);
            match call.effect.subject() {
                Subject::Host(_) => lane.meter.add(Spending::Hosts, model.spent),
                Subject::Fleet(_) => lane.meter.add(Spending::Network, model.spent),
                Subject::Repository(_) | Subject::Here => {}
            }
            lane.advance(lane.clock() + model.spent);
            model.now = lane.clock();
            drop(model);
            // Returns only when no lane is earlier: the script sees everything in the order of the clock.
            lanes::turn();
            return answered;
        }
    }

    fn side_by_side(&self, parent: &Arc<Lane>, all: Vec<(Arc<Lane>, LaneWork)>, at_once: usize) {
        lanes::run(parent, all, at_once, self.seed);
    }

    fn alone<'a>(&'a self, call: Call<'a>, what: &str) -> Alone<'a> {
        lanes::alone(&self.held, call.lane, what)
    }

    fn now(&self, lane: &Lane) -> Time {
        lane.clock()
    }
}

/// Writes the ledger lines, as the wrapper or the keeper does: all intents before the change, all results after it.
fn write_down(model: &mut Model, call: Call<'_>, answered: &Answered) {
    let Some(fleet) = call.effect.touch().fleet().cloned() else { return };
    let result = |lines: &LedgerLines| if answered.is_ok() { lines.ok.clone() } else { lines.failed.clone() };
    let intents = call.ledger_writes.iter().map(|write| (write, write.lines.intent.clone()));
    let results = call.ledger_writes.iter().map(|write| (write, result(&write.lines)));
    for (write, line) in intents.chain(results).filter(|(_, line)| !line.is_empty()) {
        match &write.place {
            // A place that the model doesn't know has no folder for a ledger.
            Some(place) => model.write_down(&fleet, place, &line).unwrap_or_default(),
            None => {
                let line = model.dated(&line);
                if let Some(machine) = model.machines.get_mut(&(fleet.clone(), write.host.clone())) {
                    machine.ledger.push(line);
                }
            }
        }
    }
}
