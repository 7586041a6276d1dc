//! Time, as a script sees it.
use crate::{
    duration::{limit, written},
    effect::*,
    event::EventKind,
    failure::{Cause, Failure},
    model::{Miss, Model, Predicted, Time},
    port::{Spending, SpendingTime},
};
use serde::Serialize;
use std::{fmt, time::Duration};

/// Reads the clock: seconds since 1970.
#[derive(Clone, Debug, Serialize)]
pub struct Now;

impl Read for Now {
    type Outcome = i64;
    const NAME: &'static str = "now";

    fn subject(&self) -> Subject<'_> {
        Subject::Here
    }

    fn describe(&self) -> String {
        "read the clock".to_owned()
    }

    async fn carry_out(&self, _: At<'_>) -> Result<i64, Failure> {
        Ok(jiff::Timestamp::now().as_second())
    }

    fn predict(&self, model: &mut Model) -> Predicted<i64> {
        model.takes(0);
        Ok((model.now / 1000) as i64)
    }
}

/// Waits.
#[derive(Clone, Debug, Serialize)]
pub struct Wait {
    /// The time to wait, in milliseconds.
    pub time: Time,
}

impl Read for Wait {
    type Outcome = ();
    const NAME: &'static str = "wait";

    fn subject(&self) -> Subject<'_> {
        Subject::Here
    }

    fn describe(&self) -> String {
        format!("wait {}", limit(Duration::from_millis(self.time)))
    }

    async fn carry_out(&self, _: At<'_>) -> Result<(), Failure> {
        let _time = SpendingTime::on(Spending::Demanded);
        tokio::time::sleep(Duration::from_millis(self.time)).await;
        Ok(())
    }

    fn predict(&self, model: &mut Model) -> Predicted<()> {
        let end = model.began + self.time;
        if model.now < end { Err(Miss::Later(end)) } else { Ok(()) }
    }
}

/// How long a run waits between two groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pausing {
    /// A time, in milliseconds.
    For(Time),
    /// Until a person says yes.
    Ask,
}

impl fmt::Display for Pausing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pausing::Ask => f.write_str("ask"),
            Pausing::For(time) => f.write_str(&written(*time)),
        }
    }
}

/// Waits between two groups; an interrupt ends the wait.
#[derive(Clone, Debug, Serialize)]
pub struct Pause {
    /// What was done before the pause.
    pub after: String,
    /// The length of the pause, in milliseconds.
    pub time: Time,
}

impl Read for Pause {
    type Outcome = ();
    const NAME: &'static str = "pause";

    fn subject(&self) -> Subject<'_> {
        Subject::Here
    }

    fn describe(&self) -> String {
        format!("pause {} after {}", Pausing::For(self.time), self.after)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<(), Failure> {
        let _time = SpendingTime::on(Spending::Demanded);
        let (began, whole) = (tokio::time::Instant::now(), Duration::from_millis(self.time));
        let (total, mut said) = (whole.as_secs(), None);
        while began.elapsed() < whole {
            if at.real.person.stops() {
                return Err(Failure::new(Cause::Interrupted, "interrupted"));
            }
            let done = began.elapsed().as_secs();
            if said.replace(done) != Some(done) {
                at.tell(EventKind::Progressed { host: None, what: "waited".to_owned(), done, total, unit: "seconds" });
            }
            tokio::time::sleep(Duration::from_millis(100).min(whole.saturating_sub(began.elapsed()))).await;
        }
        Ok(())
    }

    fn predict(&self, model: &mut Model) -> Predicted<()> {
        let end = model.began + self.time;
        if model.now < end { Err(Miss::Later(end)) } else { Ok(()) }
    }
}
