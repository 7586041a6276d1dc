//! Shares one reading among all callers that wait for it.
use crate::failure::Failure;
use std::{
    any::Any,
    collections::BTreeMap,
    sync::{
        Arc, Mutex as Locked,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::{sync::Mutex, time::Instant};

/// The last reading.
#[derive(Default)]
pub struct SharedReading {
    last: Mutex<Option<LastReading>>,
    /// How many changes there were. It's counted beside the reading, so that a change waits for none.
    changes: AtomicU64,
}

/// How long ago a reading may have ended that a script shares with what it read before.
pub const LATELY: Duration = Duration::from_millis(250);
/// The longest that a shared reading may have taken: of a longer one, the first answers may be old when the last comes.
const LONGEST: Duration = Duration::from_millis(400);
/// How long ago a reading may have ended that counts as one that ended just now.
const JUST_NOW: Duration = Duration::from_millis(100);

struct LastReading {
    began: Instant,
    ended: Instant,
    /// How many changes there were when it began.
    changes: u64,
    said: Box<dyn Any + Send>,
}

impl SharedReading {
    /// Returns the last reading if it succeeded, ended at most so long ago, and nothing was changed since it began.
    ///
    /// One that took more than 400 ms isn't shared: it waited for a person, a slow balancer, or its turn.
    pub async fn lately<T: Clone + Send + 'static>(&self, within: Duration) -> Option<T> {
        self.last(|_| within).await
    }

    /// Returns the last reading as [`lately`](Self::lately) does, if it ended at most half as long ago as it took, and at
    /// most 100 ms ago.
    ///
    /// What a far machine reports is half a round trip old when it arrives, so this one is hardly older than a new one.
    pub async fn just_now<T: Clone + Send + 'static>(&self) -> Option<T> {
        self.last(|took| JUST_NOW.min(took / 2)).await
    }

    async fn last<T: Clone + Send + 'static>(&self, within: impl Fn(Duration) -> Duration) -> Option<T> {
        let last = self.last.lock().await;
        let last = last.as_ref().filter(|last| last.changes == self.changes.load(SeqCst))?;
        let said = last.said.downcast_ref::<Result<T, Failure>>()?.as_ref().ok()?;
        let took = last.ended - last.began;
        (took <= LONGEST && last.ended.elapsed() <= within(took)).then(|| said.clone())
    }

    /// Forgets the last reading, and one under way, because something changes.
    pub fn forget(&self) {
        self.changes.fetch_add(1, SeqCst);
    }

    /// Returns the result of a reading that began after this call: its own, or another caller's.
    ///
    /// No matter how many callers wait, each waits for two readings at most. If a reading fails, it fails for all.
    pub async fn get<T, R>(&self, read: R) -> Result<T, Failure>
    where
        T: Clone + Send + 'static,
        R: Future<Output = Result<T, Failure>>,
    {
        let asked = Instant::now();
        let mut last = self.last.lock().await;
        let fresh = last.as_ref().filter(|last| last.began > asked);
        if let Some(said) = fresh.and_then(|last| last.said.downcast_ref::<Result<T, Failure>>()) {
            return said.clone();
        }
        let (began, changes) = (Instant::now(), self.changes.load(SeqCst));
        let said = read.await;
        *last = Some(LastReading { began, ended: Instant::now(), changes, said: Box::new(said.clone()) });
        said
    }
}

/// The last reading of each place.
#[derive(Default)]
pub struct SharedReadings {
    places: Locked<BTreeMap<String, Arc<SharedReading>>>,
}

impl SharedReadings {
    /// Returns the last reading of a place.
    pub fn of(&self, place: &str) -> Arc<SharedReading> {
        let mut places = self.places.lock().expect("no reader panics");
        places.entry(place.to_owned()).or_default().clone()
    }

    /// Forgets all readings, and those under way, because something changes.
    pub fn forget(&self) {
        self.places.lock().expect("no reader panics").values().for_each(|reading| reading.forget());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicU32;

    #[tokio::test]
    async fn many_who_wait_share_a_reading_and_none_gets_one_that_began_before_it_asked() {
        let (shared, readings) = (Arc::new(SharedReading::default()), Arc::new(AtomicU32::new(0)));
        let ask = || {
            let (shared, readings) = (shared.clone(), readings.clone());
            tokio::spawn(async move {
                let asked = Instant::now();
                let reading = async {
                    readings.fetch_add(1, SeqCst);
                    let began = Instant::now();
                    // Waits until all others have asked.
                    for _ in 0..100 {
                        tokio::task::yield_now().await;
                    }
                    Ok(began)
                };
                shared.get(reading).await.is_ok_and(|began| began >= asked)
            })
        };
        let all: Vec<_> = (0..64).map(|_| ask()).collect();
        for one in all {
            assert!(one.await.expect("an end"), "it began before it was asked for");
        }
        assert_eq!(readings.load(SeqCst), 2, "one under way, and one for all who asked meanwhile");
        let failed = shared.get::<Instant, _>(async { Err(Failure::failed("no")) }).await;
        assert!(failed.is_err());
    }

    #[tokio::test]
    async fn a_reading_of_a_moment_ago_is_shared_until_something_changes_or_time_passes() {
        let (shared, moment) = (SharedReading::default(), Duration::from_secs(600));
        let read = async |value: Result<u8, Failure>| shared.get(async { value }).await;
        assert_eq!(shared.lately::<u8>(moment).await, None);
        read(Ok(1)).await.unwrap();
        assert_eq!(shared.lately::<u8>(moment).await, Some(1));
        shared.forget();
        assert_eq!(shared.lately::<u8>(moment).await, None);
        read(Err(Failure::failed("no"))).await.unwrap_err();
        assert_eq!(shared.lately::<u8>(moment).await, None);
        read(Ok(2)).await.unwrap();
        assert_eq!(shared.lately::<u8>(moment).await, Some(2));
        tokio::time::sleep(Duration::from_millis(2)).await;
        assert_eq!(shared.lately::<u8>(Duration::from_millis(1)).await, None);
    }

    #[tokio::test]
    async fn a_reading_that_ended_just_now_is_shared_for_half_the_time_that_it_took() {
        let shared = SharedReading::default();
        shared.get(async { Ok(1u8) }).await.unwrap();
        ended(&shared, 20, 11).await;
        assert_eq!(shared.just_now::<u8>().await, None);
        ended(&shared, 200, -60_000).await;
        assert_eq!(shared.just_now::<u8>().await, Some(1));
        shared.forget();
        assert_eq!(shared.just_now::<u8>().await, None);
    }

    /// Makes the last reading one that took so many milliseconds, and ended so many ago; it ends later if they're
    /// negative.
    async fn ended(shared: &SharedReading, took: u64, ago: i64) {
        let (mut last, millis) = (shared.last.lock().await, Duration::from_millis(ago.unsigned_abs()));
        let last = last.as_mut().expect("a reading");
        last.ended = if ago < 0 { Instant::now() + millis } else { Instant::now() - millis };
        last.began = last.ended - Duration::from_millis(took);
    }

    #[tokio::test]
    async fn a_slow_reading_is_not_shared_and_no_guard_shares_one_that_is_older_than_a_tenth_of_a_second() {
        let (shared, moment) = (SharedReading::default(), Duration::from_secs(600));
        shared.get(async { Ok(1u8) }).await.unwrap();
        for (took, ago, lately, just_now) in [
            (400, -60_000, Some(1), Some(1)),
            (401, -60_000, None, None),
            (60_000, -60_000, None, None),
            (400, 101, Some(1), None),
            (100, 51, Some(1), None),
        ] {
            ended(&shared, took, ago).await;
            let found = (shared.lately::<u8>(moment).await, shared.just_now::<u8>().await);
            assert_eq!(found, (lately, just_now), "took {took} ms, and ended {ago} ms ago");
        }
    }

    #[tokio::test]
    async fn a_change_waits_for_no_reading_and_a_reading_that_began_before_it_is_not_shared() {
        let (shared, moment) = (Arc::new(SharedReading::default()), Duration::from_secs(600));
        let (answer, answered) = tokio::sync::oneshot::channel::<u8>();
        let begun = Arc::new(tokio::sync::Notify::new());
        let reading = {
            let (shared, begun) = (shared.clone(), begun.clone());
            tokio::spawn(async move {
                let read = async {
                    begun.notify_one();
                    answered.await.map_err(|_| Failure::failed("no"))
                };
                shared.get(read).await
            })
        };
        begun.notified().await;
        // The reading is under way, and only this test can end it.
        shared.forget();
        answer.send(1).unwrap();
        assert_eq!(reading.await.unwrap(), Ok(1), "who asked before the change gets it");
        assert_eq!(shared.lately::<u8>(moment).await, None);
        assert_eq!(shared.get(async { Ok(2u8) }).await, Ok(2));
        assert_eq!(shared.lately::<u8>(moment).await, Some(2));
    }

    #[tokio::test]
    async fn places_share_no_reading_and_a_change_forgets_those_of_all() {
        let (readings, moment) = (SharedReadings::default(), Duration::from_secs(600));
        for (place, said) in [("web1", 1u8), ("web2", 2)] {
            readings.of(place).get(async { Ok(said) }).await.unwrap();
        }
        let last = async |place| readings.of(place).lately::<u8>(moment).await;
        assert_eq!((last("web1").await, last("web2").await, last("web3").await), (Some(1), Some(2), None));
        readings.forget();
        assert_eq!((last("web1").await, last("web2").await), (None, None));
    }
}
