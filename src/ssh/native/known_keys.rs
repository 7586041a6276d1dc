//! The lines of known-hosts files that are about one name, by sshd(8).
use crate::ssh::known::{HostKey, KeyMark, parsed};
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use russh::keys::{Certificate, PublicKey, ssh_key::public::KeyData};
use sha1::Sha1;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// A line that is about a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KnownLine {
    pub mark: KeyMark,
    /// The kind of key, such as `ssh-ed25519`.
    pub kind: String,
    /// The key as it is sent; the plain one if a certificate is revoked.
    pub key: Vec<u8>,
    /// The file, and the line in it from 1.
    pub place: (PathBuf, usize),
}

/// Returns the lines about a name, in order; fails with a reason if a file can't be read.
pub(super) fn about(name: &str, files: &[PathBuf]) -> Result<Vec<KnownLine>, String> {
    let mut found = Vec::new();
    for file in files {
        match fs::read(file) {
            Ok(text) => found.extend(lines(name, file, &String::from_utf8_lossy(&text))),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(format!("`{}` can't be read: {e}", file.display())),
        }
    }
    Ok(found)
}

/// Returns the keys that a file revokes for all hosts, by RevokedHostKeys in ssh_config(5).
///
/// Fails with a reason if one can't be read: ssh then refuses each host. A list of ssh-keygen's, a KRL, is left to it.
pub(super) fn revoked_by(file: &Path) -> Result<Vec<KnownLine>, String> {
    let shown = file.display();
    let bytes = fs::read(file).map_err(|e| format!("`{shown}` can't be read: {e}"))?;
    let text = String::from_utf8(bytes).ok().filter(|text| !text.starts_with("SSHKRL\n"));
    let text = text.ok_or_else(|| format!("this client can't read the list `{shown}` of revoked keys"))?;
    let lines =
        text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with('#') && !line.trim().is_empty());
    lines
        .map(|(at, line)| {
            let key = parsed(&format!("* {line}")).and_then(|(_, key)| Some((plain(&key)?, key.kind)));
            let (key, kind) = key.ok_or_else(|| format!("this client can't read line {} of `{shown}`", at + 1))?;
            Ok(KnownLine { mark: KeyMark::Revoked, kind, key, place: (file.to_owned(), at + 1) })
        })
        .collect()
}

/// Returns a key as it is sent, or the key that a certificate is for; none if the text isn't a key of its kind.
fn plain(key: &HostKey) -> Option<Vec<u8>> {
    let text = format!("{} {}", key.kind, key.text);
    if key.kind.ends_with("-cert-v01@openssh.com") {
        let certificate = Certificate::from_openssh(&text).ok()?;
        certificate.verify_signature().ok()?;
        return PublicKey::from(certificate.public_key().clone()).to_bytes().ok();
    }
    let key = PublicKey::from_openssh(&text).ok()?;
    // Its kind may be a plain one although it's a certificate.
    let is_plain = !matches!(key.key_data(), KeyData::Certificate(_) | KeyData::Other(_));
    is_plain.then(|| key.to_bytes().ok()).flatten()
}

fn lines(name: &str, file: &Path, text: &str) -> Vec<KnownLine> {
    let read = |(at, line): (usize, &str)| {
        let line = line.trim_start();
        let (mark, rest) = match line.split_once([' ', '\t']) {
            Some(("@cert-authority", rest)) => (KeyMark::Authority, rest),
            Some(("@revoked", rest)) => (KeyMark::Revoked, rest),
            _ => (KeyMark::Host, line),
        };
        let names = rest.split_whitespace().next()?;
        if !are_for(names, name) {
            return None;
        }
        let (_, key) = parsed(rest)?;
        let inner = (mark == KeyMark::Revoked).then(|| plain(&key)).flatten();
        let blob = inner.or_else(|| STANDARD.decode(&key.text).ok())?;
        Some(KnownLine { mark, kind: key.kind, key: blob, place: (file.to_owned(), at + 1) })
    };
    text.lines().enumerate().filter_map(read).collect()
}

/// Returns whether the names of a line are about a name: patterns with commas between them, or one hashed name.
fn are_for(names: &str, name: &str) -> bool {
    if names.starts_with('|') {
        return is_hash_of(names, name).unwrap_or(false);
    }
    let (mut found, name) = (false, name.to_lowercase());
    for pattern in names.split(',') {
        match pattern.strip_prefix('!') {
            Some(pattern) if is_like(&pattern.to_lowercase(), &name) => return false,
            Some(_) => {}
            None => found |= is_like(&pattern.to_lowercase(), &name),
        }
    }
    found
}

/// Returns whether `|1|SALT|HASH` is the hash of a name.
fn is_hash_of(hashed: &str, name: &str) -> Option<bool> {
    let (salt, hash) = hashed.strip_prefix("|1|")?.split_once('|')?;
    let mut sum = Hmac::<Sha1>::new_from_slice(&STANDARD.decode(salt).ok()?).ok()?;
    sum.update(name.as_bytes());
    Some(sum.finalize().into_bytes()[..] == STANDARD.decode(hash).ok()?[..])
}

/// Returns whether a text is like a pattern, in which `*` stands for any letters and `?` for one.
pub(super) fn is_like(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    // Where to go on if the letters that follow a `*` differ.
    let (mut at, mut read, mut again) = (0, 0, None);
    while read < text.len() {
        match pattern.get(at) {
            Some('*') => {
                again = Some((at + 1, read));
                at += 1;
            }
            Some(letter) if *letter == '?' || *letter == text[read] => {
                at += 1;
                read += 1;
            }
            _ => match again {
                Some((star, from)) => {
                    again = Some((star, from + 1));
                    (at, read) = (star, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|letter| *letter == '*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    const KEY: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIPNU2M8A0VauN+Q4X1bb5NVwXYdD1RWrVrKYXv82Fq//";

    /// Returns the numbers of the lines about a name, by this reader and by ssh-keygen.
    fn found(file: &Path, name: &str) -> (Vec<usize>, Vec<usize>) {
        let own = about(name, &[file.to_owned()]).unwrap().iter().map(|line| line.place.1).collect();
        let said = Command::new("ssh-keygen").args(["-F", name, "-f"]).arg(file).output().unwrap().stdout;
        let said = String::from_utf8(said).unwrap();
        let numbers =
            said.lines().filter_map(|line| line.split_once("found: line ")?.1.split(' ').next()?.parse().ok());
        (own, numbers.collect())
    }

    #[test]
    fn the_lines_about_a_name_are_those_that_ssh_keygen_finds() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("known_hosts");
        let names = [
            "web1",
            "WEB2,web3",
            "[web1]:2222",
            "*.example.org,!bad.example.org",
            "web?",
            "10.0.0.*",
            "[*]:2222",
            "*",
            "!web1,web1",
            "@cert-authority *.example.org",
            "@revoked web9",
            "# web1",
            "|1|nonsense",
            "@unknown web1",
        ];
        let mut text: String = names.iter().map(|names| format!("{names} ssh-ed25519 {KEY} of anna\n")).collect();
        text += &format!("\n  web1\tssh-ed25519   {KEY}\nweb1\n");
        let asked =
            ["web1", "web2", "web9", "[web1]:2222", "bad.example.org", "a.example.org", "10.0.0.9", "x", "fe80::1"];
        for hashed in [false, true] {
            fs::write(&file, &text).unwrap();
            if hashed {
                Command::new("ssh-keygen").args(["-H", "-f"]).arg(&file).output().unwrap();
            }
            for name in asked {
                let (own, keygen) = found(&file, name);
                assert_eq!(own, keygen, "{name} in\n{}", fs::read_to_string(&file).unwrap());
            }
        }
        fs::write(&file, "web1 ssh-ed25519 not-base64!\nweb1 ssh-ed25519\n").unwrap();
        assert_eq!(about("web1", std::slice::from_ref(&file)), Ok(Vec::new()), "what isn't a key is none");
        assert_eq!(about("web1", &[folder.path().join("none")]), Ok(Vec::new()));
        assert!(about("web1", &[folder.path().to_owned()]).is_err());
    }

    #[test]
    fn a_pattern_is_read_whole() {
        for (pattern, text) in [("*", ""), ("a*c", "abcbc"), ("?", "ä"), ("**x", "x"), ("a", "a")] {
            assert!(is_like(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("", "a"), ("a*c", "abcb"), ("?", ""), ("a", "ab"), ("ab", "a")] {
            assert!(!is_like(pattern, text), "{pattern} {text}");
        }
    }
}
