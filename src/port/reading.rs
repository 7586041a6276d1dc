//! One reading for all who ask at once.
use crate::failure::Failure;
use std::any::Any;
use tokio::{sync::Mutex, time::Instant};

/// What was read last, and when that reading began.
#[derive(Default)]
pub struct SharedReading(Mutex<Option<(Instant, Box<dyn Any + Send>)>>);

impl SharedReading {
    /// Gives what a reading says that began after this was called: one's own, or that of somebody who asked meanwhile.
    ///
    /// However many wait, each waits for two readings at most. A reading that fails fails for all who wait for it.
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
                    // Until all others have asked.
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
