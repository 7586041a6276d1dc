//! By which hash a mirror names its objects.
use crate::git::{
    GitError, ReferenceNames, Repository, Trust, names, open::OpenRepository, process::git, repository::not_one,
};
use std::time::Duration;

/// Asks whether a remote names its objects by sha256, and its mirror, which has nothing yet, was not made for that.
pub(super) async fn hashes_otherwise(mirror: &Repository, remote: &str, within: Duration) -> Result<bool, GitError> {
    if mirror.trust != Trust::Mirror || !matches!(OpenRepository::of(mirror)?, OpenRepository::Here(_)) {
        return Ok(false);
    }
    let listed = git(mirror, &["ls-remote", "--quiet", "--", remote], within).await?;
    let id = listed.out.split('\t').next().unwrap_or_default();
    Ok(listed.ok && id.len() == 64 && names(mirror)? == ReferenceNames::default())
}

/// Makes a mirror that has nothing yet name its objects by sha256, as its remote does.
pub(super) fn by_sha256(mirror: &Repository) -> Result<(), GitError> {
    let failed = |e: std::io::Error| not_one(&mirror.folder, &e.to_string());
    let config = mirror.folder.join("config");
    let text = std::fs::read_to_string(&config).map_err(failed)?;
    let text = text.replacen("repositoryformatversion = 0", "repositoryformatversion = 1", 1);
    std::fs::write(&config, format!("{text}[extensions]\n\tobjectFormat = sha256\n")).map_err(failed)
}
