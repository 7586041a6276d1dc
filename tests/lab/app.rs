//! The shop: a small HTTP server that serves the release that was current when it started.
//!
//! Each release is a folder. The app reads `/srv/shop/current` once, and reports its release in the header `X-Release`,
//! in the JSON of `/health`, and as the whole body of `/version`. It reports the commit, or the text of a file `says`
//! in its unit's folder, with values for `{commit}`, `{short}` (7 digits), `{tag}`, `{bare}` (the tag without `v`) and
//! `{folder}`; if that file is empty, it reports no release.
//!
//! `/slow` takes a second, `/slow?ms=60000` a minute. The app writes the id of each request into `requests` before it
//! answers. After SIGTERM it finishes the requests that it has begun.
//!
//! Files in its unit's folder make it misbehave: `sick`, `warm_up`, `slow_start` and `crash_after` (in milliseconds). A
//! file `sick` or `crash_after` in the release itself does the same for that release.
use std::{
    env, fs,
    io::Write,
    path::{Path, PathBuf},
    process::exit,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    signal::unix::{SignalKind, signal},
    sync::watch,
    task::JoinSet,
    time::sleep,
};

const APP: &str = "/srv/shop";

struct Shop {
    unit: PathBuf,
    host: String,
    release: PathBuf,
    /// Empty if neither the folder's name nor a file `REVISION` tells it.
    commit: String,
    page: String,
    started: Instant,
    warm_up: Duration,
}

/// Serves until SIGTERM.
pub fn run() -> ! {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    match runtime.block_on(serve()) {
        Ok(()) => exit(0),
        Err(reason) => {
            eprintln!("shop: {reason}");
            exit(1)
        }
    }
}

async fn serve() -> Result<(), String> {
    let unit = PathBuf::from(env::var("RFAB_LAB_UNIT").map_err(|e| e.to_string())?);
    let shop = Arc::new(Shop::open(unit)?);
    let mut term = signal(SignalKind::terminate()).map_err(|e| e.to_string())?;
    if let Some(time) = millis(&shop.unit, "crash_after").or_else(|| millis(&shop.release, "crash_after")) {
        tokio::spawn(async move {
            sleep(time).await;
            eprintln!("shop: crashed, as told");
            exit(1)
        });
    }
    sleep(millis(&shop.unit, "slow_start").unwrap_or_default()).await;
    let addresses = env::var("RFAB_LAB_LISTEN").map_err(|e| e.to_string())?;
    let (first, second) = addresses.split_once(',').map_or((&*addresses, None), |(one, other)| (one, Some(other)));
    let listener = bind(first).await.map_err(|e| format!("{first}: {e}"))?;
    let other = match second {
        Some(address) => Some(bind(address).await.map_err(|e| format!("{address}: {e}"))?),
        None => None,
    };
    eprintln!("shop: serves {} on {addresses}", shop.release.display());
    let (stop, stopping) = watch::channel(false);
    let mut open = JoinSet::new();
    loop {
        tokio::select! {
            _ = term.recv() => break,
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                open.spawn(converse(shop.clone(), stream, stopping.clone()));
            },
            accepted = also(&other) => if let Ok((stream, _)) = accepted {
                open.spawn(converse(shop.clone(), stream, stopping.clone()));
            },
            Some(_) = open.join_next() => {}
        }
    }
    drop((listener, other));
    let _ = stop.send(true);
    eprintln!("shop: stops, {} connections open", open.len());
    while open.join_next().await.is_some() {}
    Ok(())
}

/// Accepts a connection at a second address; without one, waits forever.
async fn also(other: &Option<TcpListener>) -> std::io::Result<(TcpStream, std::net::SocketAddr)> {
    match other {
        Some(listener) => listener.accept().await,
        None => std::future::pending().await,
    }
}

/// Listens at an address. If it is taken, waits up to five seconds and logs that.
async fn bind(address: &str) -> std::io::Result<TcpListener> {
    let until = Instant::now() + Duration::from_secs(5);
    loop {
        match TcpListener::bind(address).await {
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse && Instant::now() < until => {
                eprintln!("shop: {address} is taken");
                sleep(Duration::from_millis(50)).await;
            }
            bound => return bound,
        }
    }
}

impl Shop {
    fn open(unit: PathBuf) -> Result<Shop, String> {
        let current = Path::new(APP).join("current");
        let release = fs::canonicalize(&current).map_err(|e| format!("{}: {e}", current.display()))?;
        let name = release.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let revision = || fs::read_to_string(release.join("REVISION")).unwrap_or_default().trim().to_owned();
        let commit = name.split_once('-').map_or_else(revision, |(_, commit)| commit.to_owned());
        env::set_current_dir(&release).map_err(|e| e.to_string())?;
        let page = fs::read_to_string(release.join("index.txt")).map_err(|e| format!("index.txt: {e}"))?;
        let warm_up = millis(&unit, "warm_up").unwrap_or_default();
        let host = env::var("RFAB_LAB_HOST").unwrap_or_default();
        Ok(Shop { commit, host, unit, release, page, warm_up, started: Instant::now() })
    }

    fn is_sick(&self) -> bool {
        self.started.elapsed() < self.warm_up || self.unit.join("sick").exists() || self.release.join("sick").exists()
    }

    /// Returns what it reports of its release; the page of a tag is `shop TAG`.
    fn says(&self) -> String {
        let Ok(wanted) = fs::read_to_string(self.unit.join("says")) else { return self.commit.clone() };
        let tag = self.page.trim().trim_start_matches("shop ");
        let folder = self.release.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let short: String = self.commit.chars().take(7).collect();
        let known = [
            ("{commit}", self.commit.as_str()),
            ("{short}", &short),
            ("{tag}", tag),
            ("{bare}", tag.trim_start_matches('v')),
            ("{folder}", &folder),
        ];
        known.iter().fold(wanted, |text, (name, value)| text.replace(name, value))
    }

    fn count(&self, id: &str) {
        let file = fs::OpenOptions::new().create(true).append(true).open(self.unit.join("requests"));
        // One write, so that lines of other threads don't come between.
        if file.and_then(|mut file| file.write_all(format!("{id}\n").as_bytes())).is_err() {
            eprintln!("shop: request {id} couldn't be counted");
        }
    }
}

fn millis(unit: &Path, file: &str) -> Option<Duration> {
    fs::read_to_string(unit.join(file)).ok()?.trim().parse().ok().map(Duration::from_millis)
}

/// The parts of a request that the app uses.
struct Request {
    path: String,
    id: Option<String>,
    body: usize,
    close: bool,
}

async fn converse(shop: Arc<Shop>, stream: TcpStream, mut stopping: watch::Receiver<bool>) {
    let _ = stream.set_nodelay(true);
    let (from, mut to) = stream.into_split();
    let mut from = BufReader::new(from);
    loop {
        // The stop may close only a connection on which nothing has arrived.
        let idle = from.buffer().is_empty();
        tokio::select! {
            biased;
            arrived = from.fill_buf() => if arrived.map_or(true, |bytes| bytes.is_empty()) { return },
            _ = stopping.wait_for(|stop| *stop), if idle => return,
        }
        let Some(request) = read(&mut from).await else { return };
        let close = request.close || *stopping.borrow();
        let answer = answer(&shop, &request, close).await;
        if to.write_all(answer.as_bytes()).await.is_err() || close {
            let _ = to.shutdown().await;
            return;
        }
    }
}

async fn read(from: &mut (impl AsyncBufReadExt + Unpin)) -> Option<Request> {
    let mut line = String::new();
    from.read_line(&mut line).await.ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut request = Request { path, id: None, body: 0, close: line.trim_end().ends_with("HTTP/1.0") };
    loop {
        line.clear();
        if from.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        match (name.to_ascii_lowercase().as_str(), value.trim()) {
            ("x-request-id", id) => request.id = Some(id.to_owned()),
            ("content-length", length) => request.body = length.parse().ok()?,
            ("connection", value) => request.close |= value.eq_ignore_ascii_case("close"),
            _ => {}
        }
    }
    let mut body = vec![0; request.body.min(1 << 20)];
    from.read_exact(&mut body).await.ok()?;
    Some(request)
}

async fn answer(shop: &Shop, request: &Request, close: bool) -> String {
    if let Some(id) = &request.id {
        shop.count(id);
    }
    let says = shop.says();
    let (status, body) = match request.path.split('?').next().unwrap_or_default() {
        "/health" | "/version" if shop.is_sick() => ("503 Service Unavailable", "sick\n".to_owned()),
        "/health" if says.is_empty() => ("200 OK", "{\"status\":\"ok\"}\n".to_owned()),
        "/health" => ("200 OK", format!("{{\"status\":\"ok\",\"release\":\"{says}\"}}\n")),
        "/version" => ("200 OK", says.clone()),
        "/slow" => {
            let asked = request.path.split_once("?ms=").and_then(|(_, ms)| ms.parse().ok());
            sleep(Duration::from_millis(asked.unwrap_or(1000))).await;
            ("200 OK", shop.page.clone())
        }
        "/" => ("200 OK", shop.page.clone()),
        _ => ("404 Not Found", "nothing here\n".to_owned()),
    };
    let connection = if close { "close" } else { "keep-alive" };
    let release = if says.is_empty() { String::new() } else { format!("X-Release: {says}\r\n") };
    format!(
        "HTTP/1.1 {status}\r\n{release}X-Host: {}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\
         Connection: {connection}\r\n\r\n{body}",
        shop.host,
        body.len()
    )
}
