//! Processes, read from `/proc`.
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs,
    path::{Path, PathBuf},
    thread::sleep,
    time::{Duration, Instant},
};

/// A process, with pids of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    pub pid: i32,
    pub parent: i32,
    /// The first 15 bytes of its program's name.
    pub name: String,
    pub dead: bool,
    /// Whether SIGSTOP stopped it.
    pub stopped: bool,
    /// Clock ticks since boot; together with the pid, they identify it.
    pub started: u64,
}

/// Returns every process that this one can see.
pub fn all() -> Vec<Process> {
    let entries = fs::read_dir("/proc").expect("/proc");
    entries.flatten().filter_map(|entry| read(entry.file_name().to_str()?.parse().ok()?)).collect()
}

/// Returns a process; `None` if it is gone.
pub fn read(pid: i32) -> Option<Process> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (head, tail) = (stat.find('(')?, stat.rfind(')')?);
    let rest: Vec<&str> = stat[tail + 2..].split(' ').collect();
    Some(Process {
        pid,
        parent: rest[1].parse().ok()?,
        name: stat[head + 1..tail].to_owned(),
        dead: matches!(rest[0], "Z" | "X"),
        stopped: rest[0] == "T",
        started: rest[19].parse().ok()?,
    })
}

/// Returns the processes below a process, at any depth, without that process.
pub fn below(pid: i32) -> Vec<Process> {
    let all = all();
    let mut parents = vec![pid];
    let mut found: Vec<Process> = Vec::new();
    while let Some(parent) = parents.pop() {
        for process in all.iter().filter(|p| p.parent == parent && p.pid != pid) {
            parents.push(process.pid);
            found.push(process.clone());
        }
    }
    found
}

/// Returns the link that identifies a process's namespace of that kind (`pid`, `mnt`).
pub fn namespace(pid: i32, kind: &str) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{pid}/ns/{kind}")).ok()
}

/// Returns the living processes in a namespace.
pub fn within(namespace_of: &Path, kind: &str) -> Vec<Process> {
    all().into_iter().filter(|p| !p.dead && namespace(p.pid, kind).as_deref() == Some(namespace_of)).collect()
}

/// Returns the processes that were started with `RFAB_LAB` set to this folder.
pub fn marked(folder: &Path) -> Vec<Process> {
    let mark = format!("RFAB_LAB={}", folder.display()).into_bytes();
    let is_marked = |process: &Process| {
        fs::read(format!("/proc/{}/environ", process.pid))
            .is_ok_and(|environ| environ.split(|byte| *byte == 0).any(|entry| entry == mark))
    };
    all().into_iter().filter(is_marked).collect()
}

pub fn signal(pid: i32, signal: Signal) -> bool {
    Pid::from_raw(pid).is_some_and(|pid| kill_process(pid, signal).is_ok())
}

/// Kills what `find` returns until none of it lives; false if some still lives after ten seconds.
pub fn kill_all(find: impl Fn() -> Vec<Process>) -> bool {
    let deadline = Instant::now() + Duration::from_secs(10);
    let own = std::process::id() as i32;
    loop {
        let living: Vec<Process> = find().into_iter().filter(|p| !p.dead && p.pid != own).collect();
        if living.is_empty() {
            return true;
        }
        if Instant::now() > deadline {
            return false;
        }
        for process in living {
            signal(process.pid, Signal::KILL);
        }
        sleep(Duration::from_millis(10));
    }
}
