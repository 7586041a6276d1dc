//! One call of the user's `git`.
use super::{Error, Repository, Trust};
use crate::{control::hidden, local::Group};
use std::{ffi::OsString, path::Path, process::Stdio, time::Duration};
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

const CAREFUL: [&str; 8] = [
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "protocol.ext.allow=never",
    "-c",
    "safe.bareRepository=explicit",
];

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
            [] => "it did not say why".to_owned(),
            lines => visible(&lines.join("; ")),
        }
    }
}

/// Runs git in a repository, with no terminal and nothing on stdin.
///
/// When the deadline passes, or the caller no longer waits, git and all that it started are told to end.
pub(super) async fn git(at: &Repository, args: &[&str], within: Duration) -> Result<Ended, Error> {
    let mut command = Command::new("git");
    prepare(command.as_std_mut(), at);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // A session of its own: ssh below git must not ask on the terminal, and can be ended with all its children.
    // SAFETY: between fork and exec only setsid is called, which is async-signal-safe.
    unsafe { command.pre_exec(|| Ok(rustix::process::setsid().map(drop)?)) };
    let mut child = command.spawn().map_err(|e| Error::NoGit(e.to_string()))?;
    let mut group = Group::of(&child);
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let all = async { tokio::join!(kept(out), kept(err), child.wait()) };
    let ended = timeout(within, all).await;
    if let Ok((out, err, status)) = ended {
        let status = status.map_err(|e| Error::NoGit(e.to_string()))?;
        group.let_go();
        return Ok(Ended { ok: status.success(), out, err });
    }
    // Asked first, so that git removes its lock files.
    group.end(&mut child).await;
    Err(Error::TimedOut { what: verb(args), within })
}

/// What a file of a repository holds, as git prints it.
pub(super) struct Blob {
    child: std::process::Child,
    out: std::process::ChildStdout,
}

impl Blob {
    /// Begins to read a blob, given by its id.
    pub fn open(at: &Repository, id: &str) -> Result<Blob, Error> {
        let mut command = std::process::Command::new("git");
        prepare(&mut command, at);
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

fn prepare(command: &mut std::process::Command, at: &Repository) {
    match at.trust {
        Trust::Own => ELSEWHERE.iter().for_each(|name| {
            command.env_remove(name);
        }),
        Trust::Careful => {
            let ours = std::env::vars_os().map(|(name, _)| name);
            ours.filter(|name| name.as_encoded_bytes().starts_with(b"GIT_")).for_each(|name| {
                command.env_remove(name);
            });
            command.args(CAREFUL);
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
