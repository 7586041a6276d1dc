//! Values that do not print, what is kept of them instead, and what they are masked by in all else.
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

/// The key under which a text's value stands until it is sealed.
const OPEN: &str = "secret";
const SEALED: &str = "digest";

/// Where effects have the hosts that they are about.
const HOSTS: [&str; 2] = ["host", "hosts"];

impl Secret {
    pub fn new(text: String) -> Self {
        Self(text.into())
    }

    /// The text itself, for whoever it is meant for.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The text and a line end, for a program's stdin.
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

/// Whoever took it takes it again: a text that was written down is none.
impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(de::Error::custom("a secret is kept nowhere"))
    }
}

/// What digests of secrets are made with, so that who has them alone cannot try values out.
#[derive(Clone, Default)]
pub struct DigestKey {
    bytes: [u8; 32],
    masks: Masks,
}

impl DigestKey {
    /// Reads the key in a file, readable by its owner alone, or makes one by chance.
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

    /// The key of a run that knows these secrets: a text that has one in it is sealed, too.
    pub fn knowing(self, masks: Masks) -> DigestKey {
        DigestKey { masks, ..self }
    }

    /// The same with each secret's digest in the place of its text; what a fleet file says of hosts stays as it is.
    pub fn seal(&self, value: Value) -> Value {
        match value {
            Value::Object(map) => match (map.len(), map.get(OPEN).and_then(Value::as_str)) {
                (1, Some(text)) => Value::Object([(SEALED.to_owned(), self.digest(text).into())].into_iter().collect()),
                _ => Value::Object(map.into_iter().map(|(name, value)| self.sealed(name, value)).collect()),
            },
            Value::Array(all) => Value::Array(all.into_iter().map(|value| self.seal(value)).collect()),
            Value::String(text) if self.masks.is_told_by(&text) => {
                Value::Object([(SEALED.to_owned(), self.digest(&text).into())].into_iter().collect())
            }
            other => other,
        }
    }

    fn sealed(&self, name: String, value: Value) -> (String, Value) {
        let value = if HOSTS.contains(&&*name) { value } else { self.seal(value) };
        (name, value)
    }

    /// A text that tells things apart, without the secret that may stand in it.
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
