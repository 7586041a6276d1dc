//! Reads a repository in this process, with libgit2.
use super::{
    EntryKind, GitError, LoggedCommit, NamedCommit, TreeEntry,
    branch::Branch,
    entry::{DEEPEST, TreeNode, kind_of, lacking, too_deep},
    id::many,
};
use std::path::Path;

/// A repository that libgit2 can open.
pub(super) struct ByLibgit2(pub git2::Repository);

impl ByLibgit2 {
    pub(super) fn below(&self, prefix: &str) -> Result<Vec<NamedCommit>, GitError> {
        let mut found = Vec::new();
        for reference in self.0.references_glob(&format!("{prefix}*"))? {
            let reference = reference?;
            let Some(name) = reference.name().ok().and_then(|name| name.strip_prefix(prefix)) else { continue };
            if let Ok(commit) = reference.peel_to_commit() {
                found.push(NamedCommit { name: name.to_owned(), commit: commit.id().to_string() });
            }
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    pub(super) fn peeled(&self, name: &str) -> Option<String> {
        Some(self.0.find_reference(name).ok()?.peel_to_commit().ok()?.id().to_string())
    }

    pub(super) fn head(&self) -> Result<String, GitError> {
        Ok(self.0.head()?.peel_to_commit()?.id().to_string())
    }

    pub(super) fn beginning(&self, digits: &str) -> Result<Option<String>, GitError> {
        if digits.len() > 40 {
            return Ok(None);
        }
        match self.0.find_commit_by_prefix(digits) {
            Ok(commit) => Ok(Some(commit.id().to_string())),
            Err(e) if e.code() == git2::ErrorCode::Ambiguous => Err(many(digits)),
            Err(e) if e.code() == git2::ErrorCode::NotFound => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    pub(super) fn has(&self, commit: &str) -> bool {
        commit.len() == 40 && id(commit).is_ok_and(|id| self.0.find_commit(id).is_ok())
    }

    pub(super) fn at(&self, commit: &str) -> Result<i64, GitError> {
        Ok(self.0.find_commit(id(commit)?)?.time().seconds())
    }

    pub(super) fn holds<'a>(&self, tips: impl Iterator<Item = &'a str>, commit: &str) -> Result<bool, GitError> {
        let wanted = id(commit)?;
        let mut walk = self.0.revwalk()?;
        for tip in tips {
            walk.push(id(tip)?)?;
        }
        for id in walk {
            if id? == wanted {
                return Ok(true);
            }
        }
        Ok(false)
    }

    pub(super) fn only_in(
        &self,
        here: &str,
        not_here: &str,
        most: usize,
    ) -> Result<(Vec<LoggedCommit>, bool), GitError> {
        let mut walk = self.0.revwalk()?;
        walk.set_sorting(git2::Sort::TOPOLOGICAL | git2::Sort::TIME)?;
        walk.push(id(here)?)?;
        walk.hide(id(not_here)?)?;
        let mut found = Vec::new();
        for id in walk {
            if found.len() == most {
                return Ok((found, true));
            }
            let commit = self.0.find_commit(id?)?;
            found.push(LoggedCommit {
                commit: commit.id().to_string(),
                subject: text(commit.message_bytes()).lines().next().unwrap_or_default().to_owned(),
                author: text(commit.author().name_bytes()),
                at: commit.time().seconds(),
            });
        }
        Ok((found, false))
    }

    pub(super) fn ahead(&self, here: &str, not_here: &str) -> Result<usize, GitError> {
        Ok(self.0.graph_ahead_behind(id(here)?, id(not_here)?)?.0)
    }

    pub(super) fn followed(&self) -> Result<Option<Branch>, GitError> {
        let open = &self.0;
        let head = open.head()?;
        let (Some(name), Some(own)) = (head.name().ok().filter(|_| head.is_branch()), head.target()) else {
            return Ok(None);
        };
        let text = |buffer: git2::Buf| buffer.as_str().map(str::to_owned).ok();
        let remote = text(open.branch_upstream_remote(name)?);
        let upstream = git2::Branch::wrap(open.find_reference(name)?).upstream()?;
        let key = format!("branch.{}.merge", name.trim_start_matches("refs/heads/"));
        let merge = open.config()?.get_string(&key)?;
        let (Some(remote), Some(known)) = (remote, upstream.get().target()) else { return Ok(None) };
        let shown = String::from_utf8_lossy(upstream.name_bytes()?).into_owned();
        Ok(Some(Branch { shown, remote, name: merge, own: own.to_string(), known: known.to_string() }))
    }

    pub(super) fn tree(&self, commit: &str, nodes: &mut Vec<TreeNode>) -> Result<(), GitError> {
        let commit = self.0.find_commit(id(commit)?)?;
        let tree = commit.tree().map_err(|e| lacking(&e))?;
        self.collect(&tree, &[], 0, nodes)
    }

    fn collect(
        &self,
        tree: &git2::Tree<'_>,
        above: &[u8],
        depth: usize,
        into: &mut Vec<TreeNode>,
    ) -> Result<(), GitError> {
        if depth > DEEPEST {
            return Err(too_deep());
        }
        for entry in tree {
            let path =
                if above.is_empty() { entry.name_bytes().to_vec() } else { [above, b"/", entry.name_bytes()].concat() };
            let kind = kind_of(entry.filemode_raw() as u32)?;
            into.push((TreeEntry { path: path.clone(), kind }, entry.id().to_string(), None));
            if kind == EntryKind::Folder {
                let tree = self.0.find_tree(entry.id()).map_err(|e| lacking(&e))?;
                self.collect(&tree, &path, depth + 1, into)?;
            }
        }
        Ok(())
    }

    pub(super) fn has_folder(&self, commit: &str, path: &str) -> Option<bool> {
        let tree = self.0.find_commit(id(commit).ok()?).ok()?.tree().ok()?;
        Some(tree.get_path(Path::new(path)).ok()?.kind() == Some(git2::ObjectType::Tree))
    }

    pub(super) fn size(&self, file: &str) -> Result<u64, GitError> {
        Ok(self.0.odb()?.read_header(id(file)?)?.0 as u64)
    }

    pub(super) fn content(&self, file: &str) -> Result<Vec<u8>, GitError> {
        Ok(self.0.find_blob(id(file)?)?.content().to_vec())
    }
}

fn id(digits: &str) -> Result<git2::Oid, GitError> {
    Ok(git2::Oid::from_str(digits)?)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}
