use super::*;
use crate::{
    balancer::ReadBalance,
    effect::{AnyEffect, Door, Effect, EffectKind, Subject, Touch},
    event::Listener,
    failure::Cause,
    fleet::tests::read_text,
    host::{Host, Name},
    ledger::Book,
    model::{Model, Predicted},
    port::{
        Coordinator, Driver, Ended, Exclusive, FleetConnections, Holder, Job, NoticeSink, Person, Remote,
        SharedReading, Trace, Traced, Transport, Waits,
    },
    secret::Masks,
};
use async_trait::async_trait;
use serde::Serialize;
use std::{
    fs::File,
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering::SeqCst},
    time::Duration,
};

/// Stands for everything that this test doesn't use.
#[derive(Default)]
struct Unused {
    /// Whether the lock is lost.
    lost: AtomicBool,
}

#[async_trait]
impl Transport for Unused {
    async fn connect(&self, _: &Host) -> Result<(), Failure> {
        unreachable!()
    }
    async fn run(&self, _: &Host, _: Job<'_>) -> Result<Ended, Failure> {
        unreachable!()
    }
    async fn forward(&self, _: &Host, _: &Remote) -> Result<PathBuf, Failure> {
        unreachable!()
    }
    async fn exclusive(&self, _: &Host, _: &str, _: &[&str], _: Option<&Remote>) -> Result<Exclusive, Failure> {
        unreachable!()
    }
    async fn traced(&self, _: &Host, _: &Trace) -> Result<Traced, Failure> {
        unreachable!()
    }
    async fn terminal(&self, _: &Host, _: &str) -> Result<i32, Failure> {
        unreachable!()
    }
    async fn stop_all(&self) {}
}

#[async_trait]
impl Coordinator for Unused {
    async fn lock(&self, _: &Holder, _: Option<Waits<'_>>, _: &NoticeSink<'_>) -> Result<(), Failure> {
        unreachable!()
    }
    async fn held(&self) -> Result<(), Failure> {
        // As on a far machine.
        tokio::time::sleep(Duration::from_millis(50)).await;
        if self.lost.load(SeqCst) { Err(Failure::unknown("lost")) } else { Ok(()) }
    }
    async fn unlock(&self) {}
    async fn driver(&self, _: &Name) -> Result<Arc<dyn Driver>, Failure> {
        unreachable!()
    }
    async fn note_all(&self, _: &Name, _: &str, _: &[&str]) -> Result<(), Failure> {
        unreachable!()
    }
    async fn book(&self, _: &Name) -> Result<Arc<Book>, Failure> {
        unreachable!()
    }
}

impl Person for Unused {
    fn confirm(&self, _: &str) -> Option<bool> {
        None
    }
    fn terminal(&self) -> Option<String> {
        None
    }
    fn ask(&self, _: &str, _: bool) -> Option<String> {
        None
    }
    fn lend(&self, _: &mut dyn FnMut(&File)) {}
}

impl Door for Unused {
    fn pass(&self, _: Call<'_>) -> Answered {
        unreachable!()
    }
    fn ended(&self, _: &Lane, _: Option<&Failure>) {}
    fn attempt(&self) -> u32 {
        0
    }
    fn world(&self) -> &dyn World {
        unreachable!()
    }
    fn listener(&self) -> &dyn Listener {
        unreachable!()
    }
    fn masks(&self) -> &Masks {
        unreachable!()
    }
    fn run(&self) -> &Name {
        unreachable!()
    }
}

const KINDS: [EffectKind; 5] =
    [EffectKind::Read, EffectKind::Notice, EffectKind::Change, EffectKind::Once, EffectKind::Hold];

/// An effect of one of the kinds. Its outcome is the reading that it could share; then another reading is made.
#[derive(Serialize)]
struct OneEffect<const KIND: usize>;

const LATELY: Duration = Duration::from_secs(600);

async fn lately(balance: &SharedReading) -> Option<u8> {
    balance.lately(LATELY).await
}

impl<const KIND: usize> Effect for OneEffect<KIND> {
    type Outcome = Option<u8>;
    const NAME: &'static str = "doing";
    const KIND: EffectKind = KINDS[KIND];

    fn subject(&self) -> Subject<'_> {
        Subject::Here
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Nothing
    }

    fn describe(&self) -> String {
        "do something".into()
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Option<u8>, Failure> {
        let site = at.real.site(&"prod".into());
        let shared = lately(&site.balance).await;
        let listed = site.releases.of("web1").lately::<u8>(LATELY).await;
        assert_eq!(listed, shared, "both are forgotten before a change");
        site.balance.get(async { Ok(2u8) }).await?;
        site.releases.of("web1").get(async { Ok(2u8) }).await?;
        Ok(shared)
    }

    fn predict(&self, _: &mut Model) -> Predicted<Option<u8>> {
        unreachable!()
    }
}

/// Returns a world with one fleet of one host.
fn world(coordinator: Arc<Unused>) -> (RealWorld, Arc<Fleet>) {
    let build = move |fleet: &Arc<Fleet>| {
        let (transport, coordinator) = (Arc::new(Unused::default()), coordinator.clone());
        Ok(FleetConnections::new(fleet.clone(), transport, coordinator))
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let real = Real::new(Arc::new(Unused::default()), "/nowhere".into(), false, Box::new(build));
    let world = RealWorld::new(real, runtime);
    let fleet = Arc::new(read_text("[hosts]\nweb1 = { roles = [\"web\"] }\n"));
    world.admit(&fleet).unwrap();
    (world, fleet)
}

fn perform(world: &RealWorld, effect: &dyn AnyEffect) -> Answered {
    let lane = Lane::first(Arc::new(Unused::default()), 0);
    world.perform(Call { lane: &lane, number: 0, attempt: 0, effect, ledger_writes: &[] })
}

/// Returns what an effect of a kind could share of a reading before it, and what is shared of one during it.
fn shared<const KIND: usize>() -> (Option<u8>, Option<u8>) {
    let (world, fleet) = world(Arc::default());
    let site = world.real.site(&fleet.name);
    world.wait(site.balance.get(async { Ok(1u8) })).unwrap();
    world.wait(site.releases.of("web1").get(async { Ok(1u8) })).unwrap();
    let answer = perform(&world, &OneEffect::<KIND>).unwrap_or_else(|failure| panic!("{}", failure.message));
    let during = answer.as_any().downcast_ref::<Option<u8>>().unwrap();
    let after = world.wait(lately(&site.balance));
    assert_eq!(world.wait(site.releases.of("web1").lately::<u8>(LATELY)), after, "both are forgotten after a change");
    (*during, after)
}

#[test]
fn a_shared_reading_is_forgotten_before_and_after_each_effect_that_may_change_something() {
    assert_eq!((shared::<0>(), shared::<1>()), ((Some(1), Some(2)), (Some(1), Some(2))), "a read and a notice");
    assert_eq!((shared::<2>(), shared::<3>()), ((None, None), (None, None)), "a change");
    assert_eq!(shared::<4>(), (None, None), "a hold: a person may have changed something meanwhile");
}

#[test]
fn before_a_change_the_lock_is_asked_for_again_even_if_the_balancers_were_just_read() {
    let keepers = Arc::new(Unused::default());
    let (world, fleet) = world(keepers.clone());
    let read = || perform(&world, &ReadBalance::before_change(fleet.clone()));
    assert!(read().is_ok());
    keepers.lost.store(true, SeqCst);
    assert!(perform(&world, &ReadBalance::just_now(fleet.clone())).is_ok(), "what changes nothing needs no lock");
    assert_eq!(read().err().map(|failure| failure.cause), Some(Cause::Unlocked));
}
