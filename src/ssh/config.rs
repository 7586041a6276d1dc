//! The ssh configuration that a run writes: what may not be overridden comes first, for ssh takes the first value.
use crate::{failure::Failure, fleet::Fleet};
use std::{
    fmt::Write as _,
    fs, io,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// What no file of the user, the fleet or the system can change.
const FORCED: &str = "\
Host *
    StrictHostKeyChecking yes
    NoHostAuthenticationForLocalhost no
    KnownHostsCommand none
    VerifyHostKeyDNS no
    UpdateHostKeys no
    CheckHostIP no
    BatchMode yes
    ForwardAgent no
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
    SessionType default
    ForkAfterAuthentication no
    StdinNull no
    GatewayPorts no
    LogLevel ERROR
";

/// Where ssh's files of one run are.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Makes the folder, of this user alone, under the runtime directory or, where that name is too long, `/tmp`.
    ///
    /// Refuses a folder that is a link, belongs to another user, or may be read by others.
    pub fn make(runtime: Option<&Path>) -> Result<Folder, Failure> {
        let me = rustix::process::geteuid().as_raw();
        let short = |p: &&Path| p.as_os_str().len() <= 40;
        let folder = match runtime.filter(short) {
            Some(runtime) => runtime.join("rfab"),
            None => PathBuf::from(format!("/tmp/rfab-{me}")),
        };
        let failed = |e: &dyn std::fmt::Display| Failure::failed(format!("folder `{}`: {e}", folder.display()));
        match fs::DirBuilder::new().mode(0o700).create(&folder) {
            Ok(()) => {}
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(failed(&e)),
        }
        let about = fs::symlink_metadata(&folder).map_err(|e| failed(&e))?;
        if !about.is_dir() {
            return Err(failed(&"it is a link or a file").help("remove it"));
        }
        if about.uid() != me {
            return Err(failed(&"it belongs to another user").help("remove it"));
        }
        if about.permissions().mode() & 0o077 != 0 {
            return Err(failed(&"others may enter it").help(format!("type `chmod 700 {}`", folder.display())));
        }
        Ok(Folder(folder))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a file of this user alone; one that is there is replaced.
    pub fn write(&self, name: &str, text: &str) -> Result<PathBuf, Failure> {
        let (path, temp) = (self.path(name), self.path(&format!("{name}.{}", std::process::id())));
        let _ = fs::remove_file(&temp);
        let written =
            fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temp).and_then(|mut file| {
                io::Write::write_all(&mut file, text.as_bytes())?;
                fs::rename(&temp, &path)
            });
        written.map_err(|e| Failure::failed(format!("file `{}`: {e}", path.display())))?;
        Ok(path)
    }
}

/// The text for one fleet.
///
/// `project` is the fabfile's folder, whose `known_hosts` counts beside the user's; `home` the user's.
pub fn text(fleet: Option<&Fleet>, project: &Path, home: &Path) -> Result<String, Failure> {
    let mut text = FORCED.to_owned();
    let [own, system] = known_hosts(project, home)
        .map(|files| files.iter().map(|p| quoted(p)).collect::<Result<Vec<_>, _>>().map(|files| files.join(" ")));
    let _ = writeln!(text, "    UserKnownHostsFile {}\n    GlobalKnownHostsFile {}", own?, system?);
    if let Some(own) = fleet.and_then(|fleet| fleet.ssh.as_ref()) {
        if !own.is_file() {
            return Err(Failure::new(
                crate::failure::Reason::Fabfile,
                format!("the fleet's ssh configuration `{}` is not there", own.display()),
            ));
        }
        let _ = writeln!(text, "Host *\n    Include {}", quoted(own)?);
    }
    if let Some(fleet) = fleet
        && let Some(via) = &fleet.via
    {
        let hosts = fleet.hosts.iter().map(|h| h.address()).chain(fleet.balancers.iter().map(|b| b.host.address()));
        let bare = via.rsplit('@').next().unwrap_or(via);
        let hosts: Vec<&str> = hosts.filter(|h| *h != bare).collect();
        let _ = writeln!(text, "Host {}\n    ProxyJump {via}", hosts.join(" "));
    }
    for file in [home.join(".ssh/config"), PathBuf::from("/etc/ssh/ssh_config")] {
        if file.is_file() {
            let _ = writeln!(text, "Host *\n    Include {}", quoted(&file)?);
        }
    }
    if let Some(user) = fleet.and_then(|fleet| fleet.user.as_ref()) {
        let _ = writeln!(text, "Host *\n    User {user}");
    }
    Ok(text)
}

/// The files of known hosts: the project's and the user's, then the system's.
pub fn known_hosts(project: &Path, home: &Path) -> [Vec<PathBuf>; 2] {
    let own = [project.join("known_hosts"), home.join(".ssh/known_hosts"), home.join(".ssh/known_hosts2")];
    let system = ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"];
    [own.to_vec(), system.map(PathBuf::from).to_vec()]
}

/// A path as ssh reads it.
fn quoted(path: &Path) -> Result<String, Failure> {
    let text = path.to_string_lossy();
    if text.contains(['"', '\\', '\n', '%', '$', '*', '?', '[']) {
        return Err(Failure::failed(format!("ssh cannot be given the path `{}`", text.escape_debug())));
    }
    Ok(format!("\"{text}\""))
}
