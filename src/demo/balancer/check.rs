//! Checks the health of each server, again and again.
use super::{
    super::http::Message,
    server::{LastCheck, SharedPool},
};
use crate::port::Admin;
use std::{io, net::SocketAddr, time::Duration};
use tokio::{
    io::BufReader,
    net::TcpStream,
    time::{interval, timeout},
};

/// How long a server may take to answer: longer than with HAProxy, because one machine does everything here.
const PATIENCE: Duration = Duration::from_secs(2);

/// Checks one server forever.
pub(super) async fn watch(pool: SharedPool, server: usize, inter: Duration) {
    let mut ticks = interval(inter);
    loop {
        ticks.tick().await;
        let (address, paused) = {
            let pool = pool.lock().unwrap();
            (pool.servers[server].address, pool.servers[server].admin == Admin::Maint)
        };
        if paused {
            continue;
        }
        let checked = timeout(PATIENCE, ask(address)).await.unwrap_or(Ok(LastCheck::Silent));
        let checked = checked.unwrap_or_else(|error| match error.kind() {
            io::ErrorKind::ConnectionRefused => LastCheck::Refused,
            _ => LastCheck::Silent,
        });
        pool.lock().unwrap().servers[server].check(checked);
    }
}

async fn ask(address: SocketAddr) -> io::Result<LastCheck> {
    let mut stream = BufReader::new(TcpStream::connect(address).await?);
    Message::new("GET /health HTTP/1.1", true, "").with("Host", "health").write(&mut stream).await?;
    let status = Message::read(&mut stream).await?.and_then(|answer| answer.status());
    Ok(match status {
        Some(200) => LastCheck::Passed,
        Some(status) => LastCheck::Wrong(status),
        None => LastCheck::Silent,
    })
}
