//! Keys of the test's own: a home of gpg with its agent, and a key of ssh.
use super::sample::Clone;
use lab::{alone, runnable};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Keys of Anna and Berta, which sign, and one of Carl, for which nobody types the passphrase. The agent ends with the
/// test, also when the test is killed.
pub struct Signer {
    folder: tempfile::TempDir,
    agent: Child,
    /// Each key, as git shows it, with a short name.
    keys: Vec<(String, &'static str)>,
}

impl Signer {
    pub fn new() -> Signer {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("gnupg");
        fs::create_dir(&home).unwrap();
        fs::set_permissions(&home, fs::Permissions::from_mode(0o700)).unwrap();
        let agent = "pinentry-program /bin/false\ndisable-scdaemon\ndefault-cache-ttl 0\nmax-cache-ttl 0\n";
        fs::write(home.join("gpg-agent.conf"), agent).unwrap();
        let program = format!("#!/bin/sh\nexec env GNUPGHOME={} gpg --no-autostart \"$@\"\n", home.display());
        runnable::write(&folder.path().join("gpg"), &program);
        let agent = started(&home);
        let mut signer = Signer { folder, agent, keys: Vec::new() };
        for (name, passphrase) in [("anna", ""), ("berta", ""), ("carl", "secret")] {
            let id = format!("{name} <{name}@example.org>");
            let how = ["--batch", "--pinentry-mode", "loopback", "--passphrase", passphrase];
            signer.gpg(&[&how[..], &["--quick-gen-key", &id, "ed25519", "sign", "never"]].concat());
            let listed = signer.gpg(&["--with-colons", "--list-keys", &id]);
            let print = listed.lines().find_map(|line| line.strip_prefix("fpr:")).unwrap().trim_matches(':').to_owned();
            signer.keys.push((print, name));
        }
        let key = signer.ssh_key();
        said(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f", &key]));
        let listed = said(Command::new("ssh-keygen").args(["-l", "-f", &key]));
        signer.keys.push((listed.split(' ').nth(1).unwrap().to_owned(), "ssh"));
        let public = fs::read_to_string(format!("{key}.pub")).unwrap();
        fs::write(signer.folder.path().join("allowed"), format!("anna@example.org {public}")).unwrap();
        signer
    }

    /// Returns the file with the key of ssh.
    pub fn ssh_key(&self) -> String {
        self.folder.path().join("ssh").display().to_string()
    }

    /// Lets git sign and verify in a clone.
    pub fn lend(&self, clone: &Clone) {
        let file = |name: &str| self.folder.path().join(name).display().to_string();
        clone.git(&["config", "gpg.program", &file("gpg")]);
        clone.git(&["config", "gpg.ssh.allowedSignersFile", &file("allowed")]);
    }

    /// Returns the short name of the key that git names in a text; nothing if it names none, or if it isn't good.
    pub fn named(&self, text: &str) -> String {
        let good = ["G ", "U ", "VALIDSIG", "Good"].iter().any(|word| text.contains(word));
        let key = self.keys.iter().find(|(key, _)| good && text.contains(key.as_str()));
        key.map_or(String::new(), |(_, name)| (*name).to_owned())
    }

    fn gpg(&self, words: &[&str]) -> String {
        said(Command::new(self.folder.path().join("gpg")).args(words))
    }
}

impl Drop for Signer {
    fn drop(&mut self) {
        let _ = self.agent.kill();
        let _ = self.agent.wait();
    }
}

/// Starts an agent, and waits for its socket.
///
/// The agent ends with the program that it starts, and that dies with the thread of the test.
fn started(home: &Path) -> Child {
    let mut agent = Command::new("setpriv");
    agent.args(["--pdeathsig", "KILL", "gpg-agent", "--homedir"]).arg(home).args(["--daemon", "sleep", "600"]);
    let agent = alone::cleared(&mut agent).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let agent = agent.spawn().unwrap();
    let socket: PathBuf = home.join("S.gpg-agent");
    let deadline = Instant::now() + Duration::from_secs(20);
    while !socket.exists() {
        assert!(Instant::now() < deadline, "the agent doesn't start");
        thread::sleep(Duration::from_millis(20));
    }
    agent
}

fn said(command: &mut Command) -> String {
    let out = alone::cleared(command).env("HOME", "/nonexistent").output().unwrap();
    assert!(out.status.success(), "{command:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}
