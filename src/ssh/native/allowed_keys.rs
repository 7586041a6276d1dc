//! The keys that a configuration allows hosts to have.
use russh::keys::Algorithm;
use std::path::PathBuf;

/// The kinds of keys that a configuration allows.
#[derive(Clone, Debug, Default)]
pub(super) struct AllowedKeys {
    /// The kinds of plain keys of hosts.
    pub plain: Vec<Algorithm>,
    /// The kinds of keys in certificates of hosts.
    pub certified: Vec<Algorithm>,
    /// The kinds of signatures that authorities may make.
    pub signed_by: Vec<Algorithm>,
    /// How many bits an RSA key has at least.
    pub least_rsa_bits: u32,
    /// Files with keys that no host may have.
    pub revoked_in: Vec<PathBuf>,
}
