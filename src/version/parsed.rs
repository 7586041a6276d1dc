//! The parts of a file, by its format.
use super::{VersionError, ini, json, part::FilePart, plain, ruby, toml, yaml};
use crate::fleet::VersionFormat;

/// Reads the text of a file, which has no byte order mark.
pub(super) fn parsed(format: VersionFormat, text: &str) -> Result<FilePart, VersionError> {
    match format {
        VersionFormat::Ini => ini::parse(text),
        VersionFormat::Toml => toml::parse(text),
        VersionFormat::Json => json::parse(text),
        VersionFormat::Yaml => yaml::parse(text),
        VersionFormat::Ruby => ruby::parse(text),
        VersionFormat::Plain => plain::parse(text),
    }
}
