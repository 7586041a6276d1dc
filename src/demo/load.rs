//! The shop's customers: most keep their connections, some ask for `/slow`, and every request is counted.
use super::{app::SeenRequests, http::Message};
use crate::duration::limit;
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::BufReader,
    net::TcpStream,
    task::{JoinHandle, JoinSet},
    time::{Instant, interval, timeout},
};

/// Requests a second.
pub(super) const PER_SECOND: u32 = 100;
/// How long a customer waits for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The outcome of all requests.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Account {
    pub sent: u64,
    /// One line for each request that failed: which one, when, and why.
    pub failed: Vec<String>,
    /// How many requests each release answered.
    pub releases: BTreeMap<String, u64>,
}

/// A load that is running.
pub(super) struct DemoLoad {
    over: Arc<AtomicBool>,
    sending: JoinHandle<Account>,
}

/// What all customers share.
struct Customers {
    shop: SocketAddr,
    seen: Arc<SeenRequests>,
    /// Open connections that wait for the next request.
    idle: Mutex<Vec<BufReader<TcpStream>>>,
}

/// A request.
#[derive(Clone)]
struct LoadRequest {
    id: String,
    path: &'static str,
    keep: bool,
    at: Duration,
}

impl DemoLoad {
    /// Starts to send requests to the shop; `seen` counts the requests that the apps have seen.
    pub(super) fn start(shop: SocketAddr, seen: Arc<SeenRequests>) -> DemoLoad {
        let over = Arc::new(AtomicBool::new(false));
        let customers = Arc::new(Customers { shop, seen, idle: Mutex::default() });
        let sending = tokio::spawn(send(customers, over.clone()));
        DemoLoad { over, sending }
    }

    /// Stops sending, and returns the account when every open request has ended.
    pub(super) async fn end(self) -> Account {
        self.over.store(true, Ordering::Relaxed);
        let lost = |e| Account { failed: vec![format!("the account was lost: {e}")], ..Account::default() };
        self.sending.await.unwrap_or_else(lost)
    }
}

async fn send(customers: Arc<Customers>, over: Arc<AtomicBool>) -> Account {
    let (began, mut account, mut under_way) = (Instant::now(), Account::default(), JoinSet::new());
    let mut ticks = interval(Duration::from_secs(1) / PER_SECOND);
    while !over.load(Ordering::Relaxed) {
        ticks.tick().await;
        let n = account.sent;
        let path = if n % 20 == 7 { "/slow" } else { "/" };
        let request = LoadRequest { id: n.to_string(), path, keep: !n.is_multiple_of(5), at: began.elapsed() };
        account.sent += 1;
        let customers = customers.clone();
        under_way.spawn(async move { (request.clone(), customers.ask(&request).await) });
        while let Some(ended) = under_way.try_join_next() {
            account.take(ended.map_err(|e| e.to_string()));
        }
    }
    while let Some(ended) = under_way.join_next().await {
        account.take(ended.map_err(|e| e.to_string()));
    }
    account
}

impl Account {
    fn take(&mut self, ended: Result<(LoadRequest, Result<String, String>), String>) {
        match ended {
            Ok((_, Ok(release))) => *self.releases.entry(release).or_default() += 1,
            Ok((LoadRequest { id, path, at, .. }, Err(why))) => {
                self.failed.push(format!("request {id} for {path} after {:.1} s: {why}", at.as_secs_f64()));
            }
            Err(lost) => self.failed.push(format!("a request was lost: {lost}")),
        }
    }
}

impl Customers {
    /// Returns the release that answered the request well, if the apps saw the request exactly once.
    async fn ask(&self, request: &LoadRequest) -> Result<String, String> {
        let answered = timeout(PATIENCE, self.converse(request)).await;
        let release = answered.unwrap_or_else(|_| Err(format!("no answer within {}", limit(PATIENCE))))?;
        match self.seen.times(&request.id) {
            1 => Ok(release),
            0 => Err("answered well, but no app has seen it".to_owned()),
            times => Err(format!("answered well, but done {times} times")),
        }
    }

    async fn converse(&self, request: &LoadRequest) -> Result<String, String> {
        let mut stream = match request.keep.then(|| self.kept()).flatten() {
            Some(stream) => stream,
            None => BufReader::new(TcpStream::connect(self.shop).await.map_err(|e| format!("connect: {e}"))?),
        };
        let _ = stream.get_mut().set_nodelay(true);
        let message = Message::new(&format!("GET {} HTTP/1.1", request.path), !request.keep, "")
            .with("Host", "shop")
            .with("X-Request-Id", &request.id);
        message.write(&mut stream).await.map_err(|e| format!("send: {e}"))?;
        let answer = Message::read(&mut stream).await.map_err(|e| format!("read: {e}"))?;
        let answer = answer.ok_or("the connection ended before the answer")?;
        if answer.status() != Some(200) {
            return Err(format!("{}: {}", answer.first, String::from_utf8_lossy(&answer.body).trim()));
        }
        let release = answer.header("x-release").ok_or("an answer that names no release")?.to_owned();
        if !answer.closes() {
            self.idle.lock().unwrap().push(stream);
        }
        Ok(release)
    }

    /// Returns an idle connection that is still open: browsers check that before they send, too.
    fn kept(&self) -> Option<BufReader<TcpStream>> {
        let mut idle = self.idle.lock().unwrap();
        let would_block = |e: &std::io::Error| e.kind() == std::io::ErrorKind::WouldBlock;
        while let Some(stream) = idle.pop() {
            if stream.get_ref().try_read(&mut [0]).is_err_and(|e| would_block(&e)) {
                return Some(stream);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_is_either_answered_by_a_release_or_told_as_failed() {
        let request =
            |n: u64| LoadRequest { id: n.to_string(), path: "/", keep: true, at: Duration::from_millis(1_500) };
        let mut account = Account { sent: 4, ..Account::default() };
        account.take(Ok((request(0), Ok("abc".into()))));
        account.take(Ok((request(1), Ok("abc".into()))));
        account.take(Ok((request(2), Err("HTTP/1.1 503 Service Unavailable: no".into()))));
        account.take(Err("task 7 panicked".into()));
        assert_eq!(account.releases, BTreeMap::from([("abc".to_owned(), 2)]));
        assert_eq!(
            account.failed,
            [
                "request 2 for / after 1.5 s: HTTP/1.1 503 Service Unavailable: no",
                "a request was lost: task 7 panicked"
            ]
        );
        assert_eq!(account.sent, account.releases.values().sum::<u64>() + account.failed.len() as u64);
    }
}
