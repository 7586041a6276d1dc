//! Time, as a script sees it.
use crate::{
    effect::*,
    failure::Failure,
    model::{Miss, Model, Predicted, Time},
};
use serde::Serialize;
use std::time::Duration;

/// Reads the clock: seconds since 1970.
#[derive(Clone, Debug, Serialize)]
pub struct Now;

impl Effect for Now {
    type Outcome = i64;
    const NAME: &'static str = "now";
    const KIND: Kind = Kind::Read;

    fn subject(&self) -> Subject<'_> {
        Subject::Here
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Nothing
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
    /// Milliseconds.
    pub time: Time,
}

impl Effect for Wait {
    type Outcome = ();
    const NAME: &'static str = "wait";
    const KIND: Kind = Kind::Read;

    fn subject(&self) -> Subject<'_> {
        Subject::Here
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Nothing
    }

    fn describe(&self) -> String {
        format!("wait {} s", self.time as f64 / 1000.0)
    }

    async fn carry_out(&self, _: At<'_>) -> Result<(), Failure> {
        tokio::time::sleep(Duration::from_millis(self.time)).await;
        Ok(())
    }

    fn predict(&self, model: &mut Model) -> Predicted<()> {
        let end = model.began + self.time;
        if model.now < end { Err(Miss::Later(end)) } else { Ok(()) }
    }
}
