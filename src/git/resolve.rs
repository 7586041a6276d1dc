//! Finds the one commit that a name means.
use super::{
    FetchProgress, GitError, ReferenceNames, Repository, fetch, open::OpenRepository, refs, stable::about_stable,
    visible::visible,
};
use crate::fleet::{Accept, TagPattern};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The arguments of `resolve`.
#[derive(Clone, Copy)]
pub struct ReferenceQuery<'a> {
    /// `stable`, a tag, a branch, `refs/tags/NAME`, `refs/heads/NAME`, or a commit (7 to 40 hex digits, or to 64).
    pub reference: &'a str,
    pub fetch: bool,
    pub accept: &'a [Accept],
    pub guarded: bool,
    /// Which tags are releases; `None` for `vX.Y.Z` and `X.Y.Z`.
    pub tags: Option<&'a TagPattern>,
    /// The folder of the repository to fetch the files of; `None` for all of it.
    pub tree: Option<&'a str>,
    /// How long the remote may send nothing.
    pub within: Duration,
    pub progress: FetchProgress<'a>,
}

/// A commit, and how it was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Resolved {
    /// 40 hex digits, or 64 with sha256. It's the only part that a host may see.
    pub commit: String,
    /// The name that found it.
    pub name: String,
    /// The tag that the name means, or one that names the same commit.
    pub tag: Option<String>,
    /// All tags that name the commit; with a pattern, those that match it, and the one that was asked for.
    #[serde(default)]
    pub tags: Vec<String>,
    pub kind: ReferenceKind,
    /// What the user should know: a local name that differs, a commit that nobody pushed, a skipped fetch.
    pub warnings: Vec<String>,
}

/// The kind of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReferenceKind {
    Stable,
    Tag,
    Branch,
    Commit,
}

impl ReferenceKind {
    pub(super) fn accepted(self, accept: &[Accept]) -> bool {
        accept.contains(&match self {
            ReferenceKind::Stable => Accept::Stable,
            ReferenceKind::Tag => Accept::Tag,
            ReferenceKind::Branch => Accept::Branch,
            ReferenceKind::Commit => Accept::Commit,
        })
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            ReferenceKind::Stable => "stable tag",
            ReferenceKind::Tag => "tag",
            ReferenceKind::Branch => "branch",
            ReferenceKind::Commit => "commit",
        }
    }
}

/// Fetches, then finds the one commit that a name means on the remote, and fetches its files into a partial clone.
///
/// `stable` is the newest stable tag, even if a branch or tag has that name. It fails if the fetch fails, the name is
/// unknown or ambiguous, the fleet doesn't accept names of that kind, or the fleet is guarded and nobody pushed the
/// commit.
pub async fn resolve(repository: &Repository, ask: ReferenceQuery<'_>) -> Result<Resolved, GitError> {
    if ask.fetch {
        fetch::fetch(repository, ask.within, ask.progress).await?;
    }
    let found = find(repository, &ask)?;
    if ask.fetch {
        super::complete(repository, &found.commit, ask.tree, ask.within, ask.progress).await?;
    }
    Ok(found)
}

fn find(repository: &Repository, ask: &ReferenceQuery<'_>) -> Result<Resolved, GitError> {
    let open = OpenRepository::of(repository)?;
    let names = match ask.reference {
        "stable" => about_stable(&open, repository, ask.tags)?,
        _ => refs::read(&open, repository.remote.is_some())?,
    };
    let mut warnings = Vec::new();
    if let (Some(remote), false) = (&repository.remote, ask.fetch) {
        if names.branches.is_empty() && names.tags.is_empty() {
            return Err(GitError::NeverFetched(visible(remote)));
        }
        warnings.push(format!("rfab didn't fetch, so `{}` may have moved", visible(remote)));
    }
    let (kind, name, commit) = meaning(&open, &names, ask)?;
    if !kind.accepted(ask.accept) {
        let accept = ask.accept.to_vec();
        return Err(GitError::NotAccepted { reference: visible(ask.reference), kind: kind.word(), accept });
    }
    if kind == ReferenceKind::Stable && (names.branch("stable").is_some() || names.tag("stable").is_some()) {
        warnings.push("`stable` is also a branch or a tag: rfab uses the newest stable tag".to_owned());
    }
    if kind == ReferenceKind::Commit && !open.holds(&names, &commit)? {
        if ask.guarded {
            return Err(GitError::NotPushed(commit));
        }
        warnings.push(format!("nobody has pushed the commit `{commit}`"));
    }
    if repository.remote.is_some() {
        warnings.extend(differing(&open, kind, &name, &commit));
    }
    let tag = match kind {
        ReferenceKind::Stable | ReferenceKind::Tag => Some(name.clone()),
        ReferenceKind::Branch | ReferenceKind::Commit => names.tag_of(&commit, ask.tags).map(|tag| tag.name.clone()),
    };
    let counts = |name: &str| tag.as_deref() == Some(name) || ask.tags.is_none_or(|tags| tags.version(name).is_some());
    let tags = names.tags.iter().filter(|tag| tag.commit == commit && counts(&tag.name));
    let tags = tags.map(|tag| tag.name.clone()).collect();
    Ok(Resolved { commit, name, tag, tags, kind, warnings })
}

fn meaning(
    open: &OpenRepository,
    names: &ReferenceNames,
    ask: &ReferenceQuery<'_>,
) -> Result<(ReferenceKind, String, String), GitError> {
    let reference = ask.reference;
    if reference == "stable" {
        let stable = names.stable(ask.tags)?.ok_or_else(|| names.no_stable(ask.tags))?;
        return Ok((ReferenceKind::Stable, stable.name.clone(), stable.commit.clone()));
    }
    let (tag, branch) = match (reference.strip_prefix("refs/tags/"), reference.strip_prefix("refs/heads/")) {
        (Some(name), _) => (names.tag(name), None),
        (_, Some(name)) => (None, names.branch(name)),
        _ => (names.tag(reference), names.branch(reference)),
    };
    let mut meant = Vec::new();
    meant.extend(tag.map(|tag| (ReferenceKind::Tag, tag.name.clone(), tag.commit.clone())));
    meant.extend(branch.map(|branch| (ReferenceKind::Branch, branch.name.clone(), branch.commit.clone())));
    meant.extend(commit(open, reference)?.map(|id| (ReferenceKind::Commit, id.clone(), id)));
    match meant.len() {
        0 => Err(GitError::Unknown { reference: visible(reference), near: names.near(reference) }),
        1 => Ok(meant.remove(0)),
        _ => {
            let meanings = meant.iter().map(|(kind, name, commit)| match kind {
                ReferenceKind::Tag => format!("tag `refs/tags/{}` is {commit}", visible(name)),
                ReferenceKind::Branch => format!("branch `refs/heads/{}` is {commit}", visible(name)),
                _ => format!("commit {commit}"),
            });
            Err(GitError::Ambiguous { reference: visible(reference), meanings: meanings.collect() })
        }
    }
}

/// Finds a commit by its first digits; fewer than 7 don't count.
fn commit(open: &OpenRepository, digits: &str) -> Result<Option<String>, GitError> {
    if !(7..=64).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(None);
    }
    open.beginning(&digits.to_lowercase())
}

/// Warns about a local branch or tag of the same name that is another commit.
fn differing(open: &OpenRepository, kind: ReferenceKind, name: &str, commit: &str) -> Option<String> {
    let (word, local) = match kind {
        ReferenceKind::Branch => ("branch", format!("refs/heads/{name}")),
        ReferenceKind::Stable | ReferenceKind::Tag => ("tag", format!("refs/tags/{name}")),
        ReferenceKind::Commit => return None,
    };
    let here = open.peeled(&local)?;
    (here != commit).then(|| {
        format!(
            "your {word} `{}` is {}, the remote's is {}: rfab uses the remote's",
            visible(name),
            &here[..12],
            &commit[..12]
        )
    })
}

#[cfg(test)]
mod tests;
