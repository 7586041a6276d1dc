//! The processes below this one: nothing that the demo starts, even in the background, outlives it.
use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, set_child_subreaper, wait};
use std::{
    fs,
    time::{Duration, Instant},
};

/// How long they may take to disappear.
const WITHIN: Duration = Duration::from_secs(10);

/// The processes that start after this value was made. Dropping it kills them, at any depth.
///
/// Nothing else may wait for children of this process by then.
pub(super) struct Processes {
    /// The processes that existed before, and stay.
    before: Vec<Pid>,
}

impl Processes {
    /// Makes this process the parent of what its children leave behind, such as connections kept for the next run.
    pub(super) fn adopt() -> std::io::Result<Processes> {
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

/// Returns every process below one, including those that are dead but not waited for.
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

/// Returns a process's parent; `Some(None)` if it has none.
fn parent(pid: Pid) -> Option<Option<Pid>> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
    // The name in parentheses may contain anything.
    let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
    Some(Pid::from_raw(parent))
}
