//! The lock of a fleet, held by a small program on the balancer's host that dies with its connection.
use super::{
    keeper_lines::{KeeperLines, KeeperOutput, LONGEST_OWN, WITHIN, hear, lost},
    socket::{UnixSocket, is_masters, one_line, remote, to_worker},
};
use crate::{
    command::Command,
    control::brief,
    failure::{Cause, Failure},
    host::Host,
    port::{Exclusive, Holder, Job, Socket, Spending, SpendingTime, Transport, only_read},
};
use async_trait::async_trait;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{io::BufReader, task::JoinHandle};

const PROGRAM: &str = include_str!("lock_session.sh");
/// How long the keeper waits for a line before it ends the session.
pub const SILENCE: Duration = Duration::from_secs(30);
/// The mark before the keeper's first answer.
const MARK: &str = "rfab lock: ";
/// The most lines that a login shell may print before the mark.
const NOISE: usize = 1000;
/// The most characters to show of a text about the holder.
const MOST: usize = 300;

/// A keeper's answer to the request for the lock.
pub enum Taken {
    Held(Arc<LockSession>),
    /// What the lock file says about the holder.
    Busy(String),
}

/// A lock that is held.
pub struct LockSession {
    host: String,
    /// The lock is lost when they are.
    lines: KeeperLines,
    /// How many bytes the ledger had when the lock was taken.
    size: u64,
    socket: Option<UnixSocket>,
    /// Whether the socket was tried without an answer, so that the keeper asks instead.
    detoured: AtomicBool,
    /// Whether HAProxy's master answers the keeper.
    master: AtomicBool,
    pinging: std::sync::Mutex<Option<JoinHandle<()>>>,
    #[expect(dead_code, reason = "the connection ends when it is dropped")]
    guard: Box<dyn Send + Sync>,
}

impl LockSession {
    /// Asks for a fleet's lock on a host; `socket` is the balancer's admin socket, if it has one.
    pub async fn take(
        transport: &dyn Transport,
        host: &Host,
        folder: &str,
        holder: &Holder,
        socket: Option<&str>,
        silence: Duration,
    ) -> Result<Taken, Failure> {
        let _time = SpendingTime::on(Spending::Network);
        let who = serde_json::to_string(holder).expect("a holder is plain data");
        let limit = silence.as_secs().max(1).to_string();
        let args = [folder, &limit, &who, socket.unwrap_or("")];
        let remote = socket.map(remote);
        let Exclusive { stdin, stdout, socket: near, guard } =
            transport.exclusive(host, PROGRAM, &args, remote.as_ref()).await?;
        let mut stdout = BufReader::new(stdout);
        let socket = near.map(|near| UnixSocket::new(near, &host.name));
        // The first question opens a connection to the balancer, whoever has the lock.
        let asked = async {
            match &socket {
                Some(socket) => socket.ask("show info").await.is_ok(),
                None => true,
            }
        };
        let (size, answers) = match answered(&mut stdout, &host.name, asked).await {
            Ok(held) => held,
            Err(NotHeld::Mute(failure)) => return Err(not_begun(transport, host).await.unwrap_or(failure)),
            Err(NotHeld::Strange) => return Err(strange(&host.name)),
            Err(NotHeld::Busy(who)) => return Ok(Taken::Busy(who)),
            Err(NotHeld::Failed(why)) => return Err(refused(host, folder, &why)),
        };
        let keeper = Arc::new(LockSession {
            host: host.name.to_string(),
            lines: KeeperLines::begin(&host.name, stdin, stdout),
            size,
            socket,
            detoured: AtomicBool::new(!answers),
            master: AtomicBool::new(false),
            pinging: std::sync::Mutex::default(),
            guard,
        });
        let weak = Arc::downgrade(&keeper);
        let pinging = tokio::spawn(async move {
            loop {
                tokio::time::sleep(silence / 3).await;
                let Some(keeper) = weak.upgrade() else { return };
                if keeper.lines.say("ping").await.is_err() {
                    return;
                }
            }
        });
        *keeper.pinging.lock().unwrap() = Some(pinging);
        Ok(Taken::Held(keeper))
    }

    /// Appends lines to a file of the state folder and syncs it; returns for each line whether it was written.
    pub async fn note(&self, file: &str, lines: &[String]) -> Result<Vec<bool>, Failure> {
        let said: Vec<String> = lines.iter().map(|line| format!("note {file} {}", line.replace('\n', " "))).collect();
        let answers = self.lines.say_all(&said).await?;
        Ok(answers.iter().map(|answer| answer == "ok").collect())
    }

    /// Returns the failure of a line that wasn't written.
    pub fn unwritten(&self) -> Failure {
        Failure::new(Cause::Balancer, format!("the ledger on `{}` can't be written", self.host))
    }

    /// Returns how many bytes the ledger had when the lock was taken.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Replaces the ledger with `ledger.new` if they have `old` and `new` bytes; keeps the old one beside it.
    pub async fn turn(&self, new: u64, old: u64) -> Result<bool, Failure> {
        Ok(self.lines.say(&format!("turn {new} {old}")).await? == "ok")
    }

    /// Returns the program with which the keeper asks the balancer, if ssh can't forward the socket.
    ///
    /// `Balancer` if neither way gets an answer.
    pub async fn detour(&self) -> Result<Option<String>, Failure> {
        if self.socket.is_none() || !self.detoured.load(Relaxed) {
            return Ok(None);
        }
        let answer = self.ask("show info").await?;
        self.master.store(is_masters(&answer), Relaxed);
        match self.lines.say("tool").await? {
            tool if matches!(&*tool, "socat" | "nc") => Ok(Some(tool)),
            _ => Err(unanswered(&self.host)),
        }
    }

    /// Releases the lock.
    pub async fn release(&self) {
        if let Some(pinging) = self.pinging.lock().unwrap().take() {
            pinging.abort();
        }
        let _ = self.lines.say("release").await;
    }

    /// Returns whether the lock is known to be lost.
    pub fn is_lost(&self) -> bool {
        self.lines.are_lost()
    }

    /// Checks that the lock is still held; callers that ask at the same time share an answer.
    pub async fn held(&self) -> Result<(), Failure> {
        self.lines.live().await
    }
}

/// Why the lock isn't held.
#[derive(Debug, PartialEq)]
enum NotHeld {
    /// No answer came.
    Mute(Failure),
    Strange,
    Busy(String),
    Failed(String),
}

/// Returns the size of the ledger if the lock is held, and the answer of the balancer, which is asked beside.
///
/// If the lock isn't held, nothing waits for the balancer.
async fn answered(
    stdout: &mut KeeperOutput,
    host: &str,
    asked: impl Future<Output = bool>,
) -> Result<(u64, bool), NotHeld> {
    let held = async {
        let first = first(stdout, host).await.map_err(NotHeld::Mute)?;
        match first.split_once(' ').unwrap_or((&first, "")) {
            // The size of a ledger that can't be read is empty; then it isn't rotated.
            ("held", "") => Ok(0),
            ("held", size) => size.parse().map_err(|_| NotHeld::Strange),
            ("busy", who) => Err(NotHeld::Busy(who.to_owned())),
            ("failed", why) => Err(NotHeld::Failed(why.to_owned())),
            _ => Err(NotHeld::Strange),
        }
    };
    tokio::try_join!(held, async { Ok(asked.await) })
}

/// Reads the first answer, after what the login shell printed.
async fn first(stdout: &mut KeeperOutput, host: &str) -> Result<String, Failure> {
    for _ in 0..NOISE {
        let heard = hear(stdout, LONGEST_OWN).await.ok_or_else(|| lost(host))?;
        if let Some(answer) = heard.strip_prefix(MARK) {
            return Ok(answer.to_owned());
        }
    }
    Err(strange(host))
}

/// Returns why no program can run there at all, if that's so.
async fn not_begun(transport: &dyn Transport, host: &Host) -> Option<Failure> {
    let command = Command::of(vec!["true".to_owned()]).ok()?;
    transport.run(host, Job { timeout: Some(WITHIN), ..Job::new(&command) }).await.err()
}

fn strange(host: &str) -> Failure {
    Failure::unknown("the lock's keeper gave an answer that rfab doesn't know")
        .on(&host.into())
        .help("check what the login shell prints there: `ssh` with the command `true` should print nothing")
}

/// Returns the failure of a balancer that answers neither on the forwarded socket nor to a program on its host.
pub fn unanswered(balancer: &str) -> Failure {
    Failure::new(Cause::Balancer, format!("balancer `{balancer}` doesn't answer on its admin socket")).help(
        "check that HAProxy is running on that host; if it is, allow socket forwarding in the host's sshd, or \
             install socat there",
    )
}

fn refused(host: &Host, folder: &str, why: &str) -> Failure {
    let (message, help) = match why {
        "no-flock" => ("has no `flock`, which the lock needs".to_owned(), "install util-linux there"),
        "owner" => (format!("`{folder}` is a link or belongs to another user"), "remove it, or name another `state`"),
        "strange-lock" => (format!("`{folder}/lock` isn't a plain file"), "check who made it, then remove it"),
        _ => (format!("the lock of `{folder}` can't be acquired: {}", brief(why, MOST)), "check that folder"),
    };
    Failure::failed(message).on(&host.name).help(help)
}

/// Returns the failure that names a lock's holder; the file's text may be anything.
pub fn held_by(fleet: &str, who: &str) -> Failure {
    match serde_json::from_str::<Holder>(who) {
        Ok(holder) => held(fleet, &holder),
        Err(_) => locked(format!("somebody has locked fleet `{fleet}`, but rfab can't read their note")),
    }
}

/// Returns the failure that names a fleet's holder.
pub fn held(fleet: &str, holder: &Holder) -> Failure {
    let [who, from, run, line, since] =
        [&holder.who, &holder.from, &holder.run, &holder.line, &holder.since].map(|text| brief(text, MOST));
    locked(format!("fleet `{fleet}` is locked by {who}@{from} since {since}: `rfab {line}` (run {run})"))
}

fn locked(message: String) -> Failure {
    Failure::new(Cause::Locked, message).help("wait for it with `--wait`").unchanged()
}

#[async_trait]
impl Socket for LockSession {
    /// Asks through the forwarded socket, which ends with the lock; otherwise with the keeper's tools.
    async fn ask_all(&self, lines: &[String]) -> Result<Vec<String>, Failure> {
        lines.iter().try_for_each(|line| one_line(line))?;
        if self.is_lost() {
            return Err(lost(&self.host));
        }
        if let Some(socket) = self.socket.as_ref().filter(|_| !self.detoured.load(Relaxed)) {
            match socket.ask_all(lines).await {
                Ok(answers) => return Ok(answers),
                // The balancer may have obeyed; a change is never sent twice.
                Err(failure) if !only_read(lines) => {
                    if self.lines.say("ping").await.is_err() {
                        return Err(lost(&self.host));
                    }
                    return Err(failure);
                }
                Err(_) => {}
            }
        }
        let master = self.master.load(Relaxed) || self.socket.as_ref().is_some_and(UnixSocket::is_masters);
        let lines: Vec<String> = lines.iter().map(|line| format!("ask {}", to_worker(line, master))).collect();
        let text = |answer: String| {
            let bytes = hex::decode(&answer).map_err(|_| unanswered(&self.host))?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        self.lines.say_all(&lines).await?.into_iter().map(text).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn first_of(printed: &'static str) -> Result<String, String> {
        let mut stdout: KeeperOutput = BufReader::new(Box::new(printed.as_bytes()));
        first(&mut stdout, "lb1").await.map_err(|failure| failure.message)
    }

    #[tokio::test]
    async fn what_a_login_shell_prints_is_not_taken_for_an_answer() {
        assert_eq!(first_of("\nrfab lock: held 0\n").await, Ok("held 0".into()));
        assert_eq!(
            first_of("Welcome!\nheld 1\nfailed to load\nno end\nrfab lock: busy x\n").await,
            Ok("busy x".into())
        );
        assert!(first_of("Welcome!\nheld 1\n").await.unwrap_err().contains("still has the lock on"));
        let endless: &'static str = "noise\n".repeat(NOISE + 1).leak();
        assert!(first_of(endless).await.unwrap_err().contains("gave an answer that rfab doesn't know"));
    }

    #[tokio::test]
    async fn only_a_held_lock_waits_for_the_balancer_and_an_unread_ledger_has_no_size() {
        let of = async |printed: &'static str, asked: Option<bool>| {
            let mut stdout: KeeperOutput = BufReader::new(Box::new(printed.as_bytes()));
            let asked = async {
                match asked {
                    Some(answers) => answers,
                    None => std::future::pending().await,
                }
            };
            answered(&mut stdout, "lb1", asked).await
        };
        assert_eq!(of("rfab lock: held 7\n", Some(true)).await, Ok((7, true)));
        assert_eq!(of("rfab lock: held \n", Some(false)).await, Ok((0, false)));
        assert_eq!(of("rfab lock: busy anna\n", None).await, Err(NotHeld::Busy("anna".into())));
        assert_eq!(of("rfab lock: failed lock\n", None).await, Err(NotHeld::Failed("lock".into())));
        for strange in ["rfab lock: held x\n", "rfab lock: held -1\n", "rfab lock: hi\n"] {
            assert_eq!(of(strange, None).await, Err(NotHeld::Strange), "{strange}");
        }
        assert!(matches!(of("", None).await, Err(NotHeld::Mute(_))));
    }

    #[test]
    fn what_a_machine_says_of_the_holder_is_one_short_line_that_hides_nothing() {
        let holder = |text: &str| {
            let of = || text.to_owned();
            Holder { who: of(), from: of(), run: of(), line: of(), since: of() }
        };
        let long = "x".repeat(1 << 20);
        for text in ["anna\nerror: all is lost", "\r\x1b[2J", "a\u{202e}b", "\u{85}\u{2028}", "\0", &long] {
            let json = serde_json::to_string(&holder(text)).expect("plain data");
            for failure in [held("prod", &holder(text)), held_by("prod", &json)] {
                let message = failure.message;
                assert!(message.starts_with("fleet `prod` is locked by ") && message.len() < 3_000, "{message}");
                assert!(!message.chars().any(crate::control::hidden), "{message}");
            }
        }
        assert_eq!(
            held("prod", &holder("anna")).message,
            "fleet `prod` is locked by anna@anna since anna: `rfab anna` (run anna)"
        );
        assert!(held_by("prod", "{\n").message.ends_with("but rfab can't read their note"));
        let host = Host {
            fleet: "prod".into(),
            name: "lb1".into(),
            address: None,
            group: None,
            roles: Vec::new(),
            vars: Default::default(),
        };
        assert!(!refused(&host, "/x", "no\nerror: forged").message.contains('\n'));
    }
}
