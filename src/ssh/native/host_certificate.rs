//! Whether a host's certificate is valid, by PROTOCOL.certkeys and ssh-keygen(1).
use super::{allowed_keys::AllowedKeys, known_keys::is_like, rsa_size::is_short};
use russh::keys::{Certificate, ssh_key::certificate::CertType};

/// What a certificate is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Worth {
    Valid,
    /// Why it isn't, in OpenSSH's words.
    Invalid(&'static str),
    /// Why this client can't tell.
    Undecided(String),
}

/// What OpenSSH says of a certificate for other names.
const NOT_LISTED: &str = concat!("name is", " not a listed principal");

/// Judges a certificate of a known authority for a host's name, at a time in seconds since 1970.
pub(super) fn worth(certificate: &Certificate, name: &str, now: u64, allowed: &AllowedKeys) -> Worth {
    if certificate.cert_type() != CertType::Host {
        return Worth::Invalid("not a host certificate");
    }
    let kind = certificate.signature().algorithm();
    if !allowed.signed_by.contains(&kind) || is_short(certificate.signature_key(), allowed.least_rsa_bits) {
        return Worth::Undecided(format!("this client can't check that a `{kind}` key signed its host certificate"));
    }
    if certificate.verify_signature().is_err() {
        return Worth::Invalid("its signature is wrong");
    }
    if now < certificate.valid_after() {
        return Worth::Invalid("not yet valid");
    }
    if now >= certificate.valid_before() {
        return Worth::Invalid("expired");
    }
    if !certificate.critical_options().is_empty() {
        return Worth::Invalid("certificate contains unsupported critical options");
    }
    let principals = certificate.valid_principals();
    if principals.iter().any(|principal| principal == name) {
        return Worth::Valid;
    }
    // What an empty list and a pattern mean depends on the version of OpenSSH.
    if principals.is_empty()
        || principals.iter().any(|principal| principal.contains(['*', '?']) && is_like(principal, name))
    {
        return Worth::Undecided("its host certificate is for no name, or for a pattern".to_owned());
    }
    Worth::Invalid(NOT_LISTED)
}
