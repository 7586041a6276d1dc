//! Pull requests that a forge opens and people merge, in a bare repository.
use super::{Answer, Dialect};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
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

/// How people merge one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    Merged,
    Squashed,
    /// Its commits are made again on top. GitLab does that with the branch itself.
    Rebased,
}

/// The pull requests of a project.
#[derive(Debug)]
pub struct Requests {
    origin: PathBuf,
    dialect: Dialect,
    pub opening: Opening,
    /// Whether the forge deletes a branch when it's merged.
    pub deletes: bool,
    /// After how many answers somebody merges a pull request, by the branch that it merges into.
    pub patience: BTreeMap<&'static str, usize>,
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
    /// The commit that it was squashed into, if GitLab tells that apart.
    squash: Option<String>,
    /// How often it was shown while it was open.
    shown: usize,
}

impl Requests {
    pub fn of(origin: &Path, dialect: Dialect, opening: Opening) -> Requests {
        let (patience, all) = (BTreeMap::new(), Mutex::default());
        Requests { origin: origin.to_owned(), dialect, opening, deletes: false, patience, all }
    }

    fn git(&self, words: &[&str]) -> String {
        let mut command = Command::new("git");
        let command = crate::alone::cleared(command.arg("-C").arg(&self.origin).args(words));
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_NAME"), "forge").env(format!("GIT_{role}_EMAIL"), "forge@example.org");
            // The same merges have the same ids.
            command.env(format!("GIT_{role}_DATE"), "2026-11-24T12:00:00Z");
        }
        let output = command.output().expect("git");
        assert!(output.status.success(), "git {words:?}: {output:?}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn tip(&self, branch: &str) -> String {
        self.git(&["rev-parse", &format!("refs/heads/{branch}")])
    }

    fn is_there(&self, branch: &str) -> bool {
        !self.git(&["for-each-ref", &format!("refs/heads/{branch}")]).is_empty()
    }

    /// Opens a pull request from a branch of the project or, with the same name, of a fork.
    pub fn open(&self, from: &str, into: &str, is_fork: bool) {
        let [from, into] = [from, into].map(str::to_owned);
        let (state, head) = ("open", self.tip(&from));
        let one = Request { from, into, is_fork, state, head, merge: None, squash: None, shown: 0 };
        self.all.lock().unwrap().push(one);
    }

    /// Merges the pull request with this number.
    pub fn merge(&self, number: usize, how: How) {
        let mut all = self.all.lock().unwrap();
        self.merge_one(&mut all[number - 1], number, how);
    }

    fn merge_one(&self, one: &mut Request, number: usize, how: How) {
        let [onto, head] = [self.tip(&one.into), self.tip(&one.from)];
        (one.state, one.head) = ("merged", head.clone());
        let made = match how {
            How::Rebased => self.rebased(&onto, &head),
            How::Merged | How::Squashed => {
                let tree = self.git(&["merge-tree", "--write-tree", &onto, &head]);
                let parents = if how == How::Squashed { vec!["-p", &onto] } else { vec!["-p", &onto, "-p", &head] };
                let message = format!("Merge pull request #{number}");
                self.git(&[&["commit-tree", &tree, "-m", &message], &parents[..]].concat())
            }
        };
        match (self.dialect, how) {
            (Dialect::Gitlab, How::Squashed) => one.squash = Some(made.clone()),
            (Dialect::Gitlab, How::Rebased) => {
                self.git(&["update-ref", &format!("refs/heads/{}", one.from), &made]);
                one.head.clone_from(&made);
            }
            _ => one.merge = Some(made.clone()),
        }
        self.git(&["update-ref", &format!("refs/heads/{}", one.into), &made]);
        if self.deletes {
            self.git(&["update-ref", "-d", &format!("refs/heads/{}", one.from)]);
        }
    }

    /// Makes the commits of a branch again on top of another.
    fn rebased(&self, onto: &str, head: &str) -> String {
        let commits = self.git(&["rev-list", "--reverse", "--no-merges", &format!("{onto}..{head}")]);
        commits.lines().fold(onto.to_owned(), |onto, commit| {
            let base = format!("--merge-base={commit}^");
            let tree = self.git(&["merge-tree", "--write-tree", &base, &onto, commit]);
            let subject = self.git(&["log", "-1", "--format=%s", commit]);
            self.git(&["commit-tree", &tree, "-p", &onto, "-m", &subject])
        })
    }

    /// Closes the pull request with this number.
    pub fn close(&self, number: usize) {
        self.all.lock().unwrap()[number - 1].state = "closed";
    }

    /// Forgets the newest pull request, so that what it did was done without one.
    pub fn forget_newest(&self) {
        self.all.lock().unwrap().pop();
    }

    /// Says that the pull request with this number is merged, as a commit that no branch has.
    pub fn pretend(&self, number: usize) {
        let mut all = self.all.lock().unwrap();
        let one = &mut all[number - 1];
        (one.state, one.merge) = ("merged", Some(super::OTHER.to_owned()));
    }

    /// Lets the pull request with this number merge into another branch.
    pub fn retarget(&self, number: usize, into: &str) {
        into.clone_into(&mut self.all.lock().unwrap()[number - 1].into);
    }

    /// Lists the pull requests, each as `FROM -> INTO STATE`.
    pub fn list(&self) -> Vec<String> {
        let all = self.all.lock().unwrap();
        all.iter().map(|one| format!("{} -> {} {}", one.from, one.into, one.state)).collect()
    }

    /// Answers a request about them; none if it's about something else.
    pub(super) fn answer(&self, method: &str, path: &str, query: &str, body: &str) -> Option<Answer> {
        let gitlab = self.dialect == Dialect::Gitlab;
        let at = if gitlab { "/projects/shop%2Fweb/merge_requests" } else { "/repos/shop/web/pulls" };
        let rest = path.strip_prefix(at)?;
        let number = rest.strip_prefix('/').and_then(|number| number.parse::<usize>().ok());
        match (method, number) {
            ("GET", Some(number)) => Some(self.one(number).map_or(Answer::bare(404), |one| Answer::json(&one))),
            _ if !rest.is_empty() => None,
            ("GET", None) => Some(Answer::json(&self.listed(query))),
            _ => Some(self.opened(&serde_json::from_str(body).expect("JSON"))),
        }
    }

    fn one(&self, number: usize) -> Option<Value> {
        let mut all = self.all.lock().unwrap();
        Some(self.looked(number, all.get_mut(number.checked_sub(1)?)?))
    }

    /// Shows a pull request as it is now; who merges it may have the time for it.
    fn looked(&self, number: usize, one: &mut Request) -> Value {
        if one.state == "open" && !self.is_there(&one.from) {
            one.state = "closed";
        }
        if one.state == "open" {
            one.shown += 1;
            one.head = self.tip(&one.from);
            if self.patience.get(&*one.into).is_some_and(|most| one.shown >= *most) {
                self.merge_one(one, number, How::Merged);
            }
        }
        shown(self.dialect, number, one)
    }

    fn listed(&self, query: &str) -> Value {
        let wanted: BTreeMap<&str, String> = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(key, value)| (key, value.replace("%2F", "/").replace("%3A", ":")))
            .collect();
        let [from, into] =
            if self.dialect == Dialect::Gitlab { ["source_branch", "target_branch"] } else { ["head", "base"] };
        let is = |one: &Request| {
            let state = match (self.dialect, wanted.get("state").map(String::as_str)) {
                (_, None | Some("all")) => true,
                (Dialect::Gitlab, Some(state)) => state == one.state,
                (_, Some(state)) => (state == "open") == (one.state == "open"),
            };
            let from = wanted.get(from).is_none_or(|from| from.rsplit(':').next() == Some(&one.from));
            state && from && wanted.get(into).is_none_or(|into| *into == one.into)
        };
        let mut all = self.all.lock().unwrap();
        let mine = all.iter_mut().enumerate().filter(|(_, one)| is(one));
        mine.map(|(at, one)| self.looked(at + 1, one)).collect()
    }

    fn opened(&self, body: &Value) -> Answer {
        let [head, base] =
            if self.dialect == Dialect::Gitlab { ["source_branch", "target_branch"] } else { ["head", "base"] };
        let [from, into] = [head, base].map(|key| body[key].as_str().expect("a branch").to_owned());
        let there = |one: &Request| one.from == from && one.into == into && one.state == "open" && !one.is_fork;
        let exists = self.all.lock().unwrap().iter().any(there);
        let status = match self.opening {
            Opening::Refused(status) => Some(status),
            _ if exists => Some(if self.dialect == Dialect::Github { 422 } else { 409 }),
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
            "merge_commit_sha": one.merge, "squash_commit_sha": one.squash, "target_project_id": 7,
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
