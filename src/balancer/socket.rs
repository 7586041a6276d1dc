//! A balancer's admin socket, as it is reached from here.
use super::driver::Socket;
use crate::failure::{Failure, Reason};
use async_trait::async_trait;
use std::{path::PathBuf, time::Duration};
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

/// A unix socket of this machine that leads to the balancer; one connection is kept open.
pub struct UnixSocket {
    path: PathBuf,
    /// For people.
    name: String,
    open: Mutex<Option<UnixStream>>,
}

impl UnixSocket {
    pub fn new(path: PathBuf, name: &str) -> Self {
        Self { path, name: name.to_owned(), open: Mutex::new(None) }
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
            if text.ends_with(b"\n> ") || text == b"> " {
                let whole = format!("\n{}", String::from_utf8_lossy(&text));
                let answers: Vec<String> = whole.split("\n> ").map(|a| a.trim_start_matches('\n').to_owned()).collect();
                if answers.len() > n {
                    return Ok(answers.into_iter().take(n).collect());
                }
            }
        }
    }

    /// Asks on a connection, and in the same breath whether who answers is still the one that serves.
    ///
    /// After a reload a connection that was kept leads to the process that goes, which serves nobody any more.
    async fn once(&self, stream: &mut UnixStream, line: &str) -> Result<Heard, Failure> {
        stream.write_all(format!("{line}\nshow info\n").as_bytes()).await.map_err(|e| self.failed(&e))?;
        let [answer, info] = &mut *self.answers(stream, 2).await? else { unreachable!("two were asked for") };
        let goes = info.lines().any(|l| l.strip_prefix("Stopping:").is_some_and(|v| v.trim() != "0"));
        Ok(if goes { Heard::FromOneThatGoes } else { Heard::Answer(std::mem::take(answer)) })
    }
}

/// What came of a line.
enum Heard {
    Answer(String),
    FromOneThatGoes,
}

/// Refuses what could be more than one command.
pub fn one_line(line: &str) -> Result<(), Failure> {
    if line.is_empty() || line.len() > 1_000 || line.contains(';') || line.chars().any(char::is_control) {
        let message = format!("`{}` is no command for a balancer", line.escape_debug());
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
