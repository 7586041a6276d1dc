//! HTTP/1.1 messages as the demo's apps, balancer and customers use them: a head and a body of known length.
use std::io;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The longest line, and the longest body.
const LONGEST: u64 = 64 << 10;
/// The most headers in a message.
const MOST: usize = 100;

/// A request or a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    /// `GET / HTTP/1.1` or `HTTP/1.1 200 OK`.
    pub first: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Message {
    /// Returns a message; `close` says whether it's the last one on its connection.
    pub(super) fn new(first: &str, close: bool, body: &str) -> Message {
        let connection = if close { "close" } else { "keep-alive" };
        let headers = vec![
            ("Content-Length".to_owned(), body.len().to_string()),
            ("Connection".to_owned(), connection.to_owned()),
        ];
        Message { first: first.to_owned(), headers, body: body.into() }
    }

    /// Reads one message; `None` if the connection ends before its first byte.
    pub(super) async fn read(from: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<Message>> {
        let first = line(from).await?;
        if first.is_empty() {
            return Ok(None);
        }
        let mut message = Message { first: first.trim_end().to_owned(), headers: Vec::new(), body: Vec::new() };
        loop {
            let line = line(from).await?;
            match line.trim_end() {
                "" if line.is_empty() => return Err(io::ErrorKind::UnexpectedEof.into()),
                "" => break,
                text if message.headers.len() < MOST => {
                    let (name, value) = text.split_once(':').ok_or(io::ErrorKind::InvalidData)?;
                    message.headers.push((name.to_owned(), value.trim().to_owned()));
                }
                _ => return Err(io::ErrorKind::InvalidData.into()),
            }
        }
        let length = message.header("content-length").unwrap_or("0").parse::<u64>().ok().filter(|n| *n <= LONGEST);
        message.body = vec![0; length.ok_or(io::ErrorKind::InvalidData)? as usize];
        from.read_exact(&mut message.body).await?;
        Ok(Some(message))
    }

    pub(super) async fn write(&self, to: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        let headers: String = self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let mut bytes = format!("{}\r\n{headers}\r\n", self.first).into_bytes();
        bytes.extend_from_slice(&self.body);
        to.write_all(&bytes).await?;
        to.flush().await
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
    }

    /// Returns the same message with another value for one header.
    pub(super) fn with(mut self, name: &str, value: &str) -> Message {
        self.headers.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Returns the path that a request asks for, such as `/health`.
    pub(super) fn path(&self) -> &str {
        self.first.split(' ').nth(1).unwrap_or_default()
    }

    /// Returns the status of a response.
    pub(super) fn status(&self) -> Option<u16> {
        self.first.split(' ').nth(1)?.parse().ok()
    }

    /// Returns whether it's the last message on its connection.
    pub(super) fn closes(&self) -> bool {
        self.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }
}

async fn line(from: &mut (impl AsyncBufRead + Unpin)) -> io::Result<String> {
    let mut line = String::new();
    let read = from.take(LONGEST).read_line(&mut line).await?;
    if read > 0 && !line.ends_with('\n') {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(mut text: &[u8]) -> io::Result<Option<Message>> {
        Message::read(&mut text).await
    }

    #[tokio::test]
    async fn what_is_written_is_read_back_and_half_a_message_is_an_error() {
        let message = Message::new("HTTP/1.1 200 OK", true, "shop\n").with("X-Release", "abc");
        let mut bytes = Vec::new();
        message.write(&mut bytes).await.unwrap();
        assert_eq!(read(&bytes).await.unwrap(), Some(message.clone()));
        assert_eq!((message.status(), message.header("x-release"), message.closes()), (Some(200), Some("abc"), true));
        assert_eq!(read(b"").await.unwrap(), None);
        for end in 1..bytes.len() {
            assert!(read(&bytes[..end]).await.is_err(), "{end}");
        }
    }

    #[tokio::test]
    async fn a_message_without_bounds_is_refused() {
        for text in ["GET / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", "GET / HTTP/1.1\r\nno header\r\n\r\n"] {
            assert!(read(text.as_bytes()).await.is_err(), "{text}");
        }
        assert!(read(&vec![b'a'; 1 << 20]).await.is_err());
        assert!(read(format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(200)).as_bytes()).await.is_err());
    }
}
