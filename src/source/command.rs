//! A program of this machine that prints a secret.
use super::{LONGEST, unended};
use crate::{effect::At, event::What, failure::Failure, secret::Secret};
use rustix::process::{Pid, Signal, kill_process_group};
use std::{
    io,
    path::Path,
    process::{ExitStatus, Stdio},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::Command,
    time::timeout,
};

/// How long it may take: a person may have to unlock a store first.
const WITHIN: Duration = Duration::from_secs(60);
/// The most that is told of what it says on stderr, in bytes.
const SAID: usize = 16 << 10;

/// How a program ended, and the beginning of what it said.
struct Ended {
    out: Vec<u8>,
    err: Vec<u8>,
    status: io::Result<ExitStatus>,
}

/// Runs a program with nothing to read; none if it took longer, and then it and all that it began are stopped.
async fn run(words: &[String], folder: &Path, within: Duration) -> io::Result<Option<Ended>> {
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).current_dir(folder).process_group(0);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let group = Group(child.id().and_then(|id| Pid::from_raw(id as i32)));
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let all = async { tokio::join!(kept(out, LONGEST + 3), kept(err, SAID), child.wait()) };
    let Ok((out, err, status)) = timeout(within, all).await else { return Ok(None) };
    group.over();
    Ok(Some(Ended { out, err, status }))
}

/// What the program prints, without the last line end; what it says on stderr is told when it has ended.
pub async fn printed(at: &At<'_>, words: &[String], folder: &Path) -> Result<String, Failure> {
    let shown = words.join(" ");
    let failed = |why: String| Failure::failed(format!("`{shown}`, which prints a secret, {why}"));
    let ended = run(words, folder, WITHIN).await.map_err(|e| {
        failed(format!("cannot be begun: {e}")).help("it is a program of this machine, found by `PATH`")
    })?;
    let Some(Ended { out, err, status }) = ended else {
        let late = format!("took longer than {} s and was stopped", WITHIN.as_secs());
        return Err(failed(late).help("run it by hand to see what it waits for"));
    };
    let out = String::from_utf8(out).map(unended);
    // Known before anything is told: what it says may be the secret. What one that failed prints is none.
    if let (Ok(text), Ok(true)) = (&out, status.as_ref().map(ExitStatus::success)) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, time::Instant};

    fn ran(line: &str, within: u64) -> Option<Ended> {
        let words = ["/bin/sh", "-c", line].map(str::to_owned);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(&words, Path::new("/"), Duration::from_millis(within))).unwrap()
    }

    #[test]
    fn a_program_is_heard_to_its_end_and_has_nothing_to_read() {
        let ended = ran("cat; pwd; echo no >&2; yes | head -c 1000000; exit 3", 10_000).unwrap();
        assert_eq!((ended.status.unwrap().code(), &*ended.err), (Some(3), &b"no\n"[..]));
        assert!(ended.out.starts_with(b"/\ny\n") && ended.out.len() == LONGEST + 3);
    }

    #[test]
    fn one_that_takes_too_long_is_stopped_with_all_that_it_began() {
        let began = Instant::now();
        assert!(ran("sleep 61.0451 & sleep 61.0451", 200).is_none());
        assert!(began.elapsed() < Duration::from_secs(20));
        let runs = || {
            let all = fs::read_dir("/proc").unwrap().flatten();
            all.filter_map(|process| fs::read(process.path().join("cmdline")).ok())
                .any(|line| line == b"sleep\x0061.0451\0")
        };
        while runs() {
            assert!(began.elapsed() < Duration::from_secs(20));
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
