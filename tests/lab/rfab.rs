//! Runs the program under test in the project's folder, as an operator who has only this lab.
use super::{
    Lab,
    guard::{Start, State},
    output::Output,
    proc::{self, Process},
    reach,
    space::SYSTEM_PATH,
};
use rustix::process::Signal;
use std::{
    fs::{self, File},
    os::fd::AsRawFd,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
    thread::sleep,
    time::{Duration, Instant},
};

/// A run that hasn't started yet.
#[must_use = "say `output` or `start`"]
pub struct Run<'a> {
    lab: &'a Lab,
    argv: Vec<String>,
    env: Vec<(String, String)>,
    folder: PathBuf,
    stdin: Option<Vec<u8>>,
    terminal: bool,
    timeout: Duration,
}

impl<'a> Run<'a> {
    pub fn new(lab: &'a Lab, program: &str, arguments: &[&str]) -> Run<'a> {
        let argv = [&[program], arguments].concat().into_iter().map(String::from).collect();
        let text = |path: PathBuf| path.display().to_string();
        let env = [
            ("PATH", std::env::var("PATH").unwrap_or(SYSTEM_PATH.into())),
            ("HOME", text(lab.home())),
            ("XDG_RUNTIME_DIR", text(lab.folder.join("run"))),
            ("TMPDIR", text(lab.folder.join("tmp"))),
            ("USER", "operator".into()),
            ("LOGNAME", "operator".into()),
            ("LANG", "C.UTF-8".into()),
            ("TERM", "dumb".into()),
            ("GIT_CONFIG_NOSYSTEM", "1".into()),
            ("TZ", "UTC".into()),
        ];
        let env = env.map(|(name, value)| (name.to_owned(), value)).to_vec();
        Run {
            lab,
            argv,
            env,
            folder: lab.project.folder.clone(),
            stdin: None,
            terminal: false,
            timeout: Duration::from_secs(120),
        }
    }

    /// Adds or replaces a variable.
    pub fn env(mut self, name: &str, value: &str) -> Run<'a> {
        self.env.retain(|(known, _)| known != name);
        self.env.push((name.into(), value.into()));
        self
    }

    /// Gives it this input; without a call, it has none.
    pub fn stdin(self, text: &str) -> Run<'a> {
        Run { stdin: Some(text.into()), ..self }
    }

    /// Sets the folder that it runs in, in place of the project's.
    pub fn folder(self, folder: impl Into<PathBuf>) -> Run<'a> {
        Run { folder: folder.into(), ..self }
    }

    /// Runs it on a terminal, which shows both of its outputs as stdout, and on which `types` types.
    pub fn on_terminal(mut self) -> Run<'a> {
        let quoted: Vec<String> = self.argv.iter().map(|word| format!("'{}'", word.replace('\'', r"'\''"))).collect();
        self.argv = ["script", "-q", "-e", "-f", "-c", &quoted.join(" "), "/dev/null"].map(String::from).to_vec();
        self.terminal = true;
        self
    }

    /// Sets the time after which it is killed and the test fails; the default is two minutes.
    pub fn timeout(self, timeout: Duration) -> Run<'a> {
        Run { timeout, ..self }
    }

    /// Runs it to its end.
    #[track_caller]
    pub fn output(self) -> Output {
        self.start().output()
    }

    /// Starts it.
    pub fn start(self) -> Running<'a> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let file = |name: &str| self.lab.folder.join("runs").join(format!("{number}.{name}"));
        let (stdout, stderr) = (file("stdout"), file("stderr"));
        let stdin = self.stdin.as_ref().map(|bytes| {
            fs::write(file("stdin"), bytes).expect("a run's input");
            file("stdin")
        });
        let mut argv = self.lab.operator.as_self_apart();
        let keyboard = self.terminal.then(|| file("keyboard"));
        if let Some(keyboard) = &keyboard {
            Output::of(std::process::Command::new("mkfifo").arg(keyboard)).expect_ok();
            // Opened for reading and writing, so that it neither waits for the writer nor ends with it.
            argv.extend(["sh", "-c", "exec 0<>\"$0\"; exec \"$@\"", &keyboard.display().to_string()].map(String::from));
        }
        // `env -C` enters the folder within the operator's namespace.
        argv.extend(["env", "-C", &self.folder.display().to_string()].map(String::from));
        argv.extend(self.argv.iter().cloned());
        let (out, err) = (stdout.clone(), stderr.clone());
        let start = Start { argv, env: self.env, folder: "/".into(), stdin, stdout, stderr };
        let pid = self.lab.guard.start(start);
        let deadline = Instant::now() + self.timeout;
        let apart = self.lab.apart(pid);
        Running { lab: self.lab, pid, apart, deadline, argv: self.argv, keyboard, stdout: out, stderr: err }
    }
}

/// A run's own namespace of mounts.
struct Apart {
    name: PathBuf,
    /// While it is open, the kernel gives its name to no other run.
    _held: File,
}

impl Apart {
    fn of(pid: i32) -> Option<Apart> {
        let held = File::open(format!("/proc/{pid}/ns/mnt")).ok()?;
        let name = fs::read_link(format!("/proc/self/fd/{}", held.as_raw_fd())).ok()?;
        Some(Apart { name, _held: held })
    }
}

/// A run that has started.
pub struct Running<'a> {
    lab: &'a Lab,
    /// Its pid on this machine.
    pub pid: i32,
    /// Its namespace of mounts; `None` if it ended before that was read.
    apart: Option<Apart>,
    deadline: Instant,
    argv: Vec<String>,
    keyboard: Option<PathBuf>,
    stdout: PathBuf,
    stderr: PathBuf,
}

impl Running<'_> {
    /// Sends it a signal; false if it has already ended.
    pub fn signal(&self, signal: Signal) -> bool {
        self.lab.guard.signal(self.pid, signal)
    }

    /// Types on its terminal.
    pub fn types(&self, text: &str) {
        let keyboard = self.keyboard.as_ref().expect("a run on a terminal");
        fs::write(keyboard, text).expect("a terminal that is there");
    }

    /// Returns its processes: the run, its children, and what they left behind, such as ssh masters.
    pub fn processes(&self) -> Vec<Process> {
        self.apart.as_ref().map(|apart| proc::within(&apart.name, "mnt")).unwrap_or_default()
    }

    /// Stops all of it, like a laptop that is shut: connections stay open, and nothing answers on them.
    pub fn freeze(&self) {
        self.signal_all(Signal::STOP, |process| process.stopped);
    }

    pub fn thaw(&self) {
        self.signal_all(Signal::CONT, |process| !process.stopped);
    }

    /// Kills all of it together, like a laptop that loses power.
    pub fn kill(&self) {
        proc::kill_all(|| self.processes());
    }

    fn signal_all(&self, signal: Signal, reached: impl Fn(&Process) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(5);
        // Repeated, because a child may start while its parent is being stopped.
        while let Some(process) = self.processes().into_iter().find(|process| !reached(process)) {
            assert!(Instant::now() < deadline, "{process:?} doesn't heed {signal:?}");
            proc::signal(process.pid, signal);
        }
    }

    pub fn is_over(&self) -> bool {
        !self.lab.guard.runs(self.pid)
    }

    /// Returns what it has printed so far: stdout and stderr.
    pub fn so_far(&self) -> (String, String) {
        let read = |file| String::from_utf8_lossy(&fs::read(file).unwrap_or_default()).into_owned();
        (read(&self.stdout), read(&self.stderr))
    }

    /// Waits until it has printed a text, and panics if it ends or its time is over before that.
    #[track_caller]
    pub fn wait_for(&self, text: &str) {
        loop {
            let over = self.is_over() || Instant::now() > self.deadline;
            let (stdout, stderr) = self.so_far();
            if stdout.contains(text) || stderr.contains(text) {
                return;
            }
            assert!(!over, "`{text}` was never printed: {:?}\n{stdout}\n{stderr}", self.argv);
            sleep(Duration::from_millis(10));
        }
    }

    /// Waits for its end. When its time is over, kills it and fails the test.
    #[track_caller]
    pub fn output(self) -> Output {
        let ended = self.lab.guard.wait(self.pid, self.deadline.saturating_duration_since(Instant::now()));
        if ended.is_none() {
            self.signal(Signal::KILL);
        }
        let (stdout, stderr) = self.so_far();
        let told = |code| {
            let output = Output { stdout: stdout.clone(), stderr: stderr.clone(), code };
            reach::expect_no_fallback(&output);
            output
        };
        match ended {
            Some(State::Exited(code)) => told(Some(code)),
            Some(_) => told(None),
            None => panic!("{:?} didn't end in time\n--- stdout\n{stdout}\n--- stderr\n{stderr}", self.argv),
        }
    }
}

impl Lab {
    /// Returns the namespace of mounts that a run has entered; `None` if it ended first.
    fn apart(&self, pid: i32) -> Option<Apart> {
        let others = [self.operator.init, std::process::id() as i32].map(|pid| proc::namespace(pid, "mnt"));
        loop {
            let now = Apart::of(pid);
            if now.as_ref().is_some_and(|now| !others.contains(&Some(now.name.clone()))) {
                return now;
            }
            if !self.guard.runs(pid) {
                return None;
            }
            sleep(Duration::from_millis(1));
        }
    }
}

/// Returns a line without the time at its end, which only slow steps have.
pub fn timeless(line: &str) -> &str {
    let time = |time: &str| time.strip_suffix(" s").is_some_and(|seconds| seconds.parse::<f64>().is_ok());
    line.rsplit_once("  ").filter(|(_, end)| time(end)).map_or(line, |(line, _)| line)
}
