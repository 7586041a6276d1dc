//! The commands of a run that are running on hosts.
use crate::{
    command::Command,
    host::{Host, Name},
    port::{Ended, Job, Transport},
};
use std::{
    collections::BTreeSet,
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::time::timeout;

/// A process group: its host, its number, and the user that it runs as.
pub(super) type RemoteGroup = (Name, u32, Option<Name>);

/// The process groups of running calls.
#[derive(Default)]
pub(crate) struct Running {
    groups: Mutex<BTreeSet<RemoteGroup>>,
    /// How many times all of them were stopped.
    halts: AtomicU32,
}

impl Running {
    /// Adds the group of a call that began.
    pub(crate) fn add(&self, host: &Host, pid: u32, job: &Job<'_>) {
        self.groups.lock().unwrap().insert((host.name.clone(), pid, job.user.clone()));
    }

    /// Removes the group of a call that rfab no longer listens to.
    pub(crate) fn remove(&self, host: &Host, pid: u32, job: &Job<'_>) {
        self.groups.lock().unwrap().remove(&(host.name.clone(), pid, job.user.clone()));
    }

    /// Returns how many times all were stopped.
    pub(crate) fn halts(&self) -> u32 {
        self.halts.load(SeqCst)
    }

    /// Counts one stop of everything, and returns the running groups.
    pub(crate) fn halt(&self) -> Vec<RemoteGroup> {
        self.halts.fetch_add(1, SeqCst);
        self.groups.lock().unwrap().iter().cloned().collect()
    }
}

/// Ends a process group on a host: with TERM, then with KILL. Returns whether it is gone.
pub(crate) async fn stop(transport: &dyn Transport, host: &Host, pid: u32, user: Option<&Name>) -> bool {
    if pid == 0 {
        return false;
    }
    // Not `kill -TERM -- -1`: neither dash nor busybox accepts the `--`.
    let text = r#"kill -TERM "-$pid" 2>/dev/null
for i in 1 2 3 4 5 6 7 8 9 10; do kill -0 "-$pid" 2>/dev/null || exit 0; sleep 0.2; done
kill -KILL "-$pid" 2>/dev/null
sleep 0.2
! kill -0 "-$pid" 2>/dev/null"#;
    let command = Command::line(text, vec![("pid".into(), pid.to_string())]).expect("a good line");
    let job = Job { user: user.cloned(), ..Job::new(&command) };
    let run = transport.run(host, job);
    matches!(timeout(Duration::from_secs(10), run).await, Ok(Ok(Ended { status: 0, .. })))
}
