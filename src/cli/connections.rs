//! `rfab --connections` and `rfab --disconnect`: the connections that stay open for later runs.
use crate::{
    duration,
    failure::Failure,
    report,
    ssh::{KeptConnection, disconnect, kept},
};
use std::{env, future::Future, path::PathBuf, time::SystemTime};

/// Lists the connections.
pub(super) fn list() -> Result<(), Failure> {
    let folder = runtime_folder();
    report::say(&text(&waited(kept(folder.as_deref()))?, now()));
    Ok(())
}

/// Closes the connections, and says which.
pub(super) fn close() -> Result<(), Failure> {
    let folder = runtime_folder();
    let all = waited(disconnect(folder.as_deref()))?;
    let closed: String = all.iter().map(|kept| format!("closed {}\n", named(kept))).collect();
    report::say(if closed.is_empty() { NONE } else { &closed });
    Ok(())
}

const NONE: &str = "No connection is open.\n";

fn runtime_folder() -> Option<PathBuf> {
    env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from)
}

fn now() -> u64 {
    SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs()
}

fn waited<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|e| Failure::failed(format!("no runtime: {e}")))?.block_on(work)
}

fn named(kept: &KeptConnection) -> String {
    format!("{} {}", kept.fleet, kept.host)
}

/// Returns the connections as people read them: one a line, the columns aligned.
fn text(all: &[KeptConnection], now: u64) -> String {
    let width = all.iter().map(|kept| named(kept).chars().count()).max().unwrap_or(0);
    let line = |kept: &KeptConnection| {
        let age = duration::age(i64::try_from(now.saturating_sub(kept.since)).unwrap_or(i64::MAX));
        let idle = duration::took(kept.idle.saturating_mul(1000));
        format!("{:width$}  open for {age}, closes {idle} after its last use\n", named(kept))
    };
    let lines: String = all.iter().map(line).collect();
    if lines.is_empty() { NONE.to_owned() } else { lines }
}
