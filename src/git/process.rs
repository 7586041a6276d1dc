//! Runs the user's `git`.
use super::{
    GitError, Repository,
    prepared::{plain, prepare, reading},
    visible::visible,
};
use crate::local::ProcessGroup;
use std::{collections::BTreeMap, io::Write, path::Path, process::Stdio, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::Command,
    time::timeout,
};

/// The most that rfab keeps of each of git's outputs, in bytes.
const KEPT: usize = 1 << 20;

/// The most that rfab keeps of a list of refs, in bytes: more than a million refs.
const LISTED: usize = 128 << 20;

/// What git or gpg says in addition to the reason: about files that rfab removes, or for programs.
const ASIDE: [&str; 4] =
    ["[GNUPG:]", "(no gpg output)", "The tag message has been left in ", "Not committing merge; use 'git commit'"];

/// How a call of git ended.
pub(super) struct GitEnded {
    pub ok: bool,
    /// Its exit status; `None` if a signal ended it.
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl GitEnded {
    /// Returns the last lines of git's message, for people.
    pub(super) fn why(&self) -> String {
        let said = if self.err.trim().is_empty() { &self.out } else { &self.err };
        let tells = |line: &&str| !line.is_empty() && !ASIDE.iter().any(|aside| line.starts_with(aside));
        let lines: Vec<&str> = said.lines().map(str::trim).filter(tells).collect();
        match &lines[lines.len().saturating_sub(3)..] {
            [] => "it gave no reason".to_owned(),
            lines => visible(&lines.join("; ")),
        }
    }
}

/// Runs git in a repository, without a terminal or stdin.
///
/// If the time runs out, or the caller stops waiting, it ends git and the programs that git started.
pub(super) async fn git(at: &Repository, args: &[&str], within: Duration) -> Result<GitEnded, GitError> {
    git_given(at, args, "", within).await
}

/// Runs git in the same way, with a text on stdin.
pub(super) async fn git_given(
    at: &Repository,
    args: &[&str],
    input: &str,
    within: Duration,
) -> Result<GitEnded, GitError> {
    ended(GitRun::start(at, args, input)?, verb(args), within, KEPT).await
}

/// Runs git in the same way, and keeps the whole list of refs that it prints.
pub(super) async fn listing(at: &Repository, args: &[&str], within: Duration) -> Result<GitEnded, GitError> {
    ended(GitRun::start(at, args, "")?, verb(args), within, LISTED).await
}

/// Runs a program of a repository, such as a hook, in its work tree.
pub(super) async fn program(
    at: &Repository,
    path: &Path,
    args: &[String],
    variables: &BTreeMap<String, String>,
    within: Duration,
) -> Result<GitEnded, GitError> {
    let mut command = Command::new(path);
    plain(command.as_std_mut());
    command.args(args).envs(variables).current_dir(at.work.as_deref().unwrap_or(&at.folder));
    let what = path.display().to_string();
    let run = GitRun::of(command, "").map_err(|e| GitError::Git { what: visible(&what), why: e.to_string() })?;
    ended(run, what, within, KEPT).await
}

async fn ended(mut run: GitRun, what: String, within: Duration, most: usize) -> Result<GitEnded, GitError> {
    let (out, err) = (run.child.stdout.take(), run.child.stderr.take());
    let all = async { tokio::join!(kept(out, most), kept(err, KEPT), run.child.wait()) };
    if let Ok((out, err, status)) = timeout(within, all).await {
        let status = status.map_err(|e| GitError::NoGit(e.to_string()))?;
        run.group.let_go();
        return Ok(GitEnded { ok: status.success(), code: status.code(), out, err });
    }
    // This asks git to end first, so that it removes its lock files.
    run.group.end(&mut run.child).await;
    Err(GitError::TimedOut { what, within })
}

/// Runs git for as long as it prints something, so that a transfer can take its time.
///
/// `heard` receives each line of its progress and returns whether to continue; if not, git is ended, and the result is
/// `None`. It fails if git prints nothing for `quiet`. Call it with `--progress`.
pub(super) async fn patiently(
    at: &Repository,
    args: &[&str],
    input: &str,
    quiet: Duration,
    heard: &mut (dyn FnMut(&str) -> bool + Send),
) -> Result<Option<GitEnded>, GitError> {
    let mut run = GitRun::start(at, args, input)?;
    let out = tokio::spawn(kept(run.child.stdout.take(), KEPT));
    let mut stderr = run.child.stderr.take().expect("piped");
    let (mut err, mut line, mut piece) = (String::new(), Vec::new(), [0; 8192]);
    loop {
        let read = match timeout(quiet, stderr.read(&mut piece)).await {
            Ok(read) => read.unwrap_or(0),
            Err(_) => {
                run.group.end(&mut run.child).await;
                return Err(GitError::Quiet { what: verb(args), quiet });
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
    // A program that git started may still hold its output open.
    let Ok(status) = timeout(quiet, run.child.wait()).await else {
        run.group.end(&mut run.child).await;
        return Err(GitError::Quiet { what: verb(args), quiet });
    };
    let status = status.map_err(|e| GitError::NoGit(e.to_string()))?;
    run.group.let_go();
    let out = timeout(Duration::from_secs(1), out).await.ok().and_then(Result::ok).unwrap_or_default();
    Ok(Some(GitEnded { ok: status.success(), code: status.code(), out, err }))
}

/// A git process and all that it starts.
struct GitRun {
    child: tokio::process::Child,
    group: ProcessGroup,
}

impl GitRun {
    fn start(at: &Repository, args: &[&str], input: &str) -> Result<GitRun, GitError> {
        let mut command = Command::new("git");
        prepare(command.as_std_mut(), at);
        command.args(args);
        GitRun::of(command, input).map_err(|e| GitError::NoGit(e.to_string()))
    }

    /// Starts a program. ssh below git must not ask on the terminal.
    fn of(mut command: Command, input: &str) -> std::io::Result<GitRun> {
        let stdin = if input.is_empty() { Stdio::null() } else { Stdio::piped() };
        command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        let (mut child, group) = ProcessGroup::start(&mut command)?;
        if let Some(mut stdin) = child.stdin.take() {
            let input = input.to_owned();
            // Written in parallel, because git may print before it has read everything.
            tokio::spawn(async move { tokio::io::AsyncWriteExt::write_all(&mut stdin, input.as_bytes()).await });
        }
        Ok(GitRun { child, group })
    }
}

/// Runs a git command that reads and talks to no remote, so it doesn't fetch what a partial clone lacks.
///
/// Returns everything that it printed. Its messages are in English.
pub(super) fn read(at: &Repository, args: &[&str], input: &str) -> Result<(GitEnded, Vec<u8>), GitError> {
    let mut command = reading(at);
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|e| GitError::NoGit(e.to_string()))?;
    let mut stdin = child.stdin.take().expect("piped");
    let input = input.to_owned();
    // Written in parallel, because git may print before it has read everything.
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let out = child.wait_with_output().map_err(|e| GitError::NoGit(e.to_string()))?;
    // A git that ends early doesn't read everything.
    let _ = writer.join();
    let err = String::from_utf8_lossy(&out.stderr).into_owned();
    Ok((GitEnded { ok: out.status.success(), code: out.status.code(), out: String::new(), err }, out.stdout))
}

/// Reads to the end and keeps the beginning.
async fn kept(from: Option<impl AsyncRead + Unpin>, most: usize) -> String {
    let (mut all, mut piece) = (Vec::new(), [0; 8192]);
    if let Some(mut from) = from {
        while let Ok(read @ 1..) = from.read(&mut piece).await {
            all.extend_from_slice(&piece[..read.min(most - all.len().min(most))]);
        }
    }
    String::from_utf8_lossy(&all).into_owned()
}

/// Returns the subcommand of a call, such as `fetch`.
pub(super) fn verb(args: &[&str]) -> String {
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match *arg {
            "-c" => drop(args.next()),
            option if option.starts_with('-') => {}
            verb => return verb.to_owned(),
        }
    }
    String::new()
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
        assert_eq!(ended.err(), Some(GitError::TimedOut { what: "push".into(), within }));
        let pid: i32 = std::fs::read_to_string(mark).unwrap().trim().parse().unwrap();
        for _ in 0..50 {
            // A dead process stays as a zombie if nothing reaps it.
            match std::fs::read_to_string(format!("/proc/{pid}/stat")) {
                Ok(stat) if !stat.contains(") Z ") => {}
                _ => return,
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the hook still runs");
    }
}
