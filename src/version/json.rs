//! The parts of a JSON file.
use super::{
    VersionError,
    part::{FilePart, PartKind},
};
use crate::fleet::VersionFormat;
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;
use std::{borrow::Cow, fmt};

/// The deepest nesting that rfab reads.
const DEEPEST: usize = 100;

pub(super) fn parse(text: &str) -> Result<FilePart, VersionError> {
    let whole: &RawValue = serde_json::from_str(text).map_err(|error| malformed(text, 0, &error))?;
    part_of(text, whole.get(), DEEPEST)
}

/// Reads a value, which is a slice of the whole text.
fn part_of(text: &str, source: &str, deepest: usize) -> Result<FilePart, VersionError> {
    let at = source.as_ptr() as usize - text.as_ptr() as usize;
    let wrong = |error: serde_json::Error| malformed(text, at, &error);
    let deepest = deepest.checked_sub(1).ok_or_else(|| VersionError::Malformed {
        format: VersionFormat::Json,
        why: format!("it has more than {DEEPEST} levels"),
        at,
    })?;
    let other = |kind| PartKind::Other { kind, source: source.to_owned() };
    let what = match source.as_bytes().first() {
        Some(b'"') => PartKind::Text(serde_json::from_str(source).map_err(wrong)?),
        Some(b'{') => {
            let JsonObject(pairs) = serde_json::from_str(source).map_err(wrong)?;
            let part =
                |(key, value): (Cow<'_, str>, &RawValue)| Ok((key.into_owned(), part_of(text, value.get(), deepest)?));
            PartKind::Table(pairs.into_iter().map(part).collect::<Result<_, _>>()?)
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(source).map_err(wrong)?;
            PartKind::List(items.into_iter().map(|item| part_of(text, item.get(), deepest)).collect::<Result<_, _>>()?)
        }
        Some(b't' | b'f') => other("true or false"),
        Some(b'n') => other("null"),
        _ => other("a number"),
    };
    Ok(FilePart::new(what, at))
}

fn malformed(text: &str, from: usize, error: &serde_json::Error) -> VersionError {
    // Its place is counted from the beginning of the value.
    let lines: usize = text[from..].split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let at = (from + lines + error.column().saturating_sub(1)).min(text.len());
    let why = error.to_string();
    let why = why.split(" at line ").next().unwrap_or_default().to_owned();
    VersionError::Malformed { format: VersionFormat::Json, why, at }
}

/// The keys and values of an object, with duplicates.
struct JsonObject<'t>(Vec<(Cow<'t, str>, &'t RawValue)>);

/// A key, which is borrowed if it has no escapes.
#[derive(Deserialize)]
struct JsonName<'t>(#[serde(borrow)] Cow<'t, str>);

impl<'t> Deserialize<'t> for JsonObject<'t> {
    fn deserialize<D: Deserializer<'t>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfObject;
        impl<'t> Visitor<'t> for OfObject {
            type Value = JsonObject<'t>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<JsonObject<'t>, A::Error> {
                let mut pairs = Vec::new();
                while let Some((JsonName(key), value)) = map.next_entry()? {
                    pairs.push((key, value));
                }
                Ok(JsonObject(pairs))
            }
        }
        deserializer.deserialize_map(OfObject)
    }
}
