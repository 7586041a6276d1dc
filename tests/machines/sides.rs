//! Single effects, without a script and without layers: carried out in a lab, and predicted on its model.
#![allow(dead_code, reason = "not every test needs all of it")]

use lab::Lab;
use rfab::{
    balancer::SshCoordinator,
    effect::{Answered, AnyEffect, Ask, Call, Door, Effect, Happened, Lane, World},
    event::{Event, Listener},
    failure::Failure,
    fleet::{self, Fleet},
    host::{Host, Name},
    ledger::{LedgerLine, Phase},
    model::Model,
    port::{FleetConnections, Holder, Person, Real, Transport},
    secret::Masks,
    ssh::Openssh,
    world::{real::RealWorld, simulated::Simulated},
};
use serde_json::Value;
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
};

/// A door with no layers before the world.
struct Bare {
    world: Arc<dyn World>,
    run: Name,
    masks: Masks,
}

impl Door for Bare {
    fn pass(&self, call: Call<'_>) -> Answered {
        self.world.perform(call)
    }

    fn ended(&self, _: &Lane, _: Option<&Failure>) {}

    fn attempt(&self) -> u32 {
        0
    }

    fn world(&self) -> &dyn World {
        &*self.world
    }

    fn listener(&self) -> &dyn Listener {
        self
    }

    fn masks(&self) -> &Masks {
        &self.masks
    }

    fn run(&self) -> &Name {
        &self.run
    }
}

impl Listener for Bare {
    fn tell(&self, _: &Event) {}
}

/// A person who answers yes.
struct Willing;

impl Person for Willing {
    fn confirm(&self, _: &str) -> Option<bool> {
        Some(true)
    }

    fn terminal(&self) -> Option<String> {
        None
    }

    fn ask(&self, _: &str, _: bool) -> Option<String> {
        Some(String::new())
    }

    fn lend(&self, _: &mut dyn FnMut(&std::fs::File)) {}
}

/// A world, and a lane that leads straight into it.
pub struct Side {
    pub world: Arc<dyn World>,
    lane: Arc<Lane>,
    next: AtomicU32,
}

impl Side {
    fn of(world: Arc<dyn World>, run: &str) -> Side {
        let lane = Lane::first(
            Arc::new(Bare { world: world.clone(), run: run.into(), masks: Masks::default() }),
            world.begins(),
        );
        Side { world, lane, next: AtomicU32::new(0) }
    }

    /// Connects to the lab's fleet, over ssh.
    pub fn real(lab: &Lab, run: &str) -> Side {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (project, home, run_dir) = (lab.project.folder.clone(), lab.home(), lab.folder.join("run"));
        let build = move |fleet: &Arc<Fleet>| {
            let ssh: Arc<dyn Transport> =
                Arc::new(Openssh::new(fleet, &project, &home, Some(&run_dir), Arc::new(Willing), fleet.persist)?);
            let coordinator = Arc::new(SshCoordinator::new(fleet.clone(), ssh.clone()));
            Ok(FleetConnections::new(fleet.clone(), ssh, coordinator))
        };
        let real = Real::new(Arc::new(Willing), lab.folder.join("tmp"), true, Box::new(build));
        let side = Side::of(Arc::new(RealWorld::new(real, runtime)), run);
        side.world.admit(&prod(lab)).unwrap();
        side
    }

    /// Returns the number of the next call.
    pub fn number(&self) -> u32 {
        self.next.fetch_add(1, Relaxed)
    }

    /// Performs an effect as the call with that number.
    pub fn perform_as<E: Effect + 'static>(&self, number: u32, effect: &E) -> Result<E::Outcome, Failure> {
        let call = Call { lane: &self.lane, number, attempt: 0, effect, ledger_writes: &[] };
        self.world.perform(call).map(|answer| *answer.any().downcast().expect("its own outcome"))
    }

    pub fn perform<E: Effect + 'static>(&self, effect: &E) -> Result<E::Outcome, Failure> {
        self.perform_as(self.number(), effect)
    }

    /// Looks whether an effect was done as the call with that number.
    pub fn look_as<E: Effect + 'static>(&self, number: u32, effect: &E) -> Result<Happened<E::Outcome>, Failure> {
        let call = Call { lane: &self.lane, number, attempt: 0, effect, ledger_writes: &[] };
        Effect::look(effect, Ask::of(&*self.world, &call))
    }
}

/// Both worlds; the model starts like the lab.
pub struct Sides {
    pub real: Side,
    pub made_up: Side,
    simulated: Arc<Simulated>,
    pub fleet: Arc<Fleet>,
}

impl Sides {
    pub fn of(lab: &Lab) -> Sides {
        let first = lab.project.resolve("v3.0.0");
        let simulated = Arc::new(Simulated::new(Model { first: first.as_str().into(), ..Model::new() }, 1));
        let made_up = Side::of(simulated.clone(), "r1");
        let fleet = prod(lab);
        made_up.world.admit(&fleet).unwrap();
        Sides { real: Side::real(lab, "r1"), made_up, simulated, fleet }
    }

    pub fn host(&self, name: &str) -> Host {
        let balancers = self.fleet.balancers.iter().map(|b| &b.host);
        self.fleet.hosts.iter().chain(balancers).find(|h| &*h.name == name).expect("a host of that name").clone()
    }

    /// Changes the model, as the test changes the lab.
    pub fn model<T>(&self, change: impl FnOnce(&mut Model) -> T) -> T {
        change(&mut self.simulated.model.lock().unwrap())
    }

    /// Performs a read in the lab, and puts its outcome into the model.
    pub fn learn<E: Effect + 'static>(&self, effect: &E) -> E::Outcome {
        let outcome = self.real.perform(effect).unwrap();
        self.model(|model| Effect::learn(effect, &outcome, model));
        outcome
    }

    /// Performs an effect in both worlds, compares the outcomes, and returns the real one.
    #[track_caller]
    pub fn same<E: Effect + 'static>(&self, effect: &E) -> Result<E::Outcome, Failure> {
        self.alike(effect, |value| value)
    }

    /// Does the same for an effect with an outcome that depends on the moment; `settled` removes that part.
    #[track_caller]
    pub fn alike<E: Effect + 'static>(
        &self,
        effect: &E,
        settled: impl Fn(Value) -> Value,
    ) -> Result<E::Outcome, Failure> {
        let shown = |outcome: &Result<E::Outcome, Failure>| match outcome {
            Ok(outcome) => settled(serde_json::to_value(outcome).unwrap()),
            Err(f) => settled(serde_json::json!({
                "cause": f.cause, "message": f.message, "host": f.host, "status": f.status,
            })),
        };
        let (real, made_up) = (self.real.perform(effect), self.made_up.perform(effect));
        assert_eq!(shown(&real), shown(&made_up), "{}: the real world, and the model", AnyEffect::describe(effect));
        real
    }

    /// Does the same for an effect that must fail with that text in its message.
    #[track_caller]
    pub fn fail<E: Effect + 'static>(&self, effect: &E, text: &str)
    where
        E::Outcome: std::fmt::Debug,
    {
        let failure = self.same(effect).expect_err(text);
        assert!(failure.to_string().contains(text), "{failure:?}");
    }

    /// Looks in both worlds whether a call was done; the answers must agree.
    #[track_caller]
    pub fn look_as<E: Effect + 'static>(&self, number: u32, effect: &E) -> Result<Happened<E::Outcome>, Failure>
    where
        E::Outcome: std::fmt::Debug + PartialEq,
    {
        let (real, made_up) = (self.real.look_as(number, effect), self.made_up.look_as(number, effect));
        assert_eq!(real, made_up, "{}: looked at in the real world, and in the model", AnyEffect::describe(effect));
        real
    }

    /// Checks in both worlds that `look` sees a change as not done before it is made, and as done afterwards.
    #[track_caller]
    pub fn told_apart<E: Effect + 'static>(&self, effect: &E)
    where
        E::Outcome: std::fmt::Debug + PartialEq,
    {
        let number = self.real.number();
        assert_eq!(
            self.look_as(number, effect).unwrap(),
            Happened::Not,
            "{} isn't done yet",
            AnyEffect::describe(effect)
        );
        self.real.perform_as(number, effect).unwrap();
        self.made_up.perform_as(number, effect).unwrap();
        let seen = self.look_as(number, effect).unwrap();
        assert!(matches!(seen, Happened::Done(_)), "{} is done: {seen:?}", AnyEffect::describe(effect));
    }
}

/// Returns the lab's fleet `prod`.
fn prod(lab: &Lab) -> Arc<Fleet> {
    match fleet::read("fleets/prod.toml", Path::new(&lab.project.folder), &[]) {
        Ok(fleet) => Arc::new(fleet),
        Err(wrong) => panic!("{wrong:?}"),
    }
}

/// Returns an operator, in a run with that id.
pub fn holder(run: &str) -> Holder {
    let text = str::to_owned;
    Holder {
        who: text("anna"),
        from: text("mac"),
        run: text(run),
        line: text("prod deploy:stable"),
        since: text("2026-11-24T10:00:00Z"),
    }
}

/// Returns the beginning of a run's ledger line.
pub fn line(run: &str) -> LedgerLine {
    LedgerLine {
        v: 1,
        run: run.into(),
        seq: 1,
        at: rfab::ledger::line::AT.into(),
        who: "anna".into(),
        on_behalf_of: None,
        from: "mac".into(),
        effect: String::new(),
        host: None,
        pool: Vec::new(),
        phase: Phase::Intent,
        commit: None,
        number: None,
        names: None,
        content: None,
        reason: None,
        places: Vec::new(),
        epoch: None,
    }
}
