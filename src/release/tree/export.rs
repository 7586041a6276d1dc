//! The part of a tree that `export-ignore` keeps.
use super::{attributes::Attributes, source::TreeSource};
use crate::git::{self, EntryKind};
use std::collections::BTreeSet;

/// Returns the entries that `export-ignore` keeps, also by the rules of the folders above; a folder only if it has any of them.
pub(super) fn exported(tree: &TreeSource) -> Result<Vec<&git::TreeEntry>, git::GitError> {
    let mut attributes = Attributes::default();
    let above = tree.above();
    for (folder, content) in tree.attributes_above()? {
        attributes.add(&folder, &content);
    }
    for entry in tree.entries() {
        let folder =
            entry.path.strip_suffix(b".gitattributes").filter(|above| above.is_empty() || above.ends_with(b"/"));
        if let (Some(folder), EntryKind::File { .. }) = (folder, entry.kind) {
            attributes.add(&[above, folder].concat(), &tree.content(entry)?);
        }
    }
    let mut left: Vec<&git::TreeEntry> = Vec::new();
    let mut skipped: Option<Vec<u8>> = None;
    for entry in tree.entries() {
        if skipped.as_ref().is_some_and(|above| entry.path.starts_with(above)) {
            continue;
        }
        let folder = matches!(entry.kind, EntryKind::Folder | EntryKind::Submodule);
        if attributes.ignores(&[above, &entry.path].concat(), folder) {
            skipped = folder.then(|| [&entry.path[..], b"/"].concat());
        } else {
            left.push(entry);
        }
    }
    let folders = |path: &[u8]| -> Vec<Vec<u8>> {
        (0..path.len()).filter(|at| path[*at] == b'/').map(|at| path[..at].to_vec()).collect()
    };
    let filled: BTreeSet<Vec<u8>> =
        left.iter().filter(|entry| entry.kind != EntryKind::Folder).flat_map(|entry| folders(&entry.path)).collect();
    left.retain(|entry| entry.kind != EntryKind::Folder || filled.contains(&entry.path));
    Ok(left)
}
