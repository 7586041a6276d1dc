//! Asks once what a host serves, and describes the answer.
use super::{Probe, ProbeAnswer, asking::Asking, predicted::predicted, verdict::Verdict};
use crate::{
    effect::*,
    failure::Failure,
    model::{Model, Predicted},
};
use serde::{Deserialize, Serialize};

/// Asks once and describes the answer.
#[derive(Clone, Debug, Serialize)]
pub struct Inspect(pub Probe);

/// What a host answered at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InspectedHost {
    /// Whether it serves what it should, if that can be proven.
    pub right: bool,
    /// The answer and where it comes from, in words.
    pub said: String,
}

impl Read for Inspect {
    type Outcome = InspectedHost;
    const NAME: &'static str = "look_at";

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.0.host)
    }

    fn describe(&self) -> String {
        format!("ask whether it serves {}", self.0.expected.short())
    }

    async fn carry_out(&self, at: At<'_>) -> Result<InspectedHost, Failure> {
        let (answer, verdict) = Asking::of(&self.0, at).await?.once().await?;
        Ok(self.seen(matches!(verdict, Verdict::Good { .. }), &answer))
    }

    fn predict(&self, model: &mut Model) -> Predicted<InspectedHost> {
        let now = model.now;
        let up = model.machine(&self.0.host)?.up_at.get("when its service is up")?.is_some_and(|at| at <= now);
        let (answer, verdict) = predicted(&self.0, model)?;
        Ok(if up {
            self.seen(matches!(verdict, Verdict::Good { .. }), &answer)
        } else {
            self.seen(false, &ProbeAnswer::none("no response".to_owned()))
        })
    }
}

impl Inspect {
    fn seen(&self, right: bool, answer: &ProbeAnswer) -> InspectedHost {
        let wanted = if right || !answer.good { String::new() } else { format!(", not {}", self.0.expected.shown()) };
        let says = if answer.status.is_some() { " answers" } else { ":" };
        InspectedHost { right, said: format!("{}{says} {}{wanted}", self.0.url(), answer.shown()) }
    }
}
