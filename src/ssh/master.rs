//! Connections that are shared: one ssh process each, which others speak to over its socket.
use super::{
    folder::Folder,
    jumps::Jumps,
    route::{Hop, route},
};
use crate::{
    failure::{Cause, Failure, HOSTS},
    host::Host,
};
use openssh::Session;
use rustix::fs::{FlockOperation, flock};
use sha2::{Digest, Sha256};
use std::{
    fs,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{io::AsyncReadExt, process::Command, time::timeout};

/// How long a socket may take to say that its connection lives.
pub const ALIVE_WITHIN: Duration = Duration::from_secs(2);
/// How long a connection may take in all; ssh's own limit is for the beginning alone.
const LOGIN_WITHIN: Duration = Duration::from_secs(25);
/// How long a server that turns logins away is asked again.
const TURNED_AWAY_WITHIN: Duration = Duration::from_secs(15);
/// The longest pause before that; a pause is as long as chance wants, so that those who were turned away do not come back together.
const PAUSE: Duration = Duration::from_secs(2);

/// What the connections of one fleet in one run have in common.
pub struct Base {
    pub folder: Folder,
    /// The ssh configuration's file.
    pub config: PathBuf,
    /// Tells the sockets of one configuration from those of another.
    pub digest: String,
    pub jumps: Jumps,
}

impl Base {
    /// A socket's name: short, for their paths may have some hundred characters only.
    pub fn socket(&self, what: &str) -> PathBuf {
        let name = hex::encode(&Sha256::digest(what.as_bytes())[..8]);
        self.folder.path(&format!("{}-{name}", self.digest))
    }

    /// Opens the connection to a host, or takes one that lives.
    pub async fn open(&self, host: &Host) -> Result<Arc<Session>, Failure> {
        let socket = self.socket(host.address());
        let lock = match self.living(&socket).await? {
            Ok(session) => return Ok(session),
            Err(lock) => lock,
        };
        self.start(&socket, host, "60").await?;
        drop(lock);
        living(&socket).await.ok_or_else(|| unreachable(host, "its connection exists, but doesn't answer"))
    }

    /// The connection behind a socket if it lives; else the lock under which it is made anew.
    pub async fn living(&self, socket: &Path) -> Result<Result<Arc<Session>, fs::File>, Failure> {
        if let Some(session) = living(socket).await {
            return Ok(Ok(session));
        }
        let lock = locked(&self.folder, socket).await?;
        if let Some(session) = living(socket).await {
            return Ok(Ok(session));
        }
        let _ = fs::remove_file(socket);
        Ok(Err(lock))
    }

    /// Starts the ssh process of a connection, and comes back when it is logged in.
    pub async fn start(&self, socket: &Path, host: &Host, persist: &str) -> Result<(), Failure> {
        let route = route(&self.config, host).await?;
        let (last, jumps) = route.split_last().expect("a host is on the way to itself");
        let through = self.jumps.open(self, host, &route, jumps).await?;
        let entered = self.login(socket, last, through.as_deref().map(|near| (near, jumps)), persist).await;
        entered.map_err(|unheard| unheard.told(host, &route, last))
    }

    /// Logs in on a host of the way, through the connection to the last of the jump hosts before it.
    pub async fn login(
        &self,
        socket: &Path,
        hop: &Hop,
        through: Option<(&Path, &[Hop])>,
        persist: &str,
    ) -> Result<(), Unheard> {
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
            let (status, said) = ended(command, LOGIN_WITHIN).await.map_err(Unheard::Why)?;
            if status.success() {
                return Ok(());
            }
            let away = is_turned_away(&said);
            if let Some((_, jumps)) = through
                && (away || said.contains("orwarding"))
                && let Some(why) = self.kept_from(hop, jumps).await?
            {
                return Err(Unheard::Said(why));
            }
            let pause = PAUSE.mul_f64(rand::random());
            if !away || Instant::now() + pause > until {
                return Err(Unheard::Said(said));
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// What keeps the jump hosts from leading to a host: that is not heard behind a connection that persists.
    async fn kept_from(&self, hop: &Hop, jumps: &[Hop]) -> Result<Option<String>, Unheard> {
        let (jump, before) = jumps.split_last().expect("a jump host");
        let before = before.iter().map(|jump| &*jump.place).collect::<Vec<_>>().join(",");
        let before = if before.is_empty() { before } else { format!("-J {before} ") };
        // Why it cannot connect onwards is no error to it.
        let (config, words) = (self.config.display(), jump.words().join(" "));
        let way = format!("ProxyCommand=ssh -F {config} -o LogLevel=INFO {before}-W '[%h]:%p' {words}");
        let mut command = self.ssh(&["-o", "PreferredAuthentications=none", "-o", &way]);
        command.args(hop.words());
        let (_, said) = ended(command, LOGIN_WITHIN).await.map_err(Unheard::Why)?;
        let is_there = said.contains("Permission denied") || is_turned_away(&said);
        Ok((!is_there).then_some(said))
    }

    fn ssh(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("ssh");
        command.arg("-F").arg(&self.config).arg("-N").args(arguments).env("LC_ALL", "C");
        command
    }
}

/// The connection behind a socket, if it answers.
pub async fn living(socket: &Path) -> Option<Arc<Session>> {
    if !socket.exists() {
        return None;
    }
    let session = Session::resume_mux(socket.into(), None);
    timeout(ALIVE_WITHIN, session.check()).await.is_ok_and(|checked| checked.is_ok()).then(|| Arc::new(session))
}

/// Whether a server closed the door before it said who it is, as one does that has too many logins under way (`MaxStartups`).
fn is_turned_away(said: &str) -> bool {
    let closed = ["Connection closed", "Connection reset", "Not allowed at this time", "Exceeded MaxStartups"];
    let early =
        |line: &str| line.starts_with("kex_exchange_identification") || line.starts_with("ssh_exchange_identification");
    !said.contains("orwarding")
        && !said.contains("open failed")
        && said.lines().any(|line| early(line) && closed.iter().any(|word| line.contains(word)))
}

/// Why a login came to nothing.
#[derive(Clone, Debug)]
pub enum Unheard {
    /// What ssh said.
    Said(String),
    /// Why it said nothing.
    Why(String),
}

impl Unheard {
    /// Words it for the host that was meant; `hop` is the one of its way that did not let it in.
    pub fn told(self, host: &Host, route: &[Hop], hop: &Hop) -> Failure {
        match self {
            Unheard::Said(said) => refused(host, route, &said),
            Unheard::Why(why) if hop.place != host.address() => {
                unreachable(host, &format!("`{}`, on the way to it: {why}", hop.place))
            }
            Unheard::Why(why) => unreachable(host, &why),
        }
    }
}

/// Runs a program to its end, which gives its status and what it said on stderr; `Err` says why there is none.
///
/// What it leaves behind may keep its stderr open; that is not waited for.
pub async fn ended(mut command: Command, within: Duration) -> Result<(ExitStatus, String), String> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(|e| format!("ssh can't be started: {e}"))?;
    let stderr = child.stderr.take().expect("it is piped");
    let (mut said, mut all) = (Vec::new(), false);
    let mut beginning = stderr.take(16 << 10);
    let ended = timeout(within, async {
        let mut reading = Box::pin(beginning.read_to_end(&mut said));
        let status = loop {
            tokio::select! {
                status = child.wait() => break status,
                _ = &mut reading, if !all => all = true,
            }
        };
        if !all && status.as_ref().is_ok_and(|s| !s.success()) {
            let _ = timeout(Duration::from_secs(1), reading).await;
        }
        status
    });
    match ended.await {
        Ok(Ok(status)) => Ok((status, String::from_utf8_lossy(&said).into_owned())),
        Ok(Err(e)) => Err(e.to_string()),
        Err(_) => Err(format!("no login within {} s", within.as_secs())),
    }
}

pub fn unreachable(host: &Host, why: &str) -> Failure {
    Failure::new(Cause::Unreachable, format!("can't be reached: {why}"))
        .on(&host.name)
        .help(format!("check `ssh {}`", host.address()))
}

/// Words what ssh said when it came to no login.
pub fn refused(host: &Host, route: &[Hop], said: &str) -> Failure {
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('@')).collect();
    let find = |text: &str| lines.iter().find(|l| l.contains(text)).copied();
    let about = |line: &str| route.iter().find(|hop| line.split([' ', ',']).any(|word| word == hop.known_as));
    let wrong = |cause: Cause, hop: Option<&Hop>, what: &str| {
        let whose = match hop.filter(|hop| hop.place != host.address()) {
            Some(jump) => format!("the key of `{}`, on the way to it, {what}", jump.place),
            None => format!("its key {what}"),
        };
        Failure::new(cause, whose).on(&host.name)
    };
    let trust = format!("`rfab {HOSTS} --trust {}`", host.name);
    if let Some(line) = find("is marked as revoked") {
        return wrong(Cause::HostKeyRevoked, about(line), "is marked as revoked")
            .help("ask the people who run it; nothing was sent to it");
    }
    if let Some(line) = find("has changed and you have requested").or(find("Offending")) {
        let place = find("Offending").and_then(|l| l.split_once(" in ")).map(|(_, place)| format!(" ({place})"));
        let what = format!("differs from the known key{}: somebody may be in between", place.unwrap_or_default());
        return wrong(Cause::HostKeyChanged, about(line), &what).help(format!(
            "ask the people who run it; if they changed the key, compare the new fingerprint and trust it with {trust}"
        ));
    }
    if let Some(line) = find("Certificate invalid") {
        let why = line.split_once("invalid: ").map_or(line, |(_, why)| why);
        let help = "ask the people who sign the hosts' certificates; a certificate is for certain names, and expires";
        let failure = unreachable(host, &format!("a host certificate on the way to it isn't valid: {why}")).help(help);
        return Failure { cause: Cause::HostCertificate, ..failure };
    }
    if let Some(line) = find("host key is known for").or(find("Host key verification failed")) {
        let help = format!("compare its fingerprint and trust it with {trust}");
        let what = "isn't known, so rfab doesn't trust it";
        return wrong(Cause::HostKeyUnknown, about(line), what).help(help);
    }
    if let Some(line) = find("Permission denied (") {
        let failure =
            Failure { cause: Cause::LoginDenied, ..unreachable(host, line.strip_prefix("ssh: ").unwrap_or(line)) };
        return failure.help(format!(
            "check `ssh -o BatchMode=yes {}`, which asks nothing, as rfab does: a key with a passphrase works after \
             you add it with `ssh-add`",
            host.address()
        ));
    }
    if let Some((_, why)) = find(": open failed: ").and_then(|line| line.split_once(": open failed: ")) {
        let why = why.trim_start_matches("connect failed: ");
        let failure = unreachable(host, &format!("a jump host on the way to it can't connect onward: {why}"));
        return Failure { cause: Cause::JumpHost, ..failure };
    }
    // What a jump host's ssh says of the end of its way comes before the reason.
    let reason = lines
        .iter()
        .rfind(|l| !l.starts_with("Connection closed by UNKNOWN") && !l.starts_with("kex_exchange_identification"));
    match reason.or(lines.last()) {
        Some(last) => unreachable(host, last.strip_prefix("ssh: ").unwrap_or(last)),
        None => unreachable(host, "ssh doesn't report why"),
    }
}

/// Holds a file lock named for a socket, so that two runs do not start its connection at once.
async fn locked(folder: &Folder, socket: &Path) -> Result<fs::File, Failure> {
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
            return Err(failed(&"another run of rfab holds it for too long"));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name with the host's in it is too long for a socket: ansible/ansible#16840.
    #[test]
    fn the_socket_of_a_host_with_a_long_name_has_a_short_one() {
        let runtime = tempfile::Builder::new().prefix(&"r".repeat(25)).tempdir_in("/tmp").unwrap();
        let jumps = Jumps::default();
        let folder = Folder::make(Some(runtime.path())).unwrap();
        let base = Base { folder, config: PathBuf::new(), digest: "0123abcd".into(), jumps };
        let long = format!("{}.example.org", ["a-long-label-of-a-host"; 10].join("."));
        // ssh binds it under a temporary name with 17 more characters; a socket's path has 107 at most.
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
