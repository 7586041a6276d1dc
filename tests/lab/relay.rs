//! A slow line: whatever goes through it arrives later, in both directions, and in order.
use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
        mpsc::{Receiver, Sender, channel},
    },
    thread::{self, sleep},
    time::{Duration, Instant},
};

/// An address at which another is reached over a slow line, until it is dropped.
pub struct Relay {
    over: Arc<AtomicBool>,
    at: SocketAddr,
}

/// What was sent, and when it arrives; nothing left is the end of it.
type Sent = (Instant, Vec<u8>);

impl Relay {
    /// Listens at `at`, and takes half of `round_trip` to bring a byte to `to`, and as long for one that comes back.
    pub fn start(at: SocketAddr, to: SocketAddr, round_trip: Duration) -> Relay {
        let listener = TcpListener::bind(at).expect("a free address");
        let over = Arc::new(AtomicBool::new(false));
        let ended = over.clone();
        thread::spawn(move || {
            for near in listener.incoming().flatten() {
                if ended.load(Relaxed) {
                    return;
                }
                // The first packets of a connection take their way too.
                thread::spawn(move || {
                    sleep(round_trip);
                    if let Ok(far) = TcpStream::connect(to) {
                        join(&near, &far, round_trip / 2);
                    }
                });
            }
        });
        Relay { over, at }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.over.store(true, Relaxed);
        // The thread looks up once more.
        let _ = TcpStream::connect(self.at);
    }
}

fn join(near: &TcpStream, far: &TcpStream, delay: Duration) {
    for (from, to) in [(near, far), (far, near)] {
        let _ = from.set_nodelay(true);
        let (Ok(from), Ok(to)) = (from.try_clone(), to.try_clone()) else { return };
        let (sender, receiver) = channel();
        thread::spawn(move || take(from, &sender, delay));
        thread::spawn(move || bring(to, &receiver));
    }
}

fn take(mut from: TcpStream, sender: &Sender<Sent>, delay: Duration) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(n) = from.read(&mut buffer) {
        let sent = sender.send((Instant::now() + delay, buffer[..n].to_vec()));
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
            // Nobody is there to read any more: whoever still writes is to notice.
            let _ = to.shutdown(Shutdown::Both);
            return;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_arrive_late_and_in_order_and_the_end_of_them_too() {
        let server = TcpListener::bind("127.0.0.1:0").expect("a port");
        let free = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
        let to = server.local_addr().expect("an address");
        let _relay = Relay::start(free, to, Duration::from_millis(100));
        let mut client = TcpStream::connect(free).expect("a connection");
        let (mut far, _) = server.accept().expect("a connection");
        let began = Instant::now();
        client.write_all(b"one").expect("a write");
        client.write_all(b"two").expect("a write");
        client.shutdown(Shutdown::Write).expect("an end");
        let mut text = String::new();
        far.read_to_string(&mut text).expect("a text");
        assert_eq!(text, "onetwo");
        assert!(began.elapsed() >= Duration::from_millis(50), "{:?}", began.elapsed());
    }
}
