//! The progress of a fetch.
/// Receives the progress of a fetch: how many objects are done, and how many there are.
pub type FetchProgress<'a> = &'a (dyn Fn(u64, u64) + Send + Sync);

/// Ignores the progress.
pub fn silent(_: u64, _: u64) {}

/// Reports the number of objects in a line of git's progress, and returns that the fetch continues.
pub(super) fn shown(line: &str, progress: FetchProgress<'_>) -> bool {
    if let Some((done, total)) = counted(line, "Receiving objects:") {
        progress(done, total);
    }
    true
}

/// Parses the numbers of `Receiving objects:  45% (450/1000), 1.20 MiB | 1.00 MiB/s`.
pub(super) fn counted(line: &str, what: &str) -> Option<(u64, u64)> {
    let (done, rest) = line.trim_start().strip_prefix(what)?.split_once('(')?.1.split_once('/')?;
    Some((done.parse().ok()?, rest.split(')').next()?.parse().ok()?))
}
