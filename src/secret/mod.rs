//! Values that don't print, the digests that are kept instead, and the masks for all other texts.
mod forms;
mod masks;
mod views;

pub use masks::{MASK, Masks, SHORTEST};

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeMap};
use serde_json::Value;
use sha2::Sha256;
use std::{
    fmt,
    fs::OpenOptions,
    io::{self, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::Arc,
};

/// A text that nobody may see.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<str>);

/// The key of a secret's text until it is sealed.
const OPEN: &str = "secret";
const SEALED: &str = "digest";

/// The fields of effects that hold their hosts.
const HOSTS: [&str; 2] = ["host", "hosts"];

impl Secret {
    pub fn new(text: String) -> Self {
        Self(text.into())
    }

    /// Returns the text itself, for its intended receiver.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Returns the text and a newline, for a program's stdin.
    pub fn line(&self) -> Vec<u8> {
        format!("{}\n", self.0).into_bytes()
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

/// Written only to be sealed: see [`DigestKey::seal`].
impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(OPEN, &*self.0)?;
        map.end()
    }
}

/// Fails: a secret is never written down, so a resumed run asks for it again.
impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(de::Error::custom("a secret is never kept"))
    }
}

/// The key for digests of secrets, so that nobody who has only the digests can try out values.
#[derive(Clone, Default)]
pub struct DigestKey {
    bytes: [u8; 32],
    masks: Masks,
}

impl DigestKey {
    /// Reads the key in a file that only its owner can read, or makes a random one.
    pub fn of(file: &Path) -> io::Result<DigestKey> {
        let mut key = DigestKey::default();
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(file) {
            Ok(mut made) => {
                rand::fill(&mut key.bytes);
                made.write_all(&key.bytes)?;
                made.sync_all()?;
            }
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                OpenOptions::new().read(true).open(file)?.read_exact(&mut key.bytes)?
            }
            Err(e) => return Err(e),
        }
        Ok(key)
    }

    /// Returns the key for a run with these secrets: a text that contains one is sealed, too.
    pub fn knowing(self, masks: Masks) -> DigestKey {
        DigestKey { masks, ..self }
    }

    /// Replaces each secret in a value by its digest; a fleet file's data about hosts stays unchanged.
    pub fn seal(&self, value: Value) -> Value {
        match value {
            Value::Object(map) => match (map.len(), map.get(OPEN).and_then(Value::as_str)) {
                (1, Some(text)) => Value::Object([(SEALED.to_owned(), self.digest(text).into())].into_iter().collect()),
                _ => Value::Object(map.into_iter().map(|(name, value)| self.sealed(name, value)).collect()),
            },
            Value::Array(all) => Value::Array(all.into_iter().map(|value| self.seal(value)).collect()),
            Value::String(text) if self.masks.occurs_in(&text) => {
                Value::Object([(SEALED.to_owned(), self.digest(&text).into())].into_iter().collect())
            }
            other => other,
        }
    }

    fn sealed(&self, name: String, value: Value) -> (String, Value) {
        let value = if HOSTS.contains(&&*name) { value } else { self.seal(value) };
        (name, value)
    }

    /// Returns a text that identifies something; if it contains a secret, its digest instead.
    pub fn name(&self, text: String) -> String {
        if self.masks.stands_in(&text) { self.digest(&text) } else { text }
    }

    fn digest(&self, text: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.bytes).expect("a key may have any length");
        mac.update(text.as_bytes());
        hex::encode(mac.finalize().into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_secret_is_sealed_wherever_it_stands_and_nothing_else_is() {
        let key = |byte| DigestKey { bytes: [byte; 32], masks: Masks::default() };
        let (one, two) = (key(1), key(2));
        let open = json!({ "path": "/a", "text": Secret::from("pass"), "env": [{ "secret": 5 }, { "X": Secret::from("pass") }] });
        let digest = &one.seal(open.clone())["text"]["digest"];
        assert_eq!(
            one.seal(open.clone()),
            json!({ "path": "/a", "text": { "digest": digest }, "env": [{ "secret": 5 }, { "X": { "digest": digest } }] })
        );
        assert_eq!(digest.as_str().unwrap().len(), 64);
        assert!(!one.seal(open.clone()).to_string().contains("pass"));
        assert_ne!(two.seal(open)["text"]["digest"], *digest, "another key gives another digest");
        assert_eq!(format!("{} {:?}", Secret::from("pass"), Secret::from("pass")), "*** ***");
    }

    #[test]
    fn a_text_with_a_secret_in_it_is_sealed_and_a_name_that_is_the_same_is_not() {
        let key = DigestKey { bytes: [1; 32], masks: Masks::default() };
        key.masks.add(&"hunter2".into());
        key.masks.add(&"web1".into());
        key.masks.spare(["web1"]);
        let sealed = |text: &str| key.seal(json!(text));
        assert_eq!(sealed("plain"), json!("plain"));
        assert_eq!(sealed("web1"), json!("web1"));
        assert_eq!(sealed("echo hunter2"), json!({ "digest": key.digest("echo hunter2") }));
        let host = json!({ "hosts": [{ "name": "x", "user": "hunter2" }] });
        assert_eq!(key.seal(host.clone()), host);
        assert_eq!((key.name("a b".into()), key.name("a hunter2".into())), ("a b".into(), key.digest("a hunter2")));
    }

    #[test]
    fn a_key_is_made_once_and_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        let (made, read) = (DigestKey::of(&file).unwrap(), DigestKey::of(&file).unwrap());
        assert!(made.bytes == read.bytes && made.bytes != [0; 32]);
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::write(&file, "short").unwrap();
        assert!(DigestKey::of(&file).is_err());
    }
}
