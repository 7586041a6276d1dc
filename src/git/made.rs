//! The names that a simulated run made, on top of those of a repository.
use super::{
    GitError, NamedCommit, ReferenceKind, ReferenceNames, ReferenceQuery, Repository, Resolved, open::OpenRepository,
    refs,
};
use crate::{host::Name, model::Model};

/// Returns the names of a repository as a simulated run left them.
pub(super) fn names_with(model: &Model, source: &str, repository: &Repository) -> Result<ReferenceNames, GitError> {
    let fetched = repository.remote.is_some();
    let mut names = refs::read(&OpenRepository::of(repository)?, fetched)?;
    let above = if fetched { "refs/rfab/" } else { "refs/" };
    for ((of, name), commit) in &model.refs {
        let Some(name) = name.strip_prefix(above).filter(|_| of == source) else { continue };
        let (list, name) = match (name.strip_prefix("heads/"), name.strip_prefix("tags/")) {
            (Some(name), _) => (&mut names.branches, name),
            (_, Some(name)) => (&mut names.tags, name),
            _ => continue,
        };
        list.retain(|named| named.name != name);
        // A script need not say which commit an annotated tag's object leads to.
        let led_to = |object: &Name| model.prepared.tagged(object).to_owned();
        list.extend(commit.as_ref().map(|object| NamedCommit { name: name.to_owned(), commit: led_to(object) }));
    }
    Ok(names)
}

/// Resolves what only a simulated run made; `None` if the repository itself knows better.
pub(super) fn resolve_with(
    model: &Model,
    source: &str,
    repository: &Repository,
    ask: &ReferenceQuery<'_>,
) -> Result<Option<Resolved>, GitError> {
    if model.refs.is_empty() {
        return Ok(None);
    }
    let names = names_with(model, source, repository)?;
    let real = refs::read(&OpenRepository::of(repository)?, repository.remote.is_some())?;
    let Some((kind, named)) = meaning(model, &names, ask)? else { return Ok(None) };
    let before = if kind == ReferenceKind::Branch { real.branch(&named.name) } else { real.tag(&named.name) };
    if before == Some(&named) {
        return Ok(None);
    }
    if !kind.accepted(ask.accept) {
        let (reference, accept) = (ask.reference.to_owned(), ask.accept.to_vec());
        return Err(GitError::NotAccepted { reference, kind: kind.word(), accept });
    }
    let tags = names.tags.iter().filter(|tag| tag.commit == named.commit).map(|tag| tag.name.clone()).collect();
    let tag = match kind {
        ReferenceKind::Stable | ReferenceKind::Tag => Some(named.name.clone()),
        _ => names.tag_of(&named.commit, ask.tags).map(|tag| tag.name.clone()),
    };
    Ok(Some(Resolved { commit: named.commit, name: named.name, tag, tags, kind, warnings: Vec::new() }))
}

fn meaning(
    model: &Model,
    names: &ReferenceNames,
    ask: &ReferenceQuery<'_>,
) -> Result<Option<(ReferenceKind, NamedCommit)>, GitError> {
    let name = ask.reference;
    if name == "stable" {
        return Ok(names.stable(ask.tags)?.map(|tag| (ReferenceKind::Stable, tag.clone())));
    }
    if model.prepared.parents(name).is_some() {
        let commit = NamedCommit { name: name.to_owned(), commit: name.to_owned() };
        return Ok(Some((ReferenceKind::Commit, commit)));
    }
    let tag = names.tag(name.strip_prefix("refs/tags/").unwrap_or(name));
    let branch = || names.branch(name.strip_prefix("refs/heads/").unwrap_or(name));
    Ok(tag
        .map(|tag| (ReferenceKind::Tag, tag.clone()))
        .or_else(|| branch().map(|branch| (ReferenceKind::Branch, branch.clone()))))
}
