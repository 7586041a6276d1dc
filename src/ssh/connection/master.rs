//! Shared connections: one ssh process for each, which others reach over its socket.
use super::{
    alive::living,
    folder::SshFolder,
    hop::Hop,
    kept::{KeptConnection, recorded, retire},
    patience::{LOGIN_WITHIN, PAUSE, TURNED_AWAY_WITHIN, is_turned_away},
    program::ended,
    refusal::LoginFailure,
};
use crate::{
    failure::Failure,
    ssh::carrier::{ALIVE_WITHIN, Carrier},
};
use rustix::fs::{FlockOperation, flock};
use sha2::{Digest, Sha256};
use std::{
    fs,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use tokio::process::Command;

/// What all connections of one fleet in one run share.
pub(crate) struct Base {
    pub folder: SshFolder,
    /// The ssh configuration's file.
    pub config: PathBuf,
    /// Distinguishes the sockets of one configuration from those of another.
    pub digest: String,
    pub fleet: String,
    /// The fabfile's folder.
    pub project: PathBuf,
    /// How long a connection stays open after its last use; zero if none outlives the run.
    pub persist: Duration,
}

/// How long a connection may wait for its next command, if none outlives the run: for a run that was killed.
const UNTIL_KILLED: Duration = Duration::from_secs(60);

impl Drop for Base {
    fn drop(&mut self) {
        if self.persist.is_zero() {
            let own = |kept: &KeptConnection| kept.digest == self.digest;
            recorded(&self.folder).iter().filter(|kept| own(kept)).for_each(KeptConnection::stop);
        }
    }
}

impl Base {
    /// Describes the connections of a fleet. Those that another configuration, other keys or other known hosts opened
    /// are closed.
    pub(crate) fn new(
        folder: SshFolder,
        config: PathBuf,
        digest: String,
        fleet: &str,
        project: &Path,
        persist: Duration,
    ) -> Base {
        retire(&folder, fleet, project, &digest);
        // Without a digest of its own, the run would use connections that earlier runs left.
        let digest = if persist.is_zero() { format!("{:08x}", rand::random::<u32>()) } else { digest };
        Base { folder, config, digest, fleet: fleet.to_owned(), project: project.to_owned(), persist }
    }

    /// Returns the socket for a name; its path is short, because a socket's path is limited to about 100 characters.
    pub(crate) fn socket(&self, what: &str) -> PathBuf {
        let name = hex::encode(&Sha256::digest(what.as_bytes())[..8]);
        self.folder.path(&format!("{}-{name}", self.digest))
    }

    /// Returns the connection behind a socket if it lives; otherwise the lock under which to open it again.
    pub(crate) async fn living(&self, socket: &Path) -> Result<Result<Carrier, fs::File>, Failure> {
        if let Some(carrier) = living(socket).await {
            return Ok(Ok(carrier));
        }
        let lock = locked(&self.folder, socket).await?;
        if let Some(carrier) = living(socket).await {
            return Ok(Ok(carrier));
        }
        let _ = fs::remove_file(socket);
        Ok(Err(lock))
    }

    /// Logs in to a hop, and keeps the connection open for the next command, even in a later run.
    pub(crate) async fn keep(
        &self,
        socket: &Path,
        hop: &Hop,
        through: Option<(&Path, &[Hop])>,
    ) -> Result<(), LoginFailure> {
        let idle = if self.persist.is_zero() { UNTIL_KILLED } else { self.persist };
        self.login(socket, hop, through, &idle.as_secs().max(1).to_string()).await?;
        let kept = KeptConnection::new(socket, &self.fleet, &hop.place, &self.project, idle, &self.digest);
        let recorded = kept.record(&self.folder);
        // What isn't written down can't be listed or closed.
        recorded.inspect_err(|_| kept.stop()).map_err(|failure| LoginFailure::Silent(failure.message))
    }

    /// Logs in to a hop, through the connection to the last jump host before it.
    pub(crate) async fn login(
        &self,
        socket: &Path,
        hop: &Hop,
        through: Option<(&Path, &[Hop])>,
        persist: &str,
    ) -> Result<(), LoginFailure> {
        let until = Instant::now() + TURNED_AWAY_WITHIN;
        loop {
            let mut command = self.ssh(&["-M", "-f", "-o", "ControlMaster=yes"]);
            command.arg("-o").arg(format!("ControlPersist={persist}"));
            command.arg("-o").arg(format!("ControlPath={}", socket.display()));
            if let Some((near, jumps)) = through {
                let words = jumps.last().expect("a jump host").words().join(" ");
                let (config, near) = (self.config.display(), near.display());
                command.arg("-o").arg(format!("ProxyCommand=ssh -F {config} -S {near} -W '[%h]:%p' {words}"));
            }
            command.args(hop.words());
            let (status, said) = ended(command, LOGIN_WITHIN).await.map_err(LoginFailure::Silent)?;
            if status.success() {
                return Ok(());
            }
            let away = is_turned_away(&said);
            if let Some((_, jumps)) = through
                && (away || said.contains("orwarding"))
                && let Some(why) = self.kept_from(hop, jumps).await?
            {
                return Err(LoginFailure::Refused(why));
            }
            let pause = PAUSE.mul_f64(rand::random());
            if !away || Instant::now() + pause > until {
                return Err(LoginFailure::Refused(said));
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// Returns why the jump hosts can't connect to a host, which a persistent connection doesn't report.
    async fn kept_from(&self, hop: &Hop, jumps: &[Hop]) -> Result<Option<String>, LoginFailure> {
        let (jump, before) = jumps.split_last().expect("a jump host");
        let before = before.iter().map(|jump| &*jump.place).collect::<Vec<_>>().join(",");
        let before = if before.is_empty() { before } else { format!("-J {before} ") };
        // To the jump host, it isn't an error that it can't connect onwards.
        let (config, words) = (self.config.display(), jump.words().join(" "));
        let way = format!("ProxyCommand=ssh -F {config} -o LogLevel=INFO {before}-W '[%h]:%p' {words}");
        let mut command = self.ssh(&["-o", "PreferredAuthentications=none", "-o", &way]);
        command.args(hop.words());
        let (_, said) = ended(command, LOGIN_WITHIN).await.map_err(LoginFailure::Silent)?;
        let is_there = said.contains("Permission denied") || is_turned_away(&said);
        Ok((!is_there).then_some(said))
    }

    fn ssh(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("ssh");
        command.arg("-F").arg(&self.config).arg("-N").args(arguments).env("LC_ALL", "C");
        command
    }
}

/// Takes a file lock named after a socket, so that two runs don't open its connection at the same time.
async fn locked(folder: &SshFolder, socket: &Path) -> Result<fs::File, Failure> {
    let name = format!("{}.lock", socket.file_name().unwrap_or_default().to_string_lossy());
    let path: PathBuf = folder.path(&name);
    let failed = |e: &dyn std::fmt::Display| Failure::failed(format!("file `{}`: {e}", path.display()));
    let open = fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits() as i32)
        .open(&path);
    let file = open.map_err(|e| failed(&e))?;
    let until = tokio::time::Instant::now() + LOGIN_WITHIN + ALIVE_WITHIN;
    while flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        if tokio::time::Instant::now() > until {
            return Err(failed(&"another run of rfab has kept it locked for too long"));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A socket's path that contains the host's name gets too long: ansible/ansible#16840.
    #[test]
    fn the_socket_of_a_host_with_a_long_name_has_a_short_one() {
        let runtime = tempfile::Builder::new().prefix(&"r".repeat(25)).tempdir_in("/tmp").unwrap();
        let folder = SshFolder::make(Some(runtime.path())).unwrap();
        let (digest, kept) = ("0123abcd".into(), Duration::from_secs(600));
        let base = Base::new(folder, PathBuf::new(), digest, "prod", Path::new("/shop"), kept);
        let long = format!("{}.example.org", ["a-long-label-of-a-host"; 10].join("."));
        // ssh binds it under a temporary name with 17 more characters; a socket's path has at most 107.
        let length = base.socket(&long).as_os_str().len();
        assert!(length + 17 <= 107 && length == base.socket("a").as_os_str().len(), "{length}");
        assert_ne!(base.socket(&long), base.socket(&long.replacen('a', "b", 1)));
    }

    #[test]
    fn a_server_that_turns_logins_away_is_told_from_one_that_is_not_there() {
        for away in [
            "kex_exchange_identification: Connection closed by remote host\nConnection closed by 10.0.0.1 port 22\n",
            "kex_exchange_identification: read: Connection reset by peer\nConnection reset by 10.0.0.1 port 22\n",
            "kex_exchange_identification: banner line 0: Not allowed at this time\r\n",
            "kex_exchange_identification: banner line 0: Exceeded MaxStartups\r\n",
            "ssh_exchange_identification: Connection closed by remote host\n",
        ] {
            assert!(is_turned_away(away), "{away}");
        }
        for not in [
            "ssh: connect to host web1 port 22: Connection refused\n",
            "deploy@web1: Permission denied (publickey).\n",
            "Host key verification failed.\n",
            "channel 0: open failed: connect failed: Connection refused\nstdio forwarding failed\n\
             kex_exchange_identification: Connection closed by remote host\n",
            "Stdio forwarding request failed: Session open refused by peer\n\
             kex_exchange_identification: Connection closed by remote host\n",
            "Connection closed by 10.0.0.1 port 22\n",
            "",
        ] {
            assert!(!is_turned_away(not), "{not}");
        }
    }
}
