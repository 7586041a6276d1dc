//! A host of the demo: it has an address, a host key, and a folder that is its user's home.
use russh::keys::{
    PrivateKey,
    ssh_key::{LineEnding, private::Ed25519Keypair},
};
use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

/// The user that logs in everywhere.
pub(super) const USER: &str = "deploy";

/// A host, or the balancer's machine.
pub(super) struct DemoHost {
    pub name: &'static str,
    pub group: Option<&'static str>,
    /// The address of its ssh server.
    pub ssh: SocketAddr,
    /// The address of its app, or of the balancer's proxy.
    pub app: SocketAddr,
    pub folder: PathBuf,
    pub key: PrivateKey,
}

impl DemoHost {
    pub(super) fn address(&self) -> IpAddr {
        self.ssh.ip()
    }

    /// Returns the folder of the app.
    pub(super) fn path(&self) -> PathBuf {
        self.folder.join("srv/shop")
    }

    /// Returns its line for `known_hosts`.
    pub(super) fn known(&self) -> String {
        let key = self.key.public_key().to_openssh().expect("a key of our own making");
        format!("[{}]:{} {key}\n", self.ssh.ip(), self.ssh.port())
    }
}

/// Makes a random key.
pub(super) fn new_key() -> PrivateKey {
    PrivateKey::from(Ed25519Keypair::from_seed(&rand::random()))
}

/// Returns a private key as `ssh` reads it from a file.
pub(super) fn text_of(key: &PrivateKey) -> String {
    key.to_openssh(LineEnding::LF).expect("a key of our own making").to_string()
}
