//! A secret that a program on this machine prints.
use super::text::{LONGEST, unended};
use crate::{
    command::Command,
    effect::At,
    event::EventKind,
    failure::Failure,
    local::{LocalCall, process},
    secret::Secret,
};
use std::{path::Path, time::Duration};

/// The program's time limit: a person may have to unlock a store first.
const WITHIN: Duration = Duration::from_secs(60);
/// The most of its stderr that is shown, in bytes.
const SAID: usize = 16 << 10;

/// Returns what the program prints, without the last newline; its stderr is shown when it has ended.
pub(super) async fn printed(at: &At<'_>, words: &[String], folder: &Path) -> Result<String, Failure> {
    let shown = words.join(" ");
    let failed = |why: &str| Failure::failed(format!("`{shown}`, which prints a secret, {why}"));
    let local = LocalCall { timeout: Some(WITHIN), ..LocalCall::at(folder.to_owned()) };
    let command = Command::Words(words.to_vec());
    // The longest secret may have a newline at its end.
    let ended = process::run(&local, &command, None, LONGEST + 3, &at.real.stops).await;
    let ended = ended.map_err(|e| Failure { help: e.help.clone(), ..failed(&format!("failed: {}", e.message)) })?;
    let out = String::from_utf8(ended.out).map(unended);
    // Mask the secret first: stderr may contain it. The output of a failed program isn't a secret.
    if let (Ok(text), 0) = (&out, ended.status) {
        at.lane.masks().add(&Secret::from(text.as_str()));
    }
    for line in String::from_utf8_lossy(&ended.err[..ended.err.len().min(SAID)]).lines() {
        at.tell(EventKind::Noted { host: None, text: line.to_owned() });
    }
    if ended.status != 0 {
        return Err(failed(&format!("ended with status {}", ended.status)).help("run it by hand to see why"));
    }
    match out {
        _ if ended.cut => Err(failed(&format!("printed more than {} KiB", LONGEST >> 10))
            .help("something this long isn't a secret: send it as a file")),
        Ok(text) if text.is_empty() => Err(failed("printed nothing").help("run it by hand to see why")),
        Ok(text) => Ok(text),
        Err(_) => Err(failed("printed something other than UTF-8 text")),
    }
}
