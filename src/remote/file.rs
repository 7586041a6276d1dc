//! Programs for files on hosts, and their answers.
use super::{On, on::trace};
use crate::{
    command::{Command, lean},
    control::shown,
    effect::At,
    failure::Failure,
    port::{Input, Job},
};
use sha2::{Digest, Sha256};
use std::time::Duration;

/// The program for a host's files, with a verb for each thing that it does: VERB PATH …. A line `done …` means success.
const PROGRAM: &str = concat!(include_str!("walk.sh"), include_str!("file.sh"));
const WITHIN: Duration = Duration::from_secs(1800);

/// What is at a path.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PathKind {
    Absent,
    Folder,
    /// A file, with its sha256.
    File(String),
    /// A device, a pipe, or a link that points nowhere.
    Other,
}

/// Returns the sha256 of bytes, in hex.
pub(super) fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn program(args: &[&str]) -> Command {
    let program = lean(PROGRAM);
    let words = ["/bin/sh", "-c", &program, "file"].into_iter().chain(args.iter().copied()).map(str::to_owned);
    Command::of(words.collect()).expect("paths are checked for NUL before")
}

/// Finds out what is at a path.
pub(super) async fn lies(at: &At<'_>, on: &On, path: &str) -> Result<PathKind, Failure> {
    let answer = run(at, on, &["digest", checked(on, path)?], Input::Empty).await?;
    match answer.as_str() {
        "absent" => Ok(PathKind::Absent),
        "folder" => Ok(PathKind::Folder),
        "other" => Ok(PathKind::Other),
        digest if digest.len() == 64 && digest.bytes().all(|b| b.is_ascii_hexdigit()) => {
            Ok(PathKind::File(digest.to_owned()))
        }
        other => Err(Failure::unknown(format!("`{}` answered `{}` about `{path}`", on.host, shown(other)))),
    }
}

/// Checks whether a path exists.
pub(super) async fn exists(at: &At<'_>, on: &On, path: &str) -> Result<bool, Failure> {
    Ok(run(at, on, &["exists", checked(on, path)?], Input::Empty).await? == "yes")
}

/// What is put at a path on a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    File,
    /// A file that only its owner reads, unless another mode is asked for.
    Secret,
    /// A folder, sent as a tar.
    Folder,
}

/// Replaces a file or a folder in one step, or not at all.
///
/// A link is followed if only the writing user and root can change it; otherwise the path is refused.
pub(super) async fn replace(
    at: &At<'_>,
    on: &On,
    path: &str,
    content: Input<'_>,
    what: Content,
    (sha256, bytes): (&str, u64),
) -> Result<(), Failure> {
    let id = trace("", "", at.lane.run(), at.id).id;
    let (path, bytes, mode) = (checked(on, path)?, bytes.to_string(), on.mode.as_deref().unwrap_or("-"));
    let verb = if what == Content::Folder { "unpack" } else { "write" };
    let mut args = vec![verb, path, sha256, &bytes, &id, mode];
    args.extend((what == Content::Secret).then_some("secret"));
    run(at, on, &args, content).await.map(drop)
}

async fn run(at: &At<'_>, on: &On, args: &[&str], stdin: Input<'_>) -> Result<String, Failure> {
    let command = program(args);
    let (timeout, ledger) = (Some(on.timeout.unwrap_or(WITHIN)), at.ledger_lines());
    let job = Job { stdin, timeout, ledger, changes_logins: true, ..on.job(&command) };
    let ended = on.run(at, job).await?;
    let text = String::from_utf8_lossy(&ended.out);
    let last = text.lines().last().unwrap_or_default();
    if ended.status == 0
        && let Some(answer) = last.strip_prefix("done")
    {
        return Ok(answer.trim().to_owned());
    }
    let (path, host) = (args[1], &on.host);
    let why = why(last);
    let last = String::from_utf8_lossy(&ended.err).lines().last().unwrap_or_default().to_owned();
    let failure = Failure::failed(format!("`{path}`: {why}")).on(&host.name);
    if why == LINK {
        return Err(linked(on, path));
    }
    Err(if last.is_empty() { failure } else { failure.help(format!("its last line was: {last}")) })
}

/// Words the last line of the program.
fn why(last: &str) -> &'static str {
    match last.strip_prefix("failed ").unwrap_or("") {
        "folder" => "it is a folder",
        "file" => "it is a file, but rfab sends a folder",
        "no-folder" => "its folder isn't there",
        "link" => LINK,
        "short" => "not all of it arrived; what was there is unchanged",
        "changed" => "it arrived changed; what was there is unchanged",
        "write" => "it can't be written there; what was there is unchanged",
        "unreadable" => "it can't be read",
        "unpack" => "it can't be unpacked; what was there is unchanged",
        "sync" | "rename" | "mode" => "the host couldn't put it into place",
        _ => "the host's answer is incomplete",
    }
}

const LINK: &str = "another user can change a link in the path";

/// Makes the failure for a path that another user could lead elsewhere.
pub(super) fn linked(on: &On, path: &str) -> Failure {
    unfit(on, path, LINK).unchanged().help(
        "write it as the user who owns that folder, `host.user(\"NAME\")`, or to the place \
         that the link points to",
    )
}

/// Refuses what isn't a path on a host.
pub(super) fn checked<'a>(on: &On, path: &'a str) -> Result<&'a str, Failure> {
    if path.is_empty() || path.starts_with('-') || path.chars().any(char::is_control) {
        let message = format!("`{}` isn't a path on a host", shown(path));
        return Err(Failure::new(crate::failure::Cause::Fabfile, message).on(&on.host.name));
    }
    Ok(path)
}

/// Makes the failure for a path of a host that can't be used.
pub(super) fn unfit(on: &On, path: &str, why: &str) -> Failure {
    Failure::failed(format!("`{path}`: {why}")).on(&on.host.name)
}

#[cfg(test)]
mod tests;
