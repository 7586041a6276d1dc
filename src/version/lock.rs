//! Lock files that repeat the version of a manifest: `Cargo.lock`, and those of npm.
use super::{
    VersionError,
    edit::{body, rewritten},
    key::KeyPath,
    parsed::parsed,
    part::FilePart,
};
use crate::fleet::{VersionFile, VersionFormat};

/// Lock files that stand beside a manifest or above it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum LockKind {
    Cargo,
    Npm,
}

impl LockKind {
    /// Returns the kind of lock files that repeat this version, if there is one.
    pub(super) fn of(file: &VersionFile, key: &KeyPath) -> Option<LockKind> {
        let name = file.file.rsplit('/').next()?;
        match (name, key.to_string().as_str()) {
            ("Cargo.toml", "package.version" | "workspace.package.version") => Some(LockKind::Cargo),
            ("package.json", "version") => Some(LockKind::Npm),
            _ => None,
        }
    }

    pub(super) fn names(self) -> &'static [&'static str] {
        match self {
            LockKind::Cargo => &["Cargo.lock"],
            LockKind::Npm => &["package-lock.json", "npm-shrinkwrap.json"],
        }
    }
}

/// Returns the text of a `Cargo.lock` with another version of the packages with these names.
///
/// Only packages without a `source` are the workspace's own. A package that isn't in it has no version there.
pub(super) fn cargo(text: &str, names: &[String], value: &str) -> Result<String, VersionError> {
    let tree = parsed(VersionFormat::Toml, body(text))?;
    let packages = tree.at(&["package"]).map(FilePart::items).unwrap_or_default();
    let mut edits = Vec::new();
    for name in names {
        let same = |(_, package): &(usize, &FilePart)| package.at(&["name"]).and_then(FilePart::text) == Some(name);
        let (place, package) = match packages.iter().enumerate().filter(same).collect::<Vec<_>>()[..] {
            [only] => only,
            [] => continue,
            // Those that need one of them tell it by its version, and their order is by version.
            _ => return Err(VersionError::Ambiguous { name: name.clone() }),
        };
        if package.inner("source").is_some() {
            continue;
        }
        edits.push((KeyPath::of(&["package", &place.to_string(), "version"]), value.to_owned()));
        let Some(old) = package.at(&["version"]).and_then(FilePart::text) else { continue };
        // The first form of lock files has the version there too.
        let needed = format!("{name} {old}");
        for (place, package) in packages.iter().enumerate() {
            let all = package.at(&["dependencies"]).map(FilePart::items).unwrap_or_default();
            for (number, _) in all.iter().enumerate().filter(|(_, one)| one.text() == Some(&needed)) {
                let keys = ["package", &place.to_string(), "dependencies", &number.to_string()];
                edits.push((KeyPath::of(&keys), format!("{name} {value}")));
            }
        }
    }
    rewritten(VersionFormat::Toml, text, &edits)
}

/// Returns the text of a lock file of npm with another version of the package in a folder; `""` is the lock's own.
pub(super) fn npm(text: &str, folder: &str, value: &str) -> Result<String, VersionError> {
    let tree = parsed(VersionFormat::Json, body(text))?;
    let places: [&[&str]; 2] = [&["version"], &["packages", folder, "version"]];
    let here = places.into_iter().filter(|keys| (folder.is_empty() || keys.len() > 1) && tree.at(keys).is_some());
    let edits: Vec<_> = here.map(|keys| (KeyPath::of(keys), value.to_owned())).collect();
    rewritten(VersionFormat::Json, text, &edits)
}

/// Returns the name of the package of a `Cargo.toml`.
pub(super) fn own_name(manifest: &str) -> Option<String> {
    let tree = parsed(VersionFormat::Toml, body(manifest)).ok()?;
    tree.at(&["package", "name"]).and_then(FilePart::text).map(str::to_owned)
}

/// Returns the name of a package that inherits its version from the workspace, if it does.
pub(super) fn inheriting_name(manifest: &str) -> Option<String> {
    let tree = parsed(VersionFormat::Toml, body(manifest)).ok()?;
    tree.at(&["package", "version", "workspace"])?;
    tree.at(&["package", "name"]).and_then(FilePart::text).map(str::to_owned)
}

/// Returns whether a `Cargo.toml` begins a workspace.
pub(super) fn is_workspace(manifest: &str) -> bool {
    parsed(VersionFormat::Toml, body(manifest)).is_ok_and(|tree| tree.inner("workspace").is_some())
}
