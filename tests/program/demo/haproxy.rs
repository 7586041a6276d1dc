//! The demo's balancer and a real HAProxy get the same questions, in front of the same two servers.
use rfab::demo::balancer::{self, DemoServer, Pool};
use std::{
    collections::BTreeMap,
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU16, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

const INTER: Duration = Duration::from_millis(100);

/// A server of both pools, with a health that the test sets.
struct Backend {
    address: SocketAddr,
    told: Arc<Told>,
}

#[derive(Default)]
struct Told {
    /// The status that its health page answers with.
    status: AtomicU16,
    /// Whether it answers slow requests.
    go: AtomicBool,
}

impl Backend {
    fn start() -> Backend {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, told) = (listener.local_addr().unwrap(), Arc::new(Told::default()));
        told.status.store(200, Ordering::Relaxed);
        let said = told.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let said = said.clone();
                thread::spawn(move || drop(answer(stream, &said)));
            }
        });
        Backend { address, told }
    }
}

fn answer(mut stream: TcpStream, told: &Told) -> std::io::Result<()> {
    let (mut text, mut buffer) = (Vec::new(), [0; 4096]);
    while !text.ends_with(b"\r\n\r\n") {
        match stream.read(&mut buffer)? {
            0 => return Ok(()),
            n => text.extend_from_slice(&buffer[..n]),
        }
    }
    let health = text.starts_with(b"GET /health");
    while text.starts_with(b"GET /slow") && !told.go.load(Ordering::Relaxed) {
        thread::sleep(Duration::from_millis(5));
    }
    let status = if health { told.status.load(Ordering::Relaxed) } else { 200 };
    write!(stream, "HTTP/1.1 {status} So\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}

/// A real HAProxy and the demo's balancer.
struct Both {
    folder: tempfile::TempDir,
    haproxy: Child,
    #[expect(dead_code, reason = "the balancer ends with it")]
    runtime: tokio::runtime::Runtime,
    backends: [Backend; 2],
    fronts: [SocketAddr; 2],
}

impl Drop for Both {
    fn drop(&mut self) {
        let _ = self.haproxy.kill();
        let _ = self.haproxy.wait();
    }
}

impl Both {
    fn start() -> Both {
        let folder = tempfile::tempdir().unwrap();
        let backends = [Backend::start(), Backend::start()];
        // A separate address, so that the port stays free until HAProxy binds it.
        let [a, b]: [u8; 2] = rand::random();
        let free = TcpListener::bind(SocketAddr::from(([127, 64 + a % 128, b, 1], 0))).unwrap();
        let front = free.local_addr().unwrap();
        let config = folder.path().join("haproxy.cfg");
        let text = format!(
            "global\n stats socket {} mode 600 level admin\ndefaults\n mode http\n retries 0\n no option redispatch\n \
             timeout connect 5s\n timeout check 5s\n timeout client 20s\n timeout server 20s\n option httpchk GET /health\n \
             http-check expect status 200\n default-server inter 100ms fastinter 100ms downinter 100ms rise 2 fall 3 weight 100\n\
             frontend fe\n bind {front}\n default_backend bk_web\nbackend bk_web\n balance roundrobin\n \
             server web1 {} check\n server web2 {} check\n",
            folder.path().join("real").display(),
            backends[0].address,
            backends[1].address,
        );
        fs::write(&config, text).unwrap();
        drop(free);
        let path = format!("{}:/usr/sbin:/usr/local/sbin", std::env::var("PATH").unwrap_or_default());
        // HAProxy ends with this process, however that ends.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--", "haproxy", "-f"]).arg(&config).env("PATH", path);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let haproxy = command.spawn().expect("haproxy: run tests/install-needs");

        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let servers = ["web1", "web2"].into_iter().zip(&backends);
        let servers = servers.map(|(name, backend)| DemoServer::new(name, backend.address, 100)).collect();
        let own = runtime.block_on(async {
            let requests = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let front = requests.local_addr().unwrap();
            let socket = folder.path().join("own");
            balancer::start(Pool::new("bk_web", servers), requests, &socket, INTER).unwrap();
            front
        });
        let both = Both { folder, haproxy, runtime, backends, fronts: [front, own] };
        both.wait_for("web1", "status", "UP");
        both.wait_for("web2", "status", "UP");
        both
    }

    fn sockets(&self) -> [PathBuf; 2] {
        ["real", "own"].map(|name| self.folder.path().join(name))
    }

    /// Returns both answers to one command.
    fn ask(&self, line: &str) -> [String; 2] {
        self.sockets().map(|socket| ask(&socket, &format!("{line}\n")))
    }

    /// Sends one command, checks that both answers have the same bytes, and returns one.
    #[track_caller]
    fn same(&self, line: &str) -> String {
        let [real, own] = self.ask(line);
        assert_eq!(real, own, "{line}");
        real
    }

    /// Waits until both have this value in a server's column of `show stat`.
    #[track_caller]
    fn wait_for(&self, server: &str, column: &str, value: &str) {
        let until = Instant::now() + Duration::from_secs(10);
        for socket in self.sockets() {
            loop {
                let rows = socket.exists().then(|| stat(&ask(&socket, "show stat bk_web 4 -1\n")));
                let seen = rows.and_then(|rows| rows.get(server).map(|row| row[column].clone()));
                if seen.as_deref() == Some(value) {
                    break;
                }
                assert!(Instant::now() < until, "{}: {server}: {column} is {seen:?}, not {value}", socket.display());
                thread::sleep(Duration::from_millis(5));
            }
        }
    }

    /// Waits until both show the same state, because HAProxy has no result while a check is on its way.
    #[track_caller]
    fn same_state(&self) {
        let until = Instant::now() + Duration::from_secs(10);
        while let Some(difference) = self.difference() {
            assert!(Instant::now() < until, "{difference}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Returns the first difference between a column of the demo's balancer and HAProxy's column of that name.
    fn difference(&self) -> Option<String> {
        let [real, own] = self.ask("show stat bk_web 4 -1").map(|text| stat(&text));
        assert_eq!(own.keys().collect::<Vec<_>>(), ["web1", "web2"]);
        for (server, row) in &own {
            for (column, value) in row {
                let real = &real[server].get(column);
                if *real != Some(value) {
                    return Some(format!("{server}: {column} is {real:?} there and {value:?} here"));
                }
            }
        }
        // Leaves out the age of the last change, which can differ by a second.
        let [real, own] = self.ask("show servers state bk_web").map(|text| {
            let lines = text.lines().map(|line| {
                let words = line.split(' ').enumerate().filter(|(n, _)| line.starts_with('#') || *n != 9);
                words.map(|(_, word)| word).collect::<Vec<_>>().join(" ")
            });
            lines.collect::<Vec<_>>().join("\n")
        });
        (real != own).then(|| format!("there\n{real}\nhere\n{own}"))
    }
}

fn ask(socket: &Path, text: &str) -> String {
    let Ok(mut stream) = UnixStream::connect(socket) else { return String::new() };
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(text.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

type Rows = BTreeMap<String, BTreeMap<String, String>>;

/// Returns `show stat` by server and column.
fn stat(text: &str) -> Rows {
    let mut lines = text.lines().filter(|line| !line.is_empty());
    let header: Vec<&str> = lines.next().unwrap_or_default().trim_start_matches("# ").split(',').collect();
    let rows = lines.map(|line| {
        let cells = header.iter().zip(line.split(',')).filter(|(name, _)| !name.is_empty());
        cells.map(|(name, cell)| (name.to_string(), cell.to_owned())).collect::<BTreeMap<_, _>>()
    });
    rows.map(|row| (row["svname"].clone(), row)).collect()
}

#[test]
fn refusals_and_silence_are_those_of_haproxy_to_the_byte() {
    let both = Both::start();
    for line in [
        "set server bk_web/web1 state drain",
        "set server bk_web/web1 state drain",
        "set server bk_web/nope state drain",
        "set server nope/web1 state drain",
        "set server bk_web state drain",
        "set server",
        "set server bk_web/web1",
        "set server bk_web/web1 shape round",
        "set server bk_web/web1 state",
        "set server bk_web/web1 state Drain",
        "set server bk_web/web1 weight",
        "set server bk_web/web1 weight 300",
        "set server bk_web/web1 weight 12x",
        "set server bk_web/web1 weight x",
        "set server bk_web/web1 weight 50%",
        "get weight bk_web/web1",
        "set server bk_web/web1 weight 500%",
        "get weight bk_web/web1",
        "set server bk_web/web1 weight 7",
        "get weight bk_web/web1",
        "set server bk_web/web1 weight 100%",
        "get weight bk_web/nope",
        "get weight",
        "set server bk_web/web1 state ready;set server bk_web/web2 state drain;show servers state nope",
        "set server bk_web/web2 state ready",
        "shutdown sessions server bk_web/web1",
        "shutdown sessions server bk_web/nope",
        "shutdown sessions server nope/nope",
        "show servers state nope",
        "show stat nope 4 -1",
        "quit",
    ] {
        both.same(line);
    }
    // The list of similar commands depends on how many commands there are.
    for answer in both.ask("bogus") {
        assert!(answer.starts_with("Unknown command"), "{answer}");
        assert!(answer.ends_with("disconnect\n\n"), "{answer}");
    }
    for info in both.ask("show info") {
        for key in ["Pid", "Start_time_sec", "Uptime_sec", "Stopping"] {
            let number = info.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(": ")?.parse::<u64>().ok());
            assert!(number.is_some(), "{key} in {info}");
        }
        assert!(info.ends_with("\n\n"));
    }
}

#[test]
fn after_prompt_a_connection_stays_and_each_answer_ends_with_the_prompt() {
    let both = Both::start();
    let lines = [
        "prompt\n",
        "set server bk_web/web1 state drain\n",
        "set server nope/web1 state drain\n",
        "set server bk_web/web1 weight x\n",
        "set server bk_web/web1 state ready;set server bk_web/web2 state ready\n",
        "prompt\n",
    ];
    let [real, own] = both.sockets().map(|socket| ask(&socket, &lines.concat()));
    assert_eq!(real, own);
    assert_eq!(own.matches("> ").count(), 6, "{own:?}");
}

#[test]
fn drain_checks_maintenance_weights_and_open_requests_are_told_as_haproxy_tells_them() {
    let both = Both::start();
    both.same_state();
    let say = |status: u16| both.backends[0].told.status.store(status, Ordering::Relaxed);

    // Each balancer sends one request to web1 and one to web2.
    let asking: Vec<_> = both.fronts.map(|front| [(); 2].map(|()| TcpStream::connect(front).unwrap())).into();
    let asking: Vec<TcpStream> = asking.into_iter().flatten().collect();
    for mut stream in &asking {
        stream.write_all(b"GET /slow HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n").unwrap();
    }
    both.wait_for("web1", "scur", "1");
    both.wait_for("web2", "scur", "1");
    both.same("set server bk_web/web1 state drain");
    both.same_state();
    both.backends.iter().for_each(|backend| backend.told.go.store(true, Ordering::Relaxed));
    for mut stream in asking {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    both.wait_for("web1", "scur", "0");
    both.wait_for("web2", "scur", "0");
    both.same_state();

    say(503);
    both.wait_for("web1", "status", "DOWN");
    both.same_state();
    both.same("set server bk_web/web1 state ready");
    both.same_state();
    say(200);
    both.wait_for("web1", "status", "UP");
    both.same_state();
    both.same("set server bk_web/web1 weight 50%");
    both.same_state();
    both.same("set server bk_web/web1 state maint");
    both.wait_for("web1", "status", "MAINT");
    both.same_state();
    both.same("set server bk_web/web1 state ready");
    both.wait_for("web1", "status", "UP");
    both.same_state();
}

#[test]
fn whoever_has_a_request_open_on_a_server_whose_sessions_are_shut_down_gets_a_502() {
    let both = Both::start();
    both.same("set server bk_web/web2 state maint");
    let asking = both.fronts.map(|front| {
        let mut stream = TcpStream::connect(front).unwrap();
        stream.write_all(b"GET /slow HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n").unwrap();
        stream
    });
    both.wait_for("web1", "scur", "1");
    both.same("shutdown sessions server bk_web/web1");
    for mut stream in asking {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 502"), "{answer}");
    }
    both.wait_for("web1", "scur", "0");
    // No server is left for a request.
    both.same("set server bk_web/web1 state maint");
    for front in both.fronts {
        let mut stream = TcpStream::connect(front).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    }
}
