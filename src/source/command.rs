//! A program of this machine that prints a secret.
use super::{LONGEST, unended};
use crate::{effect::At, event::What, failure::Failure, secret::Secret};
use rustix::process::{Pid, Signal, kill_process_group};
use std::{path::Path, process::Stdio, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::Command,
    time::timeout,
};

/// How long it may take: a person may have to unlock a store first.
const WITHIN: Duration = Duration::from_secs(60);
/// The most that is told of what it says on stderr, in bytes.
const SAID: usize = 16 << 10;

/// What the program prints, without the last line end; what it says on stderr is told when it has ended.
pub async fn printed(at: &At<'_>, words: &[String], folder: &Path) -> Result<String, Failure> {
    let shown = words.join(" ");
    let failed = |why: String| Failure::failed(format!("`{shown}`, which prints a secret, {why}"));
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).current_dir(folder).process_group(0);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|e| {
        failed(format!("cannot be begun: {e}")).help("it is a program of this machine, found by `PATH`")
    })?;
    let group = Group(child.id().and_then(|id| Pid::from_raw(id as i32)));
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let all = async { tokio::join!(kept(out, LONGEST + 3), kept(err, SAID), child.wait()) };
    let ended = timeout(WITHIN, all).await;
    let late = || failed(format!("took longer than {} s and was stopped", WITHIN.as_secs())).help("see what it waits for");
    let (out, err, status) = ended.map_err(|_| late())?;
    group.over();
    // Known before anything is told: what it says may be the secret.
    let out = String::from_utf8(out).map(unended);
    if let Ok(text) = &out {
        at.lane.masks().add(&Secret::from(text.as_str()));
    }
    for line in String::from_utf8_lossy(&err).lines() {
        at.tell(What::Noted { host: None, text: line.to_owned() });
    }
    let status = status.map_err(|e| failed(format!("cannot be waited for: {e}")))?;
    if !status.success() {
        let how = status.code().map_or("was ended by a signal".to_owned(), |code| format!("ended with status {code}"));
        return Err(failed(how).help("run it by hand to see why"));
    }
    match out {
        Ok(text) if text.is_empty() => Err(failed("printed nothing".to_owned()).help("run it by hand to see why")),
        Ok(text) => Ok(text),
        Err(_) => Err(failed("printed no text in UTF-8".to_owned())),
    }
}

async fn kept(from: Option<impl AsyncRead + Unpin>, most: usize) -> Vec<u8> {
    let (mut all, mut piece) = (Vec::new(), [0; 8192]);
    if let Some(mut from) = from {
        while let Ok(read @ 1..) = from.read(&mut piece).await {
            all.extend_from_slice(&piece[..read.min(most - all.len())]);
        }
    }
    all
}

/// A program and all that it began, which ends with whoever waits for it.
struct Group(Option<Pid>);

impl Group {
    fn over(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}
