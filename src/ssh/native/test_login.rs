//! A login in a test: a user's key and known hosts in a folder.
use super::{host_login::HostLogin, known_host::KnownHost, settings::LoginSettings};
use crate::ssh::connection::{Hop, SshOptions};
use russh::keys::{PrivateKey, ssh_key::private::Ed25519Keypair};
use std::{fs, os::unix::fs::PermissionsExt, path::Path, sync::Arc};

pub(super) fn new_key() -> PrivateKey {
    PrivateKey::from(Ed25519Keypair::from_seed(&rand::random()))
}

/// Returns a login of the user with the key in a folder to a host, with these known hosts.
pub(super) fn login(folder: &Path, known_hosts: &str) -> HostLogin {
    let (key, known) = (folder.join("key"), folder.join("known_hosts"));
    fs::write(&known, known_hosts).unwrap();
    let options = SshOptions::of(&format!(
        "hostname web1\nuser deploy\nport 22\nkexalgorithms curve25519-sha256\nciphers aes256-gcm@openssh.com\n\
         macs hmac-sha2-256\nhostkeyalgorithms ssh-ed25519\npubkeyacceptedalgorithms ssh-ed25519\n\
         identityagent none\nconnecttimeout 1\nidentityfile {}\n",
        key.display()
    ));
    let hop = Hop { known_as: "web1".into(), known_in: vec![known], options, ..Hop::default() };
    let settings = LoginSettings::of(&hop, folder).unwrap();
    let host = KnownHost::of(&hop, settings.host_keys.clone()).unwrap();
    HostLogin { settings, known: Arc::new(host), through: None }
}

/// Puts a user's key into a folder.
pub(super) fn put(key: &PrivateKey, folder: &Path) {
    let text = key.to_openssh(russh::keys::ssh_key::LineEnding::LF).unwrap();
    fs::write(folder.join("key"), text.as_bytes()).unwrap();
    fs::set_permissions(folder.join("key"), fs::Permissions::from_mode(0o600)).unwrap();
}

/// Returns the line of known hosts with the key of `web1`.
pub(super) fn line(key: &PrivateKey) -> String {
    format!("web1 {}\n", key.public_key().to_openssh().unwrap())
}
