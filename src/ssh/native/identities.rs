//! The keys and certificates to log in with, in the order in which OpenSSH tries them.
use super::{rsa_key::RsaKey, rsa_size::is_short, settings::LoginSettings};
use crate::ssh::connection::heard_within;
use russh::keys::{
    Algorithm, Certificate, PrivateKey, PublicKey,
    agent::{AgentIdentity, AgentSessionBinding, client::AgentClient},
    decode_secret_key,
    ssh_key::public::KeyData,
};
use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::net::UnixStream;

/// How long an agent may take to list its keys.
const AGENT_WITHIN: Duration = Duration::from_secs(2);

/// One way to log in with a key.
pub(super) enum Identity {
    File {
        key: Arc<PrivateKey>,
        certificate: Option<Certificate>,
    },
    Agent(AgentIdentity),
    /// The agent has the key of a certificate that a file has.
    Certified(Certificate),
}

/// The ways to log in with a key.
#[derive(Default)]
pub(super) struct Identities {
    pub all: Vec<Identity>,
    /// The agent that signs.
    pub agent: Option<AgentClient<UnixStream>>,
    /// Keys that only OpenSSH may be able to use, each with the reason.
    pub unusable: Vec<String>,
}

/// A key that a file has.
struct KeyFile {
    public: Option<PublicKey>,
    private: Option<Arc<PrivateKey>>,
    /// Why this client can't use the private key, unless the agent has it.
    unusable: Option<String>,
}

impl KeyFile {
    fn public(public: Option<PublicKey>, unusable: Option<String>) -> Self {
        Self { public, private: None, unusable }
    }
}

impl Identities {
    /// Reads the files and asks the agent, which learns which server the keys are for.
    pub(super) async fn of(settings: &LoginSettings, binding: Option<&AgentSessionBinding>) -> Self {
        let mut found = Identities::default();
        let files: Vec<KeyFile> = settings.identities.iter().filter_map(|path| read(path)).collect();
        let held = found.ask(settings, binding).await;
        let is_held = |key: &PublicKey| held.iter().any(|held| held.public_key().key_data() == key.key_data());
        let lacking = files.iter().filter(|file| !file.public.as_ref().is_some_and(is_held));
        found.unusable.splice(0..0, lacking.filter_map(|file| file.unusable.clone()));
        let beside = settings.identities.iter().map(|path| with_end(path, "-cert.pub"));
        let paths = settings.certificates.iter().cloned().chain(beside);
        let certificates: Vec<_> = paths.filter_map(|path| found.certificate(&path)).collect();
        let public = |held: &AgentIdentity| held.public_key().key_data().clone();
        let mut ways: Vec<Identity> = Vec::new();
        for certificate in certificates {
            let is_its = |key: &KeyData| key == certificate.public_key();
            let private = files.iter().filter_map(|file| file.private.as_ref());
            if held.iter().any(|held| is_its(&public(held))) {
                ways.push(Identity::Certified(certificate));
            } else if let Some(key) = private.into_iter().find(|key| is_its(key.public_key().key_data())) {
                ways.push(Identity::File { key: key.clone(), certificate: Some(certificate) });
            }
        }
        let named =
            |key: &KeyData| files.iter().any(|file| file.public.as_ref().is_some_and(|own| own.key_data() == key));
        let (first, others): (Vec<_>, Vec<_>) = held.iter().cloned().partition(|held| named(&public(held)));
        ways.extend(first.into_iter().map(Identity::Agent));
        if !settings.identities_only {
            ways.extend(others.into_iter().map(Identity::Agent));
        }
        for key in files.into_iter().filter_map(|file| file.private) {
            if !held.iter().any(|held| public(held) == *key.public_key().key_data()) {
                ways.push(Identity::File { key, certificate: None });
            }
        }
        for way in ways {
            match way.unsigned() {
                Some(kind) if settings.accepted.contains(&kind) => {
                    found.unusable.push(format!("this client can't sign with a `{kind}` key"));
                }
                None if way.is_accepted(settings) => found.all.push(way),
                _ => {}
            }
        }
        found
    }

    /// Reads a certificate; what is no certificate here may be one for OpenSSH.
    fn certificate(&mut self, path: &Path) -> Option<Certificate> {
        let bytes = fs::read(path).ok()?;
        let certificate = Certificate::from_openssh(String::from_utf8_lossy(&bytes).trim()).ok();
        if certificate.is_none() {
            self.unusable.push(format!("this client can't read the certificate `{}`", path.display()));
        }
        certificate
    }

    /// Returns the keys that the agent has; none if it doesn't answer.
    async fn ask(&mut self, settings: &LoginSettings, binding: Option<&AgentSessionBinding>) -> Vec<AgentIdentity> {
        let Some(socket) = &settings.agent else { return Vec::new() };
        let asking = async {
            let mut agent = AgentClient::connect_uds(socket).await.ok()?;
            if let Some(binding) = binding {
                // An agent that doesn't know this has no keys that depend on it.
                let _ = agent.bind_session(binding, false).await;
            }
            Some((agent.request_identities().await, agent))
        };
        match heard_within(AGENT_WITHIN, asking).await {
            Some(Some((Ok(held), agent))) => {
                self.agent = Some(agent);
                held
            }
            Some(Some((Err(_), _))) => {
                self.unusable.push("this client can't read the keys of the agent".to_owned());
                Vec::new()
            }
            Some(None) => Vec::new(),
            None => {
                self.unusable.push("the agent doesn't answer".to_owned());
                Vec::new()
            }
        }
    }
}

impl Identity {
    /// Returns the kind of a key that this client can't sign with, not even by the agent.
    fn unsigned(&self) -> Option<String> {
        let Identity::Agent(held) = self else { return None };
        let kind = held.public_key().algorithm();
        match (kind, held) {
            (Algorithm::Rsa { .. } | Algorithm::Ed25519 | Algorithm::Ecdsa { .. }, _) => None,
            (kind, AgentIdentity::Certificate { .. }) => Some(kind.to_certificate_type()),
            (kind, AgentIdentity::PublicKey { .. }) => Some(kind.as_str().to_owned()),
        }
    }

    /// Returns whether the configuration lets this key log in.
    fn is_accepted(&self, settings: &LoginSettings) -> bool {
        let (key, is_certificate) = match self {
            Identity::File { key, certificate } => (key.public_key().clone(), certificate.is_some()),
            Identity::Certified(certificate) => (PublicKey::from(certificate.public_key().clone()), true),
            Identity::Agent(held) => {
                (held.public_key().into_owned(), matches!(held, AgentIdentity::Certificate { .. }))
            }
        };
        let names = match key.key_data() {
            KeyData::Rsa(_) => {
                if is_short(key.key_data(), settings.least_rsa_bits) {
                    return false;
                }
                vec!["rsa-sha2-512".to_owned(), "rsa-sha2-256".to_owned()]
            }
            KeyData::Ed25519(_) | KeyData::Ecdsa(_) => vec![key.algorithm().as_str().to_owned()],
            _ => return false,
        };
        let end = if is_certificate { "-cert-v01@openssh.com" } else { "" };
        names.iter().any(|name| settings.accepted.iter().any(|accepted| *accepted == format!("{name}{end}")))
    }
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// Reads the key in a file. One that others may read is left out, as ssh leaves it out.
fn read(path: &Path) -> Option<KeyFile> {
    let shown = path.display();
    let public = || PublicKey::read_openssh_file(with_end(path, ".pub")).ok();
    let Ok(text) = fs::read_to_string(path) else {
        return public().map(|public| KeyFile::public(Some(public), None));
    };
    if let Ok(public) = PublicKey::from_openssh(text.trim()) {
        return Some(KeyFile::public(Some(public), None));
    }
    let about = fs::metadata(path).ok()?;
    if about.uid() == rustix::process::getuid().as_raw() && about.mode() & 0o077 != 0 {
        return Some(KeyFile::public(public(), Some(format!("other users can read the key `{shown}`"))));
    }
    if let Ok(key) = PrivateKey::from_openssh(&text)
        && key.is_encrypted()
    {
        let why = format!("the key `{shown}` has a passphrase, and the agent doesn't have it");
        return Some(KeyFile::public(Some(key.public_key().clone()), Some(why)));
    }
    match decode_secret_key(&text, None) {
        Ok(key)
            if matches!(key.algorithm(), Algorithm::Ed25519 | Algorithm::Ecdsa { .. })
                || RsaKey::of(&key).is_some() =>
        {
            let public = Some(key.public_key().clone());
            Some(KeyFile { public, private: Some(Arc::new(key)), unusable: None })
        }
        _ => Some(KeyFile::public(public(), Some(format!("this client can't sign with the key `{shown}`")))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ssh::connection::{Hop, SshOptions};
    use std::{
        io::{Read, Write},
        os::unix::{fs::PermissionsExt, net::UnixListener},
        process::Command,
    };

    fn text(bytes: &[u8]) -> Vec<u8> {
        [&(bytes.len() as u32).to_be_bytes(), bytes].concat()
    }

    /// Serves one client of an agent that lists these keys.
    fn serve(socket: &Path, keys: &[Vec<u8>]) {
        let listener = UnixListener::bind(socket).unwrap();
        let listed: Vec<u8> = keys.iter().flat_map(|key| [text(key), text(b"comment")].concat()).collect();
        let answer = text(&[&[12], &(keys.len() as u32).to_be_bytes()[..], &listed].concat());
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = [0; 5];
            while stream.read_exact(&mut asked).is_ok() {
                stream.write_all(&answer).unwrap();
            }
        });
    }

    #[tokio::test]
    async fn a_key_that_only_openssh_can_use_is_named_unless_the_agent_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["held", "locked"] {
            let mut keygen = Command::new("ssh-keygen");
            keygen.args(["-q", "-t", "ed25519", "-N", "passphrase", "-f", name]).current_dir(folder.path());
            assert!(keygen.status().unwrap().success());
        }
        fs::write(at("open"), "x").unwrap();
        fs::set_permissions(at("open"), fs::Permissions::from_mode(0o644)).unwrap();
        fs::write(at("locked-cert.pub"), b"ssh-ed25519-cert-v02@openssh.com \xff").unwrap();
        let held = PublicKey::read_openssh_file(at("held.pub")).unwrap();
        let token = [text(b"sk-ssh-ed25519@openssh.com"), text(&[7; 32]), text(b"ssh:")].concat();
        serve(&at("agent"), &[held.to_bytes().unwrap(), token]);
        let place = folder.path().display();
        let options = format!(
            "hostname web1\nuser deploy\nport 22\nkexalgorithms curve25519-sha256\nciphers aes128-ctr\n\
             macs hmac-sha2-256\npubkeyacceptedalgorithms ssh-ed25519,sk-ssh-ed25519@openssh.com\n\
             identityagent {place}/agent\nidentityfile {place}/held\nidentityfile {place}/locked\nidentityfile {place}/open\n"
        );
        let hop = Hop { options: SshOptions::of(&options), ..Hop::default() };
        let found = Identities::of(&LoginSettings::of(&hop, folder.path()).unwrap(), None).await;
        assert_eq!(found.all.len(), 1, "the agent's plain key");
        let why = [
            format!("the key `{place}/locked` has a passphrase, and the agent doesn't have it"),
            format!("other users can read the key `{place}/open`"),
            format!("this client can't read the certificate `{place}/locked-cert.pub`"),
            "this client can't sign with a `sk-ssh-ed25519@openssh.com` key".to_owned(),
        ];
        assert_eq!(found.unusable, why);
    }
}
