use super::{exchange::exchanged, *};
use crate::failure::{Failure, Reason};
use std::time::{Duration, Instant};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::{Notify, mpsc},
};

/// A server on this machine that responds by path, and reports the requests that it received.
struct TestServer {
    url: String,
    asked: mpsc::UnboundedReceiver<String>,
}

impl TestServer {
    async fn start() -> TestServer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (tell, asked) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, tell.clone()));
            }
        });
        TestServer { url, asked }
    }

    fn request(&self, method: Method, path: &str) -> HttpRequest {
        HttpRequest::new(method, &format!("{}{path}", self.url), Duration::from_secs(5)).unwrap()
    }

    /// Returns the whole last request.
    async fn last(&mut self) -> String {
        let mut last = self.asked.recv().await.unwrap();
        while let Ok(next) = self.asked.try_recv() {
            last = next;
        }
        last
    }

    fn said(&self, failure: &Failure) -> String {
        failure.message.replace(&self.url, "URL")
    }
}

async fn serve(mut stream: TcpStream, tell: mpsc::UnboundedSender<String>) {
    let mut asked = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&asked).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                break;
            }
        }
        match stream.read(&mut piece).await {
            Ok(read @ 1..) => asked.extend_from_slice(&piece[..read]),
            _ => return,
        }
    }
    let asked = String::from_utf8(asked).unwrap();
    let path = asked.split(' ').nth(1).unwrap().to_owned();
    let here = asked.lines().find_map(|line| line.to_lowercase().strip_prefix("host: ").map(str::to_owned)).unwrap();
    tell.send(asked).unwrap();
    let whole = |status: &str, more: &str, body: &str| {
        format!("HTTP/1.1 {status}\r\n{more}content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
    };
    let on = |place: &str| whole("302 Found", &format!("location: {place}\r\n"), "");
    let other = here.replace("127.0.0.1", "localhost");
    let answer = match path.split('?').next().unwrap() {
        "/good" => whole("200 OK", "X-Thing: a\r\nx-thing: b\r\n", "hello"),
        "/none" => whole("204 No Content", "", ""),
        "/away" => whole("404 Not Found", "", "\n no such thing\n"),
        "/broken" => whole("500 Internal Server Error", "", &"x".repeat(1000)),
        "/on" => on("good"),
        "/on-elsewhere" => on(&format!("http://{other}/good")),
        "/round" => on("/round"),
        "/on-nowhere" => on("mailto:a@example.org"),
        "/slow" => return tokio::time::sleep(Duration::from_secs(60)).await,
        "/dropped" => return,
        "/half" => "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf".to_owned(),
        "/huge" => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
            let piece = vec![b'x'; 1 << 20];
            while stream.write_all(&piece).await.is_ok() {}
            return;
        }
        other => panic!("nothing is said of {other}"),
    };
    let _ = stream.write_all(answer.as_bytes()).await;
}

async fn ask(request: &HttpRequest) -> Result<HttpResponse, Failure> {
    request.judged(exchanged(request, &Notify::new()).await?)
}

#[tokio::test]
async fn an_answer_has_its_status_its_headers_and_its_body() {
    let mut server = TestServer::start().await;
    let mut request = server.request(Method::Get, "/good?a=b");
    request.header("X-Token", "hunter2".into()).unwrap();
    let answer = ask(&request).await.unwrap();
    assert_eq!((answer.status, &*answer.body, &*answer.headers["x-thing"]), (200, "hello", "a, b"));
    let asked = server.last().await;
    assert!(asked.starts_with("GET /good?a=b HTTP/1.1\r\n") && asked.contains("x-token: hunter2\r\n"), "{asked}");
    assert!(asked.contains(concat!("user-agent: rfab/", env!("CARGO_PKG_VERSION"))), "{asked}");

    let mut request = server.request(Method::Post, "/none");
    request.body("{\"text\":\"out\"}".into(), "application/json");
    assert_eq!(ask(&request).await.unwrap().status, 204);
    let asked = server.last().await;
    assert!(asked.starts_with("POST /none ") && asked.contains("content-type: application/json\r\n"), "{asked}");
    assert!(asked.ends_with("\r\n\r\n{\"text\":\"out\"}"), "{asked}");
}

#[tokio::test]
async fn a_status_that_is_not_wanted_is_a_failure() {
    let server = TestServer::start().await;
    let mut request = server.request(Method::Get, "/away?token=hunter2");
    let failure = ask(&request).await.unwrap_err();
    assert_eq!(server.said(&failure), "`get URL/away?…` was answered with 404 Not Found");
    assert_eq!((failure.help.as_deref(), failure.status), (Some("the response begins: no such thing"), Some(404)));
    request.wanted = vec![200, 404];
    assert_eq!(ask(&request).await.unwrap().status, 404);
    let mut request = server.request(Method::Get, "/good");
    request.wanted = vec![404];
    assert_eq!(server.said(&ask(&request).await.unwrap_err()), "`get URL/good` was answered with 200 OK");
    let failure = ask(&server.request(Method::Delete, "/broken")).await.unwrap_err();
    assert_eq!(failure.reason(), Reason::Failed, "the server said that it didn't work");
    assert_eq!(failure.help.unwrap().len(), "the response begins: ".len() + 200);
}

#[tokio::test]
async fn only_what_reads_is_sent_on_and_not_for_ever() {
    let mut server = TestServer::start().await;
    assert_eq!(ask(&server.request(Method::Get, "/on")).await.unwrap().body, "hello");
    let why = async |method, path: &str| server.said(&ask(&server.request(method, path)).await.unwrap_err());
    assert_eq!(why(Method::Get, "/round").await, "`get URL/round` is redirected more than 5 times");
    assert_eq!(
        why(Method::Get, "/on-nowhere").await,
        "`get URL/on-nowhere` is redirected to something that isn't a URL"
    );
    assert_eq!(why(Method::Post, "/on").await, "`post URL/on` was answered with 302 Found");
    // Headers for one server don't go to another.
    let mut request = server.request(Method::Get, "/on-elsewhere");
    request.header("X-Token", "hunter2".into()).unwrap();
    assert_eq!(ask(&request).await.unwrap().body, "hello");
    let asked = server.last().await;
    assert!(asked.contains("host: localhost:") && !asked.contains("hunter2"), "{asked}");
    let https = reqwest::Url::parse("https://example.org/a").unwrap();
    let next = |place: &str| {
        let request = HttpRequest::new(Method::Get, "https://example.org/a?b=c", Duration::from_secs(1)).unwrap();
        exchange::next(&request, &https, Some(place)).map(|url| url.to_string()).map_err(|failure| failure.message)
    };
    assert_eq!(next("/b").unwrap(), "https://example.org/b");
    assert_eq!(
        next("http://example.org/b?token=hunter2").unwrap_err(),
        "`get https://example.org/a?…` is redirected to `http://example.org/b?…`, so anybody along the way could read \
         it"
    );
}

#[tokio::test]
async fn what_is_not_answered_in_time_or_whole_is_a_failure_and_a_change_is_unknown() {
    let server = TestServer::start().await;
    let said = async |method, path: &str| {
        let began = Instant::now();
        let mut request = server.request(method, path);
        if path == "/slow" {
            request.within = Duration::from_millis(300);
        }
        let failure = ask(&request).await.unwrap_err();
        assert!(began.elapsed() < Duration::from_secs(4), "{path}");
        (failure.reason(), server.said(&failure))
    };
    let unknown = ", and rfab can't tell whether the request took effect";
    let slow = |method: &str| format!("`{method} URL/slow` wasn't answered within 0.3 s");
    assert_eq!(said(Method::Get, "/slow").await, (Reason::Failed, slow("get")));
    assert_eq!(said(Method::Post, "/slow").await, (Reason::Unknown, slow("post") + unknown));
    let (reason, message) = said(Method::Put, "/dropped").await;
    assert!(reason == Reason::Unknown && message.starts_with("`put URL/dropped` wasn't answered: "), "{message}");
    assert!(message.ends_with(unknown), "{message}");
    let (reason, message) = said(Method::Get, "/half").await;
    assert!(
        reason == Reason::Failed
            && message.starts_with("`get URL/half` was answered with 200, but the response is incomplete: ")
    );
    let huge = "`get URL/huge` was answered with 200, and more than 8 MiB".to_owned();
    assert_eq!(said(Method::Get, "/huge").await, (Reason::Failed, huge));
    // A request to a port without a listener was never sent.
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let request = HttpRequest::new(Method::Post, &format!("http://{free}/"), Duration::from_secs(5)).unwrap();
    assert_eq!(ask(&request).await.unwrap_err().reason(), Reason::Failed);
    let stops = Notify::new();
    let request = server.request(Method::Get, "/slow");
    let stop = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        stops.notify_waiters();
    };
    let (answered, ()) = tokio::join!(exchanged(&request, &stops), stop);
    assert_eq!(server.said(&answered.unwrap_err()), "`get URL/slow` was interrupted");
}

#[test]
fn what_is_no_url_or_would_show_a_password_is_refused() {
    let why = |url: &str| {
        let failure = HttpRequest::new(Method::Get, url, Duration::from_secs(1)).unwrap_err();
        (failure.message, failure.help.unwrap())
    };
    assert_eq!(
        why("example.org/x"),
        (
            "`example.org/x` isn't a URL: relative URL without a base".into(),
            "write the whole URL, such as `https://example.org/hook`".into()
        )
    );
    assert_eq!(why("ftp://example.org/").0, "`ftp://` isn't a protocol that rfab speaks");
    for url in ["https://anna:hunter2@example.org/x?y=hunter2#z", "https://hunter2@example.org/x?y"] {
        let (message, help) = why(url);
        assert_eq!(
            message,
            "the URL of `https://example.org/x?…` has a user or a password in it, which would be shown"
        );
        assert!(help.contains("basic: #{") && help.contains("secret") && !help.contains("hunter2"), "{help}");
    }
    let mut request = HttpRequest::new(Method::Get, "https://example.org/", Duration::from_secs(1)).unwrap();
    let bad = request.header("X-Token", "hunter2\r\nX-Other: 1".into()).unwrap_err();
    assert_eq!(bad.message, "the value of the header `X-Token` has a character that isn't allowed there");
    assert_eq!(request.header("a b", "x".into()).unwrap_err().message, "`a b` isn't a header's name");
}

#[test]
fn what_may_be_a_secret_is_sealed_where_a_run_is_written_down() {
    use crate::effect::AnyEffect;
    let mut request =
        HttpRequest::new(Method::Post, "https://example.org/x?token=hunter2", Duration::from_secs(1)).unwrap();
    request.header("Authorization", "Bearer hunter2".into()).unwrap();
    request.body("{\"password\":\"hunter2\"}".into(), "application/json");
    let send = Send(request);
    let recorded = AnyEffect::recorded(&send, &crate::secret::DigestKey::default());
    assert!(!recorded.get().contains("hunter2"), "{recorded}");
    assert_eq!(AnyEffect::describe(&send), "post https://example.org/x?…");
}
