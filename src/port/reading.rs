//! Shares one reading among all callers that wait for it.
use crate::failure::Failure;
use std::{any::Any, time::Duration};
use tokio::{sync::Mutex, time::Instant};

/// The last reading, and when it began.
#[derive(Default)]
pub struct SharedReading(Mutex<Option<(Instant, Box<dyn Any + Send>)>>);

impl SharedReading {
    /// Returns the last reading if it succeeded, began at most so long ago, and nothing was changed since.
    pub async fn lately<T: Clone + Send + 'static>(&self, within: Duration) -> Option<T> {
        let last = self.0.lock().await;
        let (began, said) = last.as_ref()?;
        let said = said.downcast_ref::<Result<T, Failure>>()?.as_ref().ok()?;
        (began.elapsed() <= within).then(|| said.clone())
    }

    /// Forgets the last reading, because something changes.
    pub async fn forget(&self) {
        *self.0.lock().await = None;
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
        let mut last = self.0.lock().await;
        let fresh = last.as_ref().filter(|(began, _)| *began > asked);
        if let Some(said) = fresh.and_then(|(_, said)| said.downcast_ref::<Result<T, Failure>>()) {
            return said.clone();
        }
        let began = Instant::now();
        let said = read.await;
        *last = Some((began, Box::new(said.clone())));
        said
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    };

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
        shared.forget().await;
        assert_eq!(shared.lately::<u8>(moment).await, None);
        read(Err(Failure::failed("no"))).await.unwrap_err();
        assert_eq!(shared.lately::<u8>(moment).await, None);
        read(Ok(2)).await.unwrap();
        assert_eq!(shared.lately::<u8>(moment).await, Some(2));
        tokio::time::sleep(Duration::from_millis(2)).await;
        assert_eq!(shared.lately::<u8>(Duration::from_millis(1)).await, None);
    }
}
