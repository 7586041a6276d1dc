//! What a login depends on beside ssh's configuration: the files that the configuration names, and the agent's keys.
use super::included::{is_elsewhere, matching, words};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeSet,
    env, fs,
    io::{Read, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    time::Duration,
};

/// How long the agent may take to list its keys.
const AGENT_WITHIN: Duration = Duration::from_millis(500);

/// The longest list of an agent's keys, in bytes: OpenSSH's own limit.
const LONGEST: u32 = 256 * 1024;

/// The options that name such files, by ssh_config(5).
const OPTIONS: [&str; 5] =
    ["identityfile", "certificatefile", "userknownhostsfile", "globalknownhostsfile", "revokedhostkeys"];

/// The files that ssh reads if the configuration names no others, by ssh(1).
const USUAL: [&str; 4] =
    ["~/.ssh/known_hosts", "~/.ssh/known_hosts2", "/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"];
const KEYS: [&str; 6] = ["id_rsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk", "id_xmss"];

/// Adds the contents of the files, and the agent's keys.
///
/// A connection that another key, certificate, known host or revocation would have prevented is never shared.
pub(super) fn add(digest: &mut Sha256, texts: &[&str], home: &Path) {
    for file in files(texts, home) {
        // A file that isn't there counts, too: one that comes later makes another digest.
        let content = fs::read(&file).unwrap_or_default();
        digest.update(file.as_os_str().as_encoded_bytes());
        digest.update(Sha256::digest(content));
    }
    for agent in agents(texts, home) {
        digest.update(agent_keys(&agent).unwrap_or_default());
    }
}

/// Returns whether a configuration has a `Match` that a program or the network decides, by ssh_config(5), or an
/// `Include` of files that only ssh finds.
pub(super) fn is_fickle(text: &str) -> bool {
    let decides = |line: &str| {
        let words: Vec<String> = words(line).iter().map(|word| word.to_lowercase()).collect();
        if is_elsewhere(&words) {
            return true;
        }
        let by =
            |word: &String| matches!(word.trim_start_matches('!').split('=').next(), Some("exec" | "localnetwork"));
        words.first().is_some_and(|word| word == "match") && words.iter().any(by)
    };
    text.lines().any(decides)
}

/// Returns the sockets of agents: the environment's, and those that `IdentityAgent` names.
fn agents(texts: &[&str], home: &Path) -> BTreeSet<PathBuf> {
    let of_environment = env::var_os("SSH_AUTH_SOCK").filter(|path| !path.is_empty()).map(PathBuf::from);
    let named = texts.iter().flat_map(|text| text.lines()).filter_map(|line| {
        let words = words(line);
        let name = words.get(1).filter(|_| words[0].eq_ignore_ascii_case("identityagent"))?;
        Some(name.strip_prefix('$').and_then(|variable| env::var(variable).ok()).unwrap_or_else(|| name.clone()))
    });
    let sockets = named.flat_map(|name| matching(&path_of(&name, home)));
    of_environment.into_iter().chain(sockets).collect()
}

fn files(texts: &[&str], home: &Path) -> BTreeSet<PathBuf> {
    let named = texts.iter().flat_map(|text| text.lines()).flat_map(|line| {
        let words = words(line);
        let names = words.first().is_some_and(|word| OPTIONS.contains(&word.to_lowercase().as_str()));
        if names { words[1..].to_vec() } else { Vec::new() }
    });
    let keys = KEYS.iter().map(|key| format!("~/.ssh/{key}"));
    let mut found = BTreeSet::new();
    for name in named.chain(USUAL.map(str::to_owned)).chain(keys) {
        // A key's public half and its certificate are beside it.
        for beside in ["", ".pub", "-cert.pub"] {
            found.extend(meant(&format!("{name}{beside}"), home));
        }
    }
    found
}

/// Returns the files that a name may mean: a token such as `%h` stands for any text.
fn meant(name: &str, home: &Path) -> Vec<PathBuf> {
    let mut found = matching(&path_of(name, home));
    found.retain(|path| path.is_file());
    found
}

/// Returns the path of a name, in which `*` stands for what isn't known here.
fn path_of(name: &str, home: &Path) -> PathBuf {
    let mut text = match name.strip_prefix("~/") {
        Some(rest) => format!("{}/{rest}", home.display()),
        None => name.to_owned(),
    };
    while let Some(start) = text.find("${") {
        let Some(length) = text[start..].find('}') else { break };
        let value = env::var(&text[start + 2..start + length]).unwrap_or_else(|_| "*".to_owned());
        text.replace_range(start..=start + length, &value);
    }
    let (mut path, mut letters) = (String::new(), text.chars());
    while let Some(letter) = letters.next() {
        match letter {
            '%' => match letters.next() {
                Some('d') => path += &home.to_string_lossy(),
                Some('%') => path.push('%'),
                _ => path.push('*'),
            },
            letter => path.push(letter),
        }
    }
    path.into()
}

/// Asks an agent for its keys, by the protocol of draft-ietf-sshm-ssh-agent: `SSH_AGENTC_REQUEST_IDENTITIES` is 11.
fn agent_keys(agent: &Path) -> Option<Vec<u8>> {
    let mut stream = UnixStream::connect(agent).ok()?;
    stream.set_read_timeout(Some(AGENT_WITHIN)).ok()?;
    stream.set_write_timeout(Some(AGENT_WITHIN)).ok()?;
    stream.write_all(&[0, 0, 0, 1, 11]).ok()?;
    let mut length = [0; 4];
    stream.read_exact(&mut length).ok()?;
    let length = u32::from_be_bytes(length);
    if length > LONGEST {
        return None;
    }
    let mut keys = vec![0; length as usize];
    stream.read_exact(&mut keys).ok()?;
    Some(keys)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;

    fn digest(texts: &[&str], home: &Path) -> String {
        let mut digest = Sha256::new();
        add(&mut digest, texts, home);
        hex::encode(digest.finalize())
    }

    #[test]
    fn every_file_that_decides_a_login_counts_wherever_the_configuration_names_it() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        fs::create_dir_all(at(".ssh/web1")).unwrap();
        let config = format!(
            "Host web*\n  IdentityFile ~/.ssh/%h/key\n  CertificateFile={0}/cert\n\
             Host *\n  UserKnownHostsFile %d/known ~/other\n  RevokedHostKeys \"{0}/gone\"\n  globalknownhostsfile {0}/all\n",
            home.path().display()
        );
        let now = || digest(&[&config], home.path());
        let files = [
            ".ssh/known_hosts",
            ".ssh/id_ed25519",
            ".ssh/id_rsa.pub",
            ".ssh/id_ecdsa-cert.pub",
            ".ssh/web1/key",
            ".ssh/web1/key.pub",
            "cert",
            "known",
            "other",
            "gone",
            "all",
        ];
        for file in files {
            let before = now();
            for text in ["one\n", "two\n"] {
                let earlier = now();
                fs::write(at(file), text).unwrap();
                assert_ne!(now(), earlier, "{file}");
            }
            fs::remove_file(at(file)).unwrap();
            assert_eq!(now(), before, "{file}");
        }
        let before = now();
        fs::write(at("unnamed"), "x").unwrap();
        assert_eq!(now(), before);
    }

    #[test]
    fn a_configuration_that_a_program_or_the_network_decides_is_told_from_one_that_stays() {
        for fickle in [
            "Match exec \"test -e flag\"",
            "  match host web* EXEC=true",
            "Match host web1 !exec false",
            "Match localnetwork 10.0.0.0/8",
            "Include ~deploy/shared.conf",
            "include = '/etc/two words'",
            "Include /etc/two\\ words",
            "Include ~/plain ${X}/y",
        ] {
            assert!(is_fickle(&format!("Host a\n{fickle}\n  Port 1\n")), "{fickle}");
        }
        for steady in [
            "Match host exec.example.org",
            "# Match exec true",
            "Host exec",
            "Match user localnetwork1",
            "Include ~/plain /etc/x*",
        ] {
            assert!(!is_fickle(steady), "{steady}");
        }
    }

    #[test]
    fn an_agent_that_the_configuration_names_counts() {
        let home = tempfile::tempdir().unwrap();
        let named = |line: &str| agents(&[line], home.path());
        UnixListener::bind(home.path().join("agent.sock")).unwrap();
        let path = home.path().join("agent.sock");
        for line in ["IdentityAgent ~/agent.sock", "identityagent=\"%d/agent.sock\"", "IdentityAgent ~/*.sock"] {
            assert!(named(line).contains(&path), "{line}");
        }
        assert!(!named("IdentityFile ~/agent.sock").contains(&path));
    }

    #[test]
    fn an_agent_lists_its_keys_and_one_that_is_silent_or_lies_holds_nobody_up() {
        let folder = tempfile::tempdir().unwrap();
        let answered = |name: &str, answer: &'static [u8]| {
            let path = folder.path().join(name);
            let listener = UnixListener::bind(&path).unwrap();
            let agent = std::thread::spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                let mut asked = [0; 5];
                stream.read_exact(&mut asked).unwrap();
                assert_eq!(asked, [0, 0, 0, 1, 11]);
                stream.write_all(answer).unwrap();
                // It stays connected until the other side has given up.
                let _ = stream.read(&mut asked);
            });
            let keys = agent_keys(&path);
            agent.join().unwrap();
            keys
        };
        assert_eq!(answered("good", &[0, 0, 0, 5, 12, 0, 0, 0, 0]), Some(vec![12, 0, 0, 0, 0]));
        assert_eq!(answered("silent", &[]), None);
        assert_eq!(answered("cut", &[0, 0, 0, 5, 12]), None);
        assert_eq!(answered("huge", &[255, 255, 255, 255]), None);
        assert_eq!(agent_keys(&folder.path().join("none")), None);
    }
}
