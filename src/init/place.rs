//! The place of a host, as other tools write it.
use crate::fleet::{WORDS, is_name, is_user};

/// The parts of `[USER@]HOST[:PORT]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HostAddress {
    pub user: Option<String>,
    pub host: String,
    pub port: Option<String>,
}

impl HostAddress {
    /// Parses a place; `None` if a fleet file can't have such a host.
    pub(super) fn of(text: &str) -> Option<HostAddress> {
        let (user, host) = text.trim().rsplit_once('@').map_or((None, text.trim()), |(user, host)| (Some(user), host));
        let (host, port) = match host.split_once(':') {
            Some((host, port)) if port.parse::<u16>().is_ok() => (host, Some(port).filter(|port| *port != "22")),
            _ => (host, None),
        };
        let user = user.filter(|user| is_user(user)).map(str::to_owned);
        (is_name(host) && !WORDS.contains(&host)).then(|| HostAddress {
            user,
            host: host.to_owned(),
            port: port.map(str::to_owned),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_a_user_and_a_port_or_not() {
        let parts = |text: &str| {
            HostAddress::of(text).map(|p| (p.user.unwrap_or_default(), p.host, p.port.unwrap_or_default()))
        };
        let said = |user: &str, host: &str, port: &str| Some((user.to_owned(), host.to_owned(), port.to_owned()));
        assert_eq!(parts("deploy@web1.example.org:2222"), said("deploy", "web1.example.org", "2222"));
        assert_eq!(parts("web1:22"), said("", "web1", ""));
        assert_eq!(parts("10.0.0.1"), said("", "10.0.0.1", ""));
        for text in ["", "a b", "all", "-oProxyCommand=x", "x\"y", "web#{n}"] {
            assert_eq!(parts(text), None, "{text}");
        }
    }
}
