//! The files that have the version in most projects.
use super::{VersionError, edit::find};
use crate::{
    failure::{Cause, Failure},
    fleet::{PROJECT_FILE, VersionFile, VersionFormat},
};

/// Files at the top of a repository that may have the version.
const AT_TOP: [&str; 13] = [
    "VERSION",
    "VERSION.txt",
    "version.txt",
    ".version",
    "Cargo.toml",
    "pyproject.toml",
    "setup.cfg",
    "package.json",
    "composer.json",
    "deno.json",
    "Chart.yaml",
    "pubspec.yaml",
    "galaxy.yml",
];

/// Returns whether a file may have the version, by its path.
pub(super) fn is_candidate(path: &str) -> bool {
    match path.split('/').collect::<Vec<_>>()[..] {
        [name] => AT_TOP.contains(&name) || name.ends_with(".gemspec"),
        // As deep as the names of gems: `lib/shop/version.rb`, `lib/shop/rails/version.rb`.
        ["lib", .., name] => name == "version.rb" && path.matches('/').count() <= 3,
        _ => false,
    }
}

/// Returns whether a folder may have such files.
pub(super) fn may_have_some(folder: &str) -> bool {
    (folder == "lib" || folder.starts_with("lib/")) && folder.matches('/').count() <= 2
}

/// Returns the one of these files that has a version.
///
/// Fails if none has, if several have, or if one can't be understood.
pub(super) fn only_one(
    paths: Vec<String>,
    text: impl Fn(&str) -> Result<Option<String>, Failure>,
) -> Result<VersionFile, Failure> {
    let mut found: Vec<VersionFile> = Vec::new();
    for path in paths {
        let Some(format) = VersionFormat::of(&path) else { continue };
        let Some(text) = text(&path)? else { continue };
        let file = VersionFile { file: path, key: None, format };
        match find(&file, &text) {
            Ok(_) => found.push(file),
            Err(error) if error.has_none() => {}
            Err(error) => return Err(error.of_file(&file.file, &text)),
        }
    }
    match &found[..] {
        [only] => Ok(only.clone()),
        [] => Err(none()),
        several => Err(many(several)),
    }
}

fn none() -> Failure {
    Failure::new(Cause::NoVersion, "rfab found no file that has a version").help(format!(
        "name it in `{PROJECT_FILE}` beside the fabfile: `version = {{ file = \"app/settings.ini\", key = \"app.version\" }}`"
    ))
}

fn many(files: &[VersionFile]) -> Failure {
    let names: Vec<String> = files.iter().map(VersionFile::shown).collect();
    let rows: Vec<String> = files.iter().map(|file| format!("{{ file = {:?} }}", file.file)).collect();
    let message = format!("several files have a version: {}", names.join(", "));
    Failure::new(Cause::Fabfile, message).help(format!(
        "name the ones that belong to your project in `{PROJECT_FILE}` beside the fabfile: `version = [{}]`",
        rows.join(", ")
    ))
}

impl VersionError {
    /// Returns whether a file is fine, and doesn't have a version that rfab can change.
    fn has_none(&self) -> bool {
        !matches!(self, VersionError::Malformed { .. } | VersionError::Twice { .. })
    }
}
