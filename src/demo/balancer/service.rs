//! The running balancer: its checks, its proxy and its admin socket.
use super::{
    check, proxy,
    server::{Pool, SharedPool},
    socket,
};
use std::{
    io,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    net::{TcpListener, UnixListener},
    time::{Instant, sleep},
};

/// Starts the checks, and takes requests and admin commands until the runtime ends.
///
/// `inter` is the time between two checks of a server.
pub fn start(pool: Pool, requests: TcpListener, socket: &Path, inter: Duration) -> io::Result<SharedPool> {
    let admin = UnixListener::bind(socket)?;
    let count = pool.servers.len();
    let pool = Arc::new(Mutex::new(pool));
    for server in 0..count {
        tokio::spawn(check::watch(pool.clone(), server, inter));
    }
    tokio::spawn(proxy::serve(pool.clone(), requests));
    tokio::spawn(socket::serve(pool.clone(), admin));
    Ok(pool)
}

/// Waits until every server has passed its checks; returns whether all did in time.
pub async fn all_up(pool: &SharedPool, within: Duration) -> bool {
    let until = Instant::now() + within;
    while Instant::now() < until {
        if pool.lock().unwrap().servers.iter().all(|server| server.status() == "UP") {
            return true;
        }
        sleep(Duration::from_millis(10)).await;
    }
    false
}
