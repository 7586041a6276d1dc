//! The texts of all files that another version changes: the file that has it, and the lock files that repeat it.
use super::{
    VersionError,
    changed::ChangedText,
    edit::{find, replace},
    lock::{self, LockKind},
    snapshot::Snapshot,
    work_folder::folder_of,
};
use crate::{failure::Failure, fleet::VersionFile};

/// Returns the paths of the files that another version changes.
pub(super) fn paths(files: &Snapshot, file: &VersionFile) -> Result<Vec<String>, Failure> {
    // Written again as it is, nothing differs, and the paths are the same.
    let text = files.needed(&file.file)?;
    let value = find(file, &text).map_err(|e| e.of_file(&file.file, &text))?.value;
    Ok(texts(files, file, &value)?.into_iter().map(|changed| changed.path).collect())
}

/// Returns the texts of the files with another version, the lock files first. It writes nothing.
pub(super) fn texts(files: &Snapshot, file: &VersionFile, value: &str) -> Result<Vec<ChangedText>, Failure> {
    let before = files.needed(&file.file)?;
    let wrong = |e: VersionError| e.of_file(&file.file, &before);
    let key = find(file, &before).map_err(wrong)?.key;
    let after = replace(file, &before, value).map_err(wrong)?;
    let mut all = Vec::new();
    if let Some(kind) = LockKind::of(file, &key) {
        for path in files.nearest(&file.file, kind.names())? {
            let text = files.needed(&path)?;
            let after = match kind {
                LockKind::Cargo => lock::cargo(&text, &packages(files, file, &key.to_string(), &before)?, value),
                LockKind::Npm => lock::npm(&text, &within(folder_of(&path), folder_of(&file.file)), value),
            };
            let after = after.map_err(|e| e.of_file(&path, &text))?;
            all.push(ChangedText { path, before: text, after });
        }
    }
    all.push(ChangedText { path: file.file.clone(), before, after });
    Ok(all)
}

/// Returns the names of the packages that a `Cargo.toml` gives its version to.
fn packages(files: &Snapshot, file: &VersionFile, key: &str, manifest: &str) -> Result<Vec<String>, Failure> {
    if key == "package.version" {
        return Ok(lock::own_name(manifest).into_iter().collect());
    }
    let top = folder_of(&file.file);
    let (mut names, mut others) = (Vec::new(), Vec::new());
    let mut manifests = files.below(top, "Cargo.toml");
    // A folder's own comes before those below it.
    manifests.sort_by_key(|path| path.matches('/').count());
    for path in manifests {
        let Some(text) = files.text(&path)? else { continue };
        let of = format!("{}/", folder_of(&path));
        if path != file.file && lock::is_workspace(&text) {
            others.push(of);
        } else if !others.iter().any(|other: &String| of.starts_with(other.as_str())) {
            names.extend(lock::inheriting_name(&text));
        }
    }
    Ok(names)
}

/// Returns a folder's path from another one above it.
fn within(above: &str, folder: &str) -> String {
    folder.strip_prefix(above).unwrap_or(folder).trim_start_matches('/').to_owned()
}
