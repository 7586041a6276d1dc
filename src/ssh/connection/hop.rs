//! One host on the way to a host.
use super::ssh_options::SshOptions;
use std::path::PathBuf;

/// One host on the way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hop {
    /// The host as ssh gets it: `anna@bastion:2222`.
    pub place: String,
    /// The jump hosts before it, if they don't come from the configuration.
    pub via: Option<String>,
    /// The name that ssh looks for in known-hosts files.
    pub known_as: String,
    /// The known-hosts files that ssh searches.
    pub known_in: Vec<PathBuf>,
    pub options: SshOptions,
}

impl Hop {
    /// Returns a text that identifies the hop.
    pub(crate) fn key(&self) -> String {
        format!("{} {}", self.via.as_deref().unwrap_or_default(), self.place)
    }

    /// Returns ssh's arguments for the hop, with the way there.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let via = self.via.iter().flat_map(|via| ["-J".to_owned(), via.clone()]);
        via.chain(self.words()).collect()
    }

    /// Returns the arguments that name the hop.
    pub(crate) fn words(&self) -> Vec<String> {
        let mut arguments = Vec::new();
        let (user, name, port) = parts(&self.place);
        for (flag, value) in [("-l", user), ("-p", port)] {
            arguments.extend(value.into_iter().flat_map(|value| [flag.to_owned(), value.to_owned()]));
        }
        arguments.extend(["--".to_owned(), name.to_owned()]);
        arguments
    }
}

/// Splits `[USER@]HOST[:PORT]` into user, name and port; the name is without the brackets of an IPv6 address.
pub(super) fn parts(place: &str) -> (Option<&str>, &str, Option<&str>) {
    let (user, place) = match place.rsplit_once('@') {
        Some((user, place)) => (Some(user), place),
        None => (None, place),
    };
    let (name, port) = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((name, rest)) => (name, rest.strip_prefix(':')),
        // More than one colon is an IPv6 address.
        None => match place.split_once(':') {
            Some((name, port)) if !port.contains(':') => (name, Some(port)),
            _ => (place, None),
        },
    };
    (user, name, port)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hop(place: &str, via: Option<&str>) -> String {
        Hop { place: place.into(), via: via.map(str::to_owned), ..Hop::default() }.arguments().join(" ")
    }

    #[test]
    fn a_place_is_given_to_ssh_in_words_that_cannot_be_options() {
        assert_eq!(hop("web1", None), "-- web1");
        assert_eq!(hop("anna@bastion:2222", Some("a,b")), "-J a,b -l anna -p 2222 -- bastion");
        assert_eq!(hop("anna@[fe80::1]:22", None), "-l anna -p 22 -- fe80::1");
        assert_eq!(hop("fe80::1", None), "-- fe80::1");
        assert_eq!(hop("-oProxyCommand=x", None), "-- -oProxyCommand=x");
    }
}
