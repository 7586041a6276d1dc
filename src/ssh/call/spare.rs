//! Channels that wait for their line. On a far host, a command then takes one round trip in place of two.
use crate::{
    host::{Host, Name},
    ssh::{
        carrier::Carrier,
        child::{ChildOutput, RemoteChild},
        connection::SILENT,
        wrapper,
    },
};
use std::{
    collections::{BTreeMap, VecDeque},
    io::Cursor,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::{io::AsyncReadExt, sync::oneshot, time::timeout};

/// From which round trip on a host is far.
const FAR: Duration = Duration::from_millis(25);
/// How many channels wait on a far host. It takes two round trips until one waits.
const SPARE: usize = 2;
/// How long a channel waits. Other runs on the same connection may need it, if its host allows few.
const IDLE: Duration = Duration::from_secs(5);
/// How long a login shell may take until it waits, and how much its start-up files may print.
const READY_WITHIN: Duration = Duration::from_secs(10);
const NOISE: usize = 64 << 10;

/// The channels that wait, by host.
#[derive(Clone, Default)]
pub(crate) struct Spares(Arc<Mutex<BTreeMap<Name, HostSpares>>>);

#[derive(Default)]
struct HostSpares {
    waiting: VecDeque<Spare>,
    /// The shortest time that a channel took to open.
    round_trip: Option<Duration>,
    /// Whether the host will run one command only.
    single: bool,
}

/// A channel that waits, or will.
struct Spare {
    carrier: Carrier,
    /// Takes the channel.
    wanted: oneshot::Sender<oneshot::Sender<RemoteChild>>,
}

impl Spares {
    /// Opens no channels for further commands on a host.
    pub(crate) fn expect_single(&self, host: &Host) {
        self.0.lock().unwrap().entry(host.name.clone()).or_default().single = true;
    }

    /// Opens the first channel of a connection, which the first command will take.
    pub(crate) fn begin(&self, host: &Host, carrier: &Carrier) {
        if self.0.lock().unwrap().entry(host.name.clone()).or_default().waiting.is_empty() {
            self.add(&host.name, carrier);
        }
    }

    /// Closes all that wait on a host.
    pub(crate) fn close(&self, host: &Host) {
        self.0.lock().unwrap().remove(&host.name);
    }

    /// Closes all that wait on a host, whose shells read start-up files that may have changed since, and opens others.
    pub(super) fn renew(&self, host: &Name, carrier: &Carrier) {
        if let Some(known) = self.0.lock().unwrap().get_mut(host) {
            known.waiting.clear();
        }
        self.fill(host, carrier);
    }

    /// Takes a channel that waits on this connection.
    pub(super) async fn take(&self, host: &Host, carrier: &Carrier) -> Option<RemoteChild> {
        let (spare, round_trip) = {
            let mut all = self.0.lock().unwrap();
            let known = all.entry(host.name.clone()).or_default();
            known.waiting.retain(|spare| spare.carrier.is(carrier) && !spare.wanted.is_closed());
            (known.waiting.pop_front()?, known.round_trip)
        };
        let (give, get) = oneshot::channel();
        spare.wanted.send(give).ok()?;
        // To wait for longer would take longer than to open another.
        let channel = timeout(round_trip.unwrap_or(FAR) * 3 / 2, get).await.ok()?.ok();
        if channel.is_some() {
            self.fill(&host.name, carrier);
        }
        channel
    }

    /// Learns how long a channel took to open, and opens channels for the next commands if the host is far.
    pub(super) fn opened(&self, host: &Name, carrier: &Carrier, took: Duration) {
        {
            let mut all = self.0.lock().unwrap();
            let known = all.entry(host.clone()).or_default();
            known.round_trip = Some(known.round_trip.map_or(took, |known| known.min(took)));
        }
        self.fill(host, carrier);
    }

    fn fill(&self, host: &Name, carrier: &Carrier) {
        let lacking = {
            let all = self.0.lock().unwrap();
            let Some(known) =
                all.get(host).filter(|known| !known.single && known.round_trip.is_some_and(|time| time >= FAR))
            else {
                return;
            };
            SPARE.saturating_sub(known.waiting.iter().filter(|spare| !spare.wanted.is_closed()).count())
        };
        (0..lacking).for_each(|_| self.add(host, carrier));
    }

    fn add(&self, host: &Name, carrier: &Carrier) {
        let (wanted, taken) = oneshot::channel();
        let spare = Spare { carrier: carrier.clone(), wanted };
        self.0.lock().unwrap().entry(host.clone()).or_default().waiting.push_back(spare);
        let (own, host, carrier) = (self.clone(), host.clone(), carrier.clone());
        tokio::spawn(async move {
            let begun = Instant::now();
            let mark = format!("rfab-waits-{:016x}", rand::random::<u64>());
            if let Ok(Ok(channel)) = timeout(SILENT, carrier.spawn(&wrapper::waiting(&mark))).await {
                own.opened(&host, &carrier, begun.elapsed());
                wait(channel, &mark, taken).await;
            }
        });
    }
}

/// Waits on a channel until somebody takes it, it ends, prints too much, or nobody took it for a while.
async fn wait(mut channel: RemoteChild, mark: &str, mut taken: oneshot::Receiver<oneshot::Sender<RemoteChild>>) {
    let mut out = channel.stdout.take().expect("piped");
    let (mut err, mut noise) = (channel.stderr.take().expect("piped"), Vec::new());
    let waiting = async {
        if !timeout(READY_WITHIN, ready(&mut out, mark)).await.unwrap_or(false) {
            return None;
        }
        let mut ended = [0];
        tokio::select! {
            give = &mut taken => give.ok(),
            () = tokio::time::sleep(IDLE) => None,
            _ = out.read(&mut ended) => None,
        }
    };
    // Unread, stderr would hold up whatever else is on the connection.
    let give = tokio::select! {
        give = waiting => give,
        () = too_much(&mut err, &mut noise) => None,
    };
    if let Some(give) = give {
        channel.stdout = Some(out);
        channel.stderr = Some(Box::new(Cursor::new(noise).chain(err)));
        let _ = give.send(channel);
    }
}

/// Reads a stream, and returns when it was too much.
async fn too_much(stream: &mut ChildOutput, noise: &mut Vec<u8>) {
    let mut buffer = [0; 1024];
    while let Ok(n) = stream.read(&mut buffer).await
        && n > 0
    {
        noise.extend_from_slice(&buffer[..n]);
        if noise.len() > NOISE {
            return;
        }
    }
    // It ended before stdout.
    std::future::pending().await
}

/// Reads until the shell waits; returns false if it ended, or its start-up files print too much.
async fn ready(out: &mut ChildOutput, mark: &str) -> bool {
    let (mut said, mut buffer) = (Vec::new(), [0; 1024]);
    let end = format!("{mark}\n");
    while let Ok(n) = out.read(&mut buffer).await
        && n > 0
        && said.len() < NOISE
    {
        said.extend_from_slice(&buffer[..n]);
        if said.ends_with(end.as_bytes()) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncWriteExt, duplex};

    #[tokio::test]
    async fn what_a_start_up_file_says_on_stderr_is_read_while_a_channel_waits_and_handed_on_up_to_a_limit() {
        for (noise, is_given) in [(NOISE, true), (NOISE + 100, false)] {
            // The streams have less room than what is said.
            let ((mut said, out), (mut warned, err)) = (duplex(16), duplex(16));
            let channel = RemoteChild {
                stdin: None,
                stdout: Some(Box::new(out)),
                stderr: Some(Box::new(err)),
                exit: Box::pin(std::future::pending()),
            };
            let ((wanted, taken), (give, get)) = (oneshot::channel(), oneshot::channel());
            let waiting = tokio::spawn(async move { wait(channel, "mark", taken).await });
            let _ = warned.write_all(&vec![b'x'; noise]).await;
            let _ = said.write_all(b"mark\n").await;
            let _ = wanted.send(give);
            let given = get.await.ok();
            waiting.await.unwrap();
            assert_eq!(given.is_some(), is_given);
            let Some(mut channel) = given else { continue };
            let ending = async move { warned.write_all(b"last").await };
            let (mut err, mut read) = (channel.stderr.take().unwrap(), Vec::new());
            let (ended, all) = tokio::join!(ending, err.read_to_end(&mut read));
            assert!(ended.is_ok() && all.is_ok());
            assert_eq!((read.len(), read.ends_with(b"xlast")), (noise + 4, true));
        }
    }
}
