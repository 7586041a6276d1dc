//! One call of the user's `git`.
use super::{Error, Repository, Trust};
use crate::{control::hidden, local::Group};
use std::{
    ffi::OsString,
    io::{BufRead, BufReader, Read, Write},
    path::Path,
    process::Stdio,
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::Command,
    time::timeout,
};

/// Where a call of git would look instead of where it was told to.
const ELSEWHERE: [&str; 13] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_COMMON_DIR",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_GRAFT_FILE",
    "GIT_REPLACE_REF_BASE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_CEILING_DIRECTORIES",
];

const CAREFUL: [&str; 12] = [
    "-c",
    "core.fsmonitor=false",
    "-c",
    "gc.auto=0",
    "-c",
    "maintenance.auto=false",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "protocol.ext.allow=never",
    "-c",
    "safe.bareRepository=explicit",
];

/// Takes back what a repository's own configuration would have a fetch run; an empty helper forgets those before it.
const STRANGE: [&str; 6] = ["-c", "credential.helper=", "-c", "core.askPass=", "-c", "core.alternateRefsCommand=true"];

/// The most that is kept of each of git's outputs, in bytes.
const KEPT: usize = 1 << 20;

/// How a call of git ended.
pub(super) struct Ended {
    pub ok: bool,
    pub out: String,
    pub err: String,
}

impl Ended {
    /// The last lines of what git said, for people.
    pub fn why(&self) -> String {
        let said = if self.err.trim().is_empty() { &self.out } else { &self.err };
        let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        match &lines[lines.len().saturating_sub(3)..] {
            [] => "it gave no reason".to_owned(),
            lines => visible(&lines.join("; ")),
        }
    }
}

/// Runs git in a repository, with no terminal and nothing on stdin.
///
/// When the deadline passes, or the caller no longer waits, git and all that it started are told to end.
pub(super) async fn git(at: &Repository, args: &[&str], within: Duration) -> Result<Ended, Error> {
    let mut run = Run::start(at, args, "")?;
    let (out, err) = (run.child.stdout.take(), run.child.stderr.take());
    let all = async { tokio::join!(kept(out), kept(err), run.child.wait()) };
    let ended = timeout(within, all).await;
    if let Ok((out, err, status)) = ended {
        let status = status.map_err(|e| Error::NoGit(e.to_string()))?;
        run.group.let_go();
        return Ok(Ended { ok: status.success(), out, err });
    }
    // Asked first, so that git removes its lock files.
    run.group.end(&mut run.child).await;
    Err(Error::TimedOut { what: verb(args), within })
}

/// Runs git for as long as it has something to say: a transfer that goes on may take its time.
///
/// `heard` gets each line of its progress, and says whether to go on; if not, git is told to end and nothing is given.
/// It fails when git says nothing for as long as `quiet`. Call it with `--progress`.
pub(super) async fn patiently(
    at: &Repository,
    args: &[&str],
    input: &str,
    quiet: Duration,
    heard: &mut (dyn FnMut(&str) -> bool + Send),
) -> Result<Option<Ended>, Error> {
    let mut run = Run::start(at, args, input)?;
    let out = tokio::spawn(kept(run.child.stdout.take()));
    let mut stderr = run.child.stderr.take().expect("piped");
    let (mut err, mut line, mut piece) = (String::new(), Vec::new(), [0; 8192]);
    loop {
        let read = match timeout(quiet, stderr.read(&mut piece)).await {
            Ok(read) => read.unwrap_or(0),
            Err(_) => {
                run.group.end(&mut run.child).await;
                return Err(Error::Quiet { what: verb(args), quiet });
            }
        };
        for byte in &piece[..read] {
            if !matches!(byte, b'\r' | b'\n') {
                line.push(*byte);
                line.truncate(4096);
                continue;
            }
            let text = String::from_utf8_lossy(&std::mem::take(&mut line)).into_owned();
            if !heard(&text) {
                run.group.end(&mut run.child).await;
                return Ok(None);
            }
            if *byte == b'\n' && err.len() < KEPT {
                err += &format!("{text}\n");
            }
        }
        if read == 0 {
            break;
        }
    }
    err += &String::from_utf8_lossy(&line);
    // Something that git started may still hold its output.
    let Ok(status) = timeout(quiet, run.child.wait()).await else {
        run.group.end(&mut run.child).await;
        return Err(Error::Quiet { what: verb(args), quiet });
    };
    let status = status.map_err(|e| Error::NoGit(e.to_string()))?;
    run.group.let_go();
    let out = timeout(Duration::from_secs(1), out).await.ok().and_then(Result::ok).unwrap_or_default();
    Ok(Some(Ended { ok: status.success(), out, err }))
}

/// A git that was started, with all that it starts itself.
struct Run {
    child: tokio::process::Child,
    group: Group,
}

impl Run {
    fn start(at: &Repository, args: &[&str], input: &str) -> Result<Run, Error> {
        let mut command = Command::new("git");
        prepare(command.as_std_mut(), at);
        let stdin = if input.is_empty() { Stdio::null() } else { Stdio::piped() };
        command.args(args).stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A session of its own: ssh below git must not ask on the terminal, and can be ended with all its children.
        // SAFETY: between fork and exec only setsid is called, which is async-signal-safe.
        unsafe { command.pre_exec(|| Ok(rustix::process::setsid().map(drop)?)) };
        let mut child = command.spawn().map_err(|e| Error::NoGit(e.to_string()))?;
        if let Some(mut stdin) = child.stdin.take() {
            let input = input.to_owned();
            // Beside the reading, for git may print before it has read all.
            tokio::spawn(async move { tokio::io::AsyncWriteExt::write_all(&mut stdin, input.as_bytes()).await });
        }
        let group = Group::of(&child);
        Ok(Run { child, group })
    }
}

/// Runs a git that reads, and speaks to no remote: what a partial clone lacks is not fetched in passing.
///
/// Gives all that it printed. Its messages are English.
pub(super) fn read(at: &Repository, args: &[&str], input: &str) -> Result<(Ended, Vec<u8>), Error> {
    let mut command = reading(at);
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|e| Error::NoGit(e.to_string()))?;
    let mut stdin = child.stdin.take().expect("piped");
    let input = input.to_owned();
    // Beside the reading, for git may print before it has read all.
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let out = child.wait_with_output().map_err(|e| Error::NoGit(e.to_string()))?;
    // Who ends early does not read to the end.
    let _ = writer.join();
    let err = String::from_utf8_lossy(&out.stderr).into_owned();
    Ok((Ended { ok: out.status.success(), out: String::new(), err }, out.stdout))
}

fn reading(at: &Repository) -> std::process::Command {
    let mut command = std::process::Command::new("git");
    prepare(&mut command, at);
    // The last one is for a git that knows nothing of the first.
    command.env("GIT_NO_LAZY_FETCH", "1").env("GIT_ALLOW_PROTOCOL", "none");
    command.env("GIT_NO_REPLACE_OBJECTS", "1").env("GIT_OPTIONAL_LOCKS", "0").env("LC_ALL", "C");
    command
}

/// A git that prints one file after the other.
pub(super) struct Batch {
    child: std::process::Child,
    input: std::process::ChildStdin,
    out: BufReader<std::process::ChildStdout>,
}

impl Batch {
    pub fn open(at: &Repository) -> Result<Batch, Error> {
        let mut command = reading(at);
        command.args(["cat-file", "--batch"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(|e| Error::NoGit(e.to_string()))?;
        let (input, out) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
        Ok(Batch { child, input, out: BufReader::new(out) })
    }

    /// What a file holds, given by its id.
    pub fn content(&mut self, id: &str) -> Result<Vec<u8>, Error> {
        let failed = |e: std::io::Error| Error::Read(format!("`git cat-file` ended: {e}"));
        writeln!(self.input, "{id}").and_then(|()| self.input.flush()).map_err(failed)?;
        let mut head = String::new();
        self.out.read_line(&mut head).map_err(failed)?;
        let size = head.trim_end().strip_prefix(&format!("{id} blob ")).and_then(|size| size.parse::<usize>().ok());
        let size =
            size.ok_or_else(|| Error::Read(format!("git reports about a file: {}", visible(head.trim_end()))))?;
        let mut content = vec![0; size + 1];
        self.out.read_exact(&mut content).map_err(failed)?;
        content.pop();
        Ok(content)
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a file of a repository holds, as git prints it.
pub(super) struct Blob {
    child: std::process::Child,
    out: std::process::ChildStdout,
}

impl Blob {
    /// Begins to read a blob, given by its id.
    pub fn open(at: &Repository, id: &str) -> Result<Blob, Error> {
        let mut command = reading(at);
        // What is larger git hands on piece by piece, and does not hold it whole.
        command.args(["-c", "core.bigFileThreshold=1m", "cat-file", "blob", id]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(|e| Error::NoGit(e.to_string()))?;
        let out = child.stdout.take().expect("piped");
        Ok(Blob { child, out })
    }
}

impl std::io::Read for Blob {
    fn read(&mut self, piece: &mut [u8]) -> std::io::Result<usize> {
        let read = self.out.read(piece)?;
        if read == 0 && !piece.is_empty() {
            let status = self.child.wait()?;
            if !status.success() {
                return Err(std::io::Error::other(format!("`git cat-file` ended with {status}")));
            }
        }
        Ok(read)
    }
}

impl Drop for Blob {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The user's own settings (`GIT_SSH_COMMAND`, `GIT_CONFIG_COUNT`, …) count for each repository; what a strange
/// repository's configuration says is to run does not.
fn prepare(command: &mut std::process::Command, at: &Repository) {
    ELSEWHERE.iter().for_each(|name| {
        command.env_remove(name);
    });
    if at.trust != Trust::Own {
        command.args(CAREFUL);
    }
    if at.trust == Trust::Strange {
        command.args(STRANGE).env("GIT_PROXY_COMMAND", "");
        if std::env::var_os("GIT_SSH_COMMAND").is_none() && std::env::var_os("GIT_SSH").is_none() {
            command.env("GIT_SSH_COMMAND", "ssh");
        }
    }
    command.env("GIT_TERMINAL_PROMPT", "0").env("GIT_EDITOR", ":");
    match &at.work {
        Some(work) => command.arg("-C").arg(work),
        None => command.arg(joined("--git-dir=", &at.folder)),
    };
}

fn joined(flag: &str, path: &Path) -> OsString {
    let mut all = OsString::from(flag);
    all.push(path);
    all
}

/// Reads to the end and keeps the beginning.
async fn kept(from: Option<impl AsyncRead + Unpin>) -> String {
    let (mut all, mut piece) = (Vec::new(), [0; 8192]);
    if let Some(mut from) = from {
        while let Ok(read @ 1..) = from.read(&mut piece).await {
            all.extend_from_slice(&piece[..read.min(KEPT - all.len().min(KEPT))]);
        }
    }
    String::from_utf8_lossy(&all).into_owned()
}

/// What a call asks of git, such as `fetch`.
pub(super) fn verb(args: &[&str]) -> String {
    args.iter().find(|arg| !arg.starts_with('-')).copied().unwrap_or_default().to_owned()
}

/// A text of others with what a terminal obeys or hides made visible, and cut to 400 characters.
pub(super) fn visible(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars().take(400) {
        if hidden(c) { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    if text.chars().nth(400).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::sample::Sample;

    #[tokio::test]
    async fn git_that_does_not_end_is_ended_with_its_children() {
        let sample = Sample::new();
        let mark = sample.folder.path().join("mark");
        let hook = format!("#!/bin/sh\necho $$ > {0}\nsleep 60\n", mark.display());
        sample.hook("pre-push", &hook);
        let within = Duration::from_millis(700);
        let ended = git(&sample.repository(), &["push", "--", "origin", "main:new"], within).await;
        assert_eq!(ended.err(), Some(Error::TimedOut { what: "push".into(), within }));
        let pid: i32 = std::fs::read_to_string(mark).unwrap().trim().parse().unwrap();
        for _ in 0..50 {
            // A dead one may stay as a zombie where nobody reaps.
            match std::fs::read_to_string(format!("/proc/{pid}/stat")) {
                Ok(stat) if !stat.contains(") Z ") => {}
                _ => return,
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the hook still runs");
    }

    #[test]
    fn what_others_wrote_cannot_move_the_cursor() {
        assert_eq!(visible("a\x1b[2Jb\r\u{202e}c ü"), "a\\u{1b}[2Jb\\r\\u{202e}c ü");
        assert_eq!(visible(&"x".repeat(4096)).chars().count(), 401);
    }
}
