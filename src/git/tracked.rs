//! Which files of a work tree git tracks.
use super::{GitError, Repository, process::read};

/// Returns those of some paths that git tracks, in the order of their names.
pub fn tracked(repository: &Repository, paths: &[String]) -> Result<Vec<String>, GitError> {
    if paths.is_empty() {
        return Ok(Vec::new());
    }
    let mut args = vec!["--literal-pathspecs", "ls-files", "-z", "--"];
    args.extend(paths.iter().map(String::as_str));
    let (ended, out) = read(repository, &args, "")?;
    if !ended.ok {
        return Err(GitError::Git { what: "ls-files".to_owned(), why: ended.why() });
    }
    let listed = String::from_utf8_lossy(&out);
    Ok(listed.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect())
}
