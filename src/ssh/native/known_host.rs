//! What is known about a host's keys. A key that isn't known for certain is refused.
use super::{
    allowed_keys::AllowedKeys,
    host_certificate::{CertificateVerdict, worth},
    known_keys::{KnownLine, about, revoked_by},
    rsa_size::is_short,
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
    /// What a host may show.
    allowed: AllowedKeys,
}

/// Returns the name that known-hosts files have for a kind of key: an RSA key has one, whatever hash it signs with.
fn key_kind(kind: &Algorithm) -> &str {
    if matches!(kind, Algorithm::Rsa { .. }) { "ssh-rsa" } else { kind.as_str() }
}

/// Returns whether a key is of one of these kinds.
fn is_among(kinds: &[Algorithm], key: &PublicKey) -> bool {
    kinds.iter().any(|kind| key_kind(kind) == key_kind(&key.algorithm()))
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
    /// Reads what is known about a host on the way, or why rfab can't tell.
    pub(super) fn of(hop: &Hop, allowed: AllowedKeys) -> Result<Self, String> {
        let files: &[PathBuf] = &hop.known_in;
        let alias = hop.options.value("hostkeyalias").map(str::to_lowercase);
        let name = alias.clone().or_else(|| hop.options.value("hostname").map(str::to_lowercase)).unwrap_or_default();
        let bare = if alias.is_none() && name != hop.known_as { about(&name, files)? } else { Vec::new() };
        let mut lines = about(&hop.known_as, files)?;
        for file in &allowed.revoked_in {
            lines.extend(revoked_by(file)?);
        }
        Ok(Self { known_as: hop.known_as.clone(), lines, name, bare, allowed })
    }

    fn all(&self) -> impl Iterator<Item = &KnownLine> {
        self.lines.iter().chain(&self.bare)
    }

    /// Returns the lines with plain keys that count.
    fn plain(&self) -> impl Iterator<Item = &KnownLine> {
        let is_plain = |line: &&KnownLine| line.mark == KeyMark::Host;
        let lines = if self.lines.iter().any(|line| is_plain(&line)) { &self.lines } else { &self.bare };
        lines.iter().filter(is_plain)
    }

    /// Returns the kinds of plain keys to ask the host for: those that are known come first.
    pub(super) fn kinds(&self) -> Vec<Algorithm> {
        let is_known = |kind: &&Algorithm| self.plain().any(|line| line.kind == key_kind(kind));
        let (known, others): (Vec<_>, Vec<_>) = self.allowed.plain.iter().partition(is_known);
        known.into_iter().chain(others).cloned().collect()
    }

    /// Returns the kinds of certificates to ask the host for: none if no authority may vouch for it.
    pub(super) fn certified(&self) -> &[Algorithm] {
        let has_authority = self.all().any(|line| line.mark == KeyMark::Authority);
        if has_authority { &self.allowed.certified } else { &[] }
    }

    /// Returns why this client can't check the host, if the only known keys are of kinds that it can't check.
    pub(super) fn uncheckable(&self) -> Option<String> {
        let first = self.plain().next()?.kind.clone();
        let none = !self.plain().any(|line| self.allowed.plain.iter().any(|one| key_kind(one) == line.kind));
        (none && self.certified().is_empty())
            .then(|| format!("this client can't check its known key, which is `{first}`"))
    }

    /// Returns whether a host may prove by this kind of signature that a key is its own.
    pub(super) fn may_sign(&self, kind: &str, is_certified: bool) -> bool {
        let allowed = if is_certified { &self.allowed.certified } else { &self.allowed.plain };
        allowed.iter().any(|one| one.as_str() == kind)
    }

    /// Judges what a host showed. It has proven already that the key is its own.
    pub(super) fn verdict(&self, shown: &PublicKeyOrCertificate, now: u64) -> KeyVerdict {
        let key = shown.public_key();
        let Ok(blob) = key.to_bytes() else {
            return KeyVerdict::Undecided("this client can't read its key".to_owned());
        };
        // A host may show another key than the kind that both sides agreed on.
        let allowed = if shown.certificate().is_some() { &self.allowed.certified } else { &self.allowed.plain };
        if !is_among(allowed, &key) {
            return KeyVerdict::Refused(format!("key type doesn't match: {}", word(key_kind(&key.algorithm()))));
        }
        if is_short(key.key_data(), self.allowed.least_rsa_bits) {
            return KeyVerdict::Refused("Bad server host key: Invalid key length".to_owned());
        }
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
        let vouched = authority.and_then(|(certificate, blob)| self.vouched(certificate, &blob, now));
        let is_known = self.plain().any(|line| line.key == blob);
        match vouched {
            // Without its certificate, the key may be known.
            Some(KeyVerdict::Refused(_)) | None if is_known && is_among(&self.allowed.plain, &key) => KeyVerdict::Known,
            Some(verdict) => verdict,
            None => self.refused(key_kind(&key.algorithm())),
        }
    }

    /// Judges a certificate if its authority is known.
    fn vouched(&self, certificate: &Certificate, authority: &[u8], now: u64) -> Option<KeyVerdict> {
        self.all().find(|line| line.mark == KeyMark::Authority && line.key == authority)?;
        Some(match worth(certificate, &self.name, now, &self.allowed) {
            CertificateVerdict::Valid => KeyVerdict::Known,
            CertificateVerdict::Invalid(why) => KeyVerdict::Refused(format!("Certificate invalid: {why}")),
            CertificateVerdict::Undecided(why) => KeyVerdict::Undecided(why),
        })
    }

    /// Tells in OpenSSH's words why a key is refused: another one is known, or none.
    fn refused(&self, kind: &str) -> KeyVerdict {
        let name = &self.known_as;
        // A key of the name without its port is no other key.
        let others = || self.lines.iter().filter(|line| line.mark == KeyMark::Host);
        let other = others().find(|line| line.kind == kind).or_else(|| others().next());
        KeyVerdict::Refused(match other {
            Some(KnownLine { kind, place: (file, line), .. }) => format!(
                "Offending {} key in {}:{line}\n\
                 Host key for {name} has changed and you have requested strict checking.",
                word(kind),
                file.display()
            ),
            None => format!("No {} host key is known for {name} and you have requested strict checking.", word(kind)),
        })
    }
}

/// Returns OpenSSH's word for a kind of key.
fn word(kind: &str) -> &str {
    match kind {
        "ssh-ed25519" => "ED25519",
        "ssh-rsa" => "RSA",
        kind if kind.starts_with("ecdsa-") => "ECDSA",
        kind => kind,
    }
}

#[cfg(test)]
mod tests;
