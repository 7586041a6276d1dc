//! The process group of a command on this machine.
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use std::{io, time::Duration};
use tokio::{
    process::{Child, Command},
    time::{sleep, timeout},
};

/// How long a group may take to end when it's asked to.
const POLITE: Duration = Duration::from_secs(2);

/// A process group that is asked to end when it's dropped.
pub struct ProcessGroup(Option<Pid>);

impl ProcessGroup {
    /// Starts a child in a session of its own, and so as the leader of a group.
    ///
    /// Nothing that it starts can ask on the terminal, and all of it can be told to end.
    pub fn start(command: &mut Command) -> io::Result<(Child, ProcessGroup)> {
        // SAFETY: between fork and exec only setsid is called, which is async-signal-safe.
        unsafe { command.pre_exec(|| Ok(rustix::process::setsid().map(drop)?)) };
        let child = command.spawn()?;
        let group = ProcessGroup(child.id().and_then(|id| Pid::from_raw(id as i32)));
        Ok((child, group))
    }

    /// Leaves the group alone after its leader has ended, with the processes that the leader left running.
    pub fn let_go(&mut self) {
        self.0 = None;
    }

    /// Asks all its processes to end, and kills them if they don't.
    pub async fn end(mut self, child: &mut Child) {
        self.signal(Signal::TERM);
        let gone = async {
            let _ = child.wait().await;
            self.gone().await;
        };
        if timeout(POLITE, gone).await.is_err() {
            self.signal(Signal::KILL);
            let _ = child.wait().await;
            // A dead process stays in the group if nothing reaps it.
            let _ = timeout(POLITE / 10, self.gone()).await;
        }
        self.0 = None;
    }

    /// Waits until the group is empty.
    async fn gone(&self) {
        while self.0.is_some_and(|leader| test_kill_process_group(leader).is_ok()) {
            sleep(Duration::from_millis(10)).await;
        }
    }

    fn signal(&self, signal: Signal) {
        if let Some(leader) = self.0 {
            // It may already have ended.
            let _ = kill_process_group(leader, signal);
        }
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        self.signal(Signal::TERM);
    }
}
