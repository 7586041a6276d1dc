//! A balancer's admin socket, as it is reached from here. It may be the master's: `haproxy -S`.
use super::driver::Socket;
use crate::{
    failure::{Failure, Reason},
    fleet::address_and_port,
    world::real::Remote,
};
use async_trait::async_trait;
use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    sync::Mutex,
    time::timeout,
};

/// How long an answer may take.
const WITHIN: Duration = Duration::from_secs(5);
/// The longest answer.
const LONGEST: usize = 8 << 20;

/// Where a socket of a fleet file leads.
pub fn remote(socket: &str) -> Remote {
    match address_and_port(socket).filter(|_| !socket.starts_with('/')) {
        Some((address, port)) => Remote::Tcp(address, port),
        None => Remote::Unix(socket.to_owned()),
    }
}

/// Whether the master answered `show info`, which it does not know: each worker does, and always did.
pub fn is_masters(info: &str) -> bool {
    info.trim_start().starts_with("Unknown command")
}

/// A line as the master hands it to the worker that serves, by its relative number.
pub fn to_worker(line: &str, master: bool) -> String {
    if master { format!("@1 {line}") } else { line.to_owned() }
}

/// A unix socket of this machine that leads to the balancer; one connection is kept open.
pub struct UnixSocket {
    path: PathBuf,
    /// For people.
    name: String,
    open: Mutex<Option<UnixStream>>,
    /// Whether the master answers: its prompt says so.
    master: AtomicBool,
}

impl UnixSocket {
    pub fn new(path: PathBuf, name: &str) -> Self {
        Self { path, name: name.to_owned(), open: Mutex::new(None), master: AtomicBool::new(false) }
    }

    /// Whether it is the master's, once it was asked anything.
    pub fn is_masters(&self) -> bool {
        self.master.load(Relaxed)
    }

    fn failed(&self, why: &dyn std::fmt::Display) -> Failure {
        Failure::new(Reason::Balancer, format!("balancer `{}` does not answer: {why}", self.name))
    }

    /// Opens a connection and asks the balancer to keep it, with a prompt behind each answer.
    async fn connect(&self) -> Result<UnixStream, Failure> {
        let mut stream = UnixStream::connect(&self.path).await.map_err(|e| self.failed(&e))?;
        stream.write_all(b"prompt\n").await.map_err(|e| self.failed(&e))?;
        self.answers(&mut stream, 1).await?;
        Ok(stream)
    }

    /// Reads to the n-th prompt: an answer ends with an empty line before it.
    async fn answers(&self, stream: &mut UnixStream, n: usize) -> Result<Vec<String>, Failure> {
        let (mut text, mut buffer) = (Vec::new(), [0; 16 << 10]);
        loop {
            let read = stream.read(&mut buffer).await.map_err(|e| self.failed(&e))?;
            if read == 0 {
                return Err(self.failed(&"it closed the connection"));
            }
            text.extend_from_slice(&buffer[..read]);
            if text.len() > LONGEST {
                return Err(self.failed(&"its answer has no end"));
            }
            if text.ends_with(b"> ") {
                let whole = String::from_utf8_lossy(&text);
                let answers = split(&whole);
                if answers.len() >= n {
                    self.master.fetch_or(whole.starts_with(MASTER), Relaxed);
                    return Ok(answers.into_iter().take(n).collect());
                }
            }
        }
    }

    /// Asks on a connection, and in the same breath whether who answers is still the one that serves.
    ///
    /// After a reload a connection that was kept leads to the process that goes, which serves nobody any more.
    async fn once(&self, stream: &mut UnixStream, line: &str) -> Result<Heard, Failure> {
        let [line, info] = [line, "show info"].map(|line| to_worker(line, self.is_masters()));
        stream.write_all(format!("{line}\n{info}\n").as_bytes()).await.map_err(|e| self.failed(&e))?;
        let [answer, info] = &mut *self.answers(stream, 2).await? else { unreachable!("two were asked for") };
        let goes = info.lines().any(|l| l.strip_prefix("Stopping:").is_some_and(|v| v.trim() != "0"));
        Ok(if goes { Heard::FromOneThatGoes } else { Heard::Answer(std::mem::take(answer)) })
    }
}

/// What the master's prompt begins with: `master> `, after a reload that failed `master[ReloadFailed]> `.
const MASTER: &str = "master";

/// The answers before each prompt; what comes behind the last one is not an answer yet.
fn split(whole: &str) -> Vec<String> {
    let is_prompt = |line: &str| {
        let word = line.strip_prefix(MASTER).unwrap_or(line);
        word == "> " || (word.len() < line.len() && word.starts_with('[') && word.ends_with("]> "))
    };
    let mut answers = Vec::new();
    let mut answer = String::new();
    for line in whole.split_inclusive('\n') {
        // The next answer begins on the line of the prompt before it.
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

/// What came of a line.
enum Heard {
    Answer(String),
    FromOneThatGoes,
}

/// Refuses what could be more than one command.
pub fn one_line(line: &str) -> Result<(), Failure> {
    if line.is_empty() || line.len() > 1_000 || line.contains(';') || line.chars().any(char::is_control) {
        let message = format!("`{}` isn't a command for a balancer", line.escape_debug());
        return Err(Failure::new(Reason::Refused, message));
    }
    Ok(())
}

#[async_trait]
impl Socket for UnixSocket {
    async fn ask(&self, line: &str) -> Result<String, Failure> {
        one_line(line)?;
        let mut open = self.open.lock().await;
        let asked = async {
            let (mut stream, kept) = match open.take() {
                Some(stream) => (stream, true),
                None => (self.connect().await?, false),
            };
            let reads = line.starts_with("show ");
            let answer = match self.once(&mut stream, line).await {
                Ok(Heard::Answer(answer)) => answer,
                // A connection that was kept may have ended meanwhile, or lead to one that goes; a read is asked again.
                Ok(Heard::FromOneThatGoes) | Err(_) if reads && kept => {
                    stream = self.connect().await?;
                    match self.once(&mut stream, line).await? {
                        Heard::Answer(answer) => answer,
                        Heard::FromOneThatGoes => return Err(self.failed(&"it is about to stop")),
                    }
                }
                Ok(Heard::FromOneThatGoes) => return Err(self.failed(&"it was reloaded or stopped at this moment")),
                Err(failure) => return Err(failure),
            };
            Ok((stream, answer))
        };
        match timeout(WITHIN, asked).await {
            Ok(Ok((stream, answer))) => {
                *open = Some(stream);
                Ok(answer)
            }
            Ok(Err(failure)) => Err(failure),
            Err(_) => Err(self.failed(&format!("no answer within {} s", WITHIN.as_secs()))),
        }
    }
}

/// A socket for whoever may only look.
pub struct ReadOnly {
    pub socket: Arc<dyn Socket>,
    /// What comes of a line that may change something.
    pub refusal: Failure,
}

#[async_trait]
impl Socket for ReadOnly {
    async fn ask(&self, line: &str) -> Result<String, Failure> {
        match line.starts_with("show ") {
            true => self.socket.ask(line).await,
            false => Err(self.refusal.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
