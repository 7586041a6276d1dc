//! The process group of a command here.
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use std::{io, time::Duration};
use tokio::{
    process::{Child, Command},
    time::{sleep, timeout},
};

/// How long a group may take to end by itself.
const POLITE: Duration = Duration::from_secs(2);

/// A process group that is told to end when nobody waits for it any more.
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

    /// Its leader ended by itself; what it left running is its own affair.
    pub fn let_go(&mut self) {
        self.0 = None;
    }

    /// Asks all of it to end, and makes it.
    pub async fn end(mut self, child: &mut Child) {
        self.signal(Signal::TERM);
        let gone = async {
            let _ = child.wait().await;
            self.gone().await;
        };
        if timeout(POLITE, gone).await.is_err() {
            self.signal(Signal::KILL);
            let _ = child.wait().await;
            // Where nobody reaps, dead ones stay in it.
            let _ = timeout(POLITE / 10, self.gone()).await;
        }
        self.0 = None;
    }

    /// Waits until nobody is in it.
    async fn gone(&self) {
        while self.0.is_some_and(|leader| test_kill_process_group(leader).is_ok()) {
            sleep(Duration::from_millis(10)).await;
        }
    }

    fn signal(&self, signal: Signal) {
        if let Some(leader) = self.0 {
            // It may have ended by itself.
            let _ = kill_process_group(leader, signal);
        }
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        self.signal(Signal::TERM);
    }
}
