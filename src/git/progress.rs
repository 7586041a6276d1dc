//! How far a fetch is.
/// How far a fetch is: so many of so many objects.
pub type FetchProgress<'a> = &'a (dyn Fn(u64, u64) + Send + Sync);

/// Tells nobody.
pub fn silent(_: u64, _: u64) {}

/// Tells how many objects a line of git's has; a fetch goes on.
pub(super) fn shown(line: &str, progress: FetchProgress<'_>) -> bool {
    if let Some((done, total)) = counted(line, "Receiving objects:") {
        progress(done, total);
    }
    true
}

/// Reads the numbers of `Receiving objects:  45% (450/1000), 1.20 MiB | 1.00 MiB/s`.
pub(super) fn counted(line: &str, what: &str) -> Option<(u64, u64)> {
    let (done, rest) = line.trim_start().strip_prefix(what)?.split_once('(')?.1.split_once('/')?;
    Some((done.parse().ok()?, rest.split(')').next()?.parse().ok()?))
}
