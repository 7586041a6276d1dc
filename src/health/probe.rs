//! Probes a host until it has served a commit for a while.
use super::{Answer, answer, says};
use crate::{
    command::Command,
    effect::*,
    event::What,
    failure::{Failure, Reason},
    fleet::{Fleet, Health, Version},
    host::Host,
    http::innermost,
    model::{Commit, Miss, Model, Predicted, Time},
    world::real::{Job, Remote, Site},
};
use serde::{Deserialize, Serialize};
use std::{path::PathBuf, time::Duration};

/// Wants good answers in a row that span a while, each proving the commit if that can be proven.
#[derive(Clone, Debug, Serialize)]
pub struct Probe {
    pub host: Host,
    pub commit: Commit,
    /// The tag that the commit is known by, if a service may say that instead.
    pub tag: Option<String>,
    pub health: Health,
    /// The host whose connection the probe goes through: a balancer's, else the host's own.
    pub through: Host,
    /// The app's folder.
    pub path: String,
}

/// How a probe was good.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Proof {
    pub answers: u32,
    pub version_proven: bool,
}

const EVERY: Duration = Duration::from_millis(250);
const ONE_ANSWER: Duration = Duration::from_secs(5);
/// The most of an answer that is read.
const BODY: usize = 64 << 10;

/// Whether a host is probed: the fleet file says how, and it stands in a pool if any host does.
pub fn probed(fleet: &Fleet, host: &Host) -> bool {
    let known = fleet.app.as_ref().is_some_and(|app| app.health.is_some());
    known
        && (fleet.balancers.is_empty()
            || !crate::balancer::places(fleet, host).is_empty()
            || !fleet.unasked(host).is_empty())
}

impl Probe {
    /// The probe that the fleet file describes.
    ///
    /// `Fabfile` when it describes none.
    pub fn of(fleet: &Fleet, host: &Host, commit: &Commit) -> Result<Probe, Failure> {
        let app = fleet.app.as_ref();
        let health = app.and_then(|app| app.health.clone()).ok_or_else(|| {
            Failure::new(Reason::Fabfile, format!("fleet `{}` does not say how its health is probed", fleet.name))
                .help("add `[app.health]` with `url` to the fleet file")
        })?;
        let behind = |b: &&crate::fleet::Balancer| b.pools.values().any(|role| host.roles.contains(role));
        // One that is changed by hand and names no machine of its own has its state on a host of the fleet.
        let apart = |b: &&crate::fleet::Balancer| !b.by_hand() || fleet.host(&b.host.name).is_none();
        let through = fleet.balancers.iter().filter(behind).find(apart).map_or(host, |b| &b.host).clone();
        let path = app.map(|a| a.path_on(host)).unwrap_or_default();
        Ok(Probe { host: host.clone(), commit: commit.clone(), tag: None, health, through, path })
    }

    fn failure(&self, last: &[Answer]) -> Failure {
        let within = self.health.within.as_secs_f64();
        let short = &self.commit[..self.commit.len().min(12)];
        let wrong = last.last().filter(|a| a.good()).and_then(|a| a.version.clone());
        let message = match wrong {
            Some(version) => format!("host `{}` serves version `{version}`, not `{short}`", self.host),
            None => format!("host `{}` does not get healthy within {within} s", self.host),
        };
        let said: Vec<String> = last.iter().map(Answer::shown).collect();
        let url = self.url();
        Failure::failed(message)
            .on(&self.host.name)
            .help(format!("the last answers of {url} were: {}", said.join("; ")))
    }

    fn url(&self) -> String {
        self.health.url.replace("{address}", self.host.address()).replace("{name}", &self.host.name)
    }
}

impl Effect for Probe {
    type Outcome = Proof;
    const NAME: &'static str = "probe";
    const KIND: Kind = Kind::Read;

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.host)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Nothing
    }

    fn describe(&self) -> String {
        format!("probe {} for {}", self.host, &self.commit[..self.commit.len().min(12)])
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Proof, Failure> {
        let site = at.real.site(&self.host.fleet);
        let target = Target::of(&self.url(), &site, &self.through).await?;
        let began = tokio::time::Instant::now();
        let (mut good, mut since, mut last, mut said) = (0, began, Vec::new(), None);
        // As many as fit into the span, if each answer comes at once.
        let wanted = self.health.good.max((self.health.over.as_millis() / EVERY.as_millis()) as u32 + 1);
        loop {
            let asked = tokio::time::Instant::now();
            let (answer, proven) = self.ask(&site, &target).await?;
            if self.is_good(&answer, proven) {
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
        let sick = model.sick.contains(&self.commit);
        let machine = model.machine(&self.host)?;
        let running = machine.running.get("the running release")?.clone();
        let right = !sick && running.as_deref().is_some_and(|r| says(r, &self.commit, None));
        let done = machine.up_at.get("when its service is up")?.map(|up| up.max(began) + over);
        match done {
            Some(done) if right && now >= done => {
                Ok(Proof { answers: self.health.good, version_proven: self.health.version != Version::None })
            }
            Some(done) if right && done <= began + within + over => Err(Miss::Later(done)),
            _ if now >= began + within => {
                let (status, version) =
                    (done.map(|_| if sick { 503 } else { 200 }), running.map(|r| r[..r.len().min(12)].to_owned()));
                Err(self.failure(&[Answer { status, version, error: None }]).into())
            }
            _ => Err(Miss::Later(began + within)),
        }
    }
}

impl Probe {
    /// Asks once, whatever the answer is.
    pub(super) async fn ask_once(&self, site: &Site) -> Result<bool, Failure> {
        let target = Target::of(&self.url(), site, &self.through).await?;
        let (answer, proven) = self.ask(site, &target).await?;
        Ok(self.is_good(&answer, proven))
    }

    async fn ask(&self, site: &Site, target: &Target) -> Result<(Answer, bool), Failure> {
        let mut answer = target.ask(&self.health.version).await;
        if self.health.version == Version::Process && answer.good() {
            answer.version = self.running(site).await?;
        }
        let proven = answer.version.as_deref().is_some_and(|v| says(v, &self.commit, self.tag.as_deref()));
        Ok((answer, proven))
    }

    fn is_good(&self, answer: &Answer, proven: bool) -> bool {
        answer.good() && (proven || self.health.version == Version::None)
    }

    /// The one release that processes of the host run in; `None` if there are several or none.
    async fn running(&self, site: &Site) -> Result<Option<String>, Failure> {
        let line = r#"for p in /proc/[0-9]*/cwd; do d=$(readlink "$p" 2>/dev/null) || continue
case $d in "$path"/releases/*) d=${d#"$path"/releases/}; printf '%s\n' "${d%%/*}";; esac; done | sort -u"#;
        let command = Command::line(line, vec![("path".into(), self.path.clone())]).expect("a good line");
        let ended = site.transport.run(&self.host, Job { timeout: Some(ONE_ANSWER), ..Job::new(&command) }).await?;
        let text = String::from_utf8_lossy(&ended.out);
        let mut found = text.lines();
        Ok(match (found.next(), found.next()) {
            (Some(one), None) => Some(one.to_owned()),
            _ => None,
        })
    }
}

/// A service, as it is reached from here.
struct Target {
    client: reqwest::Client,
    url: String,
}

impl Target {
    async fn of(url: &str, site: &Site, through: &Host) -> Result<Target, Failure> {
        let wrong =
            |e: &dyn std::fmt::Display| Failure::new(Reason::Fabfile, format!("`{url}` is no URL to probe: {e}"));
        let parsed = reqwest::Url::parse(url).map_err(|e| wrong(&e))?;
        let host = parsed.host_str().ok_or_else(|| wrong(&"it has no host"))?.to_owned();
        let port = parsed.port_or_known_default().ok_or_else(|| wrong(&"it has no port"))?;
        let socket: PathBuf = site.transport.forward(through, &Remote::Tcp(host, port)).await?;
        let client = crate::http::client(&parsed).unix_socket(socket).timeout(ONE_ANSWER).pool_max_idle_per_host(0);
        let client = client.redirect(reqwest::redirect::Policy::none()).no_proxy();
        let client = client.build().map_err(|e| {
            Failure::failed(format!("`{url}` cannot be probed from here: {}", innermost(&e)))
                .help("install this machine's certificates, such as the package `ca-certificates`")
        })?;
        Ok(Target { client, url: url.to_owned() })
    }

    async fn ask(&self, how: &Version) -> Answer {
        let none = |error: String| Answer { status: None, version: None, error: Some(error) };
        match self.client.get(&self.url).send().await {
            Err(e) if e.is_timeout() => none(format!("no answer within {} s", ONE_ANSWER.as_secs())),
            Err(e) => none(innermost(&e)),
            Ok(mut response) => {
                let (status, headers) = (response.status().as_u16(), response.headers().clone());
                let mut body = Vec::new();
                while body.len() < BODY
                    && let Ok(Some(chunk)) = response.chunk().await
                {
                    body.extend_from_slice(&chunk);
                }
                let header = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
                Answer { status: Some(status), version: answer::version(how, header, &body), error: None }
            }
        }
    }
}
