//! Files with nothing but the version.
use super::{
    VersionError,
    part::{FilePart, PartKind},
};

/// Finds the only line.
pub(super) fn parse(text: &str) -> Result<FilePart, VersionError> {
    let line = text.trim_ascii();
    let at = text.len() - text.trim_ascii_start().len();
    if line.is_empty() {
        return Err(VersionError::Empty);
    }
    match line.find(['\n', '\r']) {
        Some(end) => Err(VersionError::Lines { at: at + line.len() - line[end..].trim_ascii_start().len() }),
        None => Ok(FilePart::new(PartKind::Text(line.to_owned()), at)),
    }
}
