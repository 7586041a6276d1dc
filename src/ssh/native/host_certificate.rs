//! Whether a host's certificate is valid, by PROTOCOL.certkeys and ssh-keygen(1).
use super::{allowed_keys::AllowedKeys, known_keys::is_like, rsa_size::is_short};
use russh::keys::{Certificate, ssh_key::certificate::CertType};

/// What a certificate is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CertificateVerdict {
    Valid,
    /// Why it isn't, in OpenSSH's words.
    Invalid(&'static str),
    /// Why this client can't tell.
    Undecided(String),
}

/// What OpenSSH says of a certificate for other names.
const NOT_LISTED: &str = concat!("name is", " not a listed principal");

/// Judges a certificate of a known authority for a host's name, at a time in seconds since 1970.
pub(super) fn worth(certificate: &Certificate, name: &str, now: u64, allowed: &AllowedKeys) -> CertificateVerdict {
    if certificate.cert_type() != CertType::Host {
        return CertificateVerdict::Invalid("not a host certificate");
    }
    let kind = certificate.signature().algorithm();
    if !allowed.signed_by.contains(&kind) || is_short(certificate.signature_key(), allowed.least_rsa_bits) {
        return CertificateVerdict::Undecided(format!(
            "this client can't check that a `{kind}` key signed its host certificate"
        ));
    }
    if certificate.verify_signature().is_err() {
        return CertificateVerdict::Invalid("its signature is wrong");
    }
    if now < certificate.valid_after() {
        return CertificateVerdict::Invalid("not yet valid");
    }
    if now >= certificate.valid_before() {
        return CertificateVerdict::Invalid("expired");
    }
    if !certificate.critical_options().is_empty() {
        return CertificateVerdict::Invalid("certificate contains unsupported critical options");
    }
    let principals = certificate.valid_principals();
    if principals.iter().any(|principal| principal == name) {
        return CertificateVerdict::Valid;
    }
    // What an empty list and a pattern mean depends on the version of OpenSSH.
    if principals.is_empty()
        || principals.iter().any(|principal| principal.contains(['*', '?']) && is_like(principal, name))
    {
        return CertificateVerdict::Undecided("its host certificate names no host, or names a pattern".to_owned());
    }
    CertificateVerdict::Invalid(NOT_LISTED)
}
