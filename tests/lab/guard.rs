//! The parent process of everything that a lab starts; it ends all of it when the lab's owner is gone.
//!
//! Lines of JSON tell it what to start. It ends when its input ends, because the lab was dropped or its owner killed.
//! It adopts what its children leave behind, so nothing of a lab can escape it. If the guard itself is killed, what it
//! started dies with it.
use super::{block::Block, proc};
use rustix::process::{Signal, WaitOptions};
use serde::{Deserialize, Serialize};
use std::{
    collections::HashMap,
    env,
    fs::{File, OpenOptions},
    io::{self, BufRead, Write},
    path::PathBuf,
    process::{Command, Stdio, exit},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

/// A request to the guard.
#[derive(Debug, Serialize, Deserialize)]
pub enum Ask {
    Start(Start),
    /// Asks whether a process that it started still runs.
    State(i32),
    Signal(i32, i32),
}

/// A process to start. It inherits nothing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Start {
    pub argv: Vec<String>,
    pub env: Vec<(String, String)>,
    pub folder: PathBuf,
    /// `/dev/null` if `None`.
    pub stdin: Option<PathBuf>,
    /// The file that its output is appended to.
    pub stdout: PathBuf,
    pub stderr: PathBuf,
}

/// An answer of the guard.
#[derive(Debug, Serialize, Deserialize)]
pub enum Answer {
    Hello { pid: i32, folder: PathBuf, net: [u8; 2] },
    Started(i32),
    State(State),
    Sent(bool),
    Failed(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    Running,
    Exited(i32),
    Signaled(i32),
    /// A process that the guard didn't start.
    Unknown,
}

/// The mark before each answer, because libtest writes to the same output.
pub const MARK: &str = "lab guard: ";

type Children = Arc<Mutex<HashMap<i32, State>>>;

/// Runs the guard until its input ends.
pub fn run() -> ! {
    // Its own session: Ctrl-C at the terminal ends the owner first, and the guard after it.
    let _ = rustix::process::setsid();
    let own = rustix::process::getpid();
    rustix::process::set_child_subreaper(Some(own)).expect("to be the parent of orphans");
    println!();
    let block = match Block::claim(&env::temp_dir()) {
        Ok(block) => block,
        Err(reason) => {
            say(&Answer::Failed(reason));
            exit(1)
        }
    };
    say(&Answer::Hello { pid: own.as_raw_pid(), folder: block.folder.clone(), net: block.net });
    let children = Children::default();
    let reaped = children.clone();
    thread::spawn(move || {
        loop {
            reap(&reaped);
            thread::sleep(Duration::from_millis(5));
        }
    });
    for line in io::stdin().lock().lines() {
        let Ok(ask) = line.map_err(drop).and_then(|line| serde_json::from_str(&line).map_err(drop)) else { break };
        say(&answer(ask, &block, &children));
    }
    proc::kill_all(|| proc::below(own.as_raw_pid()));
    if !block.folder.join("keep").exists() {
        let _ = std::fs::remove_dir_all(&block.folder);
    }
    exit(0)
}

fn answer(ask: Ask, block: &Block, children: &Children) -> Answer {
    // Held throughout, so that no pid is reaped, and used again, between the check and the signal.
    let mut children = children.lock().expect("the children");
    match ask {
        Ask::Start(start) => match spawn(&start, block) {
            Ok(pid) => {
                children.insert(pid, State::Running);
                Answer::Started(pid)
            }
            Err(error) => Answer::Failed(format!("{:?}: {error}", start.argv)),
        },
        Ask::State(pid) => Answer::State(children.get(&pid).copied().unwrap_or(State::Unknown)),
        Ask::Signal(pid, signal) => {
            let running = children.get(&pid) == Some(&State::Running);
            Answer::Sent(running && Signal::from_named_raw(signal).is_some_and(|signal| proc::signal(pid, signal)))
        }
    }
}

fn spawn(start: &Start, block: &Block) -> io::Result<i32> {
    let append = |path: &PathBuf| OpenOptions::new().create(true).append(true).open(path);
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).args(&start.argv).current_dir(&start.folder).env_clear();
    command.envs(start.env.iter().map(|(name, value)| (name, value))).env("RFAB_LAB", &block.folder);
    command.stdin(match &start.stdin {
        Some(path) => File::open(path)?.into(),
        None => Stdio::null(),
    });
    command.stdout(append(&start.stdout)?).stderr(append(&start.stderr)?);
    Ok(command.spawn()?.id() as i32)
}

fn reap(children: &Children) {
    let mut children = children.lock().expect("the children");
    while let Ok(Some((pid, status))) = rustix::process::wait(WaitOptions::NOHANG) {
        let state = match (status.exit_status(), status.terminating_signal()) {
            (Some(code), _) => State::Exited(code),
            (_, Some(signal)) => State::Signaled(signal),
            _ => continue,
        };
        if let Some(known) = children.get_mut(&pid.as_raw_pid()) {
            *known = state;
        }
    }
}

fn say(answer: &Answer) {
    let text = serde_json::to_string(answer).expect("an answer as JSON");
    println!("{MARK}{text}");
    let _ = io::stdout().flush();
}
