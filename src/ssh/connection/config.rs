//! Writes a run's ssh configuration: fixed options come first, because ssh takes the first value.
use super::{depends, hop::parts, included, options};
use crate::{control::shown, failure::Failure, fleet::Fleet, temporary::TemporaryFile};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeSet,
    fmt::Write as _,
    fs,
    io::{self, Write as _},
    path::Path,
    process::{Command, Stdio},
};

/// Options that no file of the user, the fleet or the system can change.
const FORCED: &str = "\
Host *
    StrictHostKeyChecking yes
    NoHostAuthenticationForLocalhost no
    VerifyHostKeyDNS no
    UpdateHostKeys no
    CheckHostIP no
    BatchMode yes
    ForwardAgent no
    SetEnv RFAB=1
    VisualHostKey no
    ForwardX11 no
    ForwardX11Trusted no
    Tunnel no
    PermitLocalCommand no
    RemoteCommand none
    ClearAllForwardings yes
    ControlMaster no
    ControlPath none
    ControlPersist no
    ExitOnForwardFailure yes
    ConnectTimeout 10
    ConnectionAttempts 1
    ServerAliveInterval 5
    ServerAliveCountMax 3
    RequestTTY no
    GatewayPorts no
    LogLevel ERROR
";

/// More fixed options, for an ssh that knows them: those of 8.5 and 8.7, and those that an ssh may be built without.
/// Kerberos would check a host by itself, without its key.
const FORCED_IF_KNOWN: [&str; 6] = [
    "KnownHostsCommand none",
    "SessionType default",
    "ForkAfterAuthentication no",
    "StdinNull no",
    "GSSAPIDelegateCredentials no",
    "GSSAPIKeyExchange no",
];

/// The configuration of one run.
pub(crate) struct Config {
    pub text: String,
    /// Identifies connections that this configuration opened: a digest of it, of all that it includes, and of the keys
    /// and known hosts that it names.
    pub digest: String,
    /// Whether a program or the network that the machine is in decides what it says: then it may say something else later.
    pub is_fickle: bool,
    /// All texts of the configuration, with everything that it includes.
    pub texts: Vec<String>,
}

/// Makes the configuration for one fleet.
///
/// `project` is the fabfile's folder, whose `known_hosts` is used in addition to the configured ones; `home` is the
/// user's.
pub(crate) fn make(fleet: Option<&Fleet>, project: &Path, home: &Path) -> Result<Config, Failure> {
    made(fleet, project, home, Path::new("/etc/ssh/ssh_config"))
}

/// Makes the configuration with another file in place of the system's.
fn made(fleet: Option<&Fleet>, project: &Path, home: &Path, system: &Path) -> Result<Config, Failure> {
    let own = own(fleet, [&home.join(".ssh/config"), system])?;
    let included = included::texts(&own, home);
    let global = if included.iter().any(|text| included::sets(text, "GlobalKnownHostsFile")) {
        asked(&own, fleet)?
    } else {
        String::new()
    };
    let mut text = FORCED.to_owned();
    options::known(&FORCED_IF_KNOWN).iter().for_each(|line| text += &format!("    {line}\n"));
    let known = project.join("known_hosts");
    let global = if global.is_empty() { SYSTEM.to_owned() } else { global };
    let _ = writeln!(text, "    GlobalKnownHostsFile {} {global}", quoted(&known)?);
    text += &own;
    // Undoes earlier `SendEnv`s: a variable may be a secret, and commands mustn't depend on who runs them.
    text += "Host *\n    SendEnv -*\n";
    let mut digest = Sha256::new_with_prefix(&text);
    included.iter().for_each(|text| digest.update(text));
    // A key that was removed from it must not be accepted through a connection that is still open.
    digest.update(fs::read(&known).unwrap_or_default());
    let texts: Vec<&str> = included.iter().map(String::as_str).chain([text.as_str()]).collect();
    depends::add(&mut digest, &texts, home);
    let is_fickle = texts.iter().any(|text| depends::is_fickle(text));
    let texts = texts.into_iter().map(str::to_owned).collect();
    Ok(Config { digest: hex::encode(&digest.finalize()[..4]), is_fickle, texts, text })
}

/// The system's known-hosts files, if the configuration names no others.
const SYSTEM: &str = "/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2";

/// Returns what the fleet, its file, the user's and the system's files configure; the first value wins.
fn own(fleet: Option<&Fleet>, files: [&Path; 2]) -> Result<String, Failure> {
    let mut text = String::new();
    if let Some(own) = fleet.and_then(|fleet| fleet.ssh.as_ref()) {
        if !own.is_file() {
            return Err(Failure::new(
                crate::failure::Cause::Fabfile,
                format!("the fleet's ssh configuration `{}` isn't there", own.display()),
            ));
        }
        let _ = writeln!(text, "Host *\n    Include {}", quoted(own)?);
    }
    if let Some(fleet) = fleet {
        let machines = fleet.hosts.iter().chain(fleet.balancers.iter().map(|b| &b.host));
        let machines: BTreeSet<&str> = machines.map(|host| host.address()).collect();
        fleet.via.iter().for_each(|via| text += &jumps(via, &machines));
        if let Some(user) = &fleet.user {
            let _ = writeln!(text, "Host {}\n    User {user}", words(machines));
        }
    }
    for file in files {
        if file.is_file() {
            let _ = writeln!(text, "Host *\n    Include {}", quoted(file)?);
        }
    }
    // For jump hosts outside the fleet.
    if let Some(user) = fleet.and_then(|fleet| fleet.user.as_ref()) {
        let _ = writeln!(text, "Host *\n    User {user}");
    }
    Ok(text)
}

/// Configures the way to each machine. A machine that is itself a jump host is reached through those before it.
fn jumps(via: &str, machines: &BTreeSet<&str>) -> String {
    let jumps: Vec<&str> = via.split(',').collect();
    let (mut text, mut others) = (String::new(), machines.clone());
    for (at, jump) in jumps.iter().enumerate() {
        let (_, name, _) = parts(jump);
        if others.remove(name) && at > 0 {
            let _ = writeln!(text, "Host {name}\n    ProxyJump {}", jumps[..at].join(","));
        }
    }
    if !others.is_empty() {
        let _ = writeln!(text, "Host {}\n    ProxyJump {via}", words(others));
    }
    text
}

fn words(names: BTreeSet<&str>) -> String {
    names.into_iter().collect::<Vec<_>>().join(" ")
}

/// Returns the system's known-hosts files that a configuration names; those for a machine apply to jump hosts, too.
fn asked(own: &str, fleet: Option<&Fleet>) -> Result<String, Failure> {
    let failed = |e: io::Error| Failure::failed(format!("ssh's configuration can't be read: {e}"));
    let mut file = TemporaryFile::make().map_err(failed)?;
    file.write_all(own.as_bytes()).map_err(failed)?;
    let machines =
        fleet.into_iter().flat_map(|fleet| fleet.hosts.iter().chain(fleet.balancers.iter().map(|b| &b.host)));
    let mut files = BTreeSet::new();
    for host in machines {
        let mut command = Command::new("ssh");
        command.arg("-F").arg(file.path()).args(["-G", "--", host.address()]).stdin(Stdio::null());
        let said = command.output().map_err(failed)?.stdout;
        let said = String::from_utf8_lossy(&said).into_owned();
        files.extend(said.lines().find_map(|line| line.strip_prefix("globalknownhostsfile ").map(str::to_owned)));
    }
    Ok(files.into_iter().collect::<Vec<_>>().join(" "))
}

/// Quotes a path for ssh.
fn quoted(path: &Path) -> Result<String, Failure> {
    let text = path.to_string_lossy();
    if text.contains(['"', '\\', '\n', '%', '$', '*', '?', '[']) {
        return Err(Failure::failed(format!("ssh can't be given the path `{}`", shown(&text))));
    }
    Ok(format!("\"{text}\""))
}

#[cfg(test)]
mod tests;
