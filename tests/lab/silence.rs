//! What answers at an address without a machine.
use super::plan::Kind;
use std::{
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

/// An address that misbehaves until it is dropped.
pub struct Silence {
    over: Arc<AtomicBool>,
    _full: Vec<TcpStream>,
    _runtime: Option<tokio::runtime::Runtime>,
    _listener: Option<tokio::net::TcpListener>,
}

impl Silence {
    /// Starts it; `None` for machines, and for a dead address, where nothing answers.
    pub fn of(kind: Kind, address: SocketAddr) -> Option<Silence> {
        match kind {
            Kind::Mute => Some(mute(address)),
            Kind::BlackHole => Some(black_hole(address)),
            Kind::Plain | Kind::Busybox | Kind::Dead => None,
        }
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

/// Accepts connections and holds them open.
fn mute(address: SocketAddr) -> Silence {
    let listener = TcpListener::bind(address).expect("a free address");
    listener.set_nonblocking(true).expect("a listener");
    let over = Arc::new(AtomicBool::new(false));
    let ended = over.clone();
    thread::spawn(move || {
        let mut held = Vec::new();
        while !ended.load(Ordering::Relaxed) {
            held.extend(listener.accept());
            thread::sleep(Duration::from_millis(10));
        }
    });
    Silence { over, _full: Vec::new(), _runtime: None, _listener: None }
}

/// Fills its queue of one, so that the kernel drops every further SYN.
fn black_hole(address: SocketAddr) -> Silence {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let listener = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
        socket.bind(address).expect("a free address");
        socket.listen(0).expect("a listener")
    });
    let mut full = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
        full.push(stream);
        assert!(full.len() < 100, "the queue of one is never full");
    }
    Silence { over: Arc::default(), _full: full, _runtime: Some(runtime), _listener: Some(listener) }
}
