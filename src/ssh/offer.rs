//! The key that a host shows, compared with the known keys.
use super::{
    connection::Hop,
    known::{self, HostKey, KeyMark, KnownKey},
};
use crate::failure::Failure;
use std::path::PathBuf;

/// The key of one host on the way.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The host as ssh gets it.
    pub place: String,
    /// The host's name in known-hosts files.
    pub name: String,
    pub fingerprint: String,
    pub standing: KeyStanding,
}

/// How a key relates to the known keys.
#[derive(Clone, Debug)]
pub enum KeyStanding {
    /// A file has it.
    Known,
    /// A known authority signed it: the authority's fingerprint, and its place as `FILE:LINE`.
    Vouched { authority: String, place: String },
    /// No file has it.
    Strange { key: HostKey, known: Vec<OtherKnownKey> },
}

/// A known key other than the one that is shown.
#[derive(Clone, Debug)]
pub struct OtherKnownKey {
    /// Whether it is an authority's, which didn't sign this host's key.
    pub is_authority: bool,
    pub fingerprint: String,
    pub file: PathBuf,
    pub line: usize,
}

/// Returns the keys that files have for a name, and the authorities that should sign its key.
pub(super) fn others(hop: &Hop, name: &str) -> Result<Vec<OtherKnownKey>, Failure> {
    let mut others = Vec::new();
    for file in &hop.known_in {
        for mark in [KeyMark::Host, KeyMark::Authority] {
            for KnownKey { key, line } in known::marked(file, name, mark)? {
                let (is_authority, fingerprint) = (mark == KeyMark::Authority, known::fingerprint(&key)?);
                others.push(OtherKnownKey { is_authority, fingerprint, file: file.clone(), line });
            }
        }
    }
    Ok(others)
}

/// Reads a verbose ssh's output about an accepted key: the key's fingerprint, and whether an authority signed it.
pub(super) fn accepted(said: &str) -> Option<(String, KeyStanding)> {
    let of = |text: &str| said.lines().find_map(|line| line.split_once(text).map(|(_, rest)| rest));
    let matches = of(" is known and matches the ")?;
    let kind = matches.split(' ').next()?.trim_end_matches("-CERT");
    let print = |text: &str| text.split([' ', ',']).find(|word| word.starts_with("SHA256:")).map(str::to_owned);
    if matches.ends_with("host key.") {
        return Some((format!("{kind} {}", print(of("Server host key: ")?)?), KeyStanding::Known));
    }
    let (own, authority) = of("Server host certificate: ")?.split_once(" CA ")?;
    let place = of("Found CA key in ").unwrap_or("a file of known hosts").to_owned();
    let authority_kind = authority.split(' ').next()?.trim_start_matches("ssh-").to_uppercase();
    let authority = format!("{authority_kind} {}", print(authority)?);
    Some((format!("{kind} {}", print(own)?), KeyStanding::Vouched { authority, place }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ssh_says_of_a_key_that_it_takes_is_understood() {
        let known = "debug1: Server host key: ssh-ed25519 SHA256:abc/1+\r\ndebug1: Host '[127.0.0.1]:22' is known and \
                     matches the ED25519 host key.\ndebug1: Found key in /home/x/known_hosts:1\n";
        let Some((print, KeyStanding::Known)) = accepted(known) else { panic!("it is known") };
        assert_eq!(print.trim_end(), "ED25519 SHA256:abc/1+");
        let vouched = "debug1: Server host certificate: ssh-ed25519-cert-v01@openssh.com SHA256:own, serial 0 ID \"web1\" CA \
                       ssh-ed25519 SHA256:authority valid forever\ndebug1: Host 'web1' is known and matches the ED25519-CERT \
                       host certificate.\ndebug1: Found CA key in /home/x/known_hosts:3\n";
        let Some((print, KeyStanding::Vouched { authority, place })) = accepted(vouched) else {
            panic!("it is vouched for")
        };
        let found = (&*print, &*authority, &*place);
        assert_eq!(found, ("ED25519 SHA256:own", "ED25519 SHA256:authority", "/home/x/known_hosts:3"));
        assert!(accepted("debug1: Server host key: ssh-rsa SHA256:x\nNo RSA host key is known for web1").is_none());
    }
}
