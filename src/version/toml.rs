//! The parts of a TOML file.
use super::{
    VersionError,
    part::{FilePart, PartKind},
};
use crate::fleet::VersionFormat;
use std::ops::Range;
use toml::de::{DeTable, DeValue};

pub(super) fn parse(text: &str) -> Result<FilePart, VersionError> {
    match DeTable::parse(text) {
        Ok(table) => Ok(FilePart::new(table_of(text, table.get_ref()), 0)),
        Err(error) => Err(VersionError::Malformed {
            format: VersionFormat::Toml,
            why: error.message().split_whitespace().collect::<Vec<_>>().join(" "),
            at: error.span().map_or(0, |span| span.start),
        }),
    }
}

fn table_of(text: &str, table: &DeTable<'_>) -> PartKind {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    let part = |(key, value): (&toml::Spanned<_>, &toml::Spanned<DeValue<'_>>)| {
        let key: &std::borrow::Cow<'_, str> = key.get_ref();
        (key.to_string(), part_of(text, value.get_ref(), value.span()))
    };
    PartKind::Table(entries.into_iter().map(part).collect())
}

fn part_of(text: &str, value: &DeValue<'_>, at: Range<usize>) -> FilePart {
    let other = |kind| PartKind::Other { kind, source: text.get(at.clone()).unwrap_or_default().to_owned() };
    let what = match value {
        DeValue::String(value) => PartKind::Text(value.to_string()),
        DeValue::Array(items) => {
            PartKind::List(items.iter().map(|item| part_of(text, item.get_ref(), item.span())).collect())
        }
        DeValue::Table(table) => table_of(text, table),
        DeValue::Boolean(_) => other("true or false"),
        DeValue::Datetime(_) => other("a date"),
        DeValue::Integer(_) | DeValue::Float(_) => other("a number"),
    };
    FilePart::new(what, at.start)
}
