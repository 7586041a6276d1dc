//! Connections that are shared: one ssh process each, which others speak to over its socket.
use super::config::Folder;
use crate::{
    failure::{Failure, Reason},
    host::Host,
};
use openssh::Session;
use rustix::fs::{FlockOperation, flock};
use std::{
    fs,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::Duration,
};
use tokio::{io::AsyncReadExt, process::Command, time::timeout};

/// How long a socket may take to say that its connection lives.
const ALIVE_WITHIN: Duration = Duration::from_secs(2);
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
    refuse_own_ssh(config, host).await?;
    let mut command = Command::new("ssh");
    command
        .arg("-F")
        .arg(config)
        .args(["-M", "-N", "-f", "-o", "ControlMaster=yes", "-o", &format!("ControlPersist={persist}"), "-o"])
        .arg(format!("ControlPath={}", socket.display()))
        .args(["--", host.address()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .env("LC_ALL", "C")
        .kill_on_drop(true);
    let mut child = command.spawn().map_err(|e| unreachable(host, &format!("ssh cannot be started: {e}")))?;
    let mut stderr = child.stderr.take().expect("it is piped");
    let mut said = Vec::new();
    let ended = timeout(LOGIN_WITHIN, async {
        let status = child.wait().await;
        // The process in the background has closed it; what remains is what was said before.
        let _ = timeout(Duration::from_millis(200), (&mut stderr).take(16 << 10).read_to_end(&mut said)).await;
        status
    });
    match ended.await {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(_)) => Err(refused(host, &String::from_utf8_lossy(&said))),
        Ok(Err(e)) => Err(unreachable(host, &e.to_string())),
        Err(_) => Err(unreachable(host, &format!("no login within {} s", LOGIN_WITHIN.as_secs()))),
    }
}

/// Refuses a `ProxyCommand` that calls ssh itself: it would not be under rfab's configuration.
async fn refuse_own_ssh(config: &Path, host: &Host) -> Result<(), Failure> {
    let mut command = Command::new("ssh");
    command.arg("-F").arg(config).args(["-G", "--", host.address()]).stdin(Stdio::null()).kill_on_drop(true);
    let out = match timeout(Duration::from_secs(5), command.output()).await {
        Ok(Ok(out)) if out.status.success() => out,
        Ok(Ok(out)) => return Err(refused(host, &String::from_utf8_lossy(&out.stderr))),
        Ok(Err(e)) => {
            return Err(unreachable(host, &format!("ssh cannot be started: {e}")).help("install an ssh client"));
        }
        Err(_) => return Err(unreachable(host, "`ssh -G` does not come to its end")),
    };
    let text = String::from_utf8_lossy(&out.stdout);
    let proxy = text.lines().find_map(|line| line.strip_prefix("proxycommand "));
    let calls_ssh = |proxy: &&str| proxy.split(|c: char| !c.is_alphanumeric()).any(|word| word == "ssh");
    if let Some(proxy) = proxy.filter(calls_ssh) {
        let message =
            format!("host `{host}`: its `ProxyCommand {proxy}` calls ssh itself, past the checks of host keys");
        return Err(Failure::new(Reason::Unreachable, message).on(&host.name).help("write `ProxyJump` instead"));
    }
    for (option, wanted) in [("stricthostkeychecking", "true"), ("nohostauthenticationforlocalhost", "no")] {
        let value = text.lines().find_map(|line| line.strip_prefix(option)).map(str::trim);
        if value != Some(wanted) && value != Some("yes") {
            let message = format!("host `{host}`: ssh does not obey `{option}`");
            return Err(Failure::new(Reason::Unreachable, message).on(&host.name));
        }
    }
    Ok(())
}

fn unreachable(host: &Host, why: &str) -> Failure {
    Failure::new(Reason::Unreachable, format!("host `{host}` cannot be reached: {why}"))
        .on(&host.name)
        .help(format!("check `ssh {}`", host.address()))
}

/// Words what ssh said when it came to no login.
fn refused(host: &Host, said: &str) -> Failure {
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('@')).collect();
    let find = |text: &str| lines.iter().find(|l| l.contains(text)).copied();
    let trust = format!("look at its fingerprints and accept them with `rfab --trust {}`", host.name);
    if find("REMOTE HOST IDENTIFICATION HAS CHANGED").is_some() || find("Offending").is_some() {
        let place = find("Offending").map(|l| format!(" ({l})")).unwrap_or_default();
        let message = format!("host `{host}` has another key than it had: somebody may be in between{place}");
        let help = format!("ask whoever runs it; if the change is meant, remove the old line, then {trust}");
        return Failure::new(Reason::Unreachable, message).on(&host.name).help(help);
    }
    if find("host key is known for").is_some() || find("Host key verification failed").is_some() {
        let what = find("host key is known for").unwrap_or("its key is not known");
        let message = format!("host `{host}`: its key is not known, so it is not trusted ({what})");
        return Failure::new(Reason::Unreachable, message).on(&host.name).help(trust);
    }
    match lines.last() {
        Some(last) => unreachable(host, last.strip_prefix("ssh: ").unwrap_or(last)),
        None => unreachable(host, "ssh does not say why"),
    }
}

/// Holds a file lock named for a socket, so that two runs do not start its connection at once.
async fn locked(folder: &Folder, socket: &Path) -> Result<fs::File, Failure> {
    let name = format!("{}.lock", socket.file_name().unwrap_or_default().to_string_lossy());
    let path: PathBuf = folder.path(&name);
    let failed = |e: &dyn std::fmt::Display| Failure::failed(format!("file `{}`: {e}", path.display()));
    let open =
        fs::OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).custom_flags(0o400_000).open(&path);
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
