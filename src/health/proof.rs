//! Probes a host until it has served a release for a while.
use super::{Probe, ProbeAnswer, asking::Asking, predicted::predicted, verdict::Verdict};
use crate::{
    duration::limit,
    effect::*,
    event::EventKind,
    failure::{Cause, Failure},
    model::{Miss, Model, Predicted, Time},
    port::{Spending, SpendingTime},
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The result of a good probe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Proof {
    pub answers: u32,
    pub version_proven: bool,
}

/// How often a probe asks a service that has just begun, and that isn't good yet or is good enough soon.
const OFTEN: Duration = Duration::from_millis(100);
/// How often it asks otherwise, so that many hosts' probes are no load.
const EVERY: Duration = Duration::from_millis(250);
/// How long a service counts as one that has just begun.
const BEGINS: Duration = Duration::from_secs(10);

impl Read for Probe {
    type Outcome = Proof;
    const NAME: &'static str = "probe";

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.host)
    }

    fn describe(&self) -> String {
        format!("probe {} for {}", self.host, self.expected.short())
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Proof, Failure> {
        let mut asking = Asking::of(self, at).await?;
        let began = tokio::time::Instant::now();
        let (mut good, mut since, mut last, mut said) = (0, began, Vec::new(), None);
        let mut waits = None;
        // The number of answers that fit into the period if each comes immediately.
        let wanted = self.health.good.max((self.health.over.as_millis() / EVERY.as_millis()) as u32 + 1);
        loop {
            let asked = tokio::time::Instant::now();
            let (answer, verdict) = asking.once().await?;
            if let Verdict::Good { proven } = verdict {
                if good == 0 {
                    since = asked;
                }
                good += 1;
                if good >= self.health.good && asked.duration_since(since) >= self.health.over {
                    return Ok(Proof { answers: good, version_proven: proven });
                }
            } else {
                good = 0;
            }
            last.push(answer);
            if last.len() > 3 {
                last.remove(0);
            }
            if began.elapsed() > self.health.within + if good > 0 { self.health.over } else { Duration::ZERO } {
                return Err(failure(self, &last));
            }
            // The first answer takes what the network takes; the rest is waiting.
            waits.get_or_insert_with(|| SpendingTime::on(Spending::Demanded));
            if said.replace(good) != Some(good) {
                let (host, what) = (self.host.name.clone(), "good responses".to_owned());
                let total = wanted.max(good).into();
                at.tell(EventKind::Progressed { host: Some(host), what, done: good.into(), total, unit: "responses" });
            }
            let left = self.health.over.saturating_sub(since.elapsed());
            tokio::time::sleep_until(asked + next(good > 0, began.elapsed(), left)).await;
        }
    }

    fn predict(&self, model: &mut Model) -> Predicted<Proof> {
        let (now, began) = (model.now, model.began);
        let (over, within) = (self.health.over.as_millis() as Time, self.health.within.as_millis() as Time);
        let up_at = *model.machine(&self.host)?.up_at.get("when its service is up")?;
        let (answer, verdict) = predicted(self, model)?;
        let done = up_at.map(|up| up.max(began) + over);
        match (done, verdict) {
            (Some(done), Verdict::Good { proven }) if now >= done => {
                Ok(Proof { answers: self.health.good, version_proven: proven })
            }
            (Some(done), Verdict::Good { .. }) if done <= began + within + over => Err(Miss::Later(done)),
            _ if now >= began + within => {
                let last = if done.is_some() { answer } else { ProbeAnswer::none("no response".to_owned()) };
                Err(failure(self, &[last]).into())
            }
            _ => Err(Miss::Later(began + within)),
        }
    }
}

/// Returns how long after a question the next one comes; `left` of the period of good answers.
fn next(good: bool, since: Duration, left: Duration) -> Duration {
    match good {
        // The last question comes as soon as the period is over.
        true if left > Duration::ZERO => EVERY.min(left),
        false if since > BEGINS => EVERY,
        _ => OFTEN,
    }
}

/// Builds the failure of a service that wasn't good in time.
fn failure(probe: &Probe, last: &[ProbeAnswer]) -> Failure {
    let within = limit(probe.health.within);
    let wrong = last.last().filter(|a| a.good).map(|a| a.version.clone());
    let message = match wrong {
        Some(Some(version)) => {
            format!("serves version `{version}`, not {}", probe.expected.shown())
        }
        Some(None) => "gives good responses, but doesn't say which version it serves".to_owned(),
        None => format!("doesn't become healthy within {within}"),
    };
    let said: Vec<String> = last.iter().map(ProbeAnswer::shown).collect();
    let url = probe.url();
    Failure::new(Cause::Unhealthy, message)
        .on(&probe.host.name)
        .help(format!("check the app's log; the last responses from {url}: {}", said.join("; ")))
}
