//! Masks a run's secrets in every text that is shown or kept.
use super::{
    Secret,
    forms::{self, Form},
    views,
};
use serde_json::Value;
use std::{
    borrow::Cow,
    collections::{BTreeSet, HashMap},
    fmt,
    ops::Range,
    sync::{Arc, RwLock},
};

/// The text that replaces a secret.
pub const MASK: &str = "***";
/// The least length of a masked secret, in characters: a shorter one would occur in many words.
pub const SHORTEST: usize = 4;
/// This many bytes in a row of a long form are masked, even if the rest was cut off.
const PIECE: usize = 16;
/// The same limit for base64.
const CODED: usize = 8;
/// The search for a piece starts with this many bytes …
const BEGINNING: usize = 4;
/// … at this interval in a form, and at the next one in base64.
const EVERY: usize = 8;
const EVERY_CODED: usize = 4;
/// Marks a place where a part of too long an output was left out.
const LEFT_OUT: char = '…';
/// The most places of one form with the same bytes: those of `aaaa…` are all alike.
const ALIKE: usize = 16;

/// The secrets of a run; all clones share them.
#[derive(Clone, Default)]
pub struct Masks(Arc<RwLock<KnownSecrets>>);

#[derive(Default)]
struct KnownSecrets {
    /// Whether a script put a secret into a text, where it appears as stars.
    worded: bool,
    texts: BTreeSet<String>,
    names: BTreeSet<String>,
    forms: Vec<Form>,
    /// For each start sequence: the forms that contain it, with the position.
    places: HashMap<[u8; BEGINNING], Vec<(usize, usize)>>,
}

impl Masks {
    /// Adds a secret; returns false if it is too short to be masked.
    pub fn add(&self, secret: &Secret) -> bool {
        let text = secret.reveal();
        if text.chars().count() < SHORTEST {
            return false;
        }
        let mut known = self.0.write().unwrap();
        if known.texts.insert(text.to_owned()) {
            forms::of(text).into_iter().for_each(|form| known.learn(form));
        }
        true
    }

    /// Adds names that stay unmasked if they are a whole text of data, even if a secret is equal.
    pub fn spare<'a>(&self, names: impl IntoIterator<Item = &'a str>) {
        self.0.write().unwrap().names.extend(names.into_iter().map(str::to_owned));
    }

    /// Returns whether there are no secrets.
    pub fn is_empty(&self) -> bool {
        self.0.read().unwrap().texts.is_empty()
    }

    /// Records that a script puts a secret into a text, where it appears as stars.
    pub fn word(&self) {
        self.0.write().unwrap().worded = true;
    }

    /// Returns whether a script put a secret into a text.
    pub fn was_worded(&self) -> bool {
        self.0.read().unwrap().worded
    }

    /// Returns whether a text contains a secret.
    pub fn stands_in(&self, text: &str) -> bool {
        !self.found(text).is_empty()
    }

    /// Returns the text with its secrets masked.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.replaced(text, |_| MASK.to_owned())
    }

    /// Returns the text with a star for each character of a secret, so that the rest keeps its position.
    pub fn in_place<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.replaced(text, |secret| secret.chars().map(|c| if c == '\n' { c } else { '*' }).collect())
    }

    /// Masks the secrets in a text, in place.
    pub fn clean(&self, text: &mut String) {
        if let Cow::Owned(masked) = self.text(text) {
            *text = masked;
        }
    }

    /// Returns whether a text of data contains a secret; a text that is one of the spared names doesn't count.
    pub fn occurs_in(&self, text: &str) -> bool {
        !self.0.read().unwrap().names.contains(text) && self.stands_in(text)
    }

    /// Returns every text inside a value that contains a secret, with its path.
    pub fn within<'a>(&self, value: &'a Value) -> Vec<(String, &'a str)> {
        let mut found = Vec::new();
        if !self.is_empty() {
            self.walk(value, String::new(), &mut found);
        }
        found
    }

    fn walk<'a>(&self, value: &'a Value, at: String, found: &mut Vec<(String, &'a str)>) {
        match value {
            Value::String(text) if self.occurs_in(text) => found.push((at, text)),
            Value::Array(all) => {
                all.iter().enumerate().for_each(|(i, value)| self.walk(value, format!("{at}/{i}"), found))
            }
            Value::Object(map) => map.iter().for_each(|(key, value)| {
                let key = key.replace('~', "~0").replace('/', "~1");
                self.walk(value, format!("{at}/{key}"), found);
            }),
            _ => {}
        }
    }

    fn replaced<'a>(&self, text: &'a str, by: impl Fn(&str) -> String) -> Cow<'a, str> {
        let found = self.found(text);
        if found.is_empty() {
            return Cow::Borrowed(text);
        }
        let (mut masked, mut done) = (String::new(), 0);
        for Range { start, end } in found {
            masked.push_str(&text[done..start]);
            masked.push_str(&by(&text[start..end]));
            done = end;
        }
        masked.push_str(&text[done..]);
        Cow::Owned(masked)
    }

    /// Returns where secrets are in a text: in order, without overlaps, on character boundaries.
    fn found(&self, text: &str) -> Vec<Range<usize>> {
        let known = self.0.read().unwrap();
        if known.forms.is_empty() || text.len() < SHORTEST {
            return Vec::new();
        }
        let mut all = Vec::new();
        views::each(text, &mut |view| {
            for (begin, end) in known.within(&view.bytes) {
                let (begin, end) = view.origin(begin, end);
                all.push(text.floor_char_boundary(begin)..text.ceil_char_boundary(end));
            }
        });
        all.extend(known.cut(text));
        all.sort_by_key(|range| range.start);
        all.into_iter().fold(Vec::new(), |mut apart: Vec<Range<usize>>, next| {
            match apart.last_mut() {
                Some(last) if next.start <= last.end => last.end = last.end.max(next.end),
                _ => apart.push(next),
            }
            apart
        })
    }
}

impl KnownSecrets {
    fn learn(&mut self, form: Form) {
        let nth = self.forms.len();
        for at in (0..=form.bytes.len() - BEGINNING).step_by(if form.coded { EVERY_CODED } else { EVERY }) {
            let beginning = form.bytes[at..at + BEGINNING].try_into().expect("as many bytes");
            let places = self.places.entry(beginning).or_default();
            if places.iter().filter(|(of, _)| *of == nth).count() < ALIKE {
                places.push((nth, at));
            }
        }
        self.forms.push(form);
    }

    /// Returns the starts and ends of forms beside a mark that something was left out there.
    fn cut(&self, text: &str) -> Vec<Range<usize>> {
        let mut all = Vec::new();
        for (at, mark) in text.match_indices(LEFT_OUT) {
            let before = text[..at].strip_suffix('\n').unwrap_or(&text[..at]).as_bytes();
            let behind = &text[at + mark.len()..];
            let behind = behind.strip_prefix('\n').unwrap_or(behind);
            let begin = text.len() - behind.len();
            for Form { bytes, .. } in &self.forms {
                let parts = (BEGINNING..bytes.len().min(PIECE)).rev();
                let first = parts.clone().find(|part| before.ends_with(&bytes[..*part]));
                let last = parts.clone().find(|part| behind.as_bytes().starts_with(&bytes[bytes.len() - part..]));
                let (first, last) = (first.unwrap_or(0), last.unwrap_or(0));
                all.push(text.floor_char_boundary(before.len() - first)..before.len());
                all.push(begin..text.ceil_char_boundary(begin + last));
            }
        }
        all.retain(|part| !part.is_empty());
        all
    }

    /// Returns where forms, or long pieces of them, are in some bytes.
    fn within(&self, bytes: &[u8]) -> Vec<(usize, usize)> {
        let mut all = Vec::new();
        for (at, beginning) in bytes.windows(BEGINNING).enumerate() {
            let beginning: [u8; BEGINNING] = beginning.try_into().expect("as many bytes");
            for (nth, place) in self.places.get(&beginning).into_iter().flatten() {
                let form = &self.forms[*nth];
                let behind = same(bytes[at..].iter(), form.bytes[*place..].iter());
                let before = same(bytes[..at].iter().rev(), form.bytes[..*place].iter().rev());
                let piece = if form.coded { CODED } else { PIECE };
                if behind + before >= form.bytes.len().min(piece) {
                    let whole = (*place == before, place + behind == form.bytes.len());
                    all.push(around(bytes, form, whole, at - before, at + behind));
                }
            }
        }
        all
    }
}

fn same<'a>(one: impl Iterator<Item = &'a u8>, other: impl Iterator<Item = &'a u8>) -> usize {
    one.zip(other).take_while(|(a, b)| a == b).count()
}

/// Extends a match by the characters around it that contain bits of the secret.
fn around(bytes: &[u8], form: &Form, whole: (bool, bool), begin: usize, end: usize) -> (usize, usize) {
    let sign = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(|byte| forms::is_base64(*byte));
    let before = form.around.0 && whole.0 && sign(begin.checked_sub(1));
    let behind = form.around.1 && whole.1 && sign(Some(end));
    (begin - usize::from(before), end + usize::from(behind))
}

impl fmt::Debug for Masks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

#[cfg(test)]
mod tests;
