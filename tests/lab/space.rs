//! A namespace of mounts, processes and host name, which makes a folder look like a machine.
//!
//! Root makes one directly. An ordinary user makes one within a user namespace, if the kernel allows that; each machine
//! then has one user and no sudo. Within a chroot it works for root if the chroot's top is a mount point, because
//! otherwise the kernel can't keep mounts private.
use super::{client::Guard, guard::Start, proc};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
    thread::sleep,
    time::{Duration, Instant},
};

/// The machines that this user can make on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Level {
    /// Machines with several users and sudo.
    Root,
    /// Machines with one user.
    User,
    /// No machines, with the reason.
    None(String),
}

impl Level {
    pub fn here() -> &'static Level {
        static LEVEL: OnceLock<Level> = OnceLock::new();
        LEVEL.get_or_init(|| {
            let root = rustix::process::getuid().is_root();
            let level = if root { Level::Root } else { Level::User };
            let mut all = "mount -t tmpfs tmpfs /run && mount --bind /tmp /srv && mount --bind /etc/hosts /etc/passwd \
                           && hostname lab"
                .to_owned();
            if !root {
                let (uid, gid) = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
                all.push_str(&format!(" && unshare --map-user={uid} --map-group={gid} -- true"));
            }
            let mut argv = unshare(root, Own::Machine);
            argv.extend(["sh".into(), "-c".into(), all]);
            match Command::new(&argv[0]).args(&argv[1..]).stdin(Stdio::null()).output() {
                Ok(out) if out.status.success() => level,
                Ok(out) => Level::None(String::from_utf8_lossy(&out.stderr).trim().to_owned()),
                Err(error) => Level::None(format!("unshare: {error}")),
            }
        })
    }

    pub fn is_root(&self) -> bool {
        *self == Level::Root
    }
}

/// The parts of a namespace that are its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Own {
    /// Mounts, processes and host name.
    Machine,
    /// Mounts.
    Mounts,
}

/// Returns the words that start a program as the first process of new namespaces.
fn unshare(root: bool, own: Own) -> Vec<String> {
    let mut argv = vec!["unshare"];
    if !root {
        argv.push("--map-root-user");
    }
    if own == Own::Machine {
        argv.extend(["--pid", "--uts", "--fork", "--kill-child=KILL", "--mount-proc"]);
    }
    argv.extend(["--mount", "--propagation", "private", "--"]);
    argv.into_iter().map(String::from).collect()
}

/// A running namespace.
#[derive(Clone, Debug)]
pub struct Space {
    own: Own,
    /// The guard's child; when it dies, the whole namespace does.
    pub outer: i32,
    /// The first process within, by its pid on this machine.
    pub init: i32,
    tools: PathBuf,
}

impl Space {
    /// Starts a namespace, runs a POSIX sh script that makes its mounts, and waits until it is up.
    pub fn start(guard: &Guard, own: Own, tools: &Path, folder: &Path, mounts: &str) -> Space {
        let (script, up, log) = (folder.join("boot"), folder.join("up"), folder.join("boot.log"));
        let _ = fs::remove_file(&up);
        let wait = match own {
            // The first process must reap orphans, which a loop with `wait` does.
            Own::Machine => "while :; do sleep 3600 & wait $!; done",
            // No children, because they would outlive it.
            Own::Mounts => "exec sleep infinity",
        };
        fs::write(&script, format!("set -eu\n{mounts}\n: > {}\n{wait}\n", up.display())).expect("the boot script");
        let mut argv = unshare(Level::here().is_root(), own);
        argv.extend(["sh".into(), script.display().to_string()]);
        let env = vec![("PATH".into(), SYSTEM_PATH.into())];
        let start = Start { argv, env, folder: "/".into(), stdin: None, stdout: log.clone(), stderr: log.clone() };
        let outer = guard.start(start);
        let deadline = Instant::now() + Duration::from_secs(20);
        while !up.exists() {
            if !guard.runs(outer) || Instant::now() > deadline {
                panic!("{} doesn't boot: {}", folder.display(), fs::read_to_string(&log).unwrap_or_default());
            }
            sleep(Duration::from_millis(5));
        }
        let init = match own {
            Own::Machine => proc::all().into_iter().find(|p| p.parent == outer).expect("the first process within").pid,
            Own::Mounts => outer,
        };
        Space { own, outer, init, tools: tools.to_owned() }
    }

    /// Returns the words that run a program within, as its root; without sudo that is the lab's own user.
    pub fn as_root(&self) -> Vec<String> {
        let mut argv = vec!["nsenter".into(), format!("--target={}", self.init)];
        if !Level::here().is_root() {
            argv.extend(["--user".into(), "--preserve-credentials".into()]);
        }
        if self.own == Own::Machine {
            // With a namespace of processes, nsenter stays and waits; without one, it becomes the program.
            argv.extend(["--pid", "--uts"].map(String::from));
        }
        // A namespace that was made in a chroot has another top than that chroot.
        argv.extend(["--mount", "--root", "--wd", "--"].map(String::from));
        argv
    }

    /// Returns the words that run a program within as the user who started the lab, with their own user number.
    pub fn as_self(&self) -> Vec<String> {
        let mut argv = self.as_root();
        if !Level::here().is_root() {
            argv.extend(self.to_own_number());
            argv.push("--".into());
        }
        argv
    }

    /// Does the same as `as_self`, in a new namespace of mounts, which identifies the program and all that it leaves
    /// behind.
    pub fn as_self_apart(&self) -> Vec<String> {
        let mut argv = self.as_root();
        if Level::here().is_root() {
            argv.push(self.tools.join("unshare").display().to_string());
        } else {
            argv.extend(self.to_own_number());
        }
        argv.extend(["--mount", "--"].map(String::from));
        argv
    }

    fn to_own_number(&self) -> [String; 3] {
        let (uid, gid) = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
        let unshare = self.tools.join("unshare").display().to_string();
        [unshare, format!("--map-user={uid}"), format!("--map-group={gid}")]
    }

    /// Returns where a path within is seen from outside.
    pub fn path(&self, path: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{path}", self.init))
    }

    /// Returns every process within.
    pub fn processes(&self) -> Vec<proc::Process> {
        proc::namespace(self.init, "pid").map(|own| proc::within(&own, "pid")).unwrap_or_default()
    }
}

pub const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
