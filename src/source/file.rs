//! A secret in a file, which must belong to the user alone.
use super::text::{LONGEST, unended};
use crate::failure::{Cause, Failure};
use std::{
    fs::File,
    io::{self, Read},
    os::unix::fs::MetadataExt,
    path::Path,
};

/// Reads the file; `path` is its name for people.
pub(super) fn read(file: &Path, path: &str) -> Result<String, Failure> {
    let unreadable = |e: io::Error| {
        let failure = Failure::failed(format!("the file `{path}`, which holds a secret, can't be read: {e}"));
        match e.kind() {
            io::ErrorKind::NotFound => failure.help("write the secret there, readable only by you (`chmod 600`)"),
            _ => failure,
        }
    };
    // A pipe would block.
    let about = std::fs::metadata(file).map_err(unreadable)?;
    if !about.is_file() {
        return Err(Failure::failed(format!("`{path}`, which holds a secret, isn't a file")));
    }
    let me = rustix::process::geteuid().as_raw();
    if let Some((why, help)) = careless(about.uid(), about.mode(), me) {
        let message = format!("the file `{path}`, which holds a secret, {why}");
        return Err(Failure::new(Cause::Refused, message).help(help.replace("FILE", path)));
    }
    let mut bytes = Vec::new();
    let opened = File::open(file).map_err(unreadable)?;
    opened.take(LONGEST as u64 + 3).read_to_end(&mut bytes).map_err(unreadable)?;
    let text = String::from_utf8(bytes);
    text.map(unended).map_err(|_| Failure::failed(format!("the secret in the file `{path}` isn't UTF-8 text")))
}

/// Returns why a file doesn't keep a secret safe, and what to do.
fn careless(owner: u32, mode: u32, me: u32) -> Option<(String, &'static str)> {
    if owner != me && owner != 0 {
        return Some((format!("belongs to another user (id {owner})"), "keep it in a file of your own"));
    }
    let others = mode & 0o006 != 0;
    others.then(|| {
        ("can be read or written by every user of this machine".to_owned(), "remove that permission: `chmod o-rw FILE`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::PermissionsExt};

    #[test]
    fn a_file_is_taken_without_its_last_line_end_and_only_if_it_is_its_owners() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("db");
        let put = |text: &[u8], mode| {
            fs::write(&file, text).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            read(&file, "db").map_err(|failure| failure.message)
        };
        for (text, taken) in [("s3cret\n", "s3cret"), ("a\r\n", "a"), ("a\n\n", "a\n"), (" a b ", " a b "), ("", "")] {
            assert_eq!(put(text.as_bytes(), 0o600).as_deref(), Ok(taken));
        }
        assert_eq!(put(b"a", 0o640).as_deref(), Ok("a"), "a group may share it");
        let careless = "the file `db`, which holds a secret, can be read or written by every user of this machine";
        assert_eq!(put(b"a", 0o644), Err(careless.to_owned()));
        assert_eq!(put(b"a", 0o602), Err(careless.to_owned()));
        assert_eq!(put(b"\xff", 0o600), Err("the secret in the file `db` isn't UTF-8 text".to_owned()));
        assert_eq!(
            put(&vec![b'x'; 1 << 20], 0o600).unwrap().len(),
            LONGEST + 3,
            "no more is read than shows that it is too long"
        );
        fs::remove_file(&file).unwrap();
        assert!(read(&file, "db").unwrap_err().message.contains("can't be read"));
        assert!(read(folder.path(), "x").unwrap_err().message.ends_with("isn't a file"));
        assert!(super::careless(1001, 0o600, 1000).is_some() && super::careless(0, 0o600, 1000).is_none());
    }
}
