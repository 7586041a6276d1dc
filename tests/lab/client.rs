//! The owner's side of the guard.
use super::{
    guard::{Answer, Ask, MARK, Start, State},
    part, proc,
};
use rustix::process::Signal;
use std::{
    env,
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Child, ChildStdin, ChildStdout, Stdio},
    sync::Mutex,
    thread::sleep,
    time::{Duration, Instant},
};

/// The guard of one lab. After it is dropped, nothing that it started is left.
pub struct Guard {
    pub folder: PathBuf,
    pub net: [u8; 2],
    /// The guard's own process.
    pub pid: i32,
    child: Mutex<Child>,
    line: Mutex<Option<(ChildStdin, BufReader<ChildStdout>)>>,
}

impl Guard {
    /// Starts the guard, which claims a folder and addresses.
    pub fn begin() -> Guard {
        let binary = env::current_exe().expect("this binary");
        let mut command = part::command(&binary, "guard");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the guard");
        let mut line = (child.stdin.take().expect("a pipe"), BufReader::new(child.stdout.take().expect("a pipe")));
        match read(&mut line.1) {
            Answer::Hello { pid, folder, net } => {
                Guard { folder, net, pid, child: Mutex::new(child), line: Mutex::new(Some(line)) }
            }
            other => panic!("no lab: {other:?}"),
        }
    }

    /// Starts a process and returns its pid.
    pub fn start_process(&self, start: Start) -> Result<i32, String> {
        match self.ask(&Ask::Start(start)) {
            Answer::Started(pid) => Ok(pid),
            other => Err(format!("{other:?}")),
        }
    }

    /// Starts a process that the lab can't do without; panics if that fails.
    pub fn start(&self, start: Start) -> i32 {
        self.start_process(start).expect("a process of the lab")
    }

    pub fn state(&self, pid: i32) -> State {
        match self.ask(&Ask::State(pid)) {
            Answer::State(state) => state,
            other => panic!("the guard says {other:?}"),
        }
    }

    pub fn runs(&self, pid: i32) -> bool {
        self.state(pid) == State::Running
    }

    /// Sends a signal to a process that the guard started; false if it has ended.
    pub fn signal(&self, pid: i32, signal: Signal) -> bool {
        matches!(self.ask(&Ask::Signal(pid, signal.as_raw())), Answer::Sent(true))
    }

    /// Waits until a process has ended; `None` if it still runs when the time is over.
    pub fn wait(&self, pid: i32, within: Duration) -> Option<State> {
        let deadline = Instant::now() + within;
        loop {
            match self.state(pid) {
                State::Running if Instant::now() < deadline => sleep(Duration::from_millis(5)),
                State::Running => return None,
                ended => return Some(ended),
            }
        }
    }

    /// Returns every process below the guard.
    pub fn processes(&self) -> Vec<proc::Process> {
        proc::below(self.pid)
    }

    /// Ends all that the guard started, and the guard itself.
    pub fn end(&self) {
        // A test that panicked in `ask` has poisoned the lock; the line must be closed all the same.
        drop(self.line.lock().unwrap_or_else(|poison| poison.into_inner()).take());
        let _ = self.child.lock().unwrap_or_else(|poison| poison.into_inner()).wait();
    }

    fn ask(&self, ask: &Ask) -> Answer {
        let mut line = self.line.lock().expect("the guard's line");
        let (to, from) = line.as_mut().expect("a guard that lives");
        let text = serde_json::to_string(ask).expect("JSON");
        writeln!(to, "{text}").expect("the guard listens");
        to.flush().expect("the guard listens");
        read(from)
    }
}

fn read(from: &mut BufReader<ChildStdout>) -> Answer {
    for line in from.lines() {
        let line = line.expect("a line of the guard's");
        if let Some(text) = line.strip_prefix(MARK) {
            return serde_json::from_str(text).expect("an answer of the guard's");
        }
    }
    panic!("the guard is gone")
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.end();
    }
}
