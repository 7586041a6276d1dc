//! Fetches what a commit only names: the commits of its submodules, and what git-lfs keeps.
use super::{
    content::FileContent, export::exported, filling::commit_part, linked::within, odd::named, part::Unfilled,
    source::TreeSource,
};
use crate::{
    control::shown,
    fleet::TreeRules,
    git::{self, EntryKind, FetchProgress, GitError, Repository, Submodule, Tree},
    release::{
        error::{ReleaseError, TreeProblem},
        name::short,
    },
};
use std::{collections::BTreeSet, path::Path};

/// What this machine lacks of a commit's release.
#[derive(Default)]
struct Lacking {
    modules: Vec<(String, Submodule)>,
    /// Files of a commit of a repository, by their paths there.
    large: Vec<(Repository, String, Vec<String>)>,
}

/// Fetches the submodules of a commit's release, and theirs, and then what git-lfs keeps of all of them.
pub(crate) async fn fetch(
    repository: &Repository,
    commit: &str,
    rules: &TreeRules,
    cache: &Path,
    progress: FetchProgress<'_>,
) -> Result<(), ReleaseError> {
    let mut tried: BTreeSet<(String, Submodule)> = BTreeSet::new();
    let needed = loop {
        let lacking = lacking(repository, commit, rules, cache)?;
        let again = lacking.modules.iter().any(|module| tried.contains(module));
        if lacking.modules.is_empty() || again {
            break lacking.large;
        }
        for (path, module) in lacking.modules {
            module.fetch(cache, git::WITHIN, progress).await.map_err(|error| {
                let why = match error {
                    GitError::Fetch { why, .. } => why,
                    other => other.to_string(),
                };
                let why = format!("`{}` can't be fetched from `{}`: {why}", short(&module.commit), module.shown_url());
                let problems = vec![TreeProblem::Submodule { path: shown(&path), why, missing: false }];
                ReleaseError::Unfit { commit: commit.to_owned(), problems }
            })?;
            tried.insert((path, module));
        }
    };
    if needed.is_empty() {
        return Ok(());
    }
    let failed = large(needed, cache, progress).await;
    let still = lacking(repository, commit, rules, cache)?.large.into_iter().next();
    still.map_or(Ok(()), |(repository, large, files)| {
        Err(ReleaseError::Large {
            commit: commit.to_owned(),
            files: files.iter().map(|file| shown(file)).collect(),
            why: failed.first().cloned().unwrap_or_else(|| "`git lfs fetch` doesn't fetch it".to_owned()),
            fetch: git::fetch_large_by_hand(&repository, &large),
        })
    })
}

/// Says what a dry run, which fetches nothing, takes for granted; nothing if this clone has all of it.
pub(crate) fn assumed(
    repository: &Repository,
    commit: &str,
    rules: &TreeRules,
) -> Result<Option<String>, ReleaseError> {
    let Lacking { modules, large } = lacking(repository, commit, rules, Path::new("/nonexistent"))?;
    let module = |(path, module): &(String, Submodule)| format!("`{}` from `{}`", shown(path), module.shown_url());
    let modules = modules.iter().map(module).collect();
    let large = large.iter().flat_map(|(_, _, files)| files).map(|file| format!("`{}`", shown(file))).collect();
    let all = [
        named("a dry run fetches no submodules, and assumes that these can be fetched", modules),
        named("a dry run fetches nothing from git-lfs, and assumes that it has these files", large),
    ];
    let all: Vec<String> = all.into_iter().flatten().collect();
    Ok((!all.is_empty()).then(|| all.join("; ")))
}

/// Fetches what git-lfs keeps. Only what is missing afterwards counts: git-lfs also looks for the content of texts that
/// merely look like pointers.
async fn large(all: Vec<(Repository, String, Vec<String>)>, cache: &Path, progress: FetchProgress<'_>) -> Vec<String> {
    let mut failed = Vec::new();
    for (repository, commit, files) in all {
        let fetched = git::fetch_large(&repository, &commit, &files, cache, git::WITHIN, progress).await;
        failed.extend(fetched.err().map(|error| error.to_string()));
    }
    failed
}

fn lacking(repository: &Repository, commit: &str, rules: &TreeRules, cache: &Path) -> Result<Lacking, ReleaseError> {
    let source = commit_part(Tree::read(repository, commit)?, rules, cache)?;
    let TreeSource::Commit(part) = &source else { return Ok(Lacking::default()) };
    let mut lacking = Lacking::default();
    for (path, unfilled) in &part.unfilled {
        if let Unfilled::Missing(module) = unfilled {
            lacking.modules.push((String::from_utf8_lossy(path).into_owned(), module.clone()));
        }
    }
    let mut large: Vec<Vec<String>> = part.roots.iter().map(|_| Vec::new()).collect();
    for file in exported(&source)? {
        let text = String::from_utf8_lossy(&file.entry.path);
        let hidden = rules.linked.iter().any(|name| within(&text, name.trim_end_matches('/')));
        if !file.large || hidden || !matches!(file.entry.kind, EntryKind::File { .. }) {
            continue;
        }
        if let Err(TreeProblem::Large { .. }) = FileContent::of(&source, file)? {
            let (root, path) = part.own_path(&file.entry.path);
            large[root].push(String::from_utf8_lossy(&path).into_owned());
        }
    }
    for (root, files) in part.roots.iter().zip(large).filter(|(_, files)| !files.is_empty()) {
        lacking.large.push((root.tree.repository().clone(), root.tree.commit.clone(), files));
    }
    Ok(lacking)
}
