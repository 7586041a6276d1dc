//! The shop: it serves the release that was current when it started, and finishes open requests before it stops.
//!
//! It reads `current` once, and names that commit in `X-Release`. `/slow` takes a second.
use super::http::Message;
use std::{
    collections::HashMap,
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
    time::{Instant, sleep},
};

/// How long it is unhealthy after its start.
const WARM_UP: Duration = Duration::from_millis(300);
/// How long its address may be in use when it starts.
const FREE_WITHIN: Duration = Duration::from_secs(5);
/// How long a slow answer takes.
const SLOW: Duration = Duration::from_secs(1);

/// How often the apps have seen each request, by its id.
#[derive(Default)]
pub(super) struct SeenRequests(Mutex<HashMap<String, u32>>);

impl SeenRequests {
    pub(super) fn times(&self, id: &str) -> u32 {
        self.0.lock().unwrap().get(id).copied().unwrap_or(0)
    }

    fn note(&self, id: &str) {
        *self.0.lock().unwrap().entry(id.to_owned()).or_default() += 1;
    }
}

/// A running shop.
pub(super) struct DemoApp {
    /// The name of the release that it serves.
    pub release: String,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

struct Shop {
    host: String,
    commit: String,
    page: String,
    started: Instant,
    seen: Arc<SeenRequests>,
}

impl DemoApp {
    /// Starts it on a host, from the current release under `path`.
    pub(super) async fn start(
        host: &str,
        path: &Path,
        address: SocketAddr,
        seen: Arc<SeenRequests>,
    ) -> io::Result<DemoApp> {
        let folder: PathBuf = fs::canonicalize(path.join("current"))?;
        let release = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (_, commit) = release.split_once('-').ok_or_else(|| io::Error::other("`current` isn't a release"))?;
        let page = fs::read_to_string(folder.join("index.txt"))?;
        let shop = Shop { host: host.to_owned(), commit: commit.to_owned(), page, started: Instant::now(), seen };
        let listener = bind(address).await?;
        let (stop, stopping) = watch::channel(false);
        let serving = tokio::spawn(serve(Arc::new(shop), listener, stopping));
        Ok(DemoApp { release, stop, serving })
    }

    /// Takes no more requests, and returns when the last one is answered.
    pub(super) async fn stop(self) {
        let _ = self.stop.send(true);
        let _ = self.serving.await;
    }
}

/// Listens, and retries while the old listener is still open: a program that is starting holds, for a moment,
/// everything that this process has open.
async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let until = Instant::now() + FREE_WITHIN;
    loop {
        match TcpListener::bind(address).await {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && Instant::now() < until => {
                sleep(Duration::from_millis(10)).await;
            }
            bound => return bound,
        }
    }
}

async fn serve(shop: Arc<Shop>, listener: TcpListener, stopping: watch::Receiver<bool>) {
    let (mut open, mut stop) = (JoinSet::new(), stopping.clone());
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                open.spawn(converse(shop.clone(), stream, stopping.clone()));
            },
            Some(_) = open.join_next() => {}
        }
    }
    drop(listener);
    while open.join_next().await.is_some() {}
}

async fn converse(shop: Arc<Shop>, mut stream: TcpStream, mut stopping: watch::Receiver<bool>) {
    let _ = stream.set_nodelay(true);
    let (from, mut to) = stream.split();
    let mut from = BufReader::new(from);
    loop {
        // The stop may close only a connection on which nothing has arrived.
        let idle = from.buffer().is_empty();
        tokio::select! {
            biased;
            arrived = from.fill_buf() => if arrived.map_or(true, <[u8]>::is_empty) { return },
            _ = stopping.wait_for(|stop| *stop), if idle => return,
        }
        let Ok(Some(request)) = Message::read(&mut from).await else { return };
        let answer = shop.answer(&request).await;
        let close = request.closes() || *stopping.borrow();
        let answer = answer.with("Connection", if close { "close" } else { "keep-alive" });
        if answer.write(&mut to).await.is_err() || close {
            let _ = to.shutdown().await;
            return;
        }
    }
}

impl Shop {
    async fn answer(&self, request: &Message) -> Message {
        if let Some(id) = request.header("x-request-id") {
            self.seen.note(id);
        }
        let answer = match request.path() {
            "/health" if self.started.elapsed() < WARM_UP => {
                Message::new("HTTP/1.1 503 Service Unavailable", false, "warms up\n")
            }
            "/health" => Message::new("HTTP/1.1 200 OK", false, "ok\n"),
            "/slow" => {
                sleep(SLOW).await;
                Message::new("HTTP/1.1 200 OK", false, &self.page)
            }
            "/" => Message::new("HTTP/1.1 200 OK", false, &self.page),
            _ => Message::new("HTTP/1.1 404 Not Found", false, "nothing here\n"),
        };
        answer.with("X-Release", &self.commit).with("X-Host", &self.host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_that_is_still_held_for_a_moment_is_waited_for() {
        let held = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = held.local_addr().unwrap();
        let waiting = tokio::spawn(bind(address));
        sleep(Duration::from_millis(50)).await;
        assert!(!waiting.is_finished());
        drop(held);
        assert_eq!(waiting.await.unwrap().unwrap().local_addr().unwrap(), address);
    }

    #[tokio::test]
    async fn it_serves_the_release_it_started_from_and_finishes_what_it_has_begun() {
        let folder = tempfile::tempdir().unwrap();
        let release = |name: &str, page: &str| {
            let release = folder.path().join("releases").join(name);
            fs::create_dir_all(&release).unwrap();
            fs::write(release.join("index.txt"), page).unwrap();
            let _ = fs::remove_file(folder.path().join("current"));
            std::os::unix::fs::symlink(format!("releases/{name}"), folder.path().join("current")).unwrap();
        };
        release("0001-aaaaaaaaaaaa", "old\n");
        // A random address, so that the port stays free until it is used again.
        let [a, b]: [u8; 2] = rand::random();
        let own = SocketAddr::from(([127, 64 + a % 128, b, 1], 0));
        let address = std::net::TcpListener::bind(own).unwrap().local_addr().unwrap();
        let seen = Arc::new(SeenRequests::default());
        let app = DemoApp::start("web1", folder.path(), address, seen.clone()).await.unwrap();
        let mut slow = BufReader::new(TcpStream::connect(address).await.unwrap());
        let asked = Message::new("GET /slow HTTP/1.1", false, "").with("X-Request-Id", "7");
        asked.write(&mut slow).await.unwrap();
        while seen.times("7") == 0 {
            sleep(Duration::from_millis(5)).await;
        }
        release("0002-bbbbbbbbbbbb", "new\n");
        let stopping = tokio::spawn(app.stop());
        let answer = Message::read(&mut slow).await.unwrap().unwrap();
        stopping.await.unwrap();
        assert_eq!((answer.status(), answer.header("x-release")), (Some(200), Some("aaaaaaaaaaaa")));
        assert_eq!((answer.closes(), &*answer.body, seen.times("7")), (true, &b"old\n"[..], 1));
        assert!(TcpStream::connect(address).await.is_err());
        let app = DemoApp::start("web1", folder.path(), address, seen).await.unwrap();
        assert_eq!(app.release, "0002-bbbbbbbbbbbb");
        app.stop().await;
    }
}
