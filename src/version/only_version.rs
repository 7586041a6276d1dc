//! Whether a commit changes nothing but the version, as an effect.
use super::{change::texts, snapshot::Snapshot};
use crate::{
    effect::*,
    failure::Failure,
    fleet::version_files,
    git::{Repository, Tree, TreeEntry, here, parents},
    model::{Model, Predicted},
};
use serde::Serialize;
use std::{collections::BTreeMap, path::PathBuf};

/// Checks whether a commit changes only the version, exactly as [`WriteVersion`](super::WriteVersion) does.
#[derive(Clone, Debug, Serialize)]
pub struct ReadOnlyVersion {
    pub repository: String,
    /// The fabfile's folder, which has `rfab.toml`.
    #[serde(skip)]
    pub project: PathBuf,
    /// The whole id of the commit.
    pub commit: String,
}

impl Read for ReadOnlyVersion {
    type Outcome = bool;
    const NAME: &'static str = "read_only_version";

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.repository)
    }

    fn describe(&self) -> String {
        format!("check whether {} changes only the version", self.commit.get(..12).unwrap_or(&self.commit))
    }

    async fn carry_out(&self, at: At<'_>) -> Result<bool, Failure> {
        self.read(&Repository::of(&self.repository, &at)?)
    }

    /// A commit that the run made itself changes what it wrote, which a dry run doesn't compare.
    fn predict(&self, model: &mut Model) -> Predicted<bool> {
        if model.commits.contains_key(&(self.repository.clone(), self.commit.as_str().into())) {
            return Ok(false);
        }
        Ok(self.read(&here(&self.repository)?)?)
    }
}

impl ReadOnlyVersion {
    pub(super) fn read(&self, repository: &Repository) -> Result<bool, Failure> {
        let parents = parents(repository, &self.commit)?;
        let [parent] = &parents[..] else { return Ok(false) };
        let (before, after) = (Tree::read(repository, parent)?, Tree::read(repository, &self.commit)?);
        let Some(changed) = changed_files(&before, &after) else { return Ok(false) };
        // What can't be read is no version.
        Ok(self.written(repository, parent).is_ok_and(|written| written == changed))
    }

    /// Returns the texts that a write of the commit's version into its parent makes, by path.
    fn written(&self, repository: &Repository, parent: &str) -> Result<BTreeMap<String, String>, Failure> {
        let after = Snapshot::of(repository, Some(&self.commit))?;
        let mut files = Snapshot::of(repository, Some(parent))?;
        let named = match version_files(&self.project)? {
            Some(named) => named,
            None => vec![files.only_version_file()?],
        };
        for file in named {
            let all = texts(&files, &file, &after.version(&file)?)?;
            files.write(all.into_iter().filter(|changed| changed.before != changed.after));
        }
        Ok(files.written())
    }
}

/// Returns the texts of the files that differ; `None` if anything else differs, such as a mode, or a file isn't text.
fn changed_files(before: &Tree, after: &Tree) -> Option<BTreeMap<String, String>> {
    let of = |tree: &Tree, entry: &TreeEntry| tree.content_id(entry).map(str::to_owned);
    if before.entries != after.entries {
        return None;
    }
    let differs = |entry: &&TreeEntry| of(before, entry) != of(after, entry);
    let text = |entry: &TreeEntry| {
        let path = String::from_utf8(entry.path.clone()).ok()?;
        Some((path, String::from_utf8(after.content(entry).ok()?).ok()?))
    };
    after.entries.iter().filter(differs).filter(|entry| entry.kind != crate::git::EntryKind::Folder).map(text).collect()
}
