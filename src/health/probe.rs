//! Probes a host until it has served a release for a while.
use super::{Answer, Expected, Verdict, asking::Asking, expected::Written, judged};
use crate::{
    effect::*,
    event::What,
    failure::{Cause, Failure},
    fleet::{Fleet, Health, Version},
    host::Host,
    model::{Miss, Model, Predicted, Time},
};
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};

/// Wants good answers in a row that span a while, each proving the release if that can be proven.
#[derive(Clone, Debug, Serialize)]
pub struct Probe {
    pub host: Host,
    #[serde(rename = "commit", serialize_with = "Expected::by_id")]
    pub expected: Expected,
    pub health: Health,
    /// The host whose connection the probe goes through: a balancer's, else the host's own.
    pub through: Host,
    /// The app's folder.
    pub path: String,
    /// Whether an answer is good that could name no release.
    #[serde(skip)]
    pub nameless: bool,
    #[serde(skip)]
    pub(super) fleet: Arc<Fleet>,
}

/// How a probe was good.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Proof {
    pub answers: u32,
    pub version_proven: bool,
}

const EVERY: Duration = Duration::from_millis(250);

/// Whether a host is probed: it gets the app, the fleet file says how, and it stands in a pool if any host does.
pub fn probed(fleet: &Fleet, host: &Host) -> bool {
    let known = fleet.app.as_ref().is_some_and(|app| app.health.is_some() && app.is_on(host));
    known
        && (fleet.balancers.is_empty()
            || !crate::balancer::places(fleet, host).is_empty()
            || !fleet.unasked(host).is_empty())
}

impl Probe {
    /// The probe that the fleet file describes.
    ///
    /// `Fabfile` when it describes none.
    pub fn of(fleet: &Arc<Fleet>, host: &Host, expected: Expected) -> Result<Probe, Failure> {
        let app = fleet.app.as_ref();
        let none = || {
            let message = format!("fleet `{}` doesn't say how a host proves that it serves", fleet.name);
            Failure::new(Cause::Fabfile, message).help("add `[app.health]` with `url` to the fleet file")
        };
        let health = app.and_then(|app| app.health.clone());
        let health = health.ok_or_else(|| fleet.unchosen().unwrap_or_else(none))?;
        // One that is changed by hand and names no machine of its own has its state on a host of the fleet.
        let apart = |b: &&crate::fleet::Balancer| !b.by_hand() || fleet.host(&b.host.name).is_none();
        let through = fleet.balancers.iter().filter(|b| b.has(host)).find(apart).map_or(host, |b| &b.host).clone();
        let path = app.map(|a| a.path_on(host)).unwrap_or_default();
        Ok(Probe { host: host.clone(), expected, health, through, path, nameless: false, fleet: fleet.clone() })
    }

    /// The same, which takes an answer for good that could name no release if `nameless`.
    pub fn taking(self, nameless: bool) -> Probe {
        Probe { nameless, ..self }
    }

    /// That the name in its URL does not resolve where it goes out.
    pub(super) fn unresolved(&self, name: &str) -> Failure {
        let (host, through) = (&self.host, &self.through);
        let message = format!("`{name}` doesn't resolve on `{through}`, from where it is probed at {}", self.url());
        let address = match host.address {
            Some(_) => "correct `address`",
            None => "add `address`",
        };
        let help = format!(
            "{address} of `{host}` in the fleet file: an IP address, or a name that `{through}` knows. A name that only your \
             ssh configuration has doesn't count there"
        );
        Failure::new(Cause::Fabfile, message).on(&host.name).help(help)
    }

    fn failure(&self, last: &[Answer]) -> Failure {
        let within = self.health.within.as_secs_f64();
        let wrong = last.last().filter(|a| a.good).map(|a| a.version.clone());
        let message = match wrong {
            Some(Some(version)) => {
                format!("serves version `{version}`, not {}", self.expected.shown())
            }
            Some(None) => "answers well, but doesn't say which version it serves".to_owned(),
            None => format!("doesn't become healthy within {within} s"),
        };
        let said: Vec<String> = last.iter().map(Answer::shown).collect();
        let url = self.url();
        Failure::new(Cause::Unhealthy, message)
            .on(&self.host.name)
            .help(format!("the last answers of {url} were: {}", said.join("; ")))
    }

    pub(super) fn url(&self) -> String {
        self.health.url_of(&self.host)
    }
}

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
        // As many as fit into the span, if each answer comes at once.
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
                return Err(self.failure(&last));
            }
            if said.replace(good) != Some(good) {
                let (host, what) = (self.host.name.clone(), "good answers".to_owned());
                let total = wanted.max(good).into();
                at.tell(What::Progressed { host: Some(host), what, done: good.into(), total, unit: "answers" });
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    fn predict(&self, model: &mut Model) -> Predicted<Proof> {
        let (now, began) = (model.now, model.began);
        let (over, within) = (self.health.over.as_millis() as Time, self.health.within.as_millis() as Time);
        let up_at = *model.machine(&self.host)?.up_at.get("when its service is up")?;
        let (answer, verdict) = self.predicted(model)?;
        let done = up_at.map(|up| up.max(began) + over);
        match (done, verdict) {
            (Some(done), Verdict::Good { proven }) if now >= done => {
                Ok(Proof { answers: self.health.good, version_proven: proven })
            }
            (Some(done), Verdict::Good { .. }) if done <= began + within + over => Err(Miss::Later(done)),
            _ if now >= began + within => {
                let last = if done.is_some() { answer } else { Answer::none("no answer".to_owned()) };
                Err(self.failure(&[last]).into())
            }
            _ => Err(Miss::Later(began + within)),
        }
    }
}

impl Probe {
    /// What the made-up service answers once it is up, and what that comes to.
    pub(super) fn predicted(&self, model: &mut Model) -> Predicted<(Answer, Verdict)> {
        if model.unresolved.contains(&crate::model::key(&self.host)) {
            return Err(self.unresolved(self.host.address()).into());
        }
        let running = model.machine(&self.host)?.running.get("the running release")?.clone();
        let sick = running.as_ref().is_some_and(|running| model.sick.contains(running));
        let text = match self.health.version {
            Version::None | Version::Process => None,
            _ => model.service_says(&self.host)?,
        };
        let page = model.page.clone().unwrap_or_else(|| (200, text.clone().unwrap_or_default()));
        let mut answer = match self.health.url.starts_with("tcp:") {
            true => Answer::connected(),
            false => Answer::of(if sick { 503 } else { page.0 }, &page.1, text, &self.health),
        };
        if self.health.version == Version::Process {
            let other = model.machine(&self.host)?.foreign.clone();
            answer.runs(running.map(|running| running.to_string()).or(other).as_slice());
        }
        let written = match self.expected.looks_up(&answer, self.nameless) {
            true => Written::on_model(self, model)?,
            false => Written::known(),
        };
        let verdict = judged(&answer, &self.health, &self.expected, &written, self.nameless);
        Ok((answer, verdict))
    }
}
