//! A namespace of mounts, processes and host name: what makes a folder look like a machine.
//!
//! Root makes them directly. An ordinary user makes them within a user namespace, where the kernel allows that; there
//! is then one user on each machine, and no sudo. Within a chroot it works for root if its top is a mount point, for
//! otherwise the kernel does not let mounts be kept private.
use super::{client::Guard, guard::Start, proc};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
    thread::sleep,
    time::{Duration, Instant},
};

/// What this user may do on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Level {
    /// Machines with several users and sudo.
    Root,
    /// Machines with one user.
    User,
    /// No machines, and why.
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

/// What a namespace has for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Own {
    /// Mounts, processes and host name.
    Machine,
    /// Mounts.
    Mounts,
}

/// The words that start a program in namespaces of its own, as their first process.
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
    /// The guard's child that all of it dies with.
    pub outer: i32,
    /// The first process within, as this machine numbers it.
    pub init: i32,
    tools: PathBuf,
}

impl Space {
    /// Starts a namespace whose mounts are made by a POSIX sh script, and waits until it is up.
    pub fn start(guard: &Guard, own: Own, tools: &Path, folder: &Path, mounts: &str) -> Space {
        let (script, up, log) = (folder.join("boot"), folder.join("up"), folder.join("boot.log"));
        let _ = fs::remove_file(&up);
        let wait = match own {
            // As the first process it reaps what others leave behind; `wait` in a loop does that.
            Own::Machine => "while :; do sleep 3600 & wait $!; done",
            // Without children, which would outlive it.
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

    /// The words that run a program within, as its root; without sudo that is the lab's own user.
    pub fn as_root(&self) -> Vec<String> {
        let mut argv = vec!["nsenter".into(), format!("--target={}", self.init)];
        if !Level::here().is_root() {
            argv.extend(["--user".into(), "--preserve-credentials".into()]);
        }
        if self.own == Own::Machine {
            // With a namespace of processes, nsenter stays and waits; without, it becomes the program.
            argv.extend(["--pid", "--uts"].map(String::from));
        }
        // A namespace's own top is not the one of a chroot that it was made in.
        argv.extend(["--mount", "--root", "--wd", "--"].map(String::from));
        argv
    }

    /// The words that run a program within as the one who started the lab, under their own user number.
    pub fn as_self(&self) -> Vec<String> {
        let mut argv = self.as_root();
        if !Level::here().is_root() {
            argv.extend(self.to_own_number());
            argv.push("--".into());
        }
        argv
    }

    /// As `as_self`, in a namespace of mounts of its own, by which it and all it leaves behind can be told.
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

    /// Where a path within is seen from outside.
    pub fn path(&self, path: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{path}", self.init))
    }

    /// Every process within.
    pub fn processes(&self) -> Vec<proc::Process> {
        proc::namespace(self.init, "pid").map(|own| proc::within(&own, "pid")).unwrap_or_default()
    }
}

pub const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
