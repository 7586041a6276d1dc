//! Runs one line on a host's connection, and listens until its end.
use super::{
    channel::channel,
    failure::{cut_off, not_begun},
    input::{feed, readable},
    over::{StopReason, until_stuck, unwanted},
    printed::Printed,
    running::{Running, stop},
    spare::Spares,
    status::{NOT_BEGUN, UNWRITTEN},
    stdout::Trailer,
};
use crate::{
    duration,
    failure::{Cause, Failure},
    host::Host,
    port::{Ended, Job, Spending, SpendingTime, Transport},
    ssh::{
        carrier::Carrier,
        child::RemoteChild,
        connection::{Connections, Link, until_frozen},
        wrapper,
    },
};
use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};
use tokio::time::timeout;

/// How long a stopped line may take before its connection is given up.
const SLOW: Duration = Duration::from_secs(3);

/// Why a line didn't begin.
const STUCK: &str = "its login shell never gets to the command, because a start-up file such as `.bashrc` hangs or never stops printing";

/// A line for a host, with everything that runs, counts and stops it.
pub(crate) struct HostLine<'a> {
    pub host: &'a Host,
    pub job: &'a Job<'a>,
    pub link: Arc<Link>,
    pub connections: &'a Connections,
    pub running: &'a Running,
    pub spares: &'a Spares,
    /// Reaches the host again, to stop what the line began.
    pub transport: &'a dyn Transport,
}

impl HostLine<'_> {
    /// Runs the line; its wrapper starts its own lines with `mark`. The answer tells what is known about its end.
    ///
    /// `first` is what the wrapper reads before the command does.
    pub(crate) async fn run(&self, line: &str, mark: &str, first: &[u8]) -> Result<Ended, Failure> {
        readable(&self.job.stdin)?;
        let carrier = {
            let _login = SpendingTime::on(Spending::Network);
            self.link.carrier(self.connections, self.host).await?
        };
        let said = self.sent(&carrier, line, mark, first).await;
        if self.job.changes_logins {
            self.spares.renew(&self.host.name, &carrier);
        }
        said
    }

    /// Sends the line to a channel that waits, or else to a new one.
    async fn sent(&self, carrier: &Carrier, line: &str, mark: &str, first: &[u8]) -> Result<Ended, Failure> {
        let halts = self.running.halts();
        if let Some(waiting) = self.spares.take(self.host, carrier).await {
            let first = [&wrapper::word(line), first].concat();
            let ended = self.ended_on(waiting, carrier, mark, &first, halts, None).await?;
            // If the channel ended in the moment in which it was taken, nothing began.
            if let Some(ended) = ended {
                return Ok(ended);
            }
        }
        let (asked, opening) = (Instant::now(), SpendingTime::on(Spending::Network));
        let opened = channel(self.host, &self.link, carrier, line, self.job, self.running).await?;
        drop(opening);
        let took = asked.elapsed();
        self.spares.opened(&self.host.name, carrier, took);
        let ended = self.ended_on(opened, carrier, mark, first, halts, Some(took)).await?;
        Ok(ended.expect("only a channel that waited can be unheard"))
    }

    /// Returns how the line ended on a channel; `None` if the channel waited, and surely ended before it read the line.
    ///
    /// `opened_in` is how long the channel took to open; `None` if it waited.
    async fn ended_on(
        &self,
        mut child: RemoteChild,
        carrier: &Carrier,
        mark: &str,
        first: &[u8],
        halts: u32,
        opened_in: Option<Duration>,
    ) -> Result<Option<Ended>, Failure> {
        let mut stdin = child.stdin.take();
        let mut printed = Printed::of(&mut child, mark, self.job);
        let (begun, asked) = (AtomicBool::new(false), Instant::now());
        let feeding = feed(&mut stdin, first, &self.job.stdin);
        let slowness = opened_in.unwrap_or_default();
        let listening = self.listen(feeding, &mut printed, carrier, &begun, (halts, slowness));
        let over = match self.job.timeout {
            Some(limit) => timeout(limit, listening).await.unwrap_or(StopReason::Late(limit)),
            None => listening.await,
        };
        let mut has_exited = false;
        if matches!(over, StopReason::Ended) && printed.out.trailer.is_none() && printed.out.pid.unwrap_or(0) == 0 {
            has_exited = exited(&mut child).await;
            if opened_in.is_none() && has_exited && !printed.has_begun() && self.running.halts() == halts {
                return Ok(None);
            }
        }
        printed.finish();
        if !matches!(over, StopReason::Ended) {
            printed.ignore_rest();
        }
        self.running.remove(self.host, printed.out.pid.unwrap_or(0), self.job);
        let said = match over {
            StopReason::Ended => self.ended(printed, has_exited),
            StopReason::Stuck => {
                // A line that didn't begin can't write to the closed channel, so it doesn't begin later.
                drop(child);
                Err(self.stuck(asked, halts).await)
            }
            StopReason::Late(limit) => {
                let why = format!("the command took longer than {}", duration::limit(limit));
                self.stopped(printed, Cause::TimedOut, &why).await
            }
            // The command's input wasn't closed, so that the command didn't take a part for the whole.
            StopReason::Unread(e) => {
                let why = format!("the command lost its input on this machine ({e})");
                self.stopped(printed, Cause::Failed, &why).await
            }
            StopReason::Unwanted => self.stopped(printed, Cause::Failed, "the command was no longer needed").await,
        };
        said.map(Some)
    }

    /// Feeds the command and hears its output until one of the reasons in `StopReason`.
    async fn listen(
        &self,
        feeding: impl Future<Output = std::io::Result<()>>,
        printed: &mut Printed<'_>,
        carrier: &Carrier,
        begun: &AtomicBool,
        (halts, opened_in): (u32, Duration),
    ) -> StopReason {
        let (mut feeding, mut reading) = (pin!(feeding), pin!(self.read(printed, begun, halts)));
        let (mut frozen, mut unwanted) = (pin!(until_frozen(carrier)), pin!(unwanted(self.job.until)));
        let mut stuck = pin!(until_stuck(self.running, begun, halts, opened_in));
        let mut fed = false;
        loop {
            tokio::select! {
                read = &mut feeding, if !fed => match read {
                    Ok(()) => fed = true,
                    Err(e) => return StopReason::Unread(e),
                },
                () = &mut reading => return StopReason::Ended,
                () = &mut frozen => return StopReason::Ended,
                () = &mut unwanted => return StopReason::Unwanted,
                () = &mut stuck => return StopReason::Stuck,
            }
        }
    }

    /// Reads everything that the command prints, and counts the command as running when it has begun.
    async fn read(&self, printed: &mut Printed<'_>, begun: &AtomicBool, halts: u32) {
        while printed.more().await {
            if let Some(pid) = printed.out.pid
                && !begun.swap(true, SeqCst)
            {
                printed.time.then(Spending::Hosts);
                self.running.add(self.host, pid, self.job);
                // If everything was stopped meanwhile, this command wasn't known yet.
                if self.running.halts() != halts {
                    self.stop(pid).await;
                }
            }
        }
        printed.last_words().await;
    }

    async fn stop(&self, pid: u32) -> bool {
        stop(self.transport, self.host, pid, self.job.user.as_ref()).await
    }

    /// Makes the failure of a line that its login shell never reached, and gives up the connection.
    async fn stuck(&self, asked: Instant, halts: u32) -> Failure {
        let host = self.host;
        if self.running.halts() != halts && asked.elapsed() < SLOW {
            return cut_off(host, self.job, "it was stopped before the command began");
        }
        let failure = cut_off(host, self.job, STUCK).help(format!("see what `ssh {} true` does", host.address()));
        self.link.give_up(&failure).await;
        failure
    }

    /// Stops a command that is no longer waited for.
    async fn stopped(&self, printed: Printed<'_>, cause: Cause, why: &str) -> Result<Ended, Failure> {
        match self.stop(printed.out.pid.unwrap_or(0)).await {
            true if self.job.until.is_some_and(|until| until()) => {
                let (out, _) = printed.out.kept.into_bytes();
                Ok(Ended { status: Job::STOPPED, out, err: Vec::new(), cut: false })
            }
            true => Err(Failure::new(cause, format!("{why} and was stopped")).on(&self.host.name)),
            false => {
                Err(Failure::unknown(format!("{why}, and rfab can't tell whether it still runs")).on(&self.host.name))
            }
        }
    }

    /// Returns what the wrapper reported about a command's end.
    fn ended(&self, printed: Printed<'_>, has_exited: bool) -> Result<Ended, Failure> {
        let (host, job, pid) = (self.host, self.job, printed.out.pid.unwrap_or(0));
        let (out, cut) = printed.out.kept.into_bytes();
        let (err, _) = printed.err.kept.into_bytes();
        match printed.out.trailer {
            Some(Trailer::Status(status)) => Ok(Ended { status, out, err, cut }),
            Some(Trailer::LedgerAfter(status)) => Err(Failure::unknown(format!(
                "the command ended with status {status}, but the ledger couldn't be written"
            ))
            .on(&host.name)),
            Some(Trailer::Refused(what)) if what == "ledger" => Ok(Ended { status: UNWRITTEN, out, err, cut }),
            Some(Trailer::Refused(what)) => Err(not_begun(host, &what, job)),
            // Without the wrapper's first line nothing began: sudo or the login shell ended it.
            None if pid == 0 && has_exited => Ok(Ended { status: NOT_BEGUN, out, err, cut }),
            None => Err(cut_off(host, job, "its connection ended first")),
        }
    }
}

/// Returns whether the host reported a line's exit status; a broken connection reports none.
async fn exited(child: &mut RemoteChild) -> bool {
    timeout(Duration::from_secs(2), &mut child.exit).await.unwrap_or(false)
}
