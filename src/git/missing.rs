//! Fetches what a partial clone lacks.
use super::{
    FetchProgress, GitError, Repository,
    process::{patiently, read},
    visible::visible,
};
use std::time::Duration;

/// How many files one fetch asks for. What has arrived stays if the connection breaks.
const AT_ONCE: usize = 1000;

/// The most rounds. Folders can be missing too, and rfab knows what is in them only after they arrive.
const ROUNDS: usize = 300;

/// Fetches the files of a commit, or of a folder of it, that a partial clone lacks. Other repositories have all of them.
pub async fn complete(
    repository: &Repository,
    commit: &str,
    folder: Option<&str>,
    quiet: Duration,
    progress: FetchProgress<'_>,
) -> Result<(), GitError> {
    let Some(remote) = &repository.remote else { return Ok(()) };
    if !is_partial(repository)? {
        return Ok(());
    }
    for _ in 0..ROUNDS {
        let missing = missing(repository, &wanted(repository, commit, folder)?)?;
        if missing.is_empty() {
            return Ok(());
        }
        for (n, some) in missing.chunks(AT_ONCE).enumerate() {
            progress((n * AT_ONCE) as u64, missing.len() as u64);
            fetch(repository, remote, some, quiet).await?;
        }
    }
    Err(GitError::Read(format!("`{}` never sends all of {}", visible(remote), &commit[..12])))
}

/// Returns whether a clone may lack objects.
pub(super) fn is_partial(repository: &Repository) -> Result<bool, GitError> {
    let args = ["config", "--name-only", "--get-regexp", r"^(extensions\.partialclone|remote\..*\.promisor)$"];
    Ok(read(repository, &args, "")?.0.ok)
}

/// Returns what is needed of a commit: all of it, or a folder, the attributes that count for it, and `.gitmodules`.
///
/// If the clone even lacks the folders above, it is all of it.
fn wanted(repository: &Repository, commit: &str, folder: Option<&str>) -> Result<Vec<String>, GitError> {
    let Some(folder) = folder else { return Ok(vec![commit.to_owned()]) };
    let id = format!("{commit}:{folder}");
    let (known, _) = read(repository, &["rev-parse", "--verify", "--quiet", "--end-of-options", &id], "")?;
    if !known.ok {
        return Ok(vec![commit.to_owned()]);
    }
    let above = folder.match_indices('/').map(|(slash, _)| format!("{}.gitattributes", &folder[..=slash]));
    let mut args: Vec<String> =
        ["--literal-pathspecs", "ls-tree", "-z", "--full-tree", commit, "--"].map(String::from).into();
    args.extend([".gitattributes", ".gitmodules"].map(String::from));
    args.extend(above);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let (_, out) = read(repository, &args, "")?;
    let listed = String::from_utf8_lossy(&out);
    let ids = listed.split('\0').filter_map(|line| line.split(['\t', ' ']).nth(2)).map(str::to_owned);
    Ok(std::iter::once(id).chain(ids).collect())
}

fn missing(repository: &Repository, wanted: &[String]) -> Result<Vec<String>, GitError> {
    let mut args = vec!["rev-list", "--objects", "--no-walk", "--missing=print"];
    args.extend(wanted.iter().map(String::as_str));
    let (ended, out) = read(repository, &args, "")?;
    if !ended.ok {
        return Err(GitError::Read(ended.why()));
    }
    let text = String::from_utf8_lossy(&out);
    Ok(text.lines().filter_map(|line| line.strip_prefix('?')).map(|id| id.trim().to_owned()).collect())
}

/// Fetches objects as git itself fetches missing ones.
async fn fetch(repository: &Repository, remote: &str, ids: &[String], quiet: Duration) -> Result<(), GitError> {
    let args = [
        "-c",
        "fetch.negotiationAlgorithm=noop",
        "fetch",
        "--progress",
        "--no-tags",
        "--no-write-fetch-head",
        "--recurse-submodules=no",
        "--refmap=",
        "--filter=blob:none",
        "--stdin",
        remote,
    ];
    let failed = |why| repository.unfetched(why);
    match patiently(repository, &args, &format!("{}\n", ids.join("\n")), quiet, &mut |_| true).await {
        Ok(Some(ended)) if ended.ok => Ok(()),
        Ok(Some(ended)) => Err(failed(ended.why())),
        Ok(None) => Err(failed("it was stopped".to_owned())),
        Err(quiet @ GitError::Quiet { .. }) => Err(failed(quiet.to_string())),
        Err(other) => Err(other),
    }
}
