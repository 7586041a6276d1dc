//! Shares one reading among all callers that wait for it.
use crate::failure::Failure;
use std::any::Any;
use tokio::{sync::Mutex, time::Instant};

/// The last reading, and when it began.
#[derive(Default)]
pub struct SharedReading(Mutex<Option<(Instant, Box<dyn Any + Send>)>>);

impl SharedReading {
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
}
