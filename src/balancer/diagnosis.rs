//! Finds out, on a balancer's machine, why rfab can't ask its admin socket.
use super::lock_session::unanswered;
use crate::{
    command::Command,
    control::brief,
    failure::{Cause, Failure},
    host::Host,
    port::{Job, Transport},
};
use std::time::Duration;

/// Its exit status is the finding. Its output is only shown: mode and owners of the socket or folder, the user, its
/// group.
const LOOK: &str = r#"show() { stat -c '%A %U:%G' "$1" 2>/dev/null || echo unknown; id -un; id -gn; }
set -f; IFS=/; path=
for part in ${socket%/*}; do
    [ -n "$part" ] || continue
    path=$path/$part
    if [ -d "$path" ] && [ ! -x "$path" ]; then show "$path"; printf '%s\n' "$path"; exit 13; fi
done
[ -e "$socket" ] || { show "$socket"; exit 10; }
[ -S "$socket" ] || { show "$socket"; exit 11; }
[ -r "$socket" ] && [ -w "$socket" ] || { show "$socket"; exit 12; }
show "$socket""#;

/// Returns what keeps the login user from a socket, with the line of haproxy.cfg that admits the user.
pub(super) async fn unasked(transport: &dyn Transport, balancer: &str, host: &Host, socket: &str) -> Failure {
    if !socket.starts_with('/') {
        let message = format!("balancer `{balancer}` doesn't answer on `{socket}`");
        let help = format!(
            "check whether it runs there; the `global` section of its haproxy.cfg needs `stats socket {socket} level \
             admin`, and its sshd must forward to it (AllowTcpForwarding), or socat or nc must be there"
        );
        return Failure::new(Cause::Balancer, message).help(help);
    }
    let command = Command::line(LOOK, vec![("socket".into(), socket.to_owned())]).expect("a good line");
    let job = Job { timeout: Some(Duration::from_secs(10)), ..Job::new(&command) };
    let Ok(ended) = transport.run(host, job).await else { return unanswered(balancer) };
    let text = String::from_utf8_lossy(&ended.out);
    let mut lines = text.lines().map(|line| brief(line, 200));
    let mut next = || lines.next().unwrap_or_else(|| "unknown".to_owned());
    let mode = next();
    let user = next();
    let group = next();
    let folder = next();
    let line = format!("`stats socket {socket} mode 660 level admin group {group}`");
    let (message, help) = match ended.status {
        10 => (
            format!("`{balancer}` has no `{socket}`"),
            format!(
                "start HAProxy there, or name the socket it uses; its haproxy.cfg needs this line in `global`: {line}"
            ),
        ),
        11 => (
            format!("`{socket}` of `{balancer}` isn't a socket"),
            format!("name the socket that its haproxy.cfg sets in `global`, such as {line}"),
        ),
        12 => (
            format!("`{user}` can't open `{socket}` of `{balancer}`, which is {mode}"),
            format!("put {line} in the `global` section of its haproxy.cfg, and reload HAProxy"),
        ),
        13 => (
            format!("`{user}` can't enter `{folder}`, where the socket of `{balancer}` is: the folder is {mode}"),
            format!("add `{user}` to its group, or write another path in the `global` section of haproxy.cfg: {line}"),
        ),
        _ => return unanswered(balancer),
    };
    Failure::new(Cause::Balancer, message).help(help)
}
