//! A slow line: bytes arrive later, in both directions, and in order.
//!
//! To a program, a line that loses packets looks like that too, because TCP sends a lost packet again and makes
//! everything behind it wait.
use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::Relaxed},
        mpsc::{Receiver, Sender, channel},
    },
    thread::{self, sleep},
    time::{Duration, Instant, SystemTime},
};

/// A relay at an address, which leads to another one over a slow line until it is dropped.
pub struct Relay {
    over: Arc<AtomicBool>,
    carried: Arc<Mutex<Carried>>,
    at: SocketAddr,
}

/// What a line has carried.
#[derive(Clone, Debug, Default)]
pub struct Carried {
    /// How many connections were made.
    pub connections: usize,
    /// The bytes in both directions.
    pub bytes: u64,
    /// When each round trip began, and how many bytes were sent there within it. Who sends then hears nothing of it
    /// earlier than a round trip later.
    ///
    /// What is sent meanwhile waits for nothing, so it belongs to the same round trip, however busy the machine is.
    pub turns: Vec<(SystemTime, u64)>,
    turn: Option<Instant>,
}

impl Carried {
    fn add(&mut self, bytes: usize, asks: bool, round_trip: Duration) {
        self.bytes += bytes as u64;
        let is_under_way = self.turn.is_some_and(|begun| begun.elapsed() < round_trip);
        if asks && bytes > 0 && !is_under_way {
            self.turn = Some(Instant::now());
            self.turns.push((SystemTime::now(), 0));
        }
        if let Some((_, sent)) = self.turns.last_mut().filter(|_| asks) {
            *sent += bytes as u64;
        }
    }
}

/// How a line delays the bytes that it carries.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// How long a byte takes there and back.
    pub round_trip: Duration,
    /// Whether it loses packets: single ones, and for a second or two all of them.
    pub lossy: bool,
}

/// How long it takes until a lost packet is sent again.
const AGAIN: Duration = Duration::from_millis(250);
/// The period of a lossy line, which is dead at the end of each one.
const WHILE: Duration = Duration::from_millis(15_000);
const DEAD: Duration = Duration::from_millis(1800);
/// The line loses one of this many packets.
const ONE_OF: u32 = 25;

/// Bytes with the time at which they arrive; no bytes are the end.
type Sent = (Instant, Vec<u8>);

impl Line {
    /// Returns when a byte arrives that is sent at `now`, on a line that works since `began`.
    fn arrival(self, began: Instant, now: Instant) -> Instant {
        let on_time = now + self.round_trip / 2;
        if !self.lossy {
            return on_time;
        }
        let so_far = Duration::from_millis((now.duration_since(began).as_millis() % WHILE.as_millis()) as u64);
        if so_far >= WHILE - DEAD {
            return on_time + (WHILE - so_far);
        }
        if rand::random::<u32>().is_multiple_of(ONE_OF) { on_time + AGAIN } else { on_time }
    }
}

impl Relay {
    /// Listens at `at`, and carries bytes between a connection there and one to `to`.
    pub fn start(at: SocketAddr, to: SocketAddr, line: Line) -> Relay {
        let listener = TcpListener::bind(at).expect("a free address");
        let at = listener.local_addr().expect("an address");
        let (over, carried) = (Arc::new(AtomicBool::new(false)), Arc::<Mutex<Carried>>::default());
        let (ended, counted, began) = (over.clone(), carried.clone(), Instant::now());
        thread::spawn(move || {
            for near in listener.incoming().flatten() {
                if ended.load(Relaxed) {
                    return;
                }
                let counted = counted.clone();
                // The first packets of a connection take time too.
                thread::spawn(move || {
                    counted.lock().expect("a count").connections += 1;
                    let now = Instant::now();
                    sleep(line.arrival(began, now).duration_since(now) + line.round_trip / 2);
                    if let Ok(far) = TcpStream::connect(to) {
                        join(&near, &far, line, began, &counted);
                    }
                });
            }
        });
        Relay { over, carried, at }
    }

    /// Returns what it has carried since it was asked last.
    pub fn carried(&self) -> Carried {
        std::mem::take(&mut self.carried.lock().expect("a count"))
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.over.store(true, Relaxed);
        // One more connection wakes the thread.
        let _ = TcpStream::connect(self.at);
    }
}

fn join(near: &TcpStream, far: &TcpStream, line: Line, began: Instant, carried: &Arc<Mutex<Carried>>) {
    for (from, to, asks) in [(near, far, true), (far, near, false)] {
        let _ = from.set_nodelay(true);
        let (Ok(from), Ok(to)) = (from.try_clone(), to.try_clone()) else { return };
        let (sender, receiver) = channel();
        let carried = carried.clone();
        let arrival = move |bytes| {
            carried.lock().expect("a count").add(bytes, asks, line.round_trip);
            line.arrival(began, Instant::now())
        };
        thread::spawn(move || take(from, &sender, arrival));
        thread::spawn(move || bring(to, &receiver));
    }
}

fn take(mut from: TcpStream, sender: &Sender<Sent>, arrival: impl Fn(usize) -> Instant) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(n) = from.read(&mut buffer) {
        let sent = sender.send((arrival(n), buffer[..n].to_vec()));
        if n == 0 || sent.is_err() {
            return;
        }
    }
}

fn bring(mut to: TcpStream, receiver: &Receiver<Sent>) {
    while let Ok((at, bytes)) = receiver.recv() {
        sleep(at.saturating_duration_since(Instant::now()));
        if bytes.is_empty() {
            break;
        }
        if to.write_all(&bytes).is_err() {
            // Nobody reads here any more, and the writer must notice that.
            let _ = to.shutdown(Shutdown::Both);
            return;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a line, with both its ends; it works until the relay is dropped.
    fn line(line: Line) -> (Relay, TcpStream, TcpStream) {
        let server = TcpListener::bind("127.0.0.1:0").expect("a port");
        let any = "127.0.0.1:0".parse().expect("an address");
        let relay = Relay::start(any, server.local_addr().expect("an address"), line);
        let near = TcpStream::connect(relay.at).expect("a connection");
        let (far, _) = server.accept().expect("a connection");
        (relay, near, far)
    }

    #[test]
    fn bytes_arrive_late_and_in_order_and_the_end_of_them_too() {
        for lossy in [false, true] {
            let (_relay, mut near, mut far) = line(Line { round_trip: Duration::from_millis(100), lossy });
            let began = Instant::now();
            near.write_all(b"one").expect("a write");
            near.write_all(b"two").expect("a write");
            near.shutdown(Shutdown::Write).expect("an end");
            let mut text = String::new();
            far.read_to_string(&mut text).expect("a text");
            assert_eq!(text, "onetwo");
            assert!(began.elapsed() >= Duration::from_millis(50), "{:?}", began.elapsed());
        }
    }

    #[test]
    fn a_question_and_its_answer_are_one_round_trip_and_what_waits_for_nothing_is_none() {
        let round_trip = Duration::from_millis(200);
        let (relay, mut near, mut far) = line(Line { round_trip, lossy: false });
        let mut buffer = [0; 9];
        for _ in 0..3 {
            near.write_all(b"que").expect("a write");
            near.write_all(b"stion").expect("a write");
            far.read_exact(&mut buffer[..8]).expect("a question");
            far.write_all(b"answer").expect("a write");
            near.read_exact(&mut buffer[..6]).expect("an answer");
        }
        let carried = relay.carried();
        let sent: Vec<u64> = carried.turns.iter().map(|(_, bytes)| *bytes).collect();
        assert_eq!((carried.connections, carried.bytes, sent), (1, 3 * 14, vec![8; 3]));
        assert_eq!(relay.carried().bytes, 0);
    }

    #[test]
    fn a_line_that_loses_packets_is_dead_for_a_while_and_sends_some_again() {
        let (line, began) = (Line { round_trip: Duration::from_millis(20), lossy: true }, Instant::now());
        let late =
            |sent: Duration| line.arrival(began, began + sent).duration_since(began + sent) - line.round_trip / 2;
        let dead = WHILE - DEAD;
        assert_eq!([dead, WHILE - DEAD / 2, WHILE + dead].map(late), [DEAD, DEAD / 2, DEAD]);
        let alive: Vec<Duration> = (0..1000).map(|n| late(dead * n / 1000)).collect();
        let again = alive.iter().filter(|late| **late == AGAIN).count();
        assert!((5..200).contains(&again), "{again}");
        assert_eq!(alive.iter().filter(|late| late.is_zero()).count(), 1000 - again);
    }
}
