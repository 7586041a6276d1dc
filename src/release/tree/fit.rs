//! The names of a tree that may be released, and the problems of the others.
use super::{
    check,
    export::{Exported, exported},
    linked::{self, FoundInTree, SharedLink},
    manifest::ManifestKind,
    source::TreeSource,
};
use crate::{
    git::{self, EntryKind},
    release::error::TreeProblem,
};
use std::collections::BTreeMap;

/// The names that may be released, in order.
pub(super) struct ReleasableNames<'a> {
    pub items: BTreeMap<String, Item<'a>>,
    /// Names of the commit that a linked name hides.
    pub hidden: Vec<String>,
}

/// What a name in a release is made from.
pub(super) enum Item<'a> {
    Folder,
    File(Exported<'a>, bool),
    /// A submodule whose files aren't on this machine.
    Missing(TreeProblem),
    Link(String),
    Shared(ManifestKind),
}

/// Finds the names that may be released, or every problem of the tree.
pub(super) fn fit<'a>(
    tree: &'a TreeSource,
    linked: &[String],
) -> Result<Result<ReleasableNames<'a>, Vec<TreeProblem>>, git::GitError> {
    let mut problems = Vec::new();
    let mut named: Vec<(&str, Exported<'_>)> = Vec::new();
    for entry in exported(tree)? {
        match check::name(&entry.entry.path) {
            Ok(name) => named.push((name, entry)),
            Err(problem) => problems.push(problem),
        }
    }
    let found = |kept: &Exported<'_>| {
        if kept.entry.kind == EntryKind::Folder { FoundInTree::Folder } else { FoundInTree::Other }
    };
    let by_name = named.iter().map(|(name, entry)| (*name, found(entry))).collect();
    let shared = linked::shared(linked, &by_name).unwrap_or_else(|wrong| {
        problems.extend(wrong);
        Vec::new()
    });
    let (below, kept): (Vec<_>, Vec<_>) =
        named.into_iter().partition(|(name, _)| shared.iter().any(|shared| linked::within(name, &shared.path)));
    problems.extend(check::twins(kept.iter().map(|(name, _)| *name).chain(shared.iter().map(|s| s.path.as_str()))));
    let mut items = BTreeMap::new();
    let mut links = BTreeMap::new();
    for (name, entry) in kept {
        let item = match entry.entry.kind {
            EntryKind::Folder => Item::Folder,
            EntryKind::File { executable } => Item::File(entry, executable),
            EntryKind::Submodule => match tree.unfilled(name) {
                missing @ TreeProblem::Submodule { missing: true, .. } => Item::Missing(missing),
                problem => {
                    problems.push(problem);
                    continue;
                }
            },
            EntryKind::Link => {
                let target = tree.content(entry.entry)?;
                let text = String::from_utf8_lossy(&target).into_owned();
                links.insert(name.to_owned(), target);
                Item::Link(text)
            }
        };
        items.insert(name.to_owned(), item);
    }
    problems.extend(check::links(&links, &shared.iter().map(|shared| shared.path.as_str()).collect()));
    for SharedLink { path, what } in shared {
        for (slash, _) in path.match_indices('/') {
            items.entry(path[..slash].to_owned()).or_insert(Item::Folder);
        }
        items.insert(path, Item::Shared(what));
    }
    let keeps_a_folder = |name: &str| name.ends_with("/.gitkeep") || name.ends_with("/.keep");
    let hides = below.into_iter().filter(|(name, kept)| kept.entry.kind != EntryKind::Folder && !keeps_a_folder(name));
    let hidden = hides.map(|(name, _)| name.to_owned()).collect();
    Ok(if problems.is_empty() { Ok(ReleasableNames { items, hidden }) } else { Err(problems) })
}
