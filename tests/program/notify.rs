//! What the program tells people outside: whole messages, and what it does if nobody takes them.
use super::{fabfile, ran_in};
use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
    path::Path,
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

/// A server that records every request, and ends with the test's process.
struct Recorder {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

/// How a server answers.
#[derive(Clone, Copy)]
enum Manner {
    Status(u16),
    Hangs,
}

impl Recorder {
    fn start(manner: Manner) -> Recorder {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook/T0P5ECRET", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let all = asked.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let all = all.clone();
                thread::spawn(move || {
                    let mut lines = BufReader::new(stream.try_clone().unwrap());
                    let (mut head, mut length) = (String::new(), 0);
                    while !head.ends_with("\r\n\r\n") {
                        let from = head.len();
                        if lines.read_line(&mut head).unwrap_or(0) == 0 {
                            return;
                        }
                        let size = head[from..].to_lowercase().strip_prefix("content-length: ").map(|n| n.trim().parse());
                        length = size.map_or(length, Result::unwrap);
                    }
                    let mut body = vec![0; length];
                    lines.read_exact(&mut body).unwrap();
                    all.lock().unwrap().push(format!("{head}{}", String::from_utf8(body).unwrap()));
                    match manner {
                        Manner::Status(status) => {
                            let _ = write!(&stream, "HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                        }
                        Manner::Hangs => thread::sleep(Duration::from_secs(60)),
                    }
                });
            }
        });
        Recorder { url, asked }
    }

    /// Returns the bodies so far, with `RUN` for the run's id.
    fn bodies(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked.iter().map(|request| request.split_once("\r\n\r\n").unwrap().1.to_owned()).collect()
    }
}

fn told(folder: &Path, url: &str, line: &[&str]) -> (String, Option<i32>, Duration) {
    let began = Instant::now();
    let (out, err, code) = ran_in(folder, &[("HOOK", url), ("USER", "anna")], line);
    assert_eq!(err, "");
    (out, code, began.elapsed())
}

const TASKS: &str = r#"
import "std/notify" as telling;
fn good() { telling::about("good", services()); local::run("true"); }
fn bad() { telling::about("bad", services()); local::run("true"); throw "the <tests> & all fail"; }
private fn services() { [telling::slack(|| secret::env("HOOK"))] }
"#;

#[test]
fn slack_is_told_of_the_start_and_of_how_the_run_ended() {
    let (folder, slack) = (fabfile(TASKS), Recorder::start(Manner::Status(200)));
    let (out, code, _) = told(folder.path(), &slack.url, &["good"]);
    assert_eq!((out.as_str(), code), ("rfab good\nrun `true` here\n", Some(0)));
    let good = [
        r#"{"mrkdwn":false,"text":"started good: rfab good, by anna"}"#,
        r#"{"mrkdwn":false,"text":"done: rfab good, by anna"}"#,
    ];
    assert_eq!(slack.bodies(), good);
    let (out, code, _) = told(folder.path(), &slack.url, &["bad"]);
    assert_eq!(code, Some(1), "{out}");
    let bad = r#"{"mrkdwn":false,"text":"a task failed: rfab bad, by anna: the &lt;tests&gt; &amp; all fail"}"#;
    assert_eq!(slack.bodies()[3], bad);
}
