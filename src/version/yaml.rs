//! The parts of a YAML file.
use super::{
    VersionError,
    part::{FilePart, PartKind},
};
use crate::fleet::VersionFormat;
use regex::Regex;
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span};
use std::sync::LazyLock;

/// The deepest nesting that rfab reads.
const DEEPEST: usize = 100;

const ANCHOR: Option<&str> = Some("a value with an anchor");

/// Plain texts that aren't strings, in YAML 1.2's core schema or in YAML 1.1.
static NOT_STRINGS: LazyLock<[(&str, Regex); 4]> = LazyLock::new(|| {
    let of = |pattern: &str| Regex::new(&format!("^(?:{pattern})$")).expect("a pattern");
    [
        ("null", of("|~|null|Null|NULL")),
        ("true or false", of("(?i:true|false|yes|no|on|off|y|n)")),
        ("a date", of(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt \t].*)?")),
        (
            "a number",
            of(
                r"[-+]?(?:[0-9][0-9_]*(?::[0-9]+)*|0[xob][0-9a-fA-F_]+|(?:[0-9][0-9_]*)?\.[0-9_]*(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+|\.(?i:inf|nan))",
            ),
        ),
    ]
});

pub(super) fn parse(text: &str) -> Result<FilePart, VersionError> {
    // The parser counts characters.
    let bytes: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let byte = |at: usize| bytes.get(at).copied().unwrap_or(text.len());
    let malformed = |why: String, at| VersionError::Malformed { format: VersionFormat::Yaml, why, at };
    let mut tree = TreeBuilder::default();
    for event in Parser::new_from_str(text) {
        let (event, span): (Event<'_>, Span) =
            event.map_err(|e: ScanError| malformed(e.info().to_owned(), byte(e.marker().index())))?;
        let at = byte(span.start.index());
        if matches!(event, Event::DocumentStart(_)) && tree.whole.is_some() {
            return Err(VersionError::Documents { at });
        }
        tree.hear(event, at);
        if tree.open.len() > DEEPEST {
            return Err(malformed(format!("it has more than {DEEPEST} levels"), at));
        }
    }
    Ok(tree.whole.unwrap_or(FilePart::new(PartKind::Table(Vec::new()), 0)))
}

/// A list or a table that isn't complete.
struct OpenPart {
    part: FilePart,
    /// The key with a value that comes next.
    key: Option<String>,
}

#[derive(Default)]
struct TreeBuilder {
    open: Vec<OpenPart>,
    whole: Option<FilePart>,
}

impl TreeBuilder {
    fn hear(&mut self, event: Event<'_>, at: usize) {
        let begun = |what, anchor: usize| {
            let elsewhere = ANCHOR.filter(|_| anchor > 0);
            OpenPart { part: FilePart { elsewhere, ..FilePart::new(what, at) }, key: None }
        };
        match event {
            Event::SequenceStart(anchor, _) => self.open.push(begun(PartKind::List(Vec::new()), anchor)),
            Event::MappingStart(anchor, _) => self.open.push(begun(PartKind::Table(Vec::new()), anchor)),
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(done) = self.open.pop() {
                    self.add(done.part);
                }
            }
            Event::Alias(id) => {
                let what = PartKind::Other { kind: "an alias", source: id.to_string() };
                self.add(FilePart { elsewhere: Some("an alias"), ..FilePart::new(what, at) });
            }
            Event::Scalar(value, style, anchor, tag) => {
                let what = match tag {
                    Some(tag) => PartKind::Other { kind: "a value with a tag", source: format!("{tag:?} {value}") },
                    None => scalar(&value, style),
                };
                self.add(FilePart { elsewhere: ANCHOR.filter(|_| anchor > 0), ..FilePart::new(what, at) });
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {}
        }
    }

    /// Puts a complete value where it belongs.
    fn add(&mut self, part: FilePart) {
        let Some(OpenPart { part: FilePart { what, .. }, key }) = self.open.last_mut() else {
            self.whole = Some(part);
            return;
        };
        match (what, key.take()) {
            (PartKind::Table(entries), Some(key)) => entries.push((key, part)),
            (PartKind::Table(_), None) => {
                *key = Some(match part.what {
                    PartKind::Text(text) => text,
                    PartKind::Other { source, .. } => source,
                    // A key that is a list or a table leads nowhere.
                    PartKind::List(_) | PartKind::Table(_) => "?".to_owned(),
                });
            }
            (PartKind::List(items), _) => items.push(part),
            _ => {}
        }
    }
}

fn scalar(value: &str, style: ScalarStyle) -> PartKind {
    let kind = NOT_STRINGS.iter().find(|(_, pattern)| style == ScalarStyle::Plain && pattern.is_match(value));
    match kind {
        None if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) => {
            PartKind::Other { kind: "a block of text", source: value.to_owned() }
        }
        Some((kind, _)) => PartKind::Other { kind, source: value.to_owned() },
        None => PartKind::Text(value.to_owned()),
    }
}
