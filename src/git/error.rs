//! Errors of git and of repositories.
use super::visible::visible;
use crate::{
    command::quoted,
    duration::limit,
    failure::{Cause, Failure},
    fleet::Accept,
    misspelled::question,
};
use std::time::Duration;

/// Why git failed, or why a repository can't be read.
///
/// It keeps only the last lines of git's messages, with control characters made visible.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum GitError {
    #[error("`{path}` isn't a git repository: {why}")]
    NotARepository { path: String, why: String },
    /// Git refuses it unless `safe.directory` lists it.
    #[error("the repository `{path}` belongs to another user")]
    Theirs { path: String, advised: bool },
    #[error("`{0}` isn't a repository's URL")]
    BadUrl(String),
    #[error("the repository has several remotes and none is `origin`: {}", .0.join(", "))]
    ManyRemotes(Vec<String>),
    #[error("the repository has no remote to push to")]
    NoRemote,
    #[error("the repository has no work tree")]
    NoWorkTree,
    #[error("`git` can't be started: {0}")]
    NoGit(String),
    #[error("git {what} didn't end within {}", limit(*.within))]
    TimedOut { what: String, within: Duration },
    #[error("git {what} got no data for {}", limit(*.quiet))]
    Quiet { what: String, quiet: Duration },
    #[error("git {what} failed: {why}")]
    Git { what: String, why: String },
    #[error("rfab can't fetch from `{remote}`: {why}")]
    Fetch { remote: String, at: Option<String>, why: String },
    #[error("nothing has been fetched from `{0}` yet")]
    NeverFetched(String),
    #[error("there is no tag, branch or commit `{reference}`{}", nearest(.near))]
    Unknown { reference: String, near: Vec<String> },
    #[error("`{reference}` is ambiguous: {}", .meanings.join(", or "))]
    Ambiguous { reference: String, meanings: Vec<String> },
    #[error("there is no stable tag, such as `v1.2.3`, among {tags} tags")]
    NoStable { tags: usize },
    /// No stable tag matches the app's pattern. `near` lists pre-releases, or else other tags.
    #[error("no stable tag matches `{pattern}` among {tags} tags{}", nearest(.near))]
    NoStableOf { pattern: String, tags: usize, near: Vec<String> },
    #[error("`{reference}` is a {kind}, and this fleet accepts {}", listed(.accept))]
    NotAccepted { reference: String, kind: &'static str, accept: Vec<Accept> },
    #[error("nobody has pushed the commit `{0}`")]
    NotPushed(String),
    #[error("`{0}` isn't a valid name in git")]
    BadName(String),
    #[error("there is nothing to commit")]
    NothingToCommit,
    #[error("`{reference}` conflicts in {}; the merge was undone", .files.join(", "))]
    Conflict { reference: String, files: Vec<String> },
    #[error("`{merged}` conflicts with `{into}` in {}", .files.join(", "))]
    Conflicting { merged: String, into: String, files: Vec<String> },
    /// What the remote rejected, and why; and what it said to that.
    #[error("the remote rejects the push of {}{}; nothing was pushed", rejected(.refs), remote_said(.said))]
    Rejected { refs: Vec<(String, String)>, said: Vec<String> },
    #[error("the repository can't be read: {0}")]
    Read(String),
}

impl GitError {
    /// Returns the failure of what is prepared before anything moves, with the way on.
    pub(super) fn unmoved(self) -> Failure {
        let help = match &self {
            GitError::Git { why, .. } if ["gpg", "sign", "key"].iter().any(|word| why.contains(word)) => {
                "no branch and no tag has moved. git signs without a terminal here: unlock the key in gpg-agent or \
                 ssh-agent, or fix `user.signingkey`, then type the line again"
            }
            GitError::Git { .. } => "no branch and no tag has moved: fix that, and type the line again",
            _ => return self.into(),
        };
        Failure::from(self).help(help)
    }
}

impl From<git2::Error> for GitError {
    fn from(error: git2::Error) -> Self {
        GitError::Read(visible(error.message()))
    }
}

impl From<GitError> for Failure {
    fn from(error: GitError) -> Self {
        let cause = match &error {
            GitError::NotAccepted { .. } | GitError::NotPushed(_) => Cause::Refused,
            GitError::NotARepository { .. }
            | GitError::Theirs { .. }
            | GitError::BadUrl(_)
            | GitError::ManyRemotes(_) => Cause::Fabfile,
            // rfab ended git early, so a push may have arrived.
            GitError::TimedOut { .. } => Cause::Unknown,
            GitError::Conflicting { .. } => Cause::Conflict,
            GitError::Rejected { .. } => Cause::Rejected,
            _ => Cause::Git,
        };
        let about = match &error {
            GitError::Unknown { reference, .. }
            | GitError::Ambiguous { reference, .. }
            | GitError::NotAccepted { reference, .. }
            | GitError::BadName(reference) => Some(reference.clone()),
            _ => None,
        };
        let help = match &error {
            GitError::Theirs { path, advised: true } => Some(format!(
                "if you trust its owner, tell git to trust them too: `git config --global --add safe.directory {}`",
                quoted(path)
            )),
            GitError::Theirs { .. } => Some(
                "clone it as yourself, and name that clone or its URL as `repository` in the fleet file".to_owned(),
            ),
            GitError::ManyRemotes(_) => Some("name one of them `origin`".to_owned()),
            GitError::Fetch { remote, at, .. } => {
                let at = at.as_ref().map(|at| format!("-C {} ", quoted(at))).unwrap_or_default();
                let remote = quoted(remote);
                Some(format!("check `git {at}ls-remote -- {remote}`, or use what was fetched last: `--no-fetch`"))
            }
            GitError::NeverFetched(_) => Some("run it once without `--no-fetch`".to_owned()),
            GitError::Unknown { near, .. } => {
                let best = near.first().and_then(|best| question(&[best]));
                Some(match best {
                    Some(question) => format!("{question} Push a new one first"),
                    None => "push it first, or check `git tag` and `git branch --all`".to_owned(),
                })
            }
            GitError::NoStableOf { .. } => Some(
                "push one, or change `tags` in `[app]` of the fleet file; its `*` stands for a version, such as `1.2.3`"
                    .to_owned(),
            ),
            GitError::NotPushed(_) => Some("push a branch or tag that contains it".to_owned()),
            GitError::NoGit(_) => Some("install git".to_owned()),
            _ => None,
        };
        Failure { help, about, ..Failure::new(cause, error.to_string()) }
    }
}

/// Names refs with the reason, once if it's the same for several.
fn rejected(refs: &[(String, String)]) -> String {
    let mut groups: Vec<(Vec<String>, &str)> = Vec::new();
    for (name, why) in refs {
        let name = format!("`{name}`");
        match groups.iter_mut().find(|(_, known)| known == why) {
            Some((names, _)) => names.push(name),
            None => groups.push((vec![name], why)),
        }
    }
    groups.iter().map(|(names, why)| format!("{} {why}", names.join(", "))).collect::<Vec<_>>().join(", ")
}

fn remote_said(said: &[String]) -> String {
    if said.is_empty() { String::new() } else { format!(": {}", said.join("; ")) }
}

fn nearest(near: &[String]) -> String {
    match near {
        [] => String::new(),
        near => format!("; similar: {}", near.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")),
    }
}

fn listed(accept: &[Accept]) -> String {
    let word = |accept: &Accept| match accept {
        Accept::Stable => "`stable`",
        Accept::Tag => "tags",
        Accept::Branch => "branches",
        Accept::Commit => "commits",
        Accept::Archive => "archives",
    };
    match accept {
        [] => "nothing".to_owned(),
        accept => accept.iter().map(word).collect::<Vec<_>>().join(", "),
    }
}
