//! Unknown host keys: which key is offered, by which host, and which keys are known instead.
use super::{
    connection::{Hop, SshFolder, config, ended, refused, route, unreachable},
    known::{self, HostKey, KeyMark},
    offer::{KeyStanding, Offer, accepted, others},
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

/// The way to a host; its keys are checked one after another.
pub struct RouteKeys {
    folder: SshFolder,
    config: PathBuf,
    project: PathBuf,
    host: Host,
    route: Vec<Hop>,
}

impl RouteKeys {
    /// Finds the way to a host by ssh's configuration, without connecting to anything.
    pub async fn on_the_way(
        fleet: Option<&Fleet>,
        host: Host,
        project: &Path,
        home: &Path,
        runtime: Option<&Path>,
    ) -> Result<RouteKeys, Failure> {
        let folder = SshFolder::make(runtime)?;
        let config =
            folder.write(&format!("t{:08x}.conf", rand::random::<u32>()), &config::make(fleet, project, home)?.text)?;
        let project = project.to_owned();
        let route = route(&config, &host, None).await;
        let mut strangers = RouteKeys { folder, config, project, host, route: Vec::new() };
        strangers.route = route?;
        Ok(strangers)
    }

    /// Returns how many hosts are on the way, including the host itself.
    pub fn hosts(&self) -> usize {
        self.route.len()
    }

    /// Returns the key that a host on the way shows; the hosts before it must be trusted already, because it is reached
    /// through them.
    ///
    /// There is no login, and no known-hosts file is changed. A revoked key is refused.
    pub async fn offer(&self, at: usize) -> Result<Offer, Failure> {
        let hop = &self.route[at];
        let asked = self.asking(hop, &["LogLevel=DEBUG1", "FingerprintHash=sha256"]);
        let (_, said) = ended(asked, WITHIN).await.map_err(|why| unreachable(&self.host, &why))?;
        let offer = |(fingerprint, standing)| {
            let (place, name) = (hop.place.clone(), hop.known_as.clone());
            Ok(Offer { place, name, fingerprint, standing })
        };
        if let Some(found) = accepted(&said) {
            return offer(found);
        }
        let errors: Vec<&str> =
            said.lines().filter(|l| !l.starts_with("debug") && !l.starts_with("OpenSSH_")).collect();
        let (errors, shown) = (errors.join("\n"), said.contains("Server host "));
        if !shown || errors.contains("is marked as revoked") {
            return Err(refused(&self.host, &self.route, &errors));
        }
        let (name, key) = self.shown(hop).await?;
        for file in &hop.known_in {
            if known::marked(file, &name, KeyMark::Revoked)?.iter().any(|revoked| revoked.key == key) {
                let line = format!("The key for {} is marked as revoked.", hop.known_as);
                return Err(refused(&self.host, &self.route, &line));
            }
        }
        let known = others(hop, &name)?;
        Ok(Offer { name, ..offer((known::fingerprint(&key)?, KeyStanding::Strange { key, known }))? })
    }

    /// Makes an ssh command that gets the host's key and doesn't log in.
    fn asking(&self, hop: &Hop, options: &[&str]) -> Command {
        let mut command = Command::new("ssh");
        command.arg("-F").arg(&self.config).arg("-N").env("LC_ALL", "C");
        for option in options.iter().chain(&["PreferredAuthentications=none", "PubkeyAuthentication=no"]) {
            command.args(["-o", option]);
        }
        command.args(hop.arguments());
        command
    }

    /// Returns the key that a host shows to an ssh that knows none, and the host's name. ssh writes both to a temporary
    /// file.
    async fn shown(&self, hop: &Hop) -> Result<(String, HostKey), Failure> {
        let seen = self.folder.path(&format!("t{:016x}", rand::random::<u64>()));
        let to = format!("UserKnownHostsFile={}", seen.display());
        let accepting =
            ["StrictHostKeyChecking=accept-new", "GlobalKnownHostsFile=/dev/null", "HashKnownHosts=no", &to];
        let (mut asking, mut said) = (Box::pin(ended(self.asking(hop, &accepting), WITHIN)), None);
        // The key is written before the login, which needn't finish.
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
        match (line.as_deref().and_then(known::parsed), said) {
            (Some((name, key)), _) => Ok((name.to_owned(), key)),
            (None, Some(Ok((_, said)))) => Err(refused(&self.host, &self.route, &said)),
            (None, Some(Err(why))) => Err(unreachable(&self.host, &why)),
            (None, None) => Err(unreachable(&self.host, "it doesn't show a key")),
        }
    }

    /// Writes an unknown key to `known_hosts` beside the fabfile; it replaces the file's keys for the name.
    pub fn take_up(&self, offer: &Offer) -> Result<PathBuf, Failure> {
        let file = self.project.join("known_hosts");
        let KeyStanding::Strange { key, .. } = &offer.standing else { return Ok(file) };
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(e) => return Err(Failure::failed(format!("`{}` can't be read: {e}", file.display()))),
        };
        let replaced: Vec<usize> = known::of(&file, &offer.name)?.iter().map(|known| known.line).collect();
        known::write(&file, &known::replaced(&text, &offer.name, key, &replaced))?;
        Ok(file)
    }
}

impl Drop for RouteKeys {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.config);
    }
}
