//! A balancer's admin socket, asked by a program on its host: where sshd forwards no sockets, and no lock is held.
use super::{driver::Socket, keeper::unanswered, socket::one_line};
use crate::{
    command::Command,
    failure::Failure,
    host::Host,
    world::real::{Job, Transport},
};
use async_trait::async_trait;
use std::{sync::Arc, time::Duration};

/// Asks by `socat`, else by `nc`.
pub struct ByTool {
    pub transport: Arc<dyn Transport>,
    pub host: Host,
    pub socket: String,
}

const ASK: &str = r#"if command -v socat >/dev/null 2>&1; then printf '%s\n' "$line" | socat -t 5 - "UNIX-CONNECT:$socket"
else printf '%s\n' "$line" | nc -U -w 5 "$socket"; fi"#;

#[async_trait]
impl Socket for ByTool {
    async fn ask(&self, line: &str) -> Result<String, Failure> {
        one_line(line)?;
        let values = vec![("line".into(), line.to_owned()), ("socket".into(), self.socket.clone())];
        let command = Command::line(ASK, values).expect("a good line");
        let job = Job { timeout: Some(Duration::from_secs(10)), keep: 8 << 20, ..Job::new(&command) };
        let ended = self.transport.run(&self.host, job).await?;
        if ended.status != 0 || ended.cut {
            return Err(unanswered(&self.host.name));
        }
        Ok(String::from_utf8_lossy(&ended.out).into_owned())
    }
}
