//! How long hosts are waited for, and when a login is tried again.
use std::{
    pin::pin,
    time::{Duration, Instant},
};
use tokio::time::sleep;

/// How long a dead peer may go unnoticed; ssh itself gives up after 15 s.
pub(crate) const SILENT: Duration = Duration::from_secs(20);

/// How long a login may take in total; ssh's own limit covers only the start.
pub(crate) const LOGIN_WITHIN: Duration = Duration::from_secs(25);
/// How long a server that turns logins away is tried again.
pub(crate) const TURNED_AWAY_WITHIN: Duration = Duration::from_secs(15);
/// The longest pause before another try; pauses are random, so that rejected logins don't return at the same time.
pub(crate) const PAUSE: Duration = Duration::from_secs(2);

/// Returns whether a server hung up before it identified itself, as with too many logins in progress (`MaxStartups`).
pub(crate) fn is_turned_away(said: &str) -> bool {
    let closed = ["Connection closed", "Connection reset", "Not allowed at this time", "Exceeded MaxStartups"];
    let early =
        |line: &str| line.starts_with("kex_exchange_identification") || line.starts_with("ssh_exchange_identification");
    !said.contains("orwarding")
        && !said.contains("open failed")
        && said.lines().any(|line| early(line) && closed.iter().any(|word| line.contains(word)))
}

/// A wait for somebody else, up to a limit. Time in which this process didn't get to run doesn't count, because what
/// has arrived wasn't heard yet: it has other hosts to hear, or the machine is busy.
pub(crate) struct Patience {
    limit: Duration,
    /// What counts of the time so far.
    waited: Duration,
    /// The whole time so far, of which a pause of this process is at most one part.
    passed: Duration,
    /// When the last moment ended.
    seen: Instant,
}

impl Patience {
    /// The longest part of a wait that is counted at one time.
    const MOMENT: Duration = Duration::from_millis(200);
    /// How many times the limit a wait may take in all.
    const MOST: u32 = 4;
    /// The part of the limit that one moment counts at most in all. A longer one is a pause: somebody stopped this
    /// process, or its machine, and what arrived meanwhile wasn't heard.
    const PART: u32 = 4;

    pub(crate) fn new(limit: Duration) -> Self {
        Self { limit, waited: Duration::ZERO, passed: Duration::ZERO, seen: Instant::now() }
    }

    /// Returns whether the wait has taken too long.
    pub(crate) fn is_over(&self) -> bool {
        self.waited >= self.limit || self.passed >= self.limit * Self::MOST
    }

    /// Waits for a moment, and counts it.
    pub(crate) async fn moment(&mut self) {
        let moment = Self::MOMENT.min(self.limit / 100);
        sleep(moment).await;
        self.waited += moment;
        self.passed += self.seen.elapsed().min(self.limit / Self::PART);
        self.seen = Instant::now();
    }
}

/// Waits for something, up to a limit of which only the time counts in which this process could hear it.
pub(crate) async fn heard_within<F: Future>(limit: Duration, awaited: F) -> Option<F::Output> {
    let (mut awaited, mut patience) = (pin!(awaited), Patience::new(limit));
    while !patience.is_over() {
        tokio::select! {
            biased;
            done = &mut awaited => return Some(done),
            () = patience.moment() => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    const LIMIT: Duration = Duration::from_millis(400);

    #[tokio::test]
    async fn a_wait_counts_only_the_time_in_which_this_process_could_hear_and_yet_it_ends() {
        // Something else keeps this thread busy, for longer than the limit in all.
        let (begun, mut busy) = (Instant::now(), 0);
        let backlog = async {
            while busy < 2 {
                busy += 1;
                thread::sleep(LIMIT * 3 / 4);
                tokio::task::yield_now().await;
            }
        };
        assert_eq!(heard_within(LIMIT, backlog).await, Some(()));
        assert!(begun.elapsed() > LIMIT);
        // Without a backlog, all of the time counts.
        let begun = Instant::now();
        assert_eq!(heard_within(LIMIT, std::future::pending::<()>()).await, None);
        assert!(begun.elapsed() >= LIMIT);
        // A pause of this process, as by Ctrl-Z, doesn't end the wait.
        let paused = async {
            thread::sleep(LIMIT * (Patience::MOST + 1));
            sleep(LIMIT / 10).await;
        };
        assert_eq!(heard_within(LIMIT, paused).await, Some(()));
        // A backlog without end is no excuse.
        let mut busy = true;
        let endless = async {
            while std::hint::black_box(busy) {
                thread::sleep(LIMIT / 4);
                tokio::task::yield_now().await;
                busy = true;
            }
        };
        assert_eq!(heard_within(LIMIT, endless).await, None);
    }
}
