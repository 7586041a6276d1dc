//! Which tree a commit has.
use super::{
    GitError, Repository,
    process::{read, verb},
    reading::here,
    write::whole_commit,
};
use crate::{
    effect::*,
    failure::Failure,
    model::{Model, Predicted},
};
use serde::Serialize;

/// Reads the id of a commit's tree: commits with the same one have the same files.
#[derive(Clone, Debug, Serialize)]
pub struct ReadTreeId {
    pub repository: String,
    pub commit: String,
}

impl Read for ReadTreeId {
    type Outcome = String;
    const NAME: &'static str = "read_tree_id";

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.repository)
    }

    fn describe(&self) -> String {
        format!("read the tree of {}", self.commit.get(..12).unwrap_or(&self.commit))
    }

    async fn carry_out(&self, at: At<'_>) -> Result<String, Failure> {
        Ok(self.ask(&Repository::of(&self.repository, &at)?)?)
    }

    /// The tree of a commit that only the model has differs from all others.
    fn predict(&self, model: &mut Model) -> Predicted<String> {
        let repository = here(&self.repository)?;
        if model.prepared.parents(&self.commit).is_some() {
            return Ok(self.commit.clone());
        }
        Ok(self.ask(&repository).map_err(Failure::from)?)
    }
}

/// Returns the ids of paths of a commit: of folders if they end with `/`, otherwise of files. `None` if it lacks one.
pub fn ids(repository: &Repository, commit: &str, paths: &[String]) -> Result<Vec<Option<String>>, GitError> {
    let commit = whole_commit(commit)?;
    let mut args = vec!["--literal-pathspecs", "ls-tree", "-z", "--full-tree", commit, "--"];
    args.extend(paths.iter().map(|path| path.trim_end_matches('/')));
    let (ended, out) = read(repository, &args, "")?;
    if !ended.ok {
        return Err(GitError::Git { what: verb(&args), why: ended.why() });
    }
    let listed = String::from_utf8_lossy(&out);
    // MODE SP KIND SP ID TAB PATH
    let entries: Vec<(&str, &str)> = listed.split('\0').filter_map(|line| line.split_once('\t')).collect();
    let id = |path: &String| {
        let kind = if path.ends_with('/') { "tree" } else { "blob" };
        let (head, _) = entries.iter().find(|(_, name)| *name == path.trim_end_matches('/'))?;
        head.split(' ').nth(2).filter(|_| head.split(' ').nth(1) == Some(kind)).map(str::to_owned)
    };
    Ok(paths.iter().map(id).collect())
}

impl ReadTreeId {
    fn ask(&self, repository: &Repository) -> Result<String, GitError> {
        let tree = format!("{}^{{tree}}", whole_commit(&self.commit)?);
        let args = ["rev-parse", "--verify", "--quiet", &tree];
        let (ended, out) = read(repository, &args, "")?;
        if ended.ok {
            Ok(String::from_utf8_lossy(&out).trim().to_owned())
        } else {
            Err(GitError::Git { what: verb(&args), why: ended.why() })
        }
    }
}
