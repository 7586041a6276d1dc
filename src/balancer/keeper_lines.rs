//! Lines to the keeper of a lock, and its answers. Lines of many lanes are under way at the same time.
use crate::{
    failure::{Cause, Failure},
    port::{Spending, SpendingTime},
};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    sync::{Semaphore, mpsc, oneshot},
    time::{Instant, timeout},
};

/// How long an answer may take.
pub(super) const WITHIN: Duration = Duration::from_secs(10);
/// The longest answer of a balancer, in hexadecimal digits, and the longest of the keeper itself.
pub(super) const LONGEST: u64 = 16 << 20;
pub(super) const LONGEST_OWN: u64 = 64 << 10;
/// How many lines may wait for an answer; a pipe holds far more.
const AT_ONCE: usize = 8;

pub(super) type KeeperInput = Box<dyn AsyncWrite + Send + Unpin>;
pub(super) type KeeperOutput = BufReader<Box<dyn AsyncRead + Send + Unpin>>;

/// The lines of one keeper. It answers them in order, so whoever asks waits for no other's answer to be read first.
pub(super) struct KeeperLines {
    host: String,
    asked: mpsc::UnboundedSender<KeeperLine>,
    state: Arc<LinesState>,
    /// Held by whoever asks whether the keeper lives.
    pinging: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct LinesState {
    /// Whether the keeper is known to be lost; it never comes back.
    lost: AtomicBool,
    /// When the last answered line was sent.
    heard: Mutex<Option<Instant>>,
}

/// A line, and who waits for its answer.
struct KeeperLine {
    line: String,
    answer: oneshot::Sender<String>,
}

/// A line that was sent.
struct SentLine {
    sent: Instant,
    longest: u64,
    answer: oneshot::Sender<String>,
}

impl KeeperLines {
    pub(super) fn begin(host: &str, stdin: KeeperInput, stdout: KeeperOutput) -> KeeperLines {
        let (asked, lines) = mpsc::unbounded_channel();
        let (sent, awaited) = mpsc::unbounded_channel();
        let state = Arc::new(LinesState::default());
        let turns = Arc::new(Semaphore::new(AT_ONCE));
        tokio::spawn(send(stdin, lines, sent, state.clone(), turns.clone()));
        tokio::spawn(hear_all(stdout, awaited, state.clone(), turns));
        KeeperLines { host: host.to_owned(), asked, state, pinging: tokio::sync::Mutex::default() }
    }

    /// Returns whether the keeper is known to be lost.
    pub(super) fn are_lost(&self) -> bool {
        self.state.lost.load(SeqCst)
    }

    /// Sends lines, and returns the answer to each.
    pub(super) async fn say_all(&self, lines: &[String]) -> Result<Vec<String>, Failure> {
        let gone = || lost(&self.host);
        let _time = SpendingTime::on(Spending::Network);
        let mut awaited = Vec::new();
        for line in lines {
            if self.are_lost() {
                return Err(gone());
            }
            let (answer, answered) = oneshot::channel();
            self.asked.send(KeeperLine { line: line.clone(), answer }).map_err(|_| gone())?;
            awaited.push(answered);
        }
        let mut answers = Vec::new();
        for answered in awaited {
            answers.push(answered.await.map_err(|_| gone())?);
        }
        Ok(answers)
    }

    pub(super) async fn say(&self, line: &str) -> Result<String, Failure> {
        Ok(self.say_all(&[line.to_owned()]).await?.pop().unwrap_or_default())
    }

    /// Checks that the keeper answers a line that is sent after this call; callers share answers.
    pub(super) async fn live(&self) -> Result<(), Failure> {
        let asked = Instant::now();
        let _turn = self.pinging.lock().await;
        let heard = *self.state.heard.lock().unwrap();
        if heard.is_some_and(|sent| sent > asked) && !self.are_lost() {
            return Ok(());
        }
        self.say("ping").await.map(drop)
    }
}

/// Returns the failure of a run that can't prove any more that it has its lock: the keeper ended, or didn't answer in
/// time.
pub(super) fn lost(host: &str) -> Failure {
    Failure::new(
        Cause::Unknown,
        format!("rfab can't tell whether this run still has the lock on `{host}`: its keeper doesn't answer"),
    )
    .help("nothing more was changed; check the hosts' state before you continue")
}

/// Sends lines as they come, several together; ends when nobody asks any more.
async fn send(
    mut stdin: KeeperInput,
    mut lines: mpsc::UnboundedReceiver<KeeperLine>,
    sent: mpsc::UnboundedSender<SentLine>,
    state: Arc<LinesState>,
    turns: Arc<Semaphore>,
) {
    let mut some = Vec::new();
    while lines.recv_many(&mut some, AT_ONCE).await > 0 {
        // Sends no more than a pipe holds in both directions, so that neither side waits for the other to read.
        let Ok(turn) = turns.acquire_many(some.len() as u32).await else { return };
        if state.lost.load(SeqCst) {
            return;
        }
        turn.forget();
        let now = Instant::now();
        let text: String = some.iter().map(|asked| format!("{}\n", asked.line)).collect();
        for KeeperLine { line, answer } in some.drain(..) {
            let longest = if line.starts_with("ask ") { LONGEST } else { LONGEST_OWN };
            if let Err(_unsent) = sent.send(SentLine { sent: now, longest, answer }) {
                state.lost.store(true, SeqCst);
                return;
            }
        }
        let writing = async {
            stdin.write_all(text.as_bytes()).await?;
            stdin.flush().await
        };
        if !matches!(timeout(WITHIN, writing).await, Ok(Ok(()))) {
            state.lost.store(true, SeqCst);
            return;
        }
    }
}

/// Reads the answers in the order of their lines; the first that fails is the last. Whoever waits for one learns that
/// only when the keeper is known to be lost.
async fn hear_all(
    mut stdout: KeeperOutput,
    mut awaited: mpsc::UnboundedReceiver<SentLine>,
    state: Arc<LinesState>,
    turns: Arc<Semaphore>,
) {
    while let Some(SentLine { sent, longest, answer }) = awaited.recv().await {
        let Some(heard) = hear(&mut stdout, longest).await else {
            state.lost.store(true, SeqCst);
            turns.close();
            return;
        };
        *state.heard.lock().unwrap() = Some(sent);
        turns.add_permits(1);
        // Who asked may have gone.
        let _ = answer.send(heard);
    }
    state.lost.store(true, SeqCst);
    turns.close();
}

/// Reads a line of at most `longest` bytes, so that a line without an end doesn't fill memory; `None` if none comes.
pub(super) async fn hear(stdout: &mut KeeperOutput, longest: u64) -> Option<String> {
    let mut line = Vec::new();
    let mut begun = stdout.take(longest);
    match timeout(WITHIN, begun.read_until(b'\n', &mut line)).await {
        Ok(Ok(_)) if line.ends_with(b"\n") => Some(String::from_utf8_lossy(&line).trim_end_matches('\n').to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{duplex, split};

    fn stdout(stdout: impl AsyncRead + Send + Unpin + 'static) -> KeeperOutput {
        BufReader::new(Box::new(stdout))
    }

    #[tokio::test]
    async fn a_line_without_an_end_is_read_no_further_than_the_longest() {
        for (text, longest, heard) in [
            (&b"held\n"[..], 100, Some("held")),
            (b"\n", 100, Some("")),
            (b"ok\nmore\n", 100, Some("ok")),
            (b"123456789\n", 10, Some("123456789")),
            (b"1234567890\n", 10, None),
            (b"held", 100, None),
            (b"", 100, None),
        ] {
            let said = hear(&mut stdout(text), longest).await;
            assert_eq!(said.as_deref(), heard, "{text:?}");
        }
        let mut endless = stdout(tokio::io::repeat(0));
        let heard = timeout(Duration::from_secs(5), hear(&mut endless, LONGEST)).await;
        assert_eq!(heard.expect("an end"), None);
    }

    /// Begins lines to a keeper that answers `n` lines, each by its own text, and then ends.
    fn lines(n: usize) -> KeeperLines {
        let (near, far) = duplex(1 << 10);
        tokio::spawn(async move {
            let (from, mut to) = split(far);
            let mut asked = BufReader::new(from).lines();
            for _ in 0..n {
                let Ok(Some(line)) = asked.next_line().await else { return };
                to.write_all(format!("{line}!\n").as_bytes()).await.expect("a reader");
            }
        });
        let (from, to) = split(near);
        KeeperLines::begin("lb1", Box::new(to), stdout(from))
    }

    #[tokio::test]
    async fn each_asker_gets_its_own_answer_and_one_that_gave_up_takes_nobody_elses() {
        let all = Arc::new(lines(1000));
        let mut asking = tokio::task::JoinSet::new();
        for at in 0..200 {
            let all = all.clone();
            asking.spawn(async move {
                let line = format!("note {at}");
                if at % 3 == 0 {
                    let _ = timeout(Duration::ZERO, all.say(&line)).await;
                } else {
                    assert_eq!(all.say(&line).await, Ok(format!("note {at}!")));
                }
            });
        }
        while let Some(asked) = asking.join_next().await {
            asked.expect("its own answer");
        }
        assert!(all.live().await.is_ok() && !all.are_lost());
    }

    #[tokio::test]
    async fn a_keeper_is_asked_again_whether_it_lives_even_if_it_answered_just_now() {
        let (near, far) = duplex(1 << 10);
        let (from, to) = split(near);
        let all = KeeperLines::begin("lb1", Box::new(to), stdout(from));
        let keeper = async {
            let (from, mut to) = split(far);
            let mut asked = BufReader::new(from).lines();
            for _ in 0..2 {
                assert_eq!(asked.next_line().await.expect("a line").as_deref(), Some("ping"));
                tokio::time::sleep(Duration::from_millis(50)).await;
                to.write_all(b"ok\n").await.expect("a reader");
            }
        };
        let asking = async {
            assert_eq!((all.live().await, all.live().await), (Ok(()), Ok(())));
            drop(all);
        };
        tokio::join!(keeper, asking);
    }

    /// Notes whether the keeper was known to be lost when somebody was woken.
    struct Woken(Arc<LinesState>, Mutex<Vec<bool>>);

    impl std::task::Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.1.lock().unwrap().push(self.0.lost.load(SeqCst));
        }
    }

    #[tokio::test]
    async fn who_learns_that_no_answer_comes_learns_it_when_the_keeper_is_known_to_be_lost() {
        let (state, (sent, awaited)) = (Arc::<LinesState>::default(), mpsc::unbounded_channel());
        let woken = Arc::new(Woken(state.clone(), Mutex::default()));
        let waker: std::task::Waker = woken.clone().into();
        let mut answers = Vec::new();
        for _ in 0..2 {
            let (answer, mut answered) = oneshot::channel();
            let waits = std::pin::Pin::new(&mut answered).poll(&mut std::task::Context::from_waker(&waker));
            assert!(waits.is_pending());
            let line = SentLine { sent: Instant::now(), longest: LONGEST_OWN, answer };
            assert!(sent.send(line).is_ok());
            answers.push(answered);
        }
        let turns = Arc::new(Semaphore::new(0));
        hear_all(stdout(&b""[..]), awaited, state, turns.clone()).await;
        assert_eq!(*woken.1.lock().unwrap(), [true, true]);
        assert!(turns.is_closed());
    }

    #[tokio::test]
    async fn what_is_asked_of_a_keeper_that_has_ended_fails_and_so_does_all_after_it() {
        let all = lines(2);
        let many: Vec<String> = (0..20).map(|at| at.to_string()).collect();
        assert!(all.say_all(&many).await.unwrap_err().message.contains("still has the lock on"));
        assert!(all.live().await.is_err() && all.say("x").await.is_err() && all.are_lost());
    }
}
