//! The lock of a fleet, held by a small program on the balancer's host that dies with its connection.
use super::driver::Socket;
use super::socket::{UnixSocket, is_masters, one_line, remote, to_worker};
use crate::{
    failure::{Failure, Reason},
    host::Host,
    world::real::{Exclusive, Holder, Transport},
};
use async_trait::async_trait;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    sync::Mutex,
    task::JoinHandle,
    time::timeout,
};

const PROGRAM: &str = include_str!("keeper.sh");
/// How long the keeper bears silence.
pub const SILENCE: Duration = Duration::from_secs(30);
/// How long an answer may take.
const WITHIN: Duration = Duration::from_secs(10);
/// What stands before the first answer.
const MARK: &str = "rfab lock: ";
/// How many lines a login shell may print before it.
const NOISE: usize = 1000;

/// What a keeper answered when it was asked for the lock.
pub enum Taken {
    Held(Arc<Keeper>),
    /// Whatever the lock file says of the holder.
    Busy(String),
}

/// A lock that is held.
pub struct Keeper {
    host: String,
    talk: Mutex<Talk>,
    socket: Option<UnixSocket>,
    /// Whether the socket was tried and the keeper must ask instead.
    detoured: AtomicBool,
    /// Whether the master answers it.
    master: AtomicBool,
    pinging: std::sync::Mutex<Option<JoinHandle<()>>>,
    #[expect(dead_code, reason = "the connection ends when it is dropped")]
    guard: Box<dyn Send + Sync>,
}

struct Talk {
    stdin: Box<dyn AsyncWrite + Send + Unpin>,
    stdout: BufReader<Box<dyn AsyncRead + Send + Unpin>>,
    lost: bool,
}

impl Keeper {
    /// Asks for a fleet's lock on a host; `socket` is the balancer's, if it has one.
    pub async fn take(
        transport: &dyn Transport,
        host: &Host,
        folder: &str,
        holder: &Holder,
        socket: Option<&str>,
        silence: Duration,
    ) -> Result<Taken, Failure> {
        let who = serde_json::to_string(holder).expect("a holder is plain data");
        let limit = silence.as_secs().max(1).to_string();
        let args = [folder, &limit, &who, socket.unwrap_or("")];
        let remote = socket.map(remote);
        let Exclusive { stdin, stdout, socket: near, guard } =
            transport.exclusive(host, PROGRAM, &args, remote.as_ref()).await?;
        let mut talk = Talk { stdin, stdout: BufReader::new(stdout), lost: false };
        let first = talk.first(&host.name).await?;
        match first.split_once(' ').unwrap_or((&first, "")) {
            ("held", "") => {}
            ("busy", who) => return Ok(Taken::Busy(who.to_owned())),
            ("failed", why) => return Err(refused(host, folder, why)),
            _ => return Err(strange(&host.name)),
        }
        let socket = near.map(|near| UnixSocket::new(near, &host.name));
        let keeper = Arc::new(Keeper {
            host: host.name.to_string(),
            talk: Mutex::new(talk),
            socket,
            detoured: AtomicBool::new(false),
            master: AtomicBool::new(false),
            pinging: std::sync::Mutex::default(),
            guard,
        });
        let weak = Arc::downgrade(&keeper);
        let pinging = tokio::spawn(async move {
            loop {
                tokio::time::sleep(silence / 3).await;
                let Some(keeper) = weak.upgrade() else { return };
                if keeper.say("ping").await.is_err() {
                    return;
                }
            }
        });
        *keeper.pinging.lock().unwrap() = Some(pinging);
        Ok(Taken::Held(keeper))
    }

    /// Appends a line to a file of the state folder, synced.
    pub async fn note(&self, file: &str, line: &str) -> Result<(), Failure> {
        let line = line.replace('\n', " ");
        match &*self.say(&format!("note {file} {line}")).await? {
            "ok" => Ok(()),
            _ => Err(Failure::new(Reason::Balancer, format!("the ledger on `{}` cannot be written", self.host))),
        }
    }

    /// The program by which the keeper asks the balancer, where ssh may not forward its socket.
    ///
    /// `Balancer` when it gets no answer either way.
    pub async fn detour(&self) -> Result<Option<String>, Failure> {
        match &self.socket {
            Some(socket) if socket.ask("show info").await.is_err() => {
                self.detoured.store(true, Relaxed);
                let answer = self.ask("show info").await?;
                self.master.store(is_masters(&answer), Relaxed);
                self.say("tool").await.map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Gives the lock back in order.
    pub async fn release(&self) {
        if let Some(pinging) = self.pinging.lock().unwrap().take() {
            pinging.abort();
        }
        let _ = self.say("release").await;
    }

    async fn say(&self, line: &str) -> Result<String, Failure> {
        let mut talk = self.talk.lock().await;
        if talk.lost {
            return Err(lost(&self.host));
        }
        let said = timeout(WITHIN, async {
            talk.stdin.write_all(format!("{line}\n").as_bytes()).await.map_err(|_| lost(&self.host))?;
            talk.stdin.flush().await.map_err(|_| lost(&self.host))?;
            talk.hear(&self.host).await
        });
        let answer = said.await.unwrap_or_else(|_| Err(lost(&self.host)));
        talk.lost |= answer.is_err();
        answer
    }
}

impl Talk {
    /// The first answer, behind whatever the login shell has printed.
    async fn first(&mut self, host: &str) -> Result<String, Failure> {
        for _ in 0..NOISE {
            if let Some(answer) = self.hear(host).await?.strip_prefix(MARK) {
                return Ok(answer.to_owned());
            }
        }
        Err(strange(host))
    }

    async fn hear(&mut self, host: &str) -> Result<String, Failure> {
        let mut line = Vec::new();
        let reading = timeout(WITHIN, self.stdout.read_until(b'\n', &mut line)).await;
        match reading {
            Ok(Ok(n)) if n > 0 && line.ends_with(b"\n") && line.len() < 16 << 20 => {
                Ok(String::from_utf8_lossy(&line).trim_end_matches('\n').to_owned())
            }
            _ => Err(lost(host)),
        }
    }
}

fn strange(host: &str) -> Failure {
    Failure::unknown(format!("host `{host}`: the keeper of the lock answers nothing known"))
        .on(&host.into())
        .help("look at what the login shell prints there: `ssh` with the command `true` should print nothing")
}

fn lost(host: &str) -> Failure {
    Failure::new(Reason::Unknown, format!("the lock on `{host}` is lost: its connection ended"))
        .help("nothing more was changed; look how the hosts stand before you go on")
}

/// Neither the forwarded socket nor a program on its host gets an answer.
pub fn unanswered(balancer: &str) -> Failure {
    Failure::new(Reason::Balancer, format!("balancer `{balancer}` does not answer on its admin socket"))
        .help("look whether it runs there; else allow socket forwarding in its sshd, or install socat")
}

fn refused(host: &Host, folder: &str, why: &str) -> Failure {
    let (message, help) = match why {
        "no-flock" => (format!("host `{host}` has no `flock`, which the lock needs"), "install util-linux there"),
        "owner" => (
            format!("`{folder}` on `{host}` is a link or belongs to another user"),
            "remove it, or name another `state`",
        ),
        "strange-lock" => (format!("`{folder}/lock` on `{host}` is no plain file"), "look who made it, and remove it"),
        _ => (
            format!("the lock of `{folder}` on `{host}` cannot be taken: {}", why.escape_debug()),
            "look at that folder",
        ),
    };
    Failure::failed(message).on(&host.name).help(help)
}

/// Who holds a lock, in words; what the file says may be anything.
pub fn held_by(fleet: &str, who: &str) -> Failure {
    match serde_json::from_str::<Holder>(who) {
        Ok(holder) => held(fleet, &holder),
        Err(_) => locked(format!("fleet `{fleet}` is held by somebody whose note cannot be read")),
    }
}

/// The failure that names who holds a fleet.
pub fn held(fleet: &str, holder: &Holder) -> Failure {
    let Holder { who, from, run, line, since } = holder;
    locked(format!("fleet `{fleet}` is held by {who}@{from} since {since}: `rfab {line}` (run {run})"))
}

fn locked(message: String) -> Failure {
    Failure::new(Reason::Locked, message).help("wait for it with `--wait`; nothing was changed")
}

#[async_trait]
impl Socket for Keeper {
    /// Through the forwarded socket, which ends with the lock; else by the keeper's own tools.
    async fn ask(&self, line: &str) -> Result<String, Failure> {
        one_line(line)?;
        if self.talk.lock().await.lost {
            return Err(lost(&self.host));
        }
        if let Some(socket) = self.socket.as_ref().filter(|_| !self.detoured.load(Relaxed)) {
            match socket.ask(line).await {
                Ok(answer) => return Ok(answer),
                // It may have been heard; a change is never sent twice.
                Err(failure) if !line.starts_with("show ") => {
                    if self.say("ping").await.is_err() {
                        return Err(lost(&self.host));
                    }
                    return Err(failure);
                }
                Err(_) => {}
            }
        }
        let master = self.master.load(Relaxed) || self.socket.as_ref().is_some_and(UnixSocket::is_masters);
        let answer = self.say(&format!("ask {}", to_worker(line, master))).await?;
        let bytes = hex::decode(&answer).map_err(|_| unanswered(&self.host))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn first_of(printed: &'static str) -> Result<String, String> {
        let stdout: Box<dyn AsyncRead + Send + Unpin> = Box::new(printed.as_bytes());
        let mut talk = Talk { stdin: Box::new(tokio::io::sink()), stdout: BufReader::new(stdout), lost: false };
        talk.first("lb1").await.map_err(|failure| failure.message)
    }

    #[tokio::test]
    async fn what_a_login_shell_prints_is_not_taken_for_an_answer() {
        assert_eq!(first_of("\nrfab lock: held\n").await, Ok("held".into()));
        assert_eq!(first_of("Welcome!\nheld\nfailed to load\nno end\nrfab lock: busy x\n").await, Ok("busy x".into()));
        assert!(first_of("Welcome!\nheld\n").await.unwrap_err().contains("is lost"));
        let endless: &'static str = "noise\n".repeat(NOISE + 1).leak();
        assert!(first_of(endless).await.unwrap_err().contains("answers nothing known"));
    }
}
