//! The machines of the demo: each has an address of its own, a host key, and a folder that is its user's home.
use crate::failure::Failure;
use russh::keys::{
    PrivateKey,
    ssh_key::{LineEnding, private::Ed25519Keypair},
};
use std::{
    fs, io,
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
};

/// Who logs in everywhere.
pub const USER: &str = "deploy";
/// The balancer's machine.
pub const BALANCER: &str = "lb1";
/// The web hosts of each group.
pub const GROUPS: [(&str, [&str; 3]); 2] = [("group1", ["web1", "web2", "web3"]), ("group2", ["web4", "web5", "web6"])];

/// A machine.
pub struct Host {
    pub name: &'static str,
    pub group: Option<&'static str>,
    /// Where its ssh server listens.
    pub ssh: SocketAddr,
    /// Where its app listens, or the balancer for requests.
    pub app: SocketAddr,
    pub folder: PathBuf,
    pub key: PrivateKey,
}

impl Host {
    /// Makes all machines, below `root`; nothing listens yet but for ssh.
    pub fn all(root: &Path) -> Result<Vec<(Host, TcpListener)>, Failure> {
        let web = GROUPS.iter().flat_map(|(group, names)| names.iter().map(|name| (*name, Some(*group))));
        let names: Vec<_> = [(BALANCER, None)].into_iter().chain(web).collect();
        let addresses = addresses(names.len()).map_err(|e| {
            Failure::failed(format!("no addresses for the demo's hosts: {e}")).help("it needs the whole of 127.0.0.0/8")
        })?;
        let make = |((name, group), app): ((&'static str, Option<&'static str>), SocketAddr)| {
            let folder = root.join(name);
            for below in ["bin", "srv"] {
                fs::create_dir_all(folder.join(below))?;
            }
            let listener = TcpListener::bind((app.ip(), 0))?;
            listener.set_nonblocking(true)?;
            Ok((Host { name, group, ssh: listener.local_addr()?, app, folder, key: new_key() }, listener))
        };
        let hosts: io::Result<Vec<_>> = names.into_iter().zip(addresses).map(make).collect();
        hosts.map_err(|e| Failure::failed(format!("the demo's hosts cannot be made: {e}")))
    }

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

/// Addresses of this machine alone, all with one port, which is free on each.
fn addresses(count: usize) -> io::Result<Vec<SocketAddr>> {
    let mut last = io::Error::other("none is free");
    for _ in 0..20 {
        let [a, b]: [u8; 2] = rand::random();
        let ip = |n: usize| Ipv4Addr::new(127, 64 + a % 128, b, 10 + n as u8);
        let free = TcpListener::bind((ip(0), 0)).and_then(|first| {
            let port = first.local_addr()?.port();
            let others = (1..count).map(|n| TcpListener::bind((ip(n), port)));
            others.collect::<io::Result<Vec<_>>>()?;
            Ok((0..count).map(|n| SocketAddr::from((ip(n), port))).collect())
        });
        match free {
            Ok(addresses) => return Ok(addresses),
            Err(error) => last = error,
        }
    }
    Err(last)
}
