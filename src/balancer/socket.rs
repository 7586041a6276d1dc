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
        self.answer(&mut stream).await?;
        Ok(stream)
    }

    /// Reads to the prompt: an answer ends with an empty line before it.
    async fn answer(&self, stream: &mut UnixStream) -> Result<String, Failure> {
        let (mut text, mut buffer) = (Vec::new(), [0; 16 << 10]);
        loop {
            let n = stream.read(&mut buffer).await.map_err(|e| self.failed(&e))?;
            if n == 0 {
                return Err(self.failed(&"it closed the connection"));
            }
            text.extend_from_slice(&buffer[..n]);
            if text.len() > LONGEST {
                return Err(self.failed(&"its answer has no end"));
            }
            if text == b"> " || text.ends_with(b"\n> ") {
                text.truncate(text.len() - 2);
                return Ok(String::from_utf8_lossy(&text).into_owned());
            }
        }
    }

    async fn once(&self, stream: &mut UnixStream, line: &str) -> Result<String, Failure> {
        stream.write_all(format!("{line}\n").as_bytes()).await.map_err(|e| self.failed(&e))?;
        self.answer(stream).await
    }
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
            let mut stream = match open.take() {
                Some(stream) => stream,
                None => self.connect().await?,
            };
            let answer = match self.once(&mut stream, line).await {
                Ok(answer) => answer,
                // A connection that was kept may have ended meanwhile; a read is asked again on a new one.
                Err(_) if line.starts_with("show ") => {
                    stream = self.connect().await?;
                    self.once(&mut stream, line).await?
                }
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
