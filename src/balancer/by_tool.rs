//! A balancer's admin socket, asked by a program on its host: used if sshd forwards no sockets and no lock is held.
use super::{
    diagnosis::unasked,
    lock_session::unanswered,
    socket::{is_masters, one_line, to_worker},
};
use crate::{
    command::Command,
    failure::{Failure, Reason},
    host::{Host, Name},
    port::{Job, Socket, Transport},
};
use async_trait::async_trait;
use std::{sync::Arc, time::Duration};

/// Asks with `socat`, or else with `nc`.
pub(super) struct ByTool {
    pub transport: Arc<dyn Transport>,
    pub host: Host,
    /// The socket as the fleet file has it.
    pub socket: String,
    /// Whether HAProxy's master answers.
    pub master: bool,
}

const ASK: &str = r#"case $socket in
/*) far=UNIX-CONNECT:$socket; set -- -U -w 5 "$socket" ;;
*) far=TCP:$socket; at=${socket%:*}; at=${at#[}; set -- -w 5 "${at%]}" "${socket##*:}" ;;
esac
if command -v socat >/dev/null 2>&1; then printf '%s\n' "$line" | socat -t 5 - "$far"
else printf '%s\n' "$line" | nc "$@"; fi"#;

impl ByTool {
    /// Asks for the first time, which tells whether anything answers, and whether that's the master.
    pub(super) async fn found(mut self, balancer: &Name) -> Result<Arc<dyn Socket>, Failure> {
        match self.ask("show info").await {
            Ok(answer) => self.master = is_masters(&answer),
            Err(failure) if failure.reason() == Reason::Balancer => {
                return Err(unasked(&*self.transport, balancer, &self.host, &self.socket).await);
            }
            Err(failure) => return Err(failure),
        }
        Ok(Arc::new(self))
    }
}

#[async_trait]
impl Socket for ByTool {
    async fn ask_all(&self, lines: &[String]) -> Result<Vec<String>, Failure> {
        let mut answers = Vec::new();
        for line in lines {
            one_line(line)?;
            let values = vec![("line".into(), to_worker(line, self.master)), ("socket".into(), self.socket.clone())];
            let command = Command::line(ASK, values).expect("a good line");
            let job = Job { timeout: Some(Duration::from_secs(10)), keep: 8 << 20, ..Job::new(&command) };
            let ended = self.transport.run(&self.host, job).await?;
            if ended.status != 0 || ended.cut {
                return Err(unanswered(&self.host.name));
            }
            answers.push(String::from_utf8_lossy(&ended.out).into_owned());
        }
        Ok(answers)
    }
}
