//! Tries a probe before the first change.
use super::{
    Expected, Probe, ProbeAnswer, asking::Asking, predicted::predicted, says::could_say, written::WrittenNames,
};
use crate::{
    effect::*,
    failure::Failure,
    fleet::{Health, Version},
    model::{Model, Predicted},
};
use serde::{Deserialize, Serialize};

/// Asks a service once, from where it will be probed, before the first change.
///
/// Fails with `Fabfile` if no release could satisfy the fleet file: a name doesn't resolve there, or a certificate
/// isn't accepted.
#[derive(Clone, Debug, Serialize)]
pub struct TryProbe(pub Probe);

/// What an answer before a deploy tells about the answers after it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tried {
    /// Its form can prove a release, or nothing has to be proven.
    Fits,
    /// It tells nothing: the service is down or broken, which a new release may fix.
    Silent,
    /// Its form can't prove a release; described in words.
    Nameless(String),
}

impl Read for TryProbe {
    type Outcome = Tried;
    const NAME: &'static str = "try_probe";

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.0.host)
    }

    fn describe(&self) -> String {
        "try its probe".to_owned()
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Tried, Failure> {
        let mut asking = Asking::of(&self.0, at).await?;
        let answer = asking.answer().await?;
        let mut tried = Tried::of(&answer, &self.0, &WrittenNames::known());
        if matches!(tried, Tried::Nameless(_)) && answer.version.is_some() {
            tried = Tried::of(&answer, &self.0, &WrittenNames::of(&self.0, at).await?);
        }
        Ok(tried)
    }

    fn predict(&self, model: &mut Model) -> Predicted<Tried> {
        let now = model.now;
        let (answer, _) = predicted(&self.0, model)?;
        if model.machine(&self.0.host)?.up_at.get("when its service is up")?.is_none_or(|at| at > now) {
            return Ok(Tried::Silent);
        }
        let written = WrittenNames::on_model(&self.0, model)?;
        Ok(Tried::of(&answer, &self.0, &written))
    }
}

impl Tried {
    fn of(answer: &ProbeAnswer, probe: &Probe, written: &WrittenNames) -> Tried {
        let health = &probe.health;
        match answer.status {
            _ if answer.garbled => Tried::Nameless("the response isn't HTTP".to_owned()),
            _ if answer.good => named(answer, health, &probe.expected, written),
            None => Tried::Silent,
            Some(status) if health.takes(status) => Tried::Silent,
            // The service is running, and has nothing at this URL.
            Some(status @ 300..500) if !matches!(status, 408 | 425 | 429) => {
                Tried::Nameless(format!("{status}, which isn't a good response"))
            }
            Some(_) => Tried::Silent,
        }
    }
}

fn named(answer: &ProbeAnswer, health: &Health, expected: &Expected, written: &WrittenNames) -> Tried {
    let place = match &health.version {
        Version::None => return Tried::Fits,
        // It doesn't matter which release runs, because the next one will differ.
        Version::Process if answer.version.is_some() || answer.text.is_some() => return Tried::Fits,
        Version::Process => {
            return Tried::Nameless(format!(
                "{}, and none of the processes that its login user can see runs in a release",
                answer.shown()
            ));
        }
        Version::Header(name) => format!("the header `{name}`"),
        Version::Json(pointer) => format!("the value at `{pointer}`"),
        Version::Body => "the body".to_owned(),
    };
    let status = answer.status.unwrap_or_default();
    let words = match (&answer.version, &answer.text) {
        (Some(said), _) if could_say(said, expected) || written.names_one(said) => return Tried::Fits,
        (Some(said), _) => format!("{status}, and {place} is `{said}`, which doesn't look like a release"),
        (None, Some(text)) => format!("{status}, but {place} is `{text}`, which doesn't match the pattern"),
        (None, None) if health.version == Version::Body => format!("{status} with an empty body"),
        (None, None) => format!("{status} without {place}"),
    };
    Tried::Nameless(words)
}
