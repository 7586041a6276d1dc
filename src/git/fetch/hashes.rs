//! The hash that a mirror uses for its objects.
use crate::git::{
    GitError, ReferenceNames, Repository, Trust, names, open::OpenRepository, process::git, repository::not_one,
};
use std::time::Duration;

/// Returns whether a remote uses sha256, and its mirror is empty and doesn't.
pub(super) async fn hashes_otherwise(mirror: &Repository, remote: &str, within: Duration) -> Result<bool, GitError> {
    if mirror.trust != Trust::Mirror || !matches!(OpenRepository::of(mirror)?, OpenRepository::Here(..)) {
        return Ok(false);
    }
    let listed = git(mirror, &["ls-remote", "--quiet", "--", remote], within).await?;
    let id = listed.out.split('\t').next().unwrap_or_default();
    Ok(listed.ok && id.len() == 64 && names(mirror)? == ReferenceNames::default())
}

/// Makes an empty mirror use sha256, as its remote does.
pub(super) fn by_sha256(mirror: &Repository) -> Result<(), GitError> {
    let failed = |e: std::io::Error| not_one(&mirror.folder, &e.to_string());
    let config = mirror.folder.join("config");
    let text = std::fs::read_to_string(&config).map_err(failed)?;
    let text = text.replacen("repositoryformatversion = 0", "repositoryformatversion = 1", 1);
    std::fs::write(&config, format!("{text}[extensions]\n\tobjectFormat = sha256\n")).map_err(failed)
}
