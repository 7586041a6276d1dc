//! How long hosts are waited for, and when a login is tried again.
use std::time::Duration;

/// How long a dead peer may go unnoticed; ssh itself gives up after 15 s.
pub(crate) const SILENT: Duration = Duration::from_secs(20);

/// How long a login may take in total; ssh's own limit covers only the start.
pub(crate) const LOGIN_WITHIN: Duration = Duration::from_secs(25);
/// How long a server that turns logins away is tried again.
pub(crate) const TURNED_AWAY_WITHIN: Duration = Duration::from_secs(15);
/// The longest pause before another try; pauses are random, so that rejected logins don't return at the same time.
pub(crate) const PAUSE: Duration = Duration::from_secs(2);

/// Returns whether a server hung up before it identified itself, as with too many logins in progress (`MaxStartups`).
pub(crate) fn is_turned_away(said: &str) -> bool {
    let closed = ["Connection closed", "Connection reset", "Not allowed at this time", "Exceeded MaxStartups"];
    let early =
        |line: &str| line.starts_with("kex_exchange_identification") || line.starts_with("ssh_exchange_identification");
    !said.contains("orwarding")
        && !said.contains("open failed")
        && said.lines().any(|line| early(line) && closed.iter().any(|word| line.contains(word)))
}
