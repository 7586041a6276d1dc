//! Keys of hosts that are not known yet: what is offered, by whom, and what is known instead.
use super::{
    config,
    folder::Folder,
    known::{self, Key, Known},
    master::{ended, refused, unreachable},
    route::{Hop, route},
};
use crate::{failure::Failure, fleet::Fleet, host::Host};
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::process::Command;

/// How long a host may take to show its key.
const WITHIN: Duration = Duration::from_secs(25);

/// The way to a host, whose keys are looked at one after the other.
pub struct Strangers {
    folder: Folder,
    config: PathBuf,
    project: PathBuf,
    host: Host,
    route: Vec<Hop>,
}

/// A key that one host on the way shows.
#[derive(Clone, Debug)]
pub struct Offer {
    /// As ssh is asked for the host.
    pub place: String,
    /// As known-hosts files name it.
    pub name: String,
    key: Key,
    pub fingerprint: String,
    /// Files that have this very key for the name.
    pub known: bool,
    /// Other keys of that kind that files have for the name: their fingerprint, file and line.
    pub others: Vec<(String, PathBuf, usize)>,
}

impl Strangers {
    /// Asks ssh's configuration for the way to a host. Nothing is connected to.
    pub async fn on_the_way(
        fleet: Option<&Fleet>,
        host: Host,
        project: &Path,
        home: &Path,
        runtime: Option<&Path>,
    ) -> Result<Strangers, Failure> {
        let folder = Folder::make(runtime)?;
        let config =
            folder.write(&format!("t{:08x}.conf", rand::random::<u32>()), &config::make(fleet, project, home)?.text)?;
        let project = project.to_owned();
        let route = route(&config, &host).await;
        let mut strangers = Strangers { folder, config, project, host, route: Vec::new() };
        strangers.route = route?;
        Ok(strangers)
    }

    /// How many hosts are on the way, itself among them.
    pub fn hosts(&self) -> usize {
        self.route.len()
    }

    /// The key that a host on the way shows; those before it must be trusted already, for it is reached through them.
    ///
    /// Nobody logs in. The key goes to a file of this call's own, where ssh writes what it never saw; the known hosts
    /// of project, user and system are only read.
    pub async fn offer(&self, at: usize) -> Result<Offer, Failure> {
        let hop = &self.route[at];
        let seen = self.folder.path(&format!("t{:016x}", rand::random::<u64>()));
        let mut command = Command::new("ssh");
        command.arg("-F").arg(&self.config).arg("-N").env("LC_ALL", "C");
        for option in [
            "StrictHostKeyChecking=accept-new",
            "GlobalKnownHostsFile=/dev/null",
            "HashKnownHosts=no",
            "PreferredAuthentications=none",
            "PubkeyAuthentication=no",
        ] {
            command.args(["-o", option]);
        }
        command.arg("-o").arg(format!("UserKnownHostsFile={}", seen.display())).args(hop.arguments());
        let (mut asking, mut said) = (Box::pin(ended(command, WITHIN)), None);
        // The key is written before the login, which need not come to its end.
        let line = loop {
            let text = fs::read_to_string(&seen).unwrap_or_default();
            match text.split_once('\n') {
                Some((line, _)) => break Some(line.to_owned()),
                None if said.is_some() => break None,
                None => {}
            }
            tokio::select! {
                ended = &mut asking, if said.is_none() => said = Some(ended),
                () = tokio::time::sleep(Duration::from_millis(20)) => {}
            }
        };
        let _ = fs::remove_file(&seen);
        let Some((name, key)) = line.as_deref().and_then(known::parsed) else {
            return Err(match said {
                Some(Ok((_, said))) => refused(&self.host, &self.route, &said),
                Some(Err(why)) => unreachable(&self.host, &why),
                None => unreachable(&self.host, "it shows no key"),
            });
        };
        self.compared(hop, name, key)
    }

    fn compared(&self, hop: &Hop, name: &str, key: Key) -> Result<Offer, Failure> {
        let (mut known, mut others) = (false, Vec::new());
        for file in &hop.known_in {
            for Known { key: had, line } in known::of(file, name)? {
                known |= had == key;
                if had != key && had.kind == key.kind {
                    others.push((known::fingerprint(&had)?, file.clone(), line));
                }
            }
        }
        let fingerprint = known::fingerprint(&key)?;
        Ok(Offer { place: hop.place.clone(), name: name.to_owned(), key, fingerprint, known, others })
    }

    /// Writes a key into `known_hosts` beside the fabfile; whatever that file had for the name before goes.
    pub fn take_up(&self, offer: &Offer) -> Result<PathBuf, Failure> {
        let file = self.project.join("known_hosts");
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(e) => return Err(Failure::failed(format!("`{}` cannot be read: {e}", file.display()))),
        };
        let replaced_lines = match offer.others.is_empty() {
            true => Vec::new(),
            false => known::of(&file, &offer.name)?.iter().map(|known| known.line).collect(),
        };
        known::write(&file, &known::replaced(&text, &offer.name, &offer.key, &replaced_lines))?;
        Ok(file)
    }
}

impl Drop for Strangers {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.config);
    }
}
