//! Why a host can't be reached, in words.
use super::hop::Hop;
use crate::{
    failure::{Cause, Failure, HOSTS},
    host::Host,
};

/// Why a login failed.
#[derive(Clone, Debug)]
pub(crate) enum LoginFailure {
    /// What ssh printed.
    Refused(String),
    /// Why ssh printed nothing.
    Silent(String),
}

impl LoginFailure {
    /// Makes the failure for the host that was to be reached; `hop` is the host on its way that refused.
    pub(crate) fn into_failure(self, host: &Host, route: &[Hop], hop: &Hop) -> Failure {
        match self {
            LoginFailure::Refused(said) => refused(host, route, &said),
            LoginFailure::Silent(why) if hop.place != host.address() => {
                unreachable(host, &format!("`{}`, a jump host on the route to it: {why}", hop.place))
            }
            LoginFailure::Silent(why) => unreachable(host, &why),
        }
    }
}

/// Makes the failure of a host that can't be reached.
pub(crate) fn unreachable(host: &Host, why: &str) -> Failure {
    Failure::new(Cause::Unreachable, format!("can't be reached: {why}"))
        .on(&host.name)
        .help(format!("check `ssh {}`", host.address()))
}

/// Makes the failure for what ssh printed when a login failed.
pub(crate) fn refused(host: &Host, route: &[Hop], said: &str) -> Failure {
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('@')).collect();
    let find = |text: &str| lines.iter().find(|l| l.contains(text)).copied();
    let about = |line: &str| route.iter().find(|hop| line.split([' ', ',']).any(|word| word == hop.known_as));
    let wrong = |cause: Cause, hop: Option<&Hop>, what: &str| {
        let whose = match hop.filter(|hop| hop.place != host.address()) {
            Some(jump) => format!("the key of `{}`, a jump host on the route to it, {what}", jump.place),
            None => format!("its key {what}"),
        };
        Failure::new(cause, whose).on(&host.name)
    };
    let trust = format!("`rfab {HOSTS} --trust {}`", host.name);
    if let Some(line) = find("is marked as revoked") {
        return wrong(Cause::HostKeyRevoked, about(line), "is marked as revoked")
            .help("ask the people who run it; nothing was sent to it");
    }
    if let Some(line) = find("has changed and you have requested").or(find("Offending")) {
        let place = find("Offending").and_then(|l| l.split_once(" in ")).map(|(_, place)| format!(" ({place})"));
        let place = place.unwrap_or_default();
        let what = format!("differs from the known key{place}: somebody may be intercepting the connection");
        return wrong(Cause::HostKeyChanged, about(line), &what).help(format!(
            "ask the people who run it; if they changed the key, compare the new fingerprint and trust it with {trust}"
        ));
    }
    if let Some(line) = find("Certificate invalid") {
        let why = line.split_once("invalid: ").map_or(line, |(_, why)| why);
        let help =
            "ask the people who sign the host certificates for a new one; check its principals and expiry date first";
        let failure = unreachable(host, &format!("a host certificate on its route isn't valid: {why}")).help(help);
        return Failure { cause: Cause::HostCertificate, ..failure };
    }
    if let Some(line) = find("host key is known for").or(find("Host key verification failed")) {
        let help = format!("compare its fingerprint and trust it with {trust}");
        let what = "isn't known, so rfab doesn't trust it";
        return wrong(Cause::HostKeyUnknown, about(line), what).help(help);
    }
    if let Some(line) = find("Permission denied (") {
        let failure =
            Failure { cause: Cause::LoginDenied, ..unreachable(host, line.strip_prefix("ssh: ").unwrap_or(line)) };
        return failure.help(format!(
            "check `ssh -o BatchMode=yes {}`, which asks nothing, as rfab does: a key with a passphrase works after \
             you add it with `ssh-add`",
            host.address()
        ));
    }
    if let Some((_, why)) = find(": open failed: ").and_then(|line| line.split_once(": open failed: ")) {
        let why = why.trim_start_matches("connect failed: ");
        let failure = unreachable(host, &format!("a jump host on its route can't connect to the next host: {why}"));
        return Failure { cause: Cause::JumpHost, ..failure };
    }
    // A jump host's ssh reports the end of its way before the reason.
    let reason = lines
        .iter()
        .rfind(|l| !l.starts_with("Connection closed by UNKNOWN") && !l.starts_with("kex_exchange_identification"));
    match reason.or(lines.last()) {
        Some(last) => unreachable(host, last.strip_prefix("ssh: ").unwrap_or(last)),
        None => unreachable(host, "ssh doesn't report why"),
    }
}
