//! Asks the person.
use crate::{
    effect::*,
    failure::{Cause, Failure},
    model::{Model, Predicted},
    port::{Spending, SpendingTime},
};
use serde::Serialize;

/// A yes-or-no question.
#[derive(Clone, Debug, Serialize)]
pub struct Confirm {
    pub question: String,
    /// Whether `--yes` was given.
    pub given: bool,
}

impl Effect for Confirm {
    type Outcome = bool;
    const NAME: &'static str = "confirm";
    const KIND: EffectKind = EffectKind::Hold;

    fn subject(&self) -> Subject<'_> {
        Subject::Here
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Nothing
    }

    fn describe(&self) -> String {
        format!("ask: {}", self.question)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<bool, Failure> {
        if self.given {
            return Ok(true);
        }
        let (person, question) = (at.real.person.clone(), self.question.clone());
        let _time = SpendingTime::on(Spending::Person);
        let asked = tokio::task::spawn_blocking(move || person.confirm(&question)).await;
        asked.ok().flatten().ok_or_else(|| nobody(&self.question).help("pass `--yes` to answer yes"))
    }

    fn predict(&self, _: &mut Model) -> Predicted<bool> {
        Ok(true)
    }
}

/// A question with a text as its answer.
#[derive(Clone, Debug, Serialize)]
pub struct Prompt {
    pub question: String,
}

impl Effect for Prompt {
    type Outcome = String;
    const NAME: &'static str = "prompt";
    const KIND: EffectKind = EffectKind::Hold;

    fn subject(&self) -> Subject<'_> {
        Subject::Here
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Nothing
    }

    fn describe(&self) -> String {
        format!("ask: {}", self.question)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<String, Failure> {
        let (person, question) = (at.real.person.clone(), self.question.clone());
        let _time = SpendingTime::on(Spending::Person);
        let asked = tokio::task::spawn_blocking(move || person.ask(&question, false)).await;
        asked.ok().flatten().ok_or_else(|| nobody(&self.question))
    }

    fn predict(&self, _: &mut Model) -> Predicted<String> {
        Ok(String::new())
    }
}

fn nobody(question: &str) -> Failure {
    let line = question.lines().next().unwrap_or_default();
    Failure::new(Cause::Unconfirmed, format!("answering `{line}` requires a terminal, and rfab isn't running in one"))
}
