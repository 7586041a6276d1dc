//! Reaches the hosts of one fleet by OpenSSH.
use super::{
    call::{HostLine, NOT_BEGUN, Running, Spares, finished, stop},
    carrier::Carrier,
    connection::{
        Connections, Jumps, Link, SshAnswers, SshFolder,
        config::{self, Config},
        master::Base,
    },
    exclusive::{EarlyLogins, exclusive},
    forwards::Forwards,
    held::HeldBack,
    native::NativeOpening,
    sudo::{self, Passwords},
    terminal, trace,
    wrapper::{self, Sudo},
};
use crate::{
    event::Stream,
    failure::Failure,
    fleet::{Fleet, TransportKind},
    host::{Host, Name},
    port::{Ended, Exclusive, Job, Person, Remote, Trace, Traced, Transport},
    secret::Secret,
};
use async_trait::async_trait;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

/// The transport of a fleet.
pub struct Openssh {
    connections: Arc<Connections>,
    early: EarlyLogins,
    /// The app's user, who owns the ledgers on hosts.
    owner: Option<Name>,
    person: Arc<dyn Person>,
    links: Mutex<BTreeMap<Name, Arc<Link>>>,
    forwards: Forwards,
    passwords: Passwords,
    running: Running,
    spares: Spares,
    /// Hosts from which this run has removed old traces.
    swept: Mutex<BTreeSet<Name>>,
    hosts: BTreeMap<Name, Host>,
}

impl Openssh {
    /// Writes the configuration for a fleet, without connecting to anything.
    ///
    /// A connection stays open for `persist` after its last use, or until the run ends.
    pub fn new(
        fleet: &Fleet,
        project: &Path,
        home: &Path,
        runtime: Option<&Path>,
        person: Arc<dyn Person>,
        persist: Duration,
    ) -> Result<Self, Failure> {
        let folder = SshFolder::make(runtime)?;
        let Config { text, digest, is_fickle, texts } = config::make(Some(fleet), project, home)?;
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let answers = (!is_fickle).then(|| SshAnswers::of(&folder, &texts));
        let config = folder.write(&format!("{digest}.conf"), &text)?;
        let hosts = fleet.hosts.iter().cloned().chain(fleet.balancers.iter().map(|b| b.host.clone()));
        let native = (fleet.transport == TransportKind::Native).then(|| {
            // ssh means this folder by `~`, whatever the environment says.
            NativeOpening::new(super::connection::home().as_deref().unwrap_or(home), is_fickle)
        });
        let persist = if is_fickle { Duration::ZERO } else { persist };
        let base = Base::new(folder, config, digest, &fleet.name, project, persist);
        Ok(Self {
            connections: Arc::new(Connections { base, jumps: Jumps::default(), native, answers }),
            early: EarlyLogins::default(),
            owner: fleet.app.as_ref().and_then(|app| app.user.clone()).filter(|u| Some(u) != fleet.user.as_ref()),
            passwords: Passwords::new(person.clone()),
            person,
            links: Mutex::default(),
            forwards: Forwards::default(),
            running: Running::default(),
            spares: Spares::default(),
            swept: Mutex::default(),
            hosts: hosts.map(|h| (h.name.clone(), h)).collect(),
        })
    }

    async fn carrier(&self, host: &Host) -> Result<Carrier, Failure> {
        self.link(host).carrier(&self.connections, host).await
    }

    fn link(&self, host: &Host) -> Arc<Link> {
        self.links.lock().unwrap().entry(host.name.clone()).or_default().clone()
    }

    fn line<'a>(&'a self, host: &'a Host, job: &'a Job<'a>) -> HostLine<'a> {
        let (connections, running, spares) = (&self.connections, &self.running, &self.spares);
        HostLine { host, job, link: self.link(host), connections, running, spares, transport: self }
    }
}

#[async_trait]
impl Transport for Openssh {
    async fn connect(&self, host: &Host) -> Result<(), Failure> {
        let carrier = self.carrier(host).await?;
        self.spares.begin(host, &carrier);
        Ok(())
    }

    async fn run(&self, host: &Host, job: Job<'_>) -> Result<Ended, Failure> {
        let mark = format!("rfab-{:016x}", rand::random::<u64>());
        let sent = async |job: &Job<'_>, sudo: Sudo, password: Option<&Secret>| {
            let sweep = job.trace.is_some() && self.swept.lock().unwrap().insert(host.name.clone());
            let (line, mut first) = wrapper::line(job, &mark, self.owner.as_ref(), sudo, sweep)?;
            first.extend(password.map(|p| p.line()).unwrap_or_default());
            first.extend(wrapper::given(job));
            self.line(host, job).run(&line, &mark, &first).await
        };
        let once = async |heard, sudo: Sudo, password: Option<&Secret>| {
            let job = Job { heard, ..job.again() };
            let ended = sent(&job, sudo, password).await?;
            // A host without gzip couldn't begin it.
            if job.packs && ended.status == NOT_BEGUN && !sudo::refused(&ended) {
                return sent(&Job { packs: false, ..job }, sudo, password).await;
            }
            Ok(ended)
        };
        let Some(user) = &job.user else { return finished(host, &job, once(job.heard, Sudo::Never, None).await?) };
        // sudo's output is held back until rfab knows whether it is news.
        let held = HeldBack::new(job.heard);
        let hear = |stream: Stream, line: &str| held.hear(stream, line);
        // First without a password, even if one is known: a command that needs none would read it as its input.
        let mut ended = once(Some(&hear), Sudo::Never, None).await?;
        if sudo::refused(&ended) && sudo::wants_password(self, host, user).await? {
            let mut for_it = false;
            while sudo::refused(&ended) {
                held.forget();
                sudo::untrace(self, host, &job).await?;
                let password = self.passwords.password(host, user, &ended, for_it).await?;
                ended = once(Some(&hear), Sudo::Password, Some(&password.text)).await?;
                if sudo::refused(&ended) && password.own {
                    sudo::untrace(self, host, &job).await?;
                    return Err(self.passwords.wrong(host, user, &password).await);
                }
                for_it = true;
            }
        }
        held.let_go();
        finished(host, &job, ended)
    }

    async fn forward(&self, host: &Host, to: &Remote) -> Result<PathBuf, Failure> {
        self.forwards.near(&self.connections.base.folder, host, to, self.carrier(host)).await
    }

    async fn exclusive(
        &self,
        host: &Host,
        program: &str,
        args: &[&str],
        socket: Option<&Remote>,
    ) -> Result<Exclusive, Failure> {
        exclusive(&self.early, &self.connections, host, program, args, socket).await
    }

    fn expect_single(&self, host: &Host) {
        self.spares.expect_single(host);
    }

    fn foresee(&self, host: &Host) {
        self.early.begin(&self.connections, host);
    }

    async fn traced(&self, host: &Host, trace: &Trace) -> Result<Traced, Failure> {
        trace::traced(self, host, trace).await
    }

    async fn terminal(&self, host: &Host, line: &str) -> Result<i32, Failure> {
        self.carrier(host).await?;
        self.spares.close(host);
        terminal::lend(&*self.person, &self.connections.base, host, line)
    }

    fn fallbacks(&self) -> Vec<(Name, String)> {
        self.connections.native.as_ref().map_or_else(Vec::new, NativeOpening::fallbacks)
    }

    async fn stop_all(&self) {
        for (name, pid, user) in self.running.halt() {
            if let Some(host) = self.hosts.get(&name) {
                stop(self, host, pid, user.as_ref()).await;
            }
        }
    }
}
