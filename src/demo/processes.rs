//! The processes below this one: nothing that the demo starts, or that goes on behind its back, outlives it.
use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, set_child_subreaper, wait};
use std::{
    fs,
    time::{Duration, Instant},
};

/// How long they may take to be gone.
const WITHIN: Duration = Duration::from_secs(10);

/// Those that come to be from now on; when it is dropped they are killed, at any depth.
///
/// Nobody else may wait for children of this process by then.
pub struct Processes {
    /// Who was there already, and stays.
    before: Vec<Pid>,
}

impl Processes {
    /// Makes this process the parent of what its children leave behind, such as connections kept for the next run.
    pub fn adopt() -> std::io::Result<Processes> {
        set_child_subreaper(Some(getpid()))?;
        Ok(Processes { before: below(getpid()) })
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        let until = Instant::now() + WITHIN;
        loop {
            let mut ours = below(getpid());
            ours.retain(|pid| !self.before.contains(pid));
            for pid in &ours {
                let _ = kill_process(*pid, Signal::KILL);
            }
            while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {}
            if ours.is_empty() || Instant::now() > until {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Every process below one, those that are dead but not waited for among them.
fn below(top: Pid) -> Vec<Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?));
    let all: Vec<(Pid, Option<Pid>)> = pids.filter_map(|pid| Some((pid, parent(pid)?))).collect();
    let (mut found, mut parents) = (Vec::new(), vec![top]);
    while let Some(parent) = parents.pop() {
        let children = all.iter().filter(|(_, of)| *of == Some(parent)).map(|(pid, _)| *pid);
        let children: Vec<Pid> = children.collect();
        found.extend(&children);
        parents.extend(children);
    }
    found
}

/// A process's parent; `Some(None)` for those that have none.
fn parent(pid: Pid) -> Option<Option<Pid>> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
    // The name in parentheses may have anything in it.
    let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
    Some(Pid::from_raw(parent))
}
