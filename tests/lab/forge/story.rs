//! What a made-up forge knows of a commit, and how it behaves.
use super::{Answer, Asked, Dialect, Requests, gitea, github, gitlab};
use serde_json::{Value, json};
use std::sync::Arc;

/// The commit that is asked for, and another one.
pub const COMMIT: &str = "1234567890abcdef1234567890abcdef12345678";
pub const OTHER: &str = "ffffffffffffffffffffffffffffffffffffffff";

/// What a forge knows of [`COMMIT`]; the default is green, and approved by one person.
#[derive(Clone, Debug)]
pub struct Story {
    /// The names that the branch requires, in its rules.
    pub required: Vec<&'static str>,
    /// The names that its classic protection requires (GitHub).
    pub classic: Vec<&'static str>,
    /// The app that must report them (GitHub).
    pub app: Option<i64>,
    /// A workflow that the rules require (GitHub).
    pub workflow: Option<&'static str>,
    /// Oldest first.
    pub reports: Vec<Report>,
    pub pulls: Vec<Pull>,
    /// The source of the pipeline (GitLab).
    pub source: &'static str,
    pub manner: Manner,
    /// The pull requests that can be opened.
    pub requests: Option<Arc<Requests>>,
}

/// The result of a check.
#[derive(Clone, Debug)]
pub struct Report {
    pub name: &'static str,
    /// As the forge words it.
    pub state: &'static str,
    pub commit: &'static str,
    pub app: i64,
    /// Whether it is a commit status and not a check run (GitHub).
    pub status: bool,
    /// Whether it may fail (GitLab).
    pub may_fail: bool,
}

/// A pull request.
#[derive(Clone, Debug)]
pub struct Pull {
    pub number: i64,
    pub into: &'static str,
    /// The commit of `into` that it begins at.
    pub base: &'static str,
    pub head: &'static str,
    /// The commit that it was merged as; none if it's open.
    pub merge: Option<&'static str>,
    pub reviews: Vec<Review>,
    /// When its base changed; none if it never did.
    pub rebased: Option<Change>,
}

/// A change of the base of a pull request.
#[derive(Clone, Copy, Debug)]
pub struct Change {
    /// As the forge words it (GitHub). If it's `unreadable`, the token may not read what happened to a pull request.
    pub word: &'static str,
    pub at: &'static str,
}

/// A review of a pull request by somebody; its author is `anna`.
#[derive(Clone, Debug)]
pub struct Review {
    pub by: &'static str,
    /// `approved`, `against` or `dismissed`.
    pub state: &'static str,
    pub commit: &'static str,
    /// Whether this person can write to the project.
    pub writes: bool,
    pub at: &'static str,
}

/// How the forge behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    Plain,
    /// It answers the first requests with this status, and then as it should.
    First(usize, u16),
    /// It answers the first request with 429, or with 403 and an empty limit.
    Limited(u16),
    Always(u16),
    Hangs,
    /// It answers with something that isn't JSON, is JSON of another shape, or is huge.
    NoJson,
    Shapeless,
    Huge,
    /// It sends each request to another server, or only those for the next page.
    Elsewhere,
    NextElsewhere,
    /// A page of a list has this many entries; with `Torn`, without a link to the next.
    Pages(usize),
    Torn(usize),
}

impl Report {
    pub fn of(name: &'static str, state: &'static str) -> Report {
        Report { name, state, commit: COMMIT, app: 15368, status: false, may_fail: false }
    }

    /// Returns it as a commit status.
    pub fn status(name: &'static str, state: &'static str) -> Report {
        Report { status: true, ..Report::of(name, state) }
    }
}

impl Review {
    pub fn of(by: &'static str, state: &'static str) -> Review {
        Review { by, state, commit: COMMIT, writes: true, at: "2026-11-24T13:00:00Z" }
    }
}

impl Pull {
    /// Whether the token may not read what happened to it.
    pub(super) fn is_unreadable(&self) -> bool {
        self.rebased.is_some_and(|change| change.word == "unreadable")
    }
}

impl Default for Pull {
    fn default() -> Pull {
        Pull {
            number: 12,
            into: "main",
            base: OTHER,
            head: COMMIT,
            merge: None,
            reviews: vec![Review::of("berta", "approved")],
            rebased: None,
        }
    }
}

impl Default for Story {
    fn default() -> Story {
        Story {
            required: vec!["build", "test"],
            classic: Vec::new(),
            app: None,
            workflow: None,
            reports: vec![Report::of("build", "success"), Report::of("test", "success")],
            pulls: vec![Pull::default()],
            source: "push",
            manner: Manner::Plain,
            requests: None,
        }
    }
}

impl Story {
    /// Returns the default with these reports.
    pub fn reported(reports: &[Report]) -> Story {
        Story { reports: reports.to_vec(), ..Story::default() }
    }

    /// Returns the default with these reviews of its pull request.
    pub fn reviewed(reviews: &[Review]) -> Story {
        Story { pulls: vec![Pull { reviews: reviews.to_vec(), ..Pull::default() }], ..Story::default() }
    }

    /// Returns the default of a forge that behaves like this.
    pub fn behaving(manner: Manner) -> Story {
        Story { manner, ..Story::default() }
    }

    /// Answers a request, after `before` others of the same case. `root` is the root of the API.
    pub fn answer(&self, dialect: Dialect, asked: &Asked, root: &str, before: usize) -> Answer {
        match self.manner {
            Manner::First(times, status) if before < times => return Answer::bare(status),
            Manner::Limited(429) if before == 0 => return Answer::bare(429).with("retry-after", 1),
            Manner::Limited(status) if before == 0 => {
                return Answer::bare(status).with("x-ratelimit-remaining", 0).with("x-ratelimit-reset", 1);
            }
            Manner::Always(status) => return Answer::bare(status),
            Manner::NoJson => return Answer { status: 200, headers: Vec::new(), body: "<html>".to_owned() },
            Manner::Shapeless => return Answer::json(&json!([{ "a": [] }, 7])),
            Manner::Huge => return Answer { status: 200, headers: Vec::new(), body: "x".repeat(9 << 20) },
            // Another name of this machine is another server.
            Manner::Elsewhere => {
                let there = root.replace("127.0.0.1", "localhost").replace("/elsewhere", "/green");
                return Answer::bare(302).with("location", format!("{there}{}", asked.path));
            }
            _ => {}
        }
        let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
        let opened = self.requests.as_ref();
        if let Some(answer) = opened.and_then(|all| all.answer(&asked.method, path, query, &asked.body)) {
            return answer;
        }
        let said = match dialect {
            Dialect::Github => github::said(self, &asked.method, path, before),
            Dialect::Gitlab => gitlab::said(self, &asked.method, path, query, before),
            Dialect::Gitea => gitea::said(self, &asked.method, path, query),
        };
        match said {
            Some(value) if path.ends_with("/timeline") => Answer::json(&value),
            Some(value) => self.paged(value, &format!("{root}{path}"), query),
            None => Answer::bare(404),
        }
    }

    /// Cuts a list into pages, and names the next one in a header (RFC 8288).
    fn paged(&self, mut value: Value, url: &str, query: &str) -> Answer {
        let (size, linked) = match self.manner {
            Manner::Pages(size) => (size, true),
            Manner::Torn(size) => (size, false),
            Manner::NextElsewhere => (1, true),
            _ => (100, true),
        };
        let page: usize = query.split('&').find_map(|part| part.strip_prefix("page=")?.parse().ok()).unwrap_or(1);
        let key = ["check_runs", "statuses"].into_iter().find(|key| value.get(key).is_some());
        let list = match key {
            Some(key) => value.get_mut(key),
            None => Some(&mut value),
        };
        let Some(list) = list.and_then(Value::as_array_mut) else { return Answer::json(&value) };
        let last = page * size >= list.len();
        *list = list.iter().skip((page - 1) * size).take(size).cloned().collect();
        let rest = query.split('&').filter(|part| !part.starts_with("page=") && !part.is_empty());
        let rest: String = rest.map(|part| format!("{part}&")).collect();
        let root =
            if self.manner == Manner::NextElsewhere { url.replace("127.0.0.1", "localhost") } else { url.to_owned() };
        let link = format!("<{url}?{rest}page=1>; rel=\"first\", <{root}?{rest}page={}>; rel=\"next\"", page + 1);
        let answer = Answer::json(&value);
        if last || !linked { answer } else { answer.with("link", link) }
    }
}
