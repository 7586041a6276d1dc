//! The part of a tree that `export-ignore` keeps, and what else its attributes say.
use super::{attributes::Attributes, source::TreeSource};
use crate::git::{self, EntryKind};
use std::collections::BTreeSet;

/// An entry that is released.
#[derive(Clone, Copy)]
pub(super) struct Exported<'a> {
    pub entry: &'a git::TreeEntry,
    /// Whether git-lfs keeps the content of the file, if it is a pointer.
    pub large: bool,
    /// Whether placeholders in the file are substituted.
    pub substituted: bool,
}

/// Returns the entries that `export-ignore` keeps, by the rules of the folders above, too; a folder only if it has any
/// of them. In a submodule, only its own rules count, as in git.
pub(super) fn exported(tree: &TreeSource) -> Result<Vec<Exported<'_>>, git::GitError> {
    let mut attributes: Vec<Attributes> = (0..tree.roots()).map(|_| Attributes::default()).collect();
    for (folder, content) in tree.attributes_above()? {
        attributes[0].add(&folder, &content);
    }
    for entry in tree.entries() {
        let (root, path) = tree.own_path(&entry.path);
        let folder = path.strip_suffix(b".gitattributes").filter(|above| above.is_empty() || above.ends_with(b"/"));
        if let (Some(folder), EntryKind::File { .. }) = (folder, entry.kind) {
            attributes[root].add(folder, &tree.content(entry)?);
        }
    }
    let mut left: Vec<Exported<'_>> = Vec::new();
    let mut skipped: Option<Vec<u8>> = None;
    for entry in tree.entries() {
        if skipped.as_ref().is_some_and(|above| entry.path.starts_with(above)) {
            continue;
        }
        let folder = matches!(entry.kind, EntryKind::Folder | EntryKind::Submodule);
        let (root, path) = tree.own_path(&entry.path);
        let rules = &attributes[root];
        if rules.ignores(&path, folder) {
            skipped = folder.then(|| [&entry.path[..], b"/"].concat());
        } else {
            left.push(Exported { entry, large: rules.is_large(&path), substituted: rules.substitutes(&path) });
        }
    }
    let folders = |path: &[u8]| -> Vec<Vec<u8>> {
        (0..path.len()).filter(|at| path[*at] == b'/').map(|at| path[..at].to_vec()).collect()
    };
    let filled: BTreeSet<Vec<u8>> = left
        .iter()
        .filter(|kept| kept.entry.kind != EntryKind::Folder)
        .flat_map(|kept| folders(&kept.entry.path))
        .collect();
    left.retain(|kept| kept.entry.kind != EntryKind::Folder || filled.contains(&kept.entry.path));
    Ok(left)
}
