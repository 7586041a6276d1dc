//! Puts the trees of submodules where a commit names them.
use super::{export::exported, linked::within, part::CommitPart, source::TreeSource};
use crate::{
    fleet::TreeRules,
    git::{self, EntryKind},
    release::error::ReleaseError,
};
use std::path::Path;

/// Returns a commit's tree, or a folder of it, with what `cache` and the clone have of its submodules.
pub(super) fn commit_part(tree: git::Tree, rules: &TreeRules, cache: &Path) -> Result<TreeSource, ReleaseError> {
    filled(CommitPart::of(tree, rules, cache)?, &rules.linked, cache)
}

/// Puts the trees of submodules in their places, as far as this machine has them. What isn't released stays empty.
fn filled(part: CommitPart, linked: &[String], cache: &Path) -> Result<TreeSource, ReleaseError> {
    let mut source = TreeSource::Commit(part);
    loop {
        let TreeSource::Commit(part) = &source else { return Ok(source) };
        let hidden = |path: &[u8]| {
            let text = String::from_utf8_lossy(path);
            linked.iter().any(|name| within(&text, name.trim_end_matches('/')))
        };
        let to_enter: Vec<Vec<u8>> = if part.entries.iter().any(|entry| entry.kind == EntryKind::Submodule) {
            exported(&source)?
                .into_iter()
                .filter(|kept| kept.entry.kind == EntryKind::Submodule)
                .map(|kept| kept.entry.path.clone())
                .filter(|path| !part.unfilled.contains_key(path) && !hidden(path))
                .collect()
        } else {
            Vec::new()
        };
        if to_enter.is_empty() {
            return Ok(source);
        }
        let TreeSource::Commit(part) = &mut source else { return Ok(source) };
        for path in to_enter {
            part.enter(&path, cache)?;
        }
    }
}
