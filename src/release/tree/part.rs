//! A commit's tree, or a folder of it as if it were all, with what it only names: its submodules.
use crate::{
    control::shown,
    fleet::TreeRules,
    git::{self, EntryKind, Submodule, Submodules, Substitution, TreeEntry},
    release::{
        error::{ReleaseError, TreeProblem},
        name::short,
    },
};
use std::{
    cell::OnceCell,
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// A commit's tree, or a folder of it as if it were all.
pub(super) struct CommitPart {
    /// The repository's own tree, then those of submodules; an inner one comes after the outer one.
    pub roots: Vec<Root>,
    /// The entries by their paths from the folder on.
    pub entries: Vec<TreeEntry>,
    /// Submodules that aren't filled in, by their paths.
    pub unfilled: BTreeMap<Vec<u8>, Unfilled>,
    pub export_subst: bool,
}

/// The tree of one repository.
pub(super) struct Root {
    pub tree: git::Tree,
    /// What comes before its paths in the release: a folder with a `/` at its end, or nothing.
    pub below: Vec<u8>,
    /// What comes before its paths in its commit: a folder with a `/` at its end, or nothing.
    pub above: Vec<u8>,
    /// Where git-lfs may keep contents.
    pub stores: Vec<PathBuf>,
    pub substitution: OnceCell<Substitution>,
    modules: OnceCell<Submodules>,
    depth: usize,
}

/// Why a submodule isn't filled in.
pub(super) enum Unfilled {
    /// It can't be.
    Refused(String),
    /// This machine doesn't have its commit, which the repository pins.
    Missing(Submodule),
}

/// The limits for submodules in submodules, and for all.
const DEEPEST: usize = 10;
const MOST: usize = 500;

impl CommitPart {
    /// Makes the part of a tree without what it only names; fails if the commit has no such folder.
    pub(super) fn of(tree: git::Tree, rules: &TreeRules, cache: &Path) -> Result<CommitPart, ReleaseError> {
        let part = rules.tree.as_deref();
        let above = part.map(|part| format!("{part}/").into_bytes()).unwrap_or_default();
        let is_part =
            |entry: &TreeEntry| entry.kind == EntryKind::Folder && Some(&entry.path[..]) == part.map(str::as_bytes);
        if let Some(part) = part.filter(|_| !tree.entries.iter().any(is_part)) {
            return Err(ReleaseError::NoTree { commit: tree.commit, tree: part.to_owned() });
        }
        let below =
            |entry: &TreeEntry| Some(TreeEntry { path: entry.path.strip_prefix(&above[..])?.to_vec(), ..*entry });
        let entries = tree.entries.iter().filter_map(below).collect();
        let roots = vec![Root::of(tree, Vec::new(), above, cache, 0)];
        Ok(CommitPart { roots, entries, unfilled: BTreeMap::new(), export_subst: rules.export_subst })
    }

    /// Returns the root of a path of the release, and the path in that root's commit.
    pub(super) fn own_path(&self, path: &[u8]) -> (usize, Vec<u8>) {
        let root = self.roots.iter().rposition(|root| path.starts_with(&root.below)).unwrap_or(0);
        let found = &self.roots[root];
        (root, [&found.above, &path[found.below.len()..]].concat())
    }

    /// Returns the root of an entry, and the entry as its commit has it.
    pub(super) fn own(&self, entry: &TreeEntry) -> (&Root, TreeEntry) {
        let (root, path) = self.own_path(&entry.path);
        (&self.roots[root], TreeEntry { path, kind: entry.kind })
    }

    /// Puts the tree of a submodule in its place, or notes why not.
    pub(super) fn enter(&mut self, path: &[u8], cache: &Path) -> Result<(), ReleaseError> {
        let found = match self.submodule(path)? {
            Ok(found) => found,
            Err(why) => {
                self.unfilled.insert(path.to_vec(), Unfilled::Refused(why));
                return Ok(());
            }
        };
        let (above, depth) = {
            let (root, _) = self.own_path(path);
            (self.roots[root].tree.repository().clone(), self.roots[root].depth + 1)
        };
        let Some(repository) = found.find(&above, cache) else {
            self.unfilled.insert(path.to_vec(), Unfilled::Missing(found));
            return Ok(());
        };
        let tree = git::Tree::read(&repository, &found.commit)?;
        let below = [path, b"/"].concat();
        let inner: Vec<TreeEntry> = tree
            .entries
            .iter()
            .map(|entry| TreeEntry { path: [&below, &entry.path[..]].concat(), kind: entry.kind })
            .collect();
        if let Some(at) = self.entries.iter().position(|entry| entry.path == path) {
            self.entries[at].kind = EntryKind::Folder;
            self.entries.splice(at + 1..at + 1, inner);
        }
        self.roots.push(Root::of(tree, below, Vec::new(), cache, depth));
        Ok(())
    }

    fn submodule(&self, path: &[u8]) -> Result<Result<Submodule, String>, ReleaseError> {
        let entry = TreeEntry { path: path.to_vec(), kind: EntryKind::Submodule };
        let (root, own) = self.own(&entry);
        if root.depth >= DEEPEST || self.roots.len() > MOST {
            return Ok(Err("its submodules are nested too deeply, or there are too many".to_owned()));
        }
        let Ok(name) = std::str::from_utf8(&own.path) else { return Ok(Err("its name isn't UTF-8".to_owned())) };
        if root.modules.get().is_none() {
            let _ = root.modules.set(Submodules::of(&root.tree)?);
        }
        let modules = root.modules.get().expect("it was set");
        Ok(modules.at(root.tree.repository(), name, root.tree.pinned(&own)?))
    }
}

impl Root {
    /// Returns whether it is the tree of a submodule.
    pub(super) fn is_submodule(&self) -> bool {
        self.depth > 0
    }

    fn of(tree: git::Tree, below: Vec<u8>, above: Vec<u8>, cache: &Path, depth: usize) -> Root {
        let stores = git::large_stores(tree.repository(), cache);
        Root { tree, below, above, stores, substitution: OnceCell::new(), modules: OnceCell::new(), depth }
    }
}

impl Unfilled {
    /// Returns the problem of a release that lacks the submodule.
    pub(super) fn problem(&self, path: &str) -> TreeProblem {
        let why = match self {
            Unfilled::Refused(why) => why.clone(),
            Unfilled::Missing(found) => {
                format!("`{}` of `{}` isn't on this machine", short(&found.commit), found.shown_url())
            }
        };
        TreeProblem::Submodule { path: shown(path), why, missing: matches!(self, Unfilled::Missing(..)) }
    }
}
