//! What the time of an effect goes to.
use serde::{Deserialize, Serialize};
use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

/// What the time of an effect went to, in milliseconds; the rest is rfab's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Spent {
    /// A host worked, from when it began a command until it ended.
    #[serde(skip_serializing_if = "is_zero")]
    pub hosts: u64,
    /// The run waited as the fleet file or the fabfile demands: for open requests, health, or a time.
    #[serde(skip_serializing_if = "is_zero")]
    pub demanded: u64,
    /// Bytes were under way, or a login.
    #[serde(skip_serializing_if = "is_zero")]
    pub network: u64,
    /// A person was asked.
    #[serde(skip_serializing_if = "is_zero")]
    pub person: u64,
}

fn is_zero(time: &u64) -> bool {
    *time == 0
}

impl Spent {
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    pub fn total(&self) -> u64 {
        self.hosts + self.demanded + self.network + self.person
    }
}

/// What time can go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spending {
    Hosts,
    Demanded,
    Network,
    Person,
}

/// The durations so far, in the order of [`Spending`].
type Durations = [Duration; 4];

/// Adds up what one effect after the other spends.
#[derive(Debug, Default)]
pub struct SpentMeter(Mutex<Durations>);

tokio::task_local! {
    static METER: Arc<SpentMeter>;
}

impl SpentMeter {
    /// Carries something out, and adds to this meter what it spends.
    pub async fn over<F: Future>(self: &Arc<Self>, work: F) -> F::Output {
        METER.scope(self.clone(), work).await
    }

    /// Adds milliseconds.
    pub fn add(&self, on: Spending, millis: u64) {
        self.0.lock().unwrap()[on as usize] += Duration::from_millis(millis);
    }

    /// Returns what was spent since the last call.
    pub fn take(&self) -> Spent {
        let [hosts, demanded, network, person] =
            std::mem::take(&mut *self.0.lock().unwrap()).map(|time| time.as_millis() as u64);
        Spent { hosts, demanded, network, person }
    }
}

/// Time that is being spent, until this is dropped.
///
/// What is spent within it counts as a part of it. So does what is spent beside it. Only a person's time stays one.
pub struct SpendingTime {
    on: Spending,
    began: Instant,
    before: Option<Durations>,
}

impl SpendingTime {
    pub fn on(on: Spending) -> Self {
        let before = METER.try_with(|meter| *meter.0.lock().unwrap()).ok();
        Self { on, began: Instant::now(), before }
    }

    /// Goes on with something else.
    pub fn then(&mut self, on: Spending) {
        self.end();
        *self = Self::on(on);
    }

    fn end(&mut self) {
        let Some(mut times) = self.before.take() else { return };
        let _ = METER.try_with(|meter| {
            let mut now = meter.0.lock().unwrap();
            let person = Spending::Person as usize;
            let asked = now[person].saturating_sub(times[person]);
            times[person] += asked;
            times[self.on as usize] += self.began.elapsed().saturating_sub(asked);
            *now = times;
        });
    }
}

impl Drop for SpendingTime {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn sleep(millis: u64) {
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }

    #[tokio::test]
    async fn what_is_spent_within_something_is_a_part_of_it_and_nothing_is_counted_twice() {
        let meter = Arc::new(SpentMeter::default());
        let began = Instant::now();
        let work = async {
            let network = SpendingTime::on(Spending::Network);
            sleep(20).await;
            drop(network);
            let waits = async {
                let mut waits = SpendingTime::on(Spending::Demanded);
                let asks = SpendingTime::on(Spending::Network);
                sleep(20).await;
                drop(asks);
                sleep(20).await;
                waits.then(Spending::Hosts);
                sleep(20).await;
            };
            tokio::join!(waits, async {
                let _beside = SpendingTime::on(Spending::Network);
                sleep(10).await;
            });
        };
        meter.over(work).await;
        let whole = began.elapsed().as_millis() as u64;
        let spent = meter.take();
        assert!(spent.network >= 20 && spent.demanded >= 40 && spent.hosts >= 20, "{spent:?}");
        assert!(spent.total() <= whole && spent.person == 0, "{spent:?} of {whole}");
        assert!(meter.take().is_nothing());
    }

    #[tokio::test]
    async fn a_persons_time_stays_one_within_something_else_and_is_counted_once() {
        let meter = Arc::new(SpentMeter::default());
        let began = Instant::now();
        let work = async {
            let _waits = SpendingTime::on(Spending::Demanded);
            let _asks = SpendingTime::on(Spending::Person);
            let first = SpendingTime::on(Spending::Person);
            sleep(20).await;
            drop(first);
            sleep(20).await;
        };
        meter.over(work).await;
        let whole = began.elapsed().as_millis() as u64;
        let spent = meter.take();
        assert!(spent.person >= 40 && spent.total() <= whole, "{spent:?} of {whole}");
    }

    #[test]
    fn what_took_no_time_is_not_kept() {
        let spent = Spent { network: 3, ..Spent::default() };
        assert_eq!(serde_json::to_string(&spent).unwrap(), r#"{"network":3}"#);
        assert_eq!(serde_json::from_str::<Spent>(r#"{"network":3}"#).unwrap(), spent);
        // Outside of an effect nothing counts.
        drop(SpendingTime::on(Spending::Hosts));
    }
}
