//! Known-hosts files: which host has which key.
use crate::{failure::Failure, temporary::TemporaryFile};
use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
};

/// A host's public key, as a line of a known-hosts file has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostKey {
    /// The kind of key, such as `ssh-ed25519`.
    pub kind: String,
    /// The key in base64.
    pub text: String,
}

/// A key that a file has for a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KnownKey {
    pub key: HostKey,
    /// The line in the file, from 1.
    pub line: usize,
}

/// Parses a line of a known-hosts file into the names and their key; the line has no marker.
pub(super) fn parsed(line: &str) -> Option<(&str, HostKey)> {
    let mut words = line.split_whitespace();
    let (names, kind, text) = (words.next()?, words.next()?, words.next()?);
    let plain = !names.starts_with(['#', '@']);
    plain.then(|| (names, HostKey { kind: kind.to_owned(), text: text.to_owned() }))
}

/// What a line's marker means for its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyMark {
    /// It is the host's key.
    Host,
    /// The key signs host keys: `@cert-authority`.
    Authority,
    /// The key is refused: `@revoked`.
    Revoked,
}

/// Returns the keys that a file has for a name, hashed or not; none if the file doesn't exist.
pub(super) fn of(file: &Path, name: &str) -> Result<Vec<KnownKey>, Failure> {
    marked(file, name, KeyMark::Host)
}

/// Returns the keys with a given mark that a file has for a name.
pub(super) fn marked(file: &Path, name: &str, mark: KeyMark) -> Result<Vec<KnownKey>, Failure> {
    if !file.is_file() {
        return Ok(Vec::new());
    }
    let said = keygen(&["-F", name], file)?;
    let (mut found, mut line) = (Vec::new(), 0);
    for text in said.lines() {
        match text.strip_prefix('#') {
            Some(about) => {
                let number = about.split_once("found: line ").map(|(_, rest)| rest.split_whitespace().next());
                line = number.flatten().and_then(|n| n.parse().ok()).unwrap_or(0);
            }
            None => {
                let (its, rest) = match text.split_once(' ').filter(|(word, _)| word.starts_with('@')) {
                    Some(("@cert-authority", rest)) => (KeyMark::Authority, rest),
                    Some((_, rest)) => (KeyMark::Revoked, rest),
                    None => (KeyMark::Host, text),
                };
                found.extend(parsed(rest).filter(|_| its == mark).map(|(_, key)| KnownKey { key, line }));
            }
        }
    }
    Ok(found)
}

/// Returns the fingerprint of a key, such as `ED25519 SHA256:…`.
pub(super) fn fingerprint(key: &HostKey) -> Result<String, Failure> {
    let failed = |e: io::Error| Failure::failed(format!("rfab can't compute a fingerprint: {e}"));
    let mut file = TemporaryFile::make().map_err(failed)?;
    writeln!(file, "{} {}", key.kind, key.text).map_err(failed)?;
    let said = keygen(&["-l"], file.path())?;
    let mut words = said.split_whitespace();
    match (words.nth(1), said.trim_end().rsplit_once('(')) {
        (Some(print), Some((_, kind))) => Ok(format!("{} {print}", kind.trim_end_matches(')'))),
        _ => {
            Err(Failure::failed(format!("`ssh-keygen` can't compute the fingerprint of a key of type `{}`", key.kind)))
        }
    }
}

fn keygen(arguments: &[&str], file: &Path) -> Result<String, Failure> {
    let mut command = Command::new("ssh-keygen");
    command.args(arguments).arg("-f").arg(file).stdin(Stdio::null()).env("LC_ALL", "C");
    match command.output() {
        Ok(out) => Ok(String::from_utf8_lossy(&out.stdout).into_owned()),
        Err(e) => Err(Failure::failed(format!("`ssh-keygen` can't be started: {e}")).help("install an ssh client")),
    }
}

/// Returns a file's text with `key` for `name`, and without what these lines (from 1) had for the name.
pub(super) fn replaced(text: &str, name: &str, key: &HostKey, lines: &[usize]) -> String {
    let mut new = String::new();
    for (at, line) in text.lines().enumerate() {
        let names = parsed(line).map(|(names, _)| names);
        match names.filter(|_| lines.contains(&(at + 1))) {
            Some(hashed) if hashed.starts_with('|') => continue,
            Some(names) if names.split(',').any(|n| n == name) => {
                let others: Vec<&str> = names.split(',').filter(|n| *n != name).collect();
                if !others.is_empty() {
                    new +=
                        &format!("{}{}\n", others.join(","), line.trim_start().strip_prefix(names).unwrap_or_default());
                }
            }
            // A pattern stays: the new key is added beside it.
            _ => new += &format!("{line}\n"),
        }
    }
    new += &format!("{name} {} {}\n", key.kind, key.text);
    new
}

/// Replaces a file in one step; everybody may read it.
pub(super) fn write(file: &Path, text: &str) -> Result<(), Failure> {
    let failed = |e: io::Error| Failure::failed(format!("`{}` can't be written: {e}", file.display()));
    let folder = file.parent().unwrap_or(Path::new("."));
    let mut temp = TemporaryFile::make_in(folder).map_err(failed)?;
    temp.write_all(text.as_bytes()).map_err(failed)?;
    temp.as_file().set_permissions(fs::Permissions::from_mode(0o644)).map_err(failed)?;
    temp.as_file().sync_all().map_err(failed)?;
    temp.persist(file).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIPNU2M8A0VauN+Q4X1bb5NVwXYdD1RWrVrKYXv82Fq//";
    const NEW: &str = "AAAAC3NzaC1lZDI1NTE5AAAAINgnctSHwX6u/M9JGPJPv7GvHZt7LLnujS6T1Bs/ZvtX";

    fn key(text: &str) -> HostKey {
        HostKey { kind: "ssh-ed25519".into(), text: text.into() }
    }

    #[test]
    fn a_key_is_found_whether_its_name_is_hashed_or_not_and_no_other_line_is_touched() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("known_hosts");
        let text = format!(
            "# the web hosts\nweb2 ssh-ed25519 {NEW}\n[web1]:2222,10.0.0.1 ssh-ed25519 {OLD} of anna\n\n*.example.org ssh-ed25519 {OLD}\n\
             @revoked web9 ssh-ed25519 {OLD}\n"
        );
        fs::write(&file, &text).unwrap();
        let found = of(&file, "[web1]:2222").unwrap();
        assert_eq!(found, [KnownKey { key: key(OLD), line: 3 }]);
        assert_eq!(of(&file, "web9").unwrap(), []);
        assert_eq!(marked(&file, "web9", KeyMark::Revoked).unwrap(), [KnownKey { key: key(OLD), line: 6 }]);
        assert_eq!(marked(&file, "web9", KeyMark::Authority).unwrap(), []);
        let new = replaced(&text, "[web1]:2222", &key(NEW), &[3]);
        assert_eq!(
            new,
            format!(
                "# the web hosts\nweb2 ssh-ed25519 {NEW}\n10.0.0.1 ssh-ed25519 {OLD} of anna\n\n*.example.org ssh-ed25519 {OLD}\n\
                 @revoked web9 ssh-ed25519 {OLD}\n[web1]:2222 ssh-ed25519 {NEW}\n"
            )
        );
        keygen(&["-H"], &file).unwrap();
        let hashed = fs::read_to_string(&file).unwrap();
        assert!(!hashed.contains("web1"), "{hashed}");
        let found = of(&file, "[web1]:2222").unwrap();
        assert_eq!(found.iter().map(|k| &k.key).collect::<Vec<_>>(), [&key(OLD)]);
        let lines: Vec<usize> = found.iter().map(|k| k.line).collect();
        fs::write(&file, replaced(&hashed, "[web1]:2222", &key(NEW), &lines)).unwrap();
        assert_eq!(of(&file, "[web1]:2222").unwrap().iter().map(|k| &k.key).collect::<Vec<_>>(), [&key(NEW)]);
        assert_eq!(of(&file, "10.0.0.1").unwrap().len(), 1);
        assert_eq!(of(&folder.path().join("none"), "web1").unwrap(), []);
    }

    #[test]
    fn a_fingerprint_is_the_one_that_ssh_shows() {
        let print = fingerprint(&key(OLD)).unwrap();
        assert_eq!(print, "ED25519 SHA256:GeVX3sjN9sNN8jWa2S738T3DMFujCzzW9ZiUmXblQUI");
        assert!(fingerprint(&key("nonsense")).is_err());
    }
}
