//! A repository that is open for reading.
use super::{
    GitError, LoggedCommit, NamedCommit, ReferenceNames, Repository,
    branch::Branch,
    by_git::ByGit,
    by_libgit2::ByLibgit2,
    cat_file::Blob,
    entry::{DEEPEST, TreeNode, too_deep},
    repository::not_one,
};
use std::io::Read;

/// Read by libgit2 in this process, or by the user's git if libgit2 can't (sha256, reftable, future extensions).
///
/// Git always lists refs: libgit2 loads all refs of the repository, even for a prefix that has none.
pub(super) enum OpenRepository {
    Here(ByLibgit2, ByGit),
    ByGit(ByGit),
}

impl OpenRepository {
    /// Opens a repository.
    pub(super) fn of(repository: &Repository) -> Result<OpenRepository, GitError> {
        let at = repository.work.as_deref().unwrap_or(&repository.folder);
        match git2::Repository::open(at) {
            Ok(open) => Ok(OpenRepository::Here(ByLibgit2(open), ByGit::new(repository))),
            Err(e) if e.code() == git2::ErrorCode::NotFound => Err(not_one(at, e.message())),
            Err(_) => Ok(OpenRepository::ByGit(ByGit::new(repository))),
        }
    }

    /// Returns the refs below a prefix and the commits that they lead to. Refs that lead to no commit are left out.
    pub(super) fn below(&self, prefix: &str) -> Result<Vec<NamedCommit>, GitError> {
        match self {
            // Git lists nothing if an object of a tag is missing; libgit2 leaves the tag out.
            OpenRepository::Here(open, git) => git.below(prefix).or_else(|_| open.below(prefix)),
            OpenRepository::ByGit(git) => git.below(prefix),
        }
    }

    /// Returns the commit that a ref leads to; `name` is its full name.
    pub(super) fn peeled(&self, name: &str) -> Option<String> {
        match self {
            OpenRepository::Here(open, _) => open.peeled(name),
            OpenRepository::ByGit(git) => git.peeled(name),
        }
    }

    /// Returns the commit that is checked out.
    pub(super) fn head(&self) -> Result<String, GitError> {
        match self {
            OpenRepository::Here(open, _) => open.head(),
            OpenRepository::ByGit(git) => {
                git.peeled("HEAD").ok_or_else(|| GitError::Read("nothing is checked out".to_owned()))
            }
        }
    }

    /// Returns the whole id of the commit that begins with these digits, at least 7.
    pub(super) fn beginning(&self, digits: &str) -> Result<Option<String>, GitError> {
        match self {
            OpenRepository::Here(open, _) => open.beginning(digits),
            OpenRepository::ByGit(git) => git.beginning(digits),
        }
    }

    /// Returns whether there is a commit with this whole id.
    pub(super) fn has(&self, commit: &str) -> bool {
        match self {
            OpenRepository::Here(open, _) => open.has(commit),
            OpenRepository::ByGit(git) => git.at(commit).is_ok(),
        }
    }

    /// Returns when a commit was made, in seconds since 1970.
    pub(super) fn at(&self, commit: &str) -> Result<i64, GitError> {
        match self {
            OpenRepository::Here(open, _) => open.at(commit),
            OpenRepository::ByGit(git) => git.at(commit),
        }
    }

    /// Returns whether any of the branches and tags contains a commit.
    pub(super) fn holds(&self, names: &ReferenceNames, commit: &str) -> Result<bool, GitError> {
        let tips = || names.branches.iter().chain(&names.tags).map(|named| named.commit.as_str());
        if tips().any(|tip| tip == commit) {
            return Ok(true);
        }
        match self {
            OpenRepository::Here(open, _) => open.holds(tips(), commit),
            OpenRepository::ByGit(git) => git.holds(tips(), commit),
        }
    }

    /// Lists the commits that `here` has and `not_here` doesn't, newest first, and whether there are more than `most`.
    pub(super) fn only_in(
        &self,
        here: &str,
        not_here: &str,
        most: usize,
    ) -> Result<(Vec<LoggedCommit>, bool), GitError> {
        match self {
            OpenRepository::Here(open, _) => open.only_in(here, not_here, most),
            OpenRepository::ByGit(git) => git.only_in(here, not_here, most, None),
        }
    }

    /// Returns how many commits `here` has that `not_here` doesn't.
    pub(super) fn ahead(&self, here: &str, not_here: &str) -> Result<usize, GitError> {
        match self {
            OpenRepository::Here(open, _) => open.ahead(here, not_here),
            OpenRepository::ByGit(git) => git.ahead(here, not_here),
        }
    }

    /// Returns the current branch, if it has an upstream.
    pub(super) fn followed(&self) -> Result<Option<Branch>, GitError> {
        match self {
            OpenRepository::Here(open, _) => open.followed(),
            OpenRepository::ByGit(git) => git.followed(),
        }
    }

    /// Lists all entries of a commit's tree. A folder comes before its entries.
    pub(super) fn tree(&self, commit: &str) -> Result<Vec<TreeNode>, GitError> {
        let mut nodes = Vec::new();
        match self {
            OpenRepository::Here(open, _) => open.tree(commit, &mut nodes)?,
            OpenRepository::ByGit(git) => git.tree(commit, &mut nodes)?,
        }
        let deep = |(entry, ..): &TreeNode| entry.path.iter().filter(|byte| **byte == b'/').count() > DEEPEST;
        if nodes.iter().any(deep) {
            return Err(too_deep());
        }
        Ok(nodes)
    }

    /// Returns whether a path of a commit is a folder; `None` if the commit doesn't have the path.
    pub(super) fn has_folder(&self, commit: &str, path: &str) -> Option<bool> {
        match self {
            OpenRepository::Here(open, _) => open.has_folder(commit, path),
            OpenRepository::ByGit(git) => git.has_folder(commit, path),
        }
    }

    /// Returns the size of a file in bytes.
    pub(super) fn size(&self, file: &str) -> Result<u64, GitError> {
        match self {
            OpenRepository::Here(open, _) => open.size(file),
            OpenRepository::ByGit(git) => git.size(file),
        }
    }

    /// Returns the content of a small file.
    pub(super) fn content(&self, file: &str) -> Result<Vec<u8>, GitError> {
        match self {
            OpenRepository::Here(open, _) => open.content(file),
            OpenRepository::ByGit(git) => git.content(file),
        }
    }

    /// Reads the content of a large file in pieces, with git: libgit2 can't do that with a packed file.
    pub(super) fn reader(&self, repository: &Repository, file: &str) -> Result<Box<dyn Read>, GitError> {
        Ok(Box::new(Blob::open(repository, file)?))
    }
}
