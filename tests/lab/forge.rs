//! A made-up forge: a server on this machine that speaks the documented API of GitHub, GitLab or Gitea.
//!
//! The first part of a path names a case, so that one server tells many stories. It knows one project, `shop/web`.
mod gitea;
mod github;
mod gitlab;
mod requests;
mod story;

pub use requests::{How, Opening, Requests};
pub use story::{COMMIT, Change, Manner, OTHER, Pull, Report, Review, Story};

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

/// Whose API it speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    Github,
    Gitlab,
    Gitea,
}

/// A request that it got.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    /// The path with the query, without the case.
    pub path: String,
    pub case: String,
    pub authorization: String,
    pub body: String,
}

/// A response: the status, headers beside those of its length, and the body.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub fn json(value: &serde_json::Value) -> Answer {
        Answer { status: 200, headers: Vec::new(), body: value.to_string() }
    }

    fn bare(status: u16) -> Answer {
        Answer { status, headers: Vec::new(), body: format!("{{\"message\": \"status {status}\"}}") }
    }

    fn with(mut self, name: &str, value: impl ToString) -> Answer {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }
}

/// The server, until it is dropped.
pub struct Forge {
    at: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    over: Arc<AtomicBool>,
}

impl Forge {
    /// Starts a forge that tells these stories, each in its case.
    pub fn start(dialect: Dialect, cases: Vec<(&'static str, Story)>) -> Forge {
        let cases: BTreeMap<&'static str, Story> = cases.into_iter().collect();
        Forge::serving(dialect, Known { cases, judge: None })
    }

    /// Starts a forge whose case `live` knows the commits of a repository: it tells what `judge` says of each.
    pub fn judging(dialect: Dialect, judge: impl Fn(&str) -> Option<Story> + Send + Sync + 'static) -> Forge {
        Forge::serving(dialect, Known { cases: BTreeMap::new(), judge: Some(Box::new(judge)) })
    }

    fn serving(dialect: Dialect, known: Known) -> Forge {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let at = listener.local_addr().expect("an address");
        let (asked, over) = (Arc::<Mutex<Vec<Asked>>>::default(), Arc::<AtomicBool>::default());
        let known = Arc::new(known);
        let (heard, ends) = (asked.clone(), over.clone());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if ends.load(Relaxed) {
                    return;
                }
                let (known, heard) = (known.clone(), heard.clone());
                thread::spawn(move || serve(stream, dialect, &known, &heard, at));
            }
        });
        Forge { at, asked, over }
    }

    /// Returns the root of the API of a case.
    pub fn url(&self, case: &str) -> String {
        format!("http://{}/{case}", self.at)
    }

    /// Returns the requests so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Forge {
    fn drop(&mut self) {
        self.over.store(true, Relaxed);
        // The listener sees that only when somebody connects.
        drop(TcpStream::connect(self.at));
    }
}

/// What it knows: a story for each case, and what to tell of the commits of a repository.
struct Known {
    cases: BTreeMap<&'static str, Story>,
    judge: Option<Judge>,
}

/// Tells the story of a commit; none if the forge doesn't have it. Before one was asked for, it's [`COMMIT`].
type Judge = Box<dyn Fn(&str) -> Option<Story> + Send + Sync>;

/// Returns the commit in a path.
fn commit_in(path: &str) -> Option<String> {
    let is_commit = |part: &&str| part.len() == 40 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    path.split(['/', '?', '&', '=']).find(is_commit).map(str::to_owned)
}

/// Reads a request; none if it is cut off.
fn read(stream: &TcpStream) -> Option<Asked> {
    let mut lines = BufReader::new(stream.try_clone().ok()?);
    let (mut head, mut length, mut authorization) = (String::new(), 0, String::new());
    loop {
        let from = head.len();
        lines.read_line(&mut head).ok().filter(|read| *read > 0)?;
        let line = head[from..].trim_end();
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(": ").unwrap_or_default();
        match name.to_lowercase().as_str() {
            "content-length" => length = value.parse().ok()?,
            "authorization" => value.clone_into(&mut authorization),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    lines.read_exact(&mut body).ok()?;
    let mut words = head.split(' ');
    let (method, whole) = (words.next()?.to_owned(), words.next()?);
    let (case, path) = whole.trim_start_matches('/').split_once('/')?;
    let (case, path) = (case.to_owned(), format!("/{path}"));
    Some(Asked { method, path, case, authorization, body: String::from_utf8(body).ok()? })
}

fn serve(mut stream: TcpStream, dialect: Dialect, known: &Known, heard: &Mutex<Vec<Asked>>, at: SocketAddr) {
    let Some(asked) = read(&stream) else { return };
    let (before, commit) = {
        let mut heard = heard.lock().unwrap();
        let before = heard.iter().filter(|other| other.case == asked.case).count();
        heard.push(asked.clone());
        // A path without a commit, such as that of a review, follows one with it.
        (before, heard.iter().rev().find_map(|asked| commit_in(&asked.path)).unwrap_or_else(|| COMMIT.to_owned()))
    };
    let root = format!("http://{at}/{}", asked.case);
    let judged = known.judge.as_ref().filter(|_| asked.case == "live").and_then(|judge| judge(&commit));
    let answer = match known.cases.get(&*asked.case) {
        None if judged.is_some() => {
            let path = asked.path.replace(&commit, COMMIT);
            let answer = judged.unwrap_or_default().answer(dialect, &Asked { path, ..asked }, &root, before);
            Answer { body: answer.body.replace(COMMIT, &commit), ..answer }
        }
        Some(story) if story.manner == Manner::Hangs => return thread::sleep(Duration::from_secs(60)),
        Some(story) => story.answer(dialect, &asked, &root, before),
        None => Answer::bare(404),
    };
    let mut text = format!("HTTP/1.1 {} x\r\nconnection: close\r\n", answer.status);
    for (name, value) in &answer.headers {
        text += &format!("{name}: {value}\r\n");
    }
    text += &format!("content-length: {}\r\n\r\n{}", answer.body.len(), answer.body);
    let _ = stream.write_all(text.as_bytes());
}
