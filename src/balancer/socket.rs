//! A balancer's admin socket, as this machine reaches it. It may be the master's: `haproxy -S`.
use crate::{
    control::shown,
    duration::limit,
    failure::{Cause, Failure},
    fleet::address_and_port,
    port::{Remote, Socket, Spending, SpendingTime, only_read},
};
use async_trait::async_trait;
use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    sync::Semaphore,
    time::timeout,
};

/// How long an answer may take.
const WITHIN: Duration = Duration::from_secs(5);
/// The longest answer.
const LONGEST: usize = 8 << 20;

/// Returns where a socket of a fleet file leads.
pub fn remote(socket: &str) -> Remote {
    match address_and_port(socket).filter(|_| !socket.starts_with('/')) {
        Some((address, port)) => Remote::Tcp(address, port),
        None => Remote::Unix(socket.to_owned()),
    }
}

/// Returns whether the master answered `show info`, which only workers know, in every version.
pub fn is_masters(info: &str) -> bool {
    info.trim_start().starts_with("Unknown command")
}

/// Returns the line to send: the master passes a line on to the worker that serves, by its relative number.
pub fn to_worker(line: &str, master: bool) -> String {
    if master { format!("@1 {line}") } else { line.to_owned() }
}

/// How many connections may be open at the same time: HAProxy's `stats maxconn` is 10 by default.
const CONNECTIONS: usize = 3;

/// How long after its last answer a connection may carry a change, which is never sent twice. HAProxy may have closed
/// an older connection (`stats timeout`, 10 s by default), or a reload may have left it with a process that ends.
const FRESH: Duration = Duration::from_secs(1);

/// A unix socket on this machine that leads to the balancer; its connections stay open.
pub struct UnixSocket {
    path: PathBuf,
    /// The balancer's name, for messages.
    name: String,
    turns: Semaphore,
    /// The idle connections, and when each answered last.
    idle: Mutex<Vec<(Instant, UnixStream)>>,
    /// Whether anything answered yet, and whether that is the master, by its prompt.
    known: AtomicBool,
    master: AtomicBool,
}

impl UnixSocket {
    pub fn new(path: PathBuf, name: &str) -> Self {
        let (turns, idle) = (Semaphore::new(CONNECTIONS), Mutex::default());
        let [known, master] = [false; 2].map(AtomicBool::new);
        Self { path, name: name.to_owned(), turns, idle, known, master }
    }

    /// Returns whether the master answers; known after the first question.
    pub fn is_masters(&self) -> bool {
        self.master.load(Relaxed)
    }

    fn failed(&self, why: &dyn std::fmt::Display) -> Failure {
        Failure::new(Cause::Balancer, format!("balancer `{}` doesn't answer: {why}", self.name))
    }

    async fn connect(&self) -> Result<UnixStream, Failure> {
        UnixStream::connect(&self.path).await.map_err(|e| self.failed(&e))
    }

    /// Reads up to the n-th prompt; an answer ends with an empty line before its prompt.
    async fn answers(&self, stream: &mut UnixStream, n: usize) -> Result<Vec<String>, Failure> {
        let (mut text, mut buffer) = (Vec::new(), [0; 16 << 10]);
        loop {
            let read = stream.read(&mut buffer).await.map_err(|e| self.failed(&e))?;
            if read == 0 {
                return Err(self.failed(&"it closed the connection"));
            }
            text.extend_from_slice(&buffer[..read]);
            if text.len() > LONGEST {
                return Err(self.failed(&"its answer doesn't end"));
            }
            if text.ends_with(b"> ") {
                let whole = String::from_utf8_lossy(&text);
                let answers = split(&whole);
                if answers.len() >= n {
                    self.master.fetch_or(whole.starts_with(MASTER), Relaxed);
                    self.known.store(true, Relaxed);
                    return Ok(answers.into_iter().take(n).collect());
                }
            }
        }
    }

    /// Sends lines on a connection, and checks with them that the process that answers still serves requests.
    ///
    /// After a reload, an open connection leads to the process that ends, which serves nobody anymore. On a `new`
    /// connection, the balancer is asked first to keep it, with a prompt after each answer.
    async fn once(&self, stream: &mut UnixStream, lines: &[String], new: bool) -> Result<LinesOutcome, Failure> {
        let asked = lines.last().is_some_and(|line| line == "show info");
        let all = lines.iter().map(String::as_str).chain((!asked).then_some("show info"));
        let text: String = all.map(|line| to_worker(line, self.is_masters()) + "\n").collect();
        let text = if new { format!("prompt\n{text}") } else { text };
        stream.write_all(text.as_bytes()).await.map_err(|e| self.failed(&e))?;
        let mut answers = self.answers(stream, usize::from(new) + lines.len() + usize::from(!asked)).await?;
        answers.drain(..usize::from(new));
        let info = answers.last().map_or("", String::as_str);
        let goes = info.lines().any(|l| l.strip_prefix("Stopping:").is_some_and(|v| v.trim() != "0"));
        answers.truncate(lines.len());
        Ok(if goes { LinesOutcome::FromOneThatGoes } else { LinesOutcome::Answers(answers) })
    }

    /// Sends lines on a new connection.
    async fn first(&self, stream: &mut UnixStream, lines: &[String]) -> Result<LinesOutcome, Failure> {
        // For the master, lines are other ones, which a change mustn't find out.
        if self.known.load(Relaxed) || only_read(lines) {
            let by_master = self.is_masters();
            let outcome = self.once(stream, lines, true).await?;
            if by_master == self.is_masters() {
                return Ok(outcome);
            }
        } else {
            stream.write_all(b"prompt\n").await.map_err(|e| self.failed(&e))?;
            self.answers(stream, 1).await?;
        }
        self.once(stream, lines, false).await
    }

    /// Returns an open connection that is good for these lines, if there is one.
    fn kept(&self, lines: &[String]) -> Option<UnixStream> {
        let mut idle = self.idle.lock().unwrap();
        if !only_read(lines) {
            idle.retain(|(answered, _)| answered.elapsed() < FRESH);
        }
        idle.pop().map(|(_, stream)| stream)
    }

    /// Asks on an open connection, or else on a new one; returns the connection with the answers.
    async fn ask_on(&self, kept: Option<UnixStream>, lines: &[String]) -> Result<(UnixStream, Vec<String>), Failure> {
        if let Some(mut stream) = kept {
            match self.once(&mut stream, lines, false).await {
                Ok(LinesOutcome::Answers(answers)) => return Ok((stream, answers)),
                // The connection may have ended, or lead to a process that ends; a read is asked again.
                _ if only_read(lines) => {}
                Ok(LinesOutcome::FromOneThatGoes) => {
                    return Err(self.failed(&"it was reloaded or stopped at this moment"));
                }
                Err(failure) => return Err(failure),
            }
        }
        let mut stream = self.connect().await?;
        match self.first(&mut stream, lines).await? {
            LinesOutcome::Answers(answers) => Ok((stream, answers)),
            LinesOutcome::FromOneThatGoes if only_read(lines) => Err(self.failed(&"it is about to stop")),
            LinesOutcome::FromOneThatGoes => Err(self.failed(&"it was reloaded or stopped at this moment")),
        }
    }
}

/// The start of the master's prompt: `master> `, or `master[ReloadFailed]> ` after a failed reload.
const MASTER: &str = "master";

/// Returns the answer before each prompt; what follows the last prompt isn't an answer yet.
fn split(whole: &str) -> Vec<String> {
    let is_prompt = |line: &str| {
        let word = line.strip_prefix(MASTER).unwrap_or(line);
        word == "> " || (word.len() < line.len() && word.starts_with('[') && word.ends_with("]> "))
    };
    let mut answers = Vec::new();
    let mut answer = String::new();
    for line in whole.split_inclusive('\n') {
        // The next answer starts on the line of the prompt before it.
        let prompt = line.find("> ").map(|at| line.split_at(at + 2)).filter(|(prompt, _)| is_prompt(prompt));
        match prompt {
            Some((_, rest)) => {
                answers.push(std::mem::take(&mut answer));
                answer.push_str(rest);
            }
            None => answer.push_str(line),
        }
    }
    answers
}

/// The result of sending lines.
enum LinesOutcome {
    Answers(Vec<String>),
    FromOneThatGoes,
}

/// Refuses a line that could be more than one command.
pub fn one_line(line: &str) -> Result<(), Failure> {
    if line.is_empty() || line.len() > 1_000 || line.contains(';') || line.chars().any(char::is_control) {
        let message = format!("`{}` isn't a command for a balancer", shown(line));
        return Err(Failure::new(Cause::Refused, message));
    }
    Ok(())
}

#[async_trait]
impl Socket for UnixSocket {
    async fn ask_all(&self, lines: &[String]) -> Result<Vec<String>, Failure> {
        lines.iter().try_for_each(|line| one_line(line))?;
        let _time = SpendingTime::on(Spending::Network);
        let _turn = self.turns.acquire().await.expect("nobody closes it");
        match timeout(WITHIN, self.ask_on(self.kept(lines), lines)).await {
            Ok(Ok((stream, answers))) => {
                self.idle.lock().unwrap().push((Instant::now(), stream));
                Ok(answers)
            }
            Ok(Err(failure)) => Err(failure),
            Err(_) => Err(self.failed(&format!("no answer within {}", limit(WITHIN)))),
        }
    }
}

/// A socket for a run that may only read.
pub struct ReadOnly {
    pub socket: Arc<dyn Socket>,
    /// The failure of a line that may change something.
    pub refusal: Failure,
}

#[async_trait]
impl Socket for ReadOnly {
    async fn ask_all(&self, lines: &[String]) -> Result<Vec<String>, Failure> {
        if only_read(lines) { self.socket.ask_all(lines).await } else { Err(self.refusal.clone()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicU32;
    use tokio::io::AsyncBufReadExt;

    #[test]
    fn answers_end_at_a_prompt_be_it_a_workers_or_the_masters() {
        for (text, wanted) in [
            ("> ", vec![""]),
            ("\n> ", vec!["\n"]),
            ("> one\n\n> ", vec!["", "one\n\n"]),
            ("one\n\n> two\n\n> ", vec!["one\n\n", "two\n\n"]),
            ("\n> Pid: 1\n\n> ", vec!["\n", "Pid: 1\n\n"]),
            ("a > b\n> ", vec!["a > b\n"]),
            ("master> ", vec![""]),
            ("one\n\nmaster> two\n\nmaster> ", vec!["one\n\n", "two\n\n"]),
            ("one\n\nmaster[ReloadFailed]> ", vec!["one\n\n"]),
            ("one\nmasters > x\n", vec![]),
        ] {
            assert_eq!(split(text), wanted, "{text:?}");
        }
    }

    /// A HAProxy that was reloaded `reloads` times; a connection from before a reload leads to a process that ends.
    async fn haproxy(listener: tokio::net::UnixListener, reloads: Arc<AtomicU32>) {
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            let (process, reloads) = (reloads.load(Relaxed), reloads.clone());
            tokio::spawn(async move {
                let (from, mut to) = stream.into_split();
                let mut lines = tokio::io::BufReader::new(from).lines();
                while let Ok(Some(line)) = lines.next_line().await {
                    let stopping = u32::from(reloads.load(Relaxed) > process);
                    let answer = match &*line {
                        "prompt" => "\n> ".to_owned(),
                        "show info" => format!("Pid: {process}\nStopping: {stopping}\n\n> "),
                        // Long enough for others to open more connections.
                        _ => {
                            tokio::time::sleep(Duration::from_millis(50)).await;
                            "\n> ".to_owned()
                        }
                    };
                    if to.write_all(answer.as_bytes()).await.is_err() {
                        return;
                    }
                }
            });
        }
    }

    #[tokio::test]
    async fn no_change_is_sent_on_a_connection_that_may_be_with_a_process_that_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("admin.sock");
        let reloads = Arc::new(AtomicU32::new(0));
        let listener = tokio::net::UnixListener::bind(&path).unwrap();
        tokio::spawn(haproxy(listener, reloads.clone()));
        let socket = UnixSocket::new(path, "lb1");
        let change = "set server www/web1 state drain";
        for reload in 1..=2 {
            let all = [socket.ask("show stat"), socket.ask("show stat"), socket.ask("show stat")];
            futures_util::future::try_join_all(all).await.expect("three connections");
            assert_eq!(socket.idle.lock().unwrap().len(), CONNECTIONS);
            reloads.store(reload, Relaxed);
            tokio::time::sleep(FRESH).await;
            // A read finds a new connection by itself, and leaves the other ones alone.
            assert_eq!(socket.ask("show info").await.unwrap().lines().next(), Some(&*format!("Pid: {reload}")));
            let changes = [socket.ask(change), socket.ask(change), socket.ask(change)];
            futures_util::future::try_join_all(changes).await.expect("three changes");
        }
    }

    #[tokio::test]
    async fn a_new_connection_is_asked_in_one_round_trip_and_the_master_for_its_worker_by_another() {
        for (prompt, asked) in [("> ", "prompt\nshow info\n"), ("master> ", "prompt\nshow info\n@1 show info\n")] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("admin.sock");
            let listener = tokio::net::UnixListener::bind(&path).unwrap();
            let heard = tokio::spawn(async move {
                let (mut stream, _) = listener.accept().await.unwrap();
                let (mut heard, mut buffer) = (String::new(), [0; 1000]);
                while heard.len() < asked.len() {
                    // It answers nothing before all of a round trip is there.
                    let n = stream.read(&mut buffer).await.unwrap();
                    heard += std::str::from_utf8(&buffer[..n]).unwrap();
                    let answer = match heard.matches('\n').count() {
                        2 => format!("{prompt}Pid: 1\n\n{prompt}"),
                        3 => format!("Pid: 2\n\n{prompt}"),
                        _ => continue,
                    };
                    stream.write_all(answer.as_bytes()).await.unwrap();
                }
                heard
            });
            let info = UnixSocket::new(path, "lb1").ask("show info").await.unwrap();
            assert_eq!(info.trim(), if prompt == "> " { "Pid: 1" } else { "Pid: 2" });
            assert_eq!(heard.await.unwrap(), asked);
        }
    }

    #[test]
    fn a_socket_is_a_path_or_an_address_with_a_port() {
        let tcp = |address: &str| Remote::Tcp(address.into(), 9999);
        for (text, wanted) in [
            ("/run/haproxy/admin.sock", Remote::Unix("/run/haproxy/admin.sock".into())),
            ("/run/a:9999", Remote::Unix("/run/a:9999".into())),
            ("127.0.0.1:9999", tcp("127.0.0.1")),
            ("[::1]:9999", tcp("::1")),
            ("localhost:9999", tcp("localhost")),
        ] {
            assert_eq!(remote(text), wanted, "{text}");
        }
        for bad in ["::1:9999", "[::1]", "localhost:", "localhost:0", "localhost:99999", "a b:1", ":9999", "[x]:1"] {
            assert_eq!(address_and_port(bad), None, "{bad}");
        }
    }
}
