//! HTTP requests that the program sends: what it prints of them, and what it writes down.
use super::{fabfile, ran};
use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
    path::Path,
    thread::{self, JoinHandle},
};

/// Starts a server that answers this many requests with their first line. Before it answers the last one, it stops
/// listening, so that a later request is refused. The thread returns the requests.
fn server(requests: usize) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serve = move || {
        let mut listener = Some(listener);
        let answer = |nth| {
            let (mut stream, _) = listener.as_ref().unwrap().accept().unwrap();
            if nth == requests {
                listener = None;
            }
            let mut lines = BufReader::new(stream.try_clone().unwrap());
            let (mut head, mut length) = (String::new(), 0);
            while !head.ends_with("\r\n\r\n") {
                let from = head.len();
                lines.read_line(&mut head).unwrap();
                let size = head[from..].to_lowercase().strip_prefix("content-length: ").map(|n| n.trim().parse());
                length = size.map_or(length, Result::unwrap);
            }
            let mut body = vec![0; length];
            lines.read_exact(&mut body).unwrap();
            let asked = format!("{head}{}", String::from_utf8(body).unwrap());
            let said = format!("{{\"asked\": \"{}\"}}", asked.split(" HTTP").next().unwrap());
            write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{said}", said.len()).unwrap();
            asked
        };
        (1..=requests).map(answer).collect()
    };
    (url, thread::spawn(serve))
}

/// Returns the content of all files below a folder.
fn written(folder: &Path) -> Vec<u8> {
    let inside = |entry: fs::DirEntry| {
        if entry.path().is_dir() { written(&entry.path()) } else { fs::read(entry.path()).unwrap() }
    };
    fs::read_dir(folder).unwrap().flat_map(|entry| inside(entry.unwrap())).collect()
}

#[test]
fn a_request_is_sent_and_answered_and_no_header_query_or_body_is_written_down() {
    let (url, served) = server(2);
    let folder = fabfile(&format!(
        r##"
fn act() {{
    let answer = http::get("{url}/flags?token=hunter2");
    ui::note(replaced(`${{answer.status}} ${{answer.headers}} ${{parse_json(answer.body).asked}}`));
    http::post("{url}/hook", #{{ text: "hunter2" }}, #{{ headers: #{{ Authorization: "Bearer hunter2" }} }});
    http::get("{url}/gone");
}}
private fn replaced(text) {{ text.replace("hunter2", "***"); text }}
"##
    ));
    let (out, err, code) = ran(folder.path(), &["act"]);
    assert_eq!((err.as_str(), code), ("", 1), "{out}");
    let said = out.replace(&url, "URL");
    let told = "rfab act\n200 #{\"content-length\": \"37\"} GET /flags?token=***\npost URL/hook\n\n\
                error: `get URL/gone` wasn't answered: Connection refused (os error 111)\n";
    // Only after this check has the server got all requests that it waits for.
    assert!(said.starts_with(told), "{said}");
    let asked = served.join().unwrap();
    assert!(asked[1].contains("authorization: Bearer hunter2\r\n"), "{asked:?}");
    assert!(asked[1].ends_with("\r\n\r\n{\"text\":\"hunter2\"}"), "{asked:?}");
    // The script owns the server's answers, as it owns what `capture` reads; what it sends is sealed.
    let journal = String::from_utf8_lossy(&written(&folder.path().join(".local"))).into_owned();
    assert!(journal.contains("/hook"), "it was written down");
    let sent = journal.replace("GET /flags?token=hunter2", "").replace("POST /hook", "");
    assert!(!sent.contains("hunter2"), "{sent}");
}
