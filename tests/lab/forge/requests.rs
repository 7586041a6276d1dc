//! Pull requests that a forge opens and people merge, in a bare repository.
use super::{Answer, Dialect};
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
};

/// How the forge treats a request to open one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Opening {
    #[default]
    Fine,
    /// It answers with this status, and opens none.
    Refused(u16),
    /// It opens one, and the answer gets lost.
    Lost,
}

/// The pull requests of a project.
#[derive(Debug)]
pub struct Requests {
    origin: PathBuf,
    pub opening: Opening,
    all: Mutex<Vec<Request>>,
}

#[derive(Clone, Debug)]
struct Request {
    from: String,
    into: String,
    /// Whether its branch is in another project.
    is_fork: bool,
    state: &'static str,
    head: String,
    merge: Option<String>,
}

impl Requests {
    pub fn of(origin: &Path, opening: Opening) -> Requests {
        Requests { origin: origin.to_owned(), opening, all: Mutex::default() }
    }

    fn git(&self, words: &[&str]) -> String {
        let mut command = Command::new("git");
        let command = crate::alone::cleared(command.arg("-C").arg(&self.origin).args(words));
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_NAME"), "forge").env(format!("GIT_{role}_EMAIL"), "forge@example.org");
        }
        let output = command.output().expect("git");
        assert!(output.status.success(), "git {words:?}: {output:?}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn tip(&self, branch: &str) -> String {
        self.git(&["rev-parse", &format!("refs/heads/{branch}")])
    }

    /// Opens a pull request from a branch of the project or, with the same name, of a fork.
    pub fn open(&self, from: &str, into: &str, is_fork: bool) {
        let [from, into] = [from, into].map(str::to_owned);
        let head = self.tip(&from);
        self.all.lock().unwrap().push(Request { from, into, is_fork, state: "open", head, merge: None });
    }

    /// Merges the pull request with this number, or squashes it.
    pub fn merge(&self, number: usize, squash: bool) {
        let one = self.all.lock().unwrap()[number - 1].clone();
        let [onto, head] = [self.tip(&one.into), self.tip(&one.from)];
        let tree = self.git(&["merge-tree", "--write-tree", &onto, &head]);
        let message = format!("Merge pull request #{number}");
        let parents = if squash { vec!["-p", &onto] } else { vec!["-p", &onto, "-p", &head] };
        let merge = self.git(&[&["commit-tree", &tree, "-m", &message], &parents[..]].concat());
        self.git(&["update-ref", &format!("refs/heads/{}", one.into), &merge]);
        let merged = Request { state: "merged", head, merge: Some(merge), ..one };
        self.all.lock().unwrap()[number - 1] = merged;
    }

    /// Closes the pull request with this number.
    pub fn close(&self, number: usize) {
        self.all.lock().unwrap()[number - 1].state = "closed";
    }

    /// Lists the pull requests, each as `FROM -> INTO STATE`.
    pub fn list(&self) -> Vec<String> {
        let all = self.all.lock().unwrap();
        all.iter().map(|one| format!("{} -> {} {}", one.from, one.into, one.state)).collect()
    }

    /// Answers a request about them; none if it's about something else.
    pub(super) fn answer(&self, dialect: Dialect, method: &str, path: &str, query: &str, body: &str) -> Option<Answer> {
        let at = if dialect == Dialect::Gitlab { "/merge_requests" } else { "/pulls" };
        match method {
            _ if !path.ends_with(at) => None,
            "GET" => Some(Answer::json(&self.listed(dialect, query))),
            _ => Some(self.opened(dialect, &serde_json::from_str(body).expect("JSON"))),
        }
    }

    fn listed(&self, dialect: Dialect, query: &str) -> Value {
        let all = self.all.lock().unwrap().clone();
        let mine = all.into_iter().enumerate().filter(|(_, one)| match dialect {
            Dialect::Gitea => (one.state == "open") == query.contains("state=open"),
            _ => {
                let [from, into] = [&one.from, &one.into].map(|branch| branch.replace('/', "%2F"));
                query.contains(&from) && query.contains(&format!("={into}&"))
            }
        });
        let shown = |(at, mut one): (usize, Request)| {
            if one.state == "open" {
                one.head = self.tip(&one.from);
            }
            shown(dialect, at + 1, &one)
        };
        mine.map(shown).collect()
    }

    fn opened(&self, dialect: Dialect, body: &Value) -> Answer {
        let [head, base] =
            if dialect == Dialect::Gitlab { ["source_branch", "target_branch"] } else { ["head", "base"] };
        let [from, into] = [head, base].map(|key| body[key].as_str().expect("a branch").to_owned());
        let there = |one: &Request| one.from == from && one.into == into && one.state == "open" && !one.is_fork;
        let exists = self.all.lock().unwrap().iter().any(there);
        let status = match self.opening {
            Opening::Refused(status) => Some(status),
            _ if exists => Some(if dialect == Dialect::Github { 422 } else { 409 }),
            _ => None,
        };
        if let Some(status) = status {
            let errors = json!([{ "message": format!("A pull request already exists for {from}.") }]);
            let said = json!({ "message": "Validation Failed", "errors": errors });
            return Answer { status, ..Answer::json(&said) };
        }
        self.open(&from, &into, false);
        let status = if self.opening == Opening::Lost { 502 } else { 201 };
        Answer { status, ..Answer::json(&json!({})) }
    }
}

fn shown(dialect: Dialect, number: usize, one: &Request) -> Value {
    let merged = one.state == "merged";
    if dialect == Dialect::Gitlab {
        let state = if one.state == "open" { "opened" } else { one.state };
        return json!({
            "iid": number, "state": state, "source_branch": one.from, "target_branch": one.into, "sha": one.head,
            "merge_commit_sha": one.merge, "squash_commit_sha": null, "target_project_id": 7,
            "source_project_id": if one.is_fork { 8 } else { 7 },
            "web_url": format!("https://gitlab.com/shop/web/-/merge_requests/{number}"),
        });
    }
    let repo = |is_fork: bool| json!({ "id": if is_fork { 8 } else { 7 }, "full_name": "shop/web" });
    let mut said = json!({
        "number": number, "state": if one.state == "open" { "open" } else { "closed" }, "user": { "login": "anna" },
        "merge_commit_sha": one.merge, "head": { "ref": one.from, "sha": one.head, "repo": repo(one.is_fork) },
        "base": { "ref": one.into, "repo": repo(false) },
    });
    if dialect == Dialect::Github {
        said["merged_at"] = if merged { json!("2026-11-24T12:00:00Z") } else { Value::Null };
        said["html_url"] = json!(format!("https://github.com/shop/web/pull/{number}"));
    } else {
        said["merged"] = json!(merged);
        said["html_url"] = json!(format!("https://gitea.example.org/shop/web/pulls/{number}"));
    }
    said
}
