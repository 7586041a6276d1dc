//! What is known about a host's keys. A key that isn't known for certain is refused.
use super::{
    host_certificate::{Worth, worth},
    known_keys::{KnownLine, about},
};
use crate::ssh::{connection::Hop, known::KeyMark};
use russh::keys::{Algorithm, Certificate, PublicKey, PublicKeyOrCertificate};
use std::path::PathBuf;

/// What is known about a host's keys.
#[derive(Clone, Debug)]
pub(super) struct KnownHost {
    /// The name in known-hosts files.
    known_as: String,
    /// The name in certificates: without the port.
    name: String,
    lines: Vec<KnownLine>,
    /// The lines about the name without its port, which count if there's no other key.
    bare: Vec<KnownLine>,
    /// The kinds of signatures that authorities may make.
    signed_by: Vec<Algorithm>,
}

/// What a host's key is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum KeyVerdict {
    Known,
    /// Why it's refused, in OpenSSH's words.
    Refused(String),
    /// Why this client can't tell.
    Undecided(String),
}

impl KnownHost {
    /// Reads what is known about a host on the way, or why that can't be told.
    pub(super) fn of(hop: &Hop, signed_by: Vec<Algorithm>) -> Result<Self, String> {
        let files: &[PathBuf] = &hop.known_in;
        let alias = hop.options.value("hostkeyalias").map(str::to_lowercase);
        let name = alias.clone().or_else(|| hop.options.value("hostname").map(str::to_lowercase)).unwrap_or_default();
        let bare = if alias.is_none() && name != hop.known_as { about(&name, files)? } else { Vec::new() };
        Ok(Self { known_as: hop.known_as.clone(), lines: about(&hop.known_as, files)?, name, bare, signed_by })
    }

    fn all(&self) -> impl Iterator<Item = &KnownLine> {
        self.lines.iter().chain(&self.bare)
    }

    /// Returns the kinds of keys to ask the host for: those that are known come first.
    pub(super) fn kinds(&self, allowed: &[Algorithm]) -> Vec<Algorithm> {
        let is_known =
            |kind: &&Algorithm| self.all().any(|line| line.mark == KeyMark::Host && line.kind == kind.as_str());
        let (known, others): (Vec<_>, Vec<_>) = allowed.iter().partition(is_known);
        known.into_iter().chain(others).cloned().collect()
    }

    /// Returns whether an authority may vouch for the host.
    pub(super) fn has_authority(&self) -> bool {
        self.all().any(|line| line.mark == KeyMark::Authority)
    }

    /// Returns why this client can't check the host, if the only known keys are of kinds that it can't check.
    pub(super) fn uncheckable(&self, allowed: &[Algorithm]) -> Option<String> {
        let mut kinds = self.all().filter(|line| line.mark == KeyMark::Host).map(|line| &line.kind).peekable();
        let first = kinds.peek().map(|kind| kind.to_string())?;
        let none = !kinds.any(|kind| allowed.iter().any(|one| one.as_str() == kind));
        (none && !self.has_authority()).then(|| format!("this client can't check its known key, which is `{first}`"))
    }

    /// Judges what a host showed. It has proven already that the key is its own.
    pub(super) fn verdict(&self, shown: &PublicKeyOrCertificate, now: u64) -> KeyVerdict {
        let key = shown.public_key();
        let Ok(blob) = key.to_bytes() else {
            return KeyVerdict::Undecided("this client can't read its key".to_owned());
        };
        let authority = shown.certificate().and_then(|certificate| {
            let blob = PublicKey::from(certificate.signature_key().clone()).to_bytes().ok()?;
            Some((certificate, blob))
        });
        let revoked = |line: &&KnownLine| {
            let by = |blob: &[u8]| line.key == blob;
            line.mark == KeyMark::Revoked && (by(&blob) || authority.as_ref().is_some_and(|(_, blob)| by(blob)))
        };
        if self.all().any(|line| revoked(&line)) {
            return KeyVerdict::Refused(format!("The key for {} is marked as revoked.", self.known_as));
        }
        if let Some((certificate, blob)) = authority
            && let Some(verdict) = self.vouched(certificate, &blob, now)
        {
            return verdict;
        }
        if self.all().any(|line| line.mark == KeyMark::Host && line.key == blob) {
            return KeyVerdict::Known;
        }
        self.refused(key.algorithm().as_str())
    }

    /// Judges a certificate if its authority is known.
    fn vouched(&self, certificate: &Certificate, authority: &[u8], now: u64) -> Option<KeyVerdict> {
        self.all().find(|line| line.mark == KeyMark::Authority && line.key == authority)?;
        Some(match worth(certificate, &self.name, now, &self.signed_by) {
            Worth::Valid => KeyVerdict::Known,
            Worth::Invalid(why) => KeyVerdict::Refused(format!("Certificate invalid: {why}")),
            Worth::Undecided(why) => KeyVerdict::Undecided(why),
        })
    }

    /// Tells in OpenSSH's words why a key is refused: another one is known, or none.
    fn refused(&self, kind: &str) -> KeyVerdict {
        let (name, word) = (&self.known_as, word(kind));
        let other = self.lines.iter().find(|line| line.mark == KeyMark::Host && line.kind == kind);
        KeyVerdict::Refused(match other.map(|line| &line.place) {
            Some((file, line)) => format!(
                "Offending {word} key in {}:{line}\n\
                 Host key for {name} has changed and you have requested strict checking.",
                file.display()
            ),
            None => format!("No {word} host key is known for {name} and you have requested strict checking."),
        })
    }
}

/// Returns OpenSSH's word for a kind of key.
fn word(kind: &str) -> &str {
    match kind {
        "ssh-ed25519" => "ED25519",
        kind if kind.starts_with("ecdsa-") => "ECDSA",
        kind => kind,
    }
}

#[cfg(test)]
mod tests;
