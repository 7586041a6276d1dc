//! Reads the branches and tags of a repository: the remote's as last fetched, or its own if it has no remote.
use super::{GitError, NamedCommit, ReferenceNames, Repository, open::OpenRepository};

/// Reads the names as last fetched, without fetching.
pub fn names(repository: &Repository) -> Result<ReferenceNames, GitError> {
    read(&OpenRepository::of(repository)?, repository.remote.is_some())
}

/// Reads the names as rfab last fetched them. If it never has, reads them as the user's git did.
pub fn known(repository: &Repository) -> Result<ReferenceNames, GitError> {
    let open = OpenRepository::of(repository)?;
    let fetched = read(&open, repository.remote.is_some())?;
    match &repository.remote {
        Some(remote) if fetched.branches.is_empty() && fetched.tags.is_empty() => {
            let mut branches = open.below(&format!("refs/remotes/{remote}/"))?;
            branches.retain(|branch| branch.name != "HEAD");
            Ok(ReferenceNames { branches, tags: open.below("refs/tags/")? })
        }
        _ => Ok(fetched),
    }
}

/// Reads the names that were fetched, or the repository's own.
pub(super) fn read(open: &OpenRepository, fetched: bool) -> Result<ReferenceNames, GitError> {
    let branches = open.below(branches_below(fetched))?;
    Ok(ReferenceNames { branches, tags: tags(open, fetched)? })
}

/// Reads the tags that were fetched, or the repository's own.
pub(super) fn tags(open: &OpenRepository, fetched: bool) -> Result<Vec<NamedCommit>, GitError> {
    open.below(tags_below(fetched))
}

/// Returns what precedes the names of branches that were fetched, or of the repository's own.
pub(super) fn branches_below(fetched: bool) -> &'static str {
    if fetched { "refs/rfab/heads/" } else { "refs/heads/" }
}

/// Returns what precedes the names of tags that were fetched, or of the repository's own.
pub(super) fn tags_below(fetched: bool) -> &'static str {
    if fetched { "refs/rfab/tags/" } else { "refs/tags/" }
}
