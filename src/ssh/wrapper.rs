//! Makes the line that a host runs, which every login shell reads the same way.
use crate::{
    command::{Command, lean, quoted},
    failure::{Cause, Failure},
    host::Name,
    port::{Job, LedgerLines},
};
use flate2::{Compression, write::GzEncoder};
use std::io::Write as _;

const WRAPPER: &str = concat!(include_str!("note.sh"), include_str!("wrapper.sh"));
/// The program that sudo runs if the ledger is written by the user that sudo switches to.
const NOTED: &str = concat!(include_str!("note.sh"), include_str!("noted.sh"));
/// The longest argument on Linux, minus the text around it.
const MOST: usize = 120 << 10;

/// How many days a trace stays on its host.
pub(crate) const KEPT_DAYS: u32 = 30;

/// How sudo is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sudo {
    /// sudo may not ask for a password.
    Never,
    /// sudo reads a password from the first line of its stdin.
    Password,
}

/// Reads a line of stdin byte by byte, so that the rest stays for the command, and sets the variables in it.
const TAKE: &str = "IFS= read -r rfab_given && eval \"$(printf %b \"$rfab_given\")\" && unset rfab_given || exit 126\n";

/// Returns what a job reads before its own stdin: its environment, and the secret values of a shell line.
///
/// Every user of a host can see a process's arguments, but not its stdin.
pub(crate) fn given(job: &Job<'_>) -> Vec<u8> {
    let mut text = String::new();
    for (name, value) in &job.env {
        text += &format!("{name}={} && export {name} && ", quoted(value));
    }
    for (name, secret) in job.command.secrets() {
        text += &format!("{name}={} && ", quoted(secret.reveal()));
    }
    if text.is_empty() {
        return Vec::new();
    }
    let coded = text.bytes().fold(String::new(), |mut coded, byte| {
        if byte.is_ascii_alphanumeric() {
            coded.push(byte.into())
        } else {
            coded.push_str(&format!("\\0{byte:03o}"))
        }
        coded
    });
    format!("{coded}true\n").into_bytes()
}

/// Makes the line for a job under the wrapper, and what it reads before anything else; `mark` is a text that nothing
/// else prints.
///
/// `owner` is the app's user, if the ledger isn't the login user's. With `sweep`, old traces are removed.
pub(crate) fn line(
    job: &Job<'_>,
    mark: &str,
    owner: Option<&Name>,
    sudo: Sudo,
    sweep: bool,
) -> Result<(String, Vec<u8>), Failure> {
    let user = job.user.as_ref();
    let empty = LedgerLines { file: String::new(), intent: String::new(), ok: String::new(), failed: String::new() };
    let mut lines = job.ledger.as_ref().unwrap_or(&empty);
    let mut owner = owner.filter(|_| job.ledger.is_some());
    let mut words = plain(job);
    let mut dir = job.cd.clone().unwrap_or_default();
    if let Some(user) = user {
        // As the owner, or as root with a password, the ledger is written without another sudo.
        let within = owner.is_some_and(|owner| user == owner || (sudo == Sudo::Password && &**user == "root"));
        if within {
            let writer = owner.filter(|owner| *owner != user).map(|owner| owner.to_string()).unwrap_or_default();
            let args = [mark, &lines.file, &lines.intent, &lines.ok, &lines.failed, &writer, &dir].map(str::to_owned);
            let shell = ["/bin/sh", "-c", &lean(NOTED), "rfab"].map(str::to_owned);
            words = shell.into_iter().chain(args).chain(words).collect();
            lines = &empty;
            owner = None;
            dir.clear();
        } else if !dir.is_empty() {
            let enter = ["/bin/sh", "-c", "cd \"$1\" && shift && exec \"$@\"", "sh", &dir].map(str::to_owned);
            words = enter.into_iter().chain(words).collect();
            dir.clear();
        }
        words = by_sudo(user, sudo, words);
    }
    let owner = owner.map(|owner| owner.to_string()).unwrap_or_default();
    let trace = job.trace.as_ref();
    let folder = trace.map(|trace| trace.folder.clone()).unwrap_or_default();
    let id = trace.map(|trace| trace.id.clone()).unwrap_or_default();
    let sweep = if sweep && trace.is_some() { KEPT_DAYS.to_string() } else { String::new() };
    let args = [mark, &folder, &id, &lines.file, &lines.intent, &lines.ok, &lines.failed, &owner, &dir, &sweep];
    let args = args.map(str::to_owned);
    let args: Vec<String> = args.into_iter().chain(words).collect();
    let text = program(&lean(WRAPPER), &args);
    if job.packs { packed(&text) } else { Ok((encoded(&text)?, Vec::new())) }
}

fn by_sudo(user: &Name, sudo: Sudo, words: Vec<String>) -> Vec<String> {
    let how: &[&str] = match sudo {
        Sudo::Never => &["sudo", "-n", "-u"],
        Sudo::Password => &["sudo", "-k", "-S", "-p", "", "-u"],
    };
    how.iter().map(|w| w.to_string()).chain([user.to_string(), "--".to_owned()]).chain(words).collect()
}

fn plain(job: &Job<'_>) -> Vec<String> {
    let takes = if given(job).is_empty() { "" } else { TAKE };
    let shell = |text: String| vec!["/bin/sh".to_owned(), "-c".to_owned(), text];
    match job.command {
        Command::Words(words) if takes.is_empty() => words.clone(),
        Command::Words(words) => {
            let run = shell(format!("{takes}exec \"$@\""));
            run.into_iter().chain(["sh".to_owned()]).chain(words.iter().cloned()).collect()
        }
        line @ Command::Line { .. } => shell(format!("{takes}{}", line.for_sh())),
    }
}

/// Returns a program for POSIX sh, with its arguments as `$1`….
fn program(text: &str, args: &[String]) -> String {
    let args: Vec<String> = args.iter().map(|a| quoted(a)).collect();
    format!("set -- {}\n{text}", args.join(" "))
}

/// Makes the line for a program without the wrapper.
pub(crate) fn bare(text: &str, args: &[&str]) -> Result<String, Failure> {
    let args: Vec<String> = args.iter().map(|a| a.to_string()).collect();
    encoded(&program(&lean(text), &args))
}

/// Makes a line that reads its text compressed. A text that doesn't arrive whole isn't run.
///
/// `dd` reads no byte too much, because it reads each alone.
fn packed(text: &str) -> Result<(String, Vec<u8>), Failure> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    let bytes = gzip.write_all(text.as_bytes()).and_then(|()| gzip.finish()).expect("memory takes it");
    let line = format!("p=$(dd bs=1 count={} 2>&- | gzip -dc) && eval \"$p\"", bytes.len());
    Ok((encoded(&line)?, bytes))
}

/// Encodes a line so that every login shell reads it the same way: its one long word is in single quotes, and has no
/// quote, no backslash of its own, and no character that a shell expands there.
fn encoded(text: &str) -> Result<String, Failure> {
    let mut word = String::with_capacity(text.len() + text.len() / 4);
    for byte in text.bytes() {
        match byte {
            b'\n' => word.push_str("\\n"),
            b'\'' | b'\\' | b'!' => word.push_str(&format!("\\0{byte:03o}")),
            b' '..=b'~' => word.push(byte.into()),
            byte => word.push_str(&format!("\\0{byte:03o}")),
        }
    }
    if word.len() > MOST {
        let message = format!("the command is too long: {} KiB", word.len() >> 10);
        return Err(Failure::new(Cause::Failed, message).help("send it as a file with `put`, and run that"));
    }
    Ok(format!("{BEGIN}{word}'"))
}

/// What comes before the long word.
const BEGIN: &str = "exec /bin/sh -c 'eval \"$(printf %b \"$1\")\"' rfab '";

/// Makes a line that prints `mark`, and waits on stdin for the long word of another line.
pub(crate) fn waiting(mark: &str) -> String {
    format!("exec /bin/sh -c 'echo {mark}; IFS= read -r l && eval \"$(printf %b \"$l\")\"' rfab")
}

/// Returns what a waiting line reads to become another line.
pub(crate) fn word(line: &str) -> Vec<u8> {
    let word = line.strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix('\'')).expect("a line of this file");
    format!("{word}\n").into_bytes()
}

#[cfg(test)]
mod tests;
