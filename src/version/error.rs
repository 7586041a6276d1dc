//! Why a version in a file can't be read or written.
use crate::{
    control::shown,
    failure::{Cause, Excerpt, Failure},
    fleet::VersionFormat,
    misspelled::question,
};
use std::ops::Range;

/// Why a version in a file can't be read or written. Places are bytes of the file.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum VersionError {
    #[error("`{}` isn't a key", shown(.0))]
    BadKey(String),
    #[error("`{}` can't be written as a version", shown(.0))]
    BadValue(String),
    #[error("`{}` isn't a semantic version, such as `1.2.3`", shown(.0))]
    NotSemantic(String),
    #[error("`{}` isn't a part of a version", shown(.0))]
    BadPart(String),
    #[error("this isn't {}: {}", format.shown(), shown(why))]
    Malformed { format: VersionFormat, why: String, at: usize },
    #[error("it has no version at `{}`", shown(key))]
    Missing { key: String, near: Vec<String> },
    #[error("nothing is in it")]
    Empty,
    #[error("it has more than one line, so rfab can't tell which one is the version")]
    Lines { at: usize },
    #[error("it has several documents, so rfab can't tell which one has the version")]
    Documents { at: usize },
    #[error("`{}` is there twice", shown(key))]
    Twice { key: String, first: usize, again: usize },
    #[error("`{}` is {kind}, not a string", shown(key))]
    NotText { key: String, kind: &'static str, at: usize },
    #[error("`{}` is listed in `dynamic`, so a build determines it", shown(key))]
    Dynamic { key: String, at: usize },
    #[error("`{}` is inherited from the workspace", shown(key))]
    Inherited { key: String, at: usize },
    #[error("`{}` is {kind}, so it may be used elsewhere too", shown(key))]
    Anchored { key: String, kind: &'static str, at: usize },
    #[error("`{}` is an expression of Ruby", shown(key))]
    Expression { key: String, at: usize },
    #[error("`{}` is written with escapes or over several lines", shown(key))]
    Escaped { key: String, at: usize },
    #[error("`{}` isn't a version: `{}`", shown(key), shown(value))]
    NotVersion { key: String, value: String, at: Range<usize> },
    #[error("there are several packages `{}` in it, so rfab can't tell which one to change", shown(name))]
    Ambiguous { name: String },
    /// The result, read again, would differ from the file in more than the version.
    #[error(
        "with `{}` at `{}`, another part of the file would change, or the version wouldn't be a string",
        shown(value),
        shown(key)
    )]
    Otherwise { key: String, value: String, at: usize },
}

impl VersionError {
    /// Returns where in the file it is, and the words to show there.
    fn places(&self) -> Vec<(Range<usize>, &'static str)> {
        let point = |at: &usize| *at..*at + 1;
        match self {
            VersionError::Malformed { at, .. } => vec![(point(at), "here")],
            VersionError::Lines { at } => vec![(point(at), "a second line")],
            VersionError::Documents { at } => vec![(point(at), "another document")],
            VersionError::Twice { first, again, .. } => vec![(point(again), "again"), (point(first), "first here")],
            VersionError::NotText { at, .. } => vec![(point(at), "not a string")],
            VersionError::Dynamic { at, .. } => vec![(point(at), "determined by a build")],
            VersionError::Inherited { at, .. } => vec![(point(at), "inherited")],
            VersionError::Anchored { at, .. } => vec![(point(at), "used elsewhere")],
            VersionError::Expression { at, .. } => vec![(point(at), "not a plain string")],
            VersionError::Escaped { at, .. } => vec![(point(at), "written in a form that rfab doesn't change")],
            VersionError::NotVersion { at, .. } => vec![(at.clone(), "not a version")],
            VersionError::Otherwise { at, .. } => vec![(point(at), "written here")],
            _ => Vec::new(),
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            VersionError::BadKey(_) => "write keys with dots between them, such as `package.version`".to_owned(),
            VersionError::BadValue(_) => {
                "write a digit, followed by letters, digits and `.+-_~!`, such as `1.2.3-rc.1`".to_owned()
            }
            VersionError::NotSemantic(_) => "write three numbers with dots between them".to_owned(),
            VersionError::BadPart(_) => "write \"major\", \"minor\" or \"patch\"".to_owned(),
            VersionError::Missing { near, .. } => question(&near.iter().map(String::as_str).collect::<Vec<_>>())?,
            VersionError::Empty | VersionError::Lines { .. } => {
                "leave only the version in it, or name another `format`".to_owned()
            }
            VersionError::Documents { .. } => "keep the version in a file with one document".to_owned(),
            VersionError::Twice { .. } => "remove one of them".to_owned(),
            VersionError::NotText { .. } => "write it as a string, such as \"1.2.3\"".to_owned(),
            VersionError::Dynamic { .. } => "name the file that the build reads it from".to_owned(),
            VersionError::Inherited { .. } => {
                "name the workspace's `Cargo.toml`, with the key `workspace.package.version`".to_owned()
            }
            VersionError::Anchored { .. } => "write the version out in each place, without `&` and `*`".to_owned(),
            VersionError::Expression { .. } => "name the file that has the version as a plain string".to_owned(),
            VersionError::Escaped { .. } => "write it as a plain string in one line".to_owned(),
            VersionError::Ambiguous { .. } => "let its own tool change it".to_owned(),
            VersionError::Otherwise { .. } => "put quotes around the version in the file".to_owned(),
            VersionError::Malformed { .. } | VersionError::NotVersion { .. } => return None,
        })
    }

    /// Makes it a failure about a file, with its places in the text.
    pub(super) fn of_file(&self, file: &str, text: &str) -> Failure {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let failure = Failure::failed(format!("`{file}`: {self}"));
        let failure = Failure { help: self.help(), ..failure };
        let place = |(at, label): (Range<usize>, &str)| Excerpt::of(file, text, char_at(text, at)).labelled(label);
        self.places().into_iter().map(place).fold(failure, Failure::at)
    }
}

/// Moves a range to the beginnings of characters.
fn char_at(text: &str, at: Range<usize>) -> Range<usize> {
    text.floor_char_boundary(at.start)..text.ceil_char_boundary(at.end)
}

/// The failure of a value that a script gave, which is about no file.
impl From<VersionError> for Failure {
    fn from(error: VersionError) -> Failure {
        Failure { help: error.help(), ..Failure::new(Cause::Fabfile, error.to_string()) }
    }
}
