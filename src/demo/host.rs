//! A host of the demo: it has an address of its own, a host key, and a folder that is its user's home.
use russh::keys::{
    PrivateKey,
    ssh_key::{LineEnding, private::Ed25519Keypair},
};
use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

/// Who logs in everywhere.
pub const USER: &str = "deploy";

/// A host, or the balancer's.
pub struct DemoHost {
    pub name: &'static str,
    pub group: Option<&'static str>,
    /// Where its ssh server listens.
    pub ssh: SocketAddr,
    /// Where its app listens, or the balancer for requests.
    pub app: SocketAddr,
    pub folder: PathBuf,
    pub key: PrivateKey,
}

impl DemoHost {
    pub fn address(&self) -> IpAddr {
        self.ssh.ip()
    }

    /// Where the app is.
    pub fn path(&self) -> PathBuf {
        self.folder.join("srv/shop")
    }

    /// The line by which its key is known.
    pub fn known(&self) -> String {
        let key = self.key.public_key().to_openssh().expect("a key of our own making");
        format!("[{}]:{} {key}\n", self.ssh.ip(), self.ssh.port())
    }
}

/// Makes a key that nobody else has.
pub fn new_key() -> PrivateKey {
    PrivateKey::from(Ed25519Keypair::from_seed(&rand::random()))
}

/// A private key as `ssh` reads it from a file.
pub fn text_of(key: &PrivateKey) -> String {
    key.to_openssh(LineEnding::LF).expect("a key of our own making").to_string()
}
