//! The newest stable tag among many: only the tags that may be it are looked up.
use super::{
    GitError, NamedCommit, ReferenceNames, Repository, names::stable, open::OpenRepository, ref_files::RefFiles, refs,
};
use crate::fleet::{TagPattern, VersionNumbers};

/// Reads the names that decide what `stable` is: all branches, and the tags of the newest stable version and of its
/// commit.
///
/// If there is no stable tag, or only git can read the refs, it has all tags.
pub(super) fn about_stable(
    open: &OpenRepository,
    repository: &Repository,
    tags: Option<&TagPattern>,
) -> Result<ReferenceNames, GitError> {
    let fetched = repository.remote.is_some();
    let Some(files) = tag_files(open, repository) else { return refs::read(open, fetched) };
    let mut found = newest(open, &files, fetched, tags);
    let Some(commit) = found.first().map(|tag| tag.commit.clone()) else { return refs::read(open, fetched) };
    let known = |name: &str| found.iter().any(|tag| tag.name == name);
    let leads = |(name, id): (&str, Option<&str>)| match id {
        Some(id) => (id == commit || name == "stable").then(|| NamedCommit { name: name.into(), commit: id.into() }),
        None => looked_up(open, fetched, name).filter(|tag| tag.commit == commit || name == "stable"),
    };
    let others: Vec<NamedCommit> = files.all().filter(|(name, _)| !known(name)).filter_map(leads).collect();
    found.extend(others);
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(ReferenceNames { branches: open.below(refs::branches_below(fetched))?, tags: found })
}

/// Returns the tags of the newest stable version; all tags, if only git can read the refs.
pub(super) fn stable_tags(
    open: &OpenRepository,
    repository: &Repository,
    tags: Option<&TagPattern>,
) -> Result<Vec<NamedCommit>, GitError> {
    let fetched = repository.remote.is_some();
    match tag_files(open, repository) {
        Some(files) => Ok(newest(open, &files, fetched, tags)),
        None => refs::tags(open, fetched),
    }
}

/// Reads the tags from files, if the repository keeps them there.
fn tag_files(open: &OpenRepository, repository: &Repository) -> Option<RefFiles> {
    let below = refs::tags_below(repository.remote.is_some());
    // libgit2 opens only repositories that keep refs in files.
    matches!(open, OpenRepository::Here(..)).then(|| RefFiles::read(&repository.folder, below).ok()).flatten()
}

/// Returns the tags of the highest stable version that has one that leads to a commit.
fn newest(open: &OpenRepository, files: &RefFiles, fetched: bool, tags: Option<&TagPattern>) -> Vec<NamedCommit> {
    let mut all: Vec<(VersionNumbers, &str)> =
        files.all().filter_map(|(name, _)| Some((stable(name, tags)?, name))).collect();
    while let Some(highest) = all.iter().map(|(version, _)| version).max().cloned() {
        let mut twins: Vec<NamedCommit> = all
            .iter()
            .filter(|(version, _)| *version == highest)
            .filter_map(|(_, name)| looked_up(open, fetched, name))
            .collect();
        if !twins.is_empty() {
            twins.sort_by(|a, b| a.name.cmp(&b.name));
            return twins;
        }
        all.retain(|(version, _)| *version != highest);
    }
    Vec::new()
}

/// Looks up the commit of a tag; `None` if it leads to none.
fn looked_up(open: &OpenRepository, fetched: bool, name: &str) -> Option<NamedCommit> {
    let commit = open.peeled(&format!("{}{name}", refs::tags_below(fetched)))?;
    Some(NamedCommit { name: name.to_owned(), commit })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::{names, sample::Sample};

    #[test]
    fn the_newest_stable_tag_is_the_same_whether_refs_are_loose_or_packed_and_whatever_they_lead_to() {
        let sample = Sample::new();
        sample.git(&["remote", "remove", "origin"]);
        let first = sample.commit("a", "1");
        sample.git(&["tag", "v1.0.0"]);
        sample.git(&["tag", "-am", "annotated", "v1.10.0"]);
        sample.git(&["tag", "same"]);
        sample.git(&["tag", "v1.9.0"]);
        sample.git(&["pack-refs", "--all"]);
        let tree = sample.git(&["rev-parse", "HEAD^{tree}"]);
        sample.git(&["tag", "v3.0.0", &tree]);
        sample.git(&["tag", "v4.0.0-rc.1"]);
        let second = sample.commit("a", "2");
        let repository = sample.repository();
        let read = || {
            let open = OpenRepository::of(&repository).unwrap();
            (about_stable(&open, &repository, None).unwrap(), stable_tags(&open, &repository, None).unwrap())
        };
        let (about, tags) = read();
        let named = |name: &str| NamedCommit { name: name.to_owned(), commit: first.clone() };
        assert_eq!(tags, [named("v1.10.0")]);
        let all = names(&repository).unwrap();
        assert_eq!(about.stable(None), all.stable(None));
        assert_eq!(about.branches, all.branches);
        assert_eq!(about.tags, ["same", "v1.0.0", "v1.10.0", "v1.9.0", "v4.0.0-rc.1"].map(named));
        // A loose tag hides the packed one, and a twin of another commit is seen.
        sample.git(&["tag", "-f", "v1.10.0"]);
        assert_eq!(read().1, [NamedCommit { name: "v1.10.0".to_owned(), commit: second }]);
        sample.git(&["tag", "1.10.0", "v1.0.0"]);
        assert_eq!(read().1.len(), 2);
        assert!(matches!(read().0.stable(None), Err(GitError::Ambiguous { .. })));
        for tag in ["v1.10.0", "1.10.0", "v1.9.0", "v1.0.0"] {
            sample.git(&["tag", "-d", tag]);
        }
        assert_eq!((read().0, read().1), (names(&repository).unwrap(), vec![]));
    }
}
