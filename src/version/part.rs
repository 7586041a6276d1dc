//! A file with a version as its parts: values, and where they begin.

/// A value of a file.
#[derive(Clone, Debug)]
pub(super) struct FilePart {
    pub what: PartKind,
    /// Why it may count elsewhere too, for people: it has an anchor, or is an alias.
    pub elsewhere: Option<&'static str>,
    /// The byte that its source begins at. For a text, this is the quote if it has one.
    pub at: usize,
}

/// What a value is. The order of a table is the file's.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum PartKind {
    Text(String),
    /// Something else, by its kind for people, and its source.
    Other {
        kind: &'static str,
        source: String,
    },
    List(Vec<FilePart>),
    Table(Vec<(String, FilePart)>),
}

/// Two parts are equal wherever they stand.
impl PartialEq for FilePart {
    fn eq(&self, other: &FilePart) -> bool {
        self.what == other.what
    }
}

impl FilePart {
    pub(super) fn new(what: PartKind, at: usize) -> FilePart {
        FilePart { what, elsewhere: None, at }
    }

    /// Names its kind, for people.
    pub(super) fn kind(&self) -> &'static str {
        match &self.what {
            PartKind::Text(_) => "a string",
            PartKind::Other { kind, .. } => kind,
            PartKind::List(_) => "a list",
            PartKind::Table(_) => "a table",
        }
    }

    /// Finds the value of a key that a table has once, or of an item of a list by its number.
    pub(super) fn inner(&self, key: &str) -> Option<&FilePart> {
        match &self.what {
            PartKind::Table(entries) => entries.iter().find(|(name, _)| name == key).map(|(_, part)| part),
            PartKind::List(items) => items.get(key.parse::<usize>().ok()?),
            _ => None,
        }
    }

    pub(super) fn inner_mut(&mut self, key: &str) -> Option<&mut FilePart> {
        match &mut self.what {
            PartKind::Table(entries) => entries.iter_mut().find(|(name, _)| name == key).map(|(_, part)| part),
            PartKind::List(items) => items.get_mut(key.parse::<usize>().ok()?),
            _ => None,
        }
    }

    /// Follows keys as long as they are there.
    pub(super) fn at(&self, keys: &[&str]) -> Option<&FilePart> {
        keys.iter().try_fold(self, |part, key| part.inner(key))
    }

    pub(super) fn text(&self) -> Option<&str> {
        if let PartKind::Text(text) = &self.what { Some(text) } else { None }
    }

    pub(super) fn items(&self) -> &[FilePart] {
        if let PartKind::List(items) = &self.what { items } else { &[] }
    }

    pub(super) fn entries(&self) -> &[(String, FilePart)] {
        if let PartKind::Table(entries) = &self.what { entries } else { &[] }
    }
}
