//! The keys that lead to a version.
use super::VersionError;
use std::fmt;
use toml::de::{DeTable, DeValue};

/// Keys, outermost first; none for a plain file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeyPath(pub Vec<String>);

impl KeyPath {
    /// Reads keys as TOML writes them, with dots between: `package.version`, or `packages."".version`.
    pub(super) fn read(text: &str) -> Result<KeyPath, VersionError> {
        let bad = || VersionError::BadKey(text.to_owned());
        if text.is_empty() {
            return Ok(KeyPath(Vec::new()));
        }
        if text.contains(char::is_control) {
            return Err(bad());
        }
        let line = format!("{text} = 0");
        let table = DeTable::parse(&line).map_err(|_| bad())?;
        let (mut table, mut keys) = (table.get_ref(), Vec::new());
        loop {
            let Some((key, value)) = table.iter().next() else { return Err(bad()) };
            keys.push(key.get_ref().to_string());
            match value.get_ref() {
                DeValue::Table(inner) => table = inner,
                // The value is this one, and not one that the text has in it.
                DeValue::Integer(_) if value.span().start == line.len() - 1 => return Ok(KeyPath(keys)),
                _ => return Err(bad()),
            }
        }
    }

    pub(super) fn of(keys: &[&str]) -> KeyPath {
        KeyPath(keys.iter().map(|key| (*key).to_owned()).collect())
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bare =
            |key: &str| !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
        let shown = |key: &String| if bare(key) { key.clone() } else { format!("{key:?}") };
        f.write_str(&self.0.iter().map(shown).collect::<Vec<_>>().join("."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_written_as_in_toml() {
        let read = |text: &str| KeyPath::read(text).map(|keys| (keys.to_string(), keys.0.len()));
        assert_eq!(read("package.version"), Ok(("package.version".into(), 2)));
        assert_eq!(read(r#"packages."a/b".'x.y' . v"#), Ok((r#"packages."a/b"."x.y".v"#.into(), 4)));
        assert_eq!(read(""), Ok((String::new(), 0)));
        for bad in ["a..b", "a b", "a = 1 #", "a = { b", "a\nb", "[a]", "a.", "\"a", "a = 0"] {
            assert_eq!(read(bad), Err(VersionError::BadKey(bad.into())), "{bad}");
        }
    }
}
