//! Connections that are shared: one ssh process each, which others speak to over its socket.
use super::{
    folder::Folder,
    route::{Hop, route},
};
use crate::{
    failure::{Failure, HOSTS, Reason, STRANGE_KEY},
    host::Host,
};
use openssh::Session;
use rustix::fs::{FlockOperation, flock};
use std::{
    fs,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::Arc,
    time::Duration,
};
use tokio::{io::AsyncReadExt, process::Command, time::timeout};

/// How long a socket may take to say that its connection lives.
pub const ALIVE_WITHIN: Duration = Duration::from_secs(2);
/// How long a connection may take in all; ssh's own limit is for the beginning alone.
const LOGIN_WITHIN: Duration = Duration::from_secs(25);

/// Opens the connection to a host, or takes one that lives.
pub async fn open(folder: &Folder, config: &Path, socket: &Path, host: &Host) -> Result<Arc<Session>, Failure> {
    let lock = locked(folder, socket).await?;
    if socket.exists() {
        let session = Session::resume_mux(socket.into(), None);
        if timeout(ALIVE_WITHIN, session.check()).await.is_ok_and(|checked| checked.is_ok()) {
            return Ok(Arc::new(session));
        }
        let _ = fs::remove_file(socket);
    }
    start(config, socket, host, "60").await?;
    drop(lock);
    let session = Session::resume_mux(socket.into(), None);
    match timeout(ALIVE_WITHIN, session.check()).await {
        Ok(Ok(())) => Ok(Arc::new(session)),
        _ => Err(unreachable(host, "its connection was there and does not answer")),
    }
}

/// Starts the ssh process of a connection, and comes back when it is logged in.
pub async fn start(config: &Path, socket: &Path, host: &Host, persist: &str) -> Result<(), Failure> {
    let route = route(config, host).await?;
    let mut command = Command::new("ssh");
    command
        .arg("-F")
        .arg(config)
        .args(["-M", "-N", "-f", "-o", "ControlMaster=yes", "-o", &format!("ControlPersist={persist}"), "-o"])
        .arg(format!("ControlPath={}", socket.display()))
        .args(["--", host.address()])
        .env("LC_ALL", "C");
    let (status, said) = ended(command, LOGIN_WITHIN).await.map_err(|e| unreachable(host, &e))?;
    if status.success() {
        return Ok(());
    }
    // Behind a master that persists, what jump hosts' own ssh says is lost.
    for hop in &route[..route.len() - 1] {
        let mut command = Command::new("ssh");
        command.arg("-F").arg(config).args(["-N", "-o", "PreferredAuthentications=none"]);
        command.args(hop.arguments()).env("LC_ALL", "C");
        let (_, said) = ended(command, LOGIN_WITHIN).await.map_err(|e| unreachable(host, &e))?;
        if !said.contains("Permission denied") {
            return Err(refused(host, &route, &said));
        }
    }
    Err(refused(host, &route, &said))
}

/// Runs a program to its end, which gives its status and what it said on stderr; `Err` says why there is none.
///
/// What it leaves behind may keep its stderr open; that is not waited for.
pub async fn ended(mut command: Command, within: Duration) -> Result<(ExitStatus, String), String> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(|e| format!("ssh cannot be started: {e}"))?;
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
    Failure::new(Reason::Unreachable, format!("host `{host}` cannot be reached: {why}"))
        .on(&host.name)
        .help(format!("check `ssh {}`", host.address()))
}

/// Words what ssh said when it came to no login.
pub fn refused(host: &Host, route: &[Hop], said: &str) -> Failure {
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('@')).collect();
    let find = |text: &str| lines.iter().find(|l| l.contains(text)).copied();
    let about = |line: &str| route.iter().find(|hop| line.split([' ', ',']).any(|word| word == hop.known_as));
    let wrong = |hop: Option<&Hop>, what: &str| {
        let whose = match hop.filter(|hop| hop.place != host.address()) {
            Some(jump) => format!("host `{host}`: the key of `{}`, on the way to it, {what}", jump.place),
            None => format!("host `{host}`: its key {what}"),
        };
        Failure::new(Reason::Unreachable, whose).on(&host.name)
    };
    let trust = format!("`rfab {HOSTS} --trust {}`", host.name);
    if let Some(line) = find("is marked as revoked") {
        return wrong(about(line), "is marked as revoked").help("ask whoever runs it; nothing was sent to it");
    }
    if let Some(line) = find("has changed and you have requested").or(find("Offending")) {
        let place = find("Offending").and_then(|l| l.split_once(" in ")).map(|(_, place)| format!(" ({place})"));
        let what = format!("is not the one that is known{}: somebody may be in between", place.unwrap_or_default());
        return wrong(about(line), &what).help(format!(
            "ask whoever runs it; if the change is meant, compare the new fingerprint and take it up with {trust}"
        ));
    }
    if let Some(line) = find("host key is known for").or(find("Host key verification failed")) {
        let help = format!("compare its fingerprint and take it up with {trust}");
        return wrong(about(line), STRANGE_KEY).help(help);
    }
    // What a jump host's ssh says of the end of its way comes before the reason.
    let reason = lines
        .iter()
        .rfind(|l| !l.starts_with("Connection closed by UNKNOWN") && !l.starts_with("kex_exchange_identification"));
    match reason.or(lines.last()) {
        Some(last) => unreachable(host, last.strip_prefix("ssh: ").unwrap_or(last)),
        None => unreachable(host, "ssh does not say why"),
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
