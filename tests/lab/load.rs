//! People at the shop: requests at a steady rate, and an account of each one.
//!
//! Some loads send them as people with a cookie from the shop. Four of five requests use connections that are kept, and
//! the fifth opens a new one; one of twenty takes a second. A request that fails isn't sent again. A request that
//! succeeds must stand exactly once in the apps' own lists.
use super::host::Host;
use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle, sleep},
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    time::timeout,
};

/// How long an idle connection is kept: half as long as the lab's HAProxy keeps it.
const KEPT: Duration = Duration::from_secs(10);

/// A load that runs until it is stopped or dropped.
pub struct Load {
    shared: Arc<Shared>,
    hosts: Vec<Arc<Host>>,
    thread: Option<JoinHandle<Vec<Request>>>,
}

struct Shared {
    over: AtomicBool,
    sent: AtomicU64,
    ok: AtomicU64,
    failed: AtomicU64,
    releases: Mutex<BTreeMap<String, u64>>,
    /// Idle connections, each with the time since when it is idle.
    idle: Mutex<Vec<(Instant, BufReader<TcpStream>)>>,
    /// The cookie of each person, such as `SRV=web1`; empty if the requests come from nobody in particular.
    people: Mutex<Vec<Option<String>>>,
}

/// The account of all requests.
#[must_use = "compare it, or say `expect_none_failed`"]
#[derive(Clone, Debug)]
pub struct Account {
    pub sent: u64,
    pub ok: u64,
    pub failed: Vec<Request>,
    /// How many requests each release answered, by its commit.
    pub releases: BTreeMap<String, u64>,
    pub slow: u64,
    pub kept: u64,
}

/// A request, and what became of it.
#[derive(Clone, Debug)]
pub struct Request {
    pub id: String,
    pub path: &'static str,
    /// Whether it uses a connection that is kept.
    pub keep: bool,
    /// The time since the load began.
    pub at: Duration,
    /// The person who sent it.
    pub person: Option<usize>,
    /// Why it failed; `None` if it didn't.
    pub failure: Option<String>,
}

impl Load {
    /// Starts to send this many requests a second to these addresses in turn; the apps on `hosts` count them. With
    /// `apart`, no connection is kept.
    pub fn start(to: Vec<SocketAddr>, per_second: u32, people: usize, apart: bool, hosts: Vec<Arc<Host>>) -> Load {
        let shared = Arc::new(Shared {
            over: AtomicBool::new(false),
            sent: AtomicU64::new(0),
            ok: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            releases: Mutex::default(),
            idle: Mutex::default(),
            people: Mutex::new(vec![None; people]),
        });
        let own = shared.clone();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(send(own, to, per_second, apart))
        });
        Load { shared, hosts, thread: Some(thread) }
    }

    /// Returns how many requests were sent, answered well, and failed so far.
    pub fn so_far(&self) -> (u64, u64, u64) {
        let Shared { sent, ok, failed, .. } = &*self.shared;
        (sent.load(Ordering::Relaxed), ok.load(Ordering::Relaxed), failed.load(Ordering::Relaxed))
    }

    /// Waits until this many more requests are answered well, and panics if that takes more than 20 seconds.
    pub fn wait_for(&self, more: u64) {
        let goal = self.so_far().1 + more;
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.so_far().1 < goal {
            assert!(Instant::now() < deadline, "sent, ok, failed: {:?}; {goal} ok wanted", self.so_far());
            sleep(Duration::from_millis(10));
        }
    }

    /// Waits for the open requests, and accounts for every one.
    pub fn stop(mut self) -> Account {
        self.shared.over.store(true, Ordering::Relaxed);
        let requests = self.thread.take().expect("a load is stopped once").join().expect("the load");
        let mut counted: HashMap<String, u32> = HashMap::new();
        for host in &self.hosts {
            for unit in super::service::units(&host.plan) {
                for id in host.unit(unit).requests() {
                    *counted.entry(id).or_default() += 1;
                }
            }
        }
        let releases = self.shared.releases.lock().expect("the releases").clone();
        account(requests, &counted, releases)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Account {
    #[track_caller]
    pub fn expect_none_failed(&self) {
        assert!(self.sent > 0, "nothing was sent");
        let first: Vec<&Request> = self.failed.iter().take(5).collect();
        assert!(self.failed.is_empty(), "{} of {} requests failed, first: {first:#?}", self.failed.len(), self.sent);
        assert_eq!(self.ok, self.sent);
    }
}

/// Compares what the clients saw with what the apps counted.
fn account(mut requests: Vec<Request>, counted: &HashMap<String, u32>, releases: BTreeMap<String, u64>) -> Account {
    for request in &mut requests {
        let times = counted.get(&request.id).copied().unwrap_or(0);
        request.failure = match request.failure.take() {
            None if times == 0 => Some("answered well, but no app has seen it".into()),
            before if times > 1 => {
                Some(format!("done {times} times; {}", before.as_deref().unwrap_or("answered well")))
            }
            before => before,
        };
    }
    let slow = requests.iter().filter(|request| request.path == "/slow").count() as u64;
    let kept = requests.iter().filter(|request| request.keep).count() as u64;
    let sent = requests.len() as u64;
    let failed: Vec<Request> = requests.into_iter().filter(|request| request.failure.is_some()).collect();
    Account { sent, ok: sent - failed.len() as u64, failed, releases, slow, kept }
}

async fn send(shared: Arc<Shared>, to: Vec<SocketAddr>, per_second: u32, apart: bool) -> Vec<Request> {
    let began = Instant::now();
    // Keeps the ids of two loads on one lab apart.
    let load = format!("{:08x}", rand::random::<u32>());
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / per_second);
    let mut under_way = tokio::task::JoinSet::new();
    let mut done = Vec::new();
    let people = shared.people.lock().expect("the people").len();
    let mut n = 0_u64;
    while !shared.over.load(Ordering::Relaxed) {
        ticks.tick().await;
        let request = Request {
            id: format!("{load}-{n}"),
            path: if n % 20 == 7 { "/slow" } else { "/" },
            keep: !apart && !n.is_multiple_of(5),
            at: began.elapsed(),
            person: (n as usize).checked_rem(people),
            failure: None,
        };
        let address = to[n as usize % to.len()];
        n += 1;
        shared.sent.fetch_add(1, Ordering::Relaxed);
        under_way.spawn(ask(shared.clone(), address, request));
        while let Some(ended) = under_way.try_join_next() {
            done.push(ended.expect("a request"));
        }
    }
    while let Some(ended) = under_way.join_next().await {
        done.push(ended.expect("a request"));
    }
    done
}

async fn ask(shared: Arc<Shared>, address: SocketAddr, mut request: Request) -> Request {
    let answer = timeout(Duration::from_secs(10), converse(&shared, address, &request)).await;
    match answer.unwrap_or_else(|_| Err("no answer within 10 s".into())) {
        Ok(release) => {
            shared.ok.fetch_add(1, Ordering::Relaxed);
            *shared.releases.lock().expect("the releases").entry(release).or_default() += 1;
        }
        Err(failure) => {
            shared.failed.fetch_add(1, Ordering::Relaxed);
            request.failure = Some(failure);
        }
    }
    request
}

/// Sends one request, and returns the release that answered it with status 200.
async fn converse(shared: &Shared, address: SocketAddr, request: &Request) -> Result<String, String> {
    let mut stream = match request.keep.then(|| kept(shared, address)).flatten() {
        Some(stream) => stream,
        None => BufReader::new(TcpStream::connect(address).await.map_err(|e| format!("connect: {e}"))?),
    };
    let connection = if request.keep { "keep-alive" } else { "close" };
    let person = request.person.map(|n| {
        let cookie = shared.people.lock().expect("the people")[n].clone();
        let cookie = cookie.map(|cookie| format!("Cookie: {cookie}\r\n")).unwrap_or_default();
        format!("X-Client: {n}\r\n{cookie}")
    });
    let text = format!(
        "GET {} HTTP/1.1\r\nHost: shop\r\nX-Request-Id: {}\r\nConnection: {connection}\r\n{}\r\n",
        request.path,
        request.id,
        person.unwrap_or_default()
    );
    stream.get_mut().write_all(text.as_bytes()).await.map_err(|e| format!("send: {e}"))?;
    let (mut status, mut release, mut length, mut close) = (String::new(), String::new(), 0, !request.keep);
    let mut line = String::new();
    loop {
        line.clear();
        let got = stream.read_line(&mut line).await.map_err(|e| format!("read: {e}"))?;
        match (got, line.trim_end()) {
            (0, _) => return Err("closed before the answer was whole".into()),
            (_, "") => break,
            (_, text) if status.is_empty() => status = text.to_owned(),
            (_, text) => match text.split_once(": ").map(|(name, value)| (name.to_ascii_lowercase(), value)) {
                Some((name, value)) if name == "content-length" => {
                    length = value.parse().map_err(|_| text.to_owned())?
                }
                Some((name, value)) if name == "x-release" => release = value.to_owned(),
                Some((name, value)) if name == "set-cookie" => {
                    let cookie = value.split(';').next().map(str::to_owned);
                    request
                        .person
                        .into_iter()
                        .for_each(|n| shared.people.lock().expect("the people")[n] = cookie.clone());
                }
                Some((name, value)) if name == "connection" => close |= value.eq_ignore_ascii_case("close"),
                _ => {}
            },
        }
    }
    let mut body = vec![0_u8; length];
    stream.read_exact(&mut body).await.map_err(|e| format!("body: {e}"))?;
    if status.split(' ').nth(1) != Some("200") {
        return Err(status);
    }
    if release.is_empty() {
        return Err("an answer that names no release".into());
    }
    if !close {
        shared.idle.lock().expect("the connections").push((Instant::now(), stream));
    }
    Ok(release)
}

/// Returns a kept connection to that address that is still open.
fn kept(shared: &Shared, address: SocketAddr) -> Option<BufReader<TcpStream>> {
    let mut idle = shared.idle.lock().expect("the connections");
    // A request sent at the moment of a balancer's `timeout http-keep-alive` meets a closed connection, and a client
    // sends it again (RFC 9112, section 9.3.1). These customers don't: they stop using a connection before that.
    idle.retain(|(since, _)| since.elapsed() < KEPT);
    while let Some(at) =
        idle.iter().rposition(|(_, stream)| stream.get_ref().peer_addr().is_ok_and(|peer| peer == address))
    {
        let (_, stream) = idle.remove(at);
        let mut byte = [0];
        // A browser also notices before it sends that its connection was closed.
        if matches!(stream.get_ref().try_read(&mut byte), Err(e) if e.kind() == std::io::ErrorKind::WouldBlock) {
            return Some(stream);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(id: &str, failure: Option<&str>) -> Request {
        let failure = failure.map(String::from);
        Request { id: id.into(), path: "/", keep: true, at: Duration::ZERO, person: None, failure }
    }

    #[test]
    fn a_request_counts_as_failed_unless_it_was_answered_well_and_done_once() {
        let requests =
            vec![request("once", None), request("never", None), request("twice", None), request("bad", Some("503"))];
        let counted = HashMap::from([("once".into(), 1), ("twice".into(), 2)]);
        let account = account(requests, &counted, BTreeMap::new());
        let failed: Vec<(&str, &str)> =
            account.failed.iter().map(|r| (r.id.as_str(), r.failure.as_deref().unwrap_or_default())).collect();
        assert_eq!(
            failed,
            [
                ("never", "answered well, but no app has seen it"),
                ("twice", "done 2 times; answered well"),
                ("bad", "503")
            ]
        );
        assert_eq!((account.sent, account.ok), (4, 1));
    }
}
