//! Changes a repository with the user's git, with the same effects as by hand.
use super::{
    GitError, Repository,
    id::whole,
    open::OpenRepository,
    process::{git, verb},
    refs::read,
    visible::visible,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What to push. It's never forced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pushed {
    Branch(String),
    Tag(String),
}

/// Commits the named files as they are now, or the staged changes if it names none. Returns the commit.
///
/// Fails with `NothingToCommit` if the last commit already has them. Hooks and signing happen as by hand.
pub async fn commit(
    repository: &Repository,
    message: &str,
    files: &[&str],
    within: Duration,
) -> Result<String, GitError> {
    worked_in(repository)?;
    text(message)?;
    files.iter().try_for_each(|file| text(file))?;
    if !files.is_empty() {
        done(repository, &[&["--literal-pathspecs", "add", "--"], files].concat(), within).await?;
    }
    let diff = [&["--literal-pathspecs", "diff", "--cached", "--quiet", "--"], files].concat();
    if git(repository, &diff, within).await?.ok {
        return Err(GitError::NothingToCommit);
    }
    let message = format!("--message={message}");
    done(repository, &[&["--literal-pathspecs", "commit", "--quiet", &message, "--"], files].concat(), within).await?;
    head(repository)
}

/// Merges a branch or tag of this repository, or a commit, into the current branch. Returns the resulting commit.
///
/// If the merge conflicts, it's undone, and the error lists the files.
pub async fn merge(repository: &Repository, reference: &str, within: Duration) -> Result<String, GitError> {
    worked_in(repository)?;
    let full = full_name(repository, reference)?;
    let message = full.strip_prefix("refs/heads/").map(|branch| format!("-mMerge branch '{branch}'"));
    let mut args = vec!["merge", "--no-edit", "--quiet"];
    args.extend(message.as_deref());
    args.push(&full);
    let ended = git(repository, &args, within).await?;
    if ended.ok {
        return head(repository);
    }
    let open = git(repository, &["diff", "--name-only", "--diff-filter=U", "-z"], within).await?;
    let files: Vec<String> = open.out.split('\0').filter(|f| !f.is_empty()).map(visible).collect();
    if files.is_empty() {
        return Err(GitError::Git { what: "merge".to_owned(), why: ended.why() });
    }
    done(repository, &["merge", "--abort"], within).await?;
    Err(GitError::Conflict { reference: visible(reference), files })
}

/// Tags the commit with this whole id. With a message, the tag is annotated, otherwise it's lightweight.
pub async fn tag(
    repository: &Repository,
    name: &str,
    commit: &str,
    message: Option<&str>,
    within: Duration,
) -> Result<(), GitError> {
    named("refs/tags/", name)?;
    whole_commit(commit)?;
    text(message.unwrap_or_default())?;
    let message = message.map(|message| format!("--message={message}"));
    let mut args = vec!["tag"];
    args.extend(message.iter().flat_map(|message| ["--annotate", message.as_str()]));
    args.extend(["--", name, commit]);
    done(repository, &args, within).await
}

/// Pushes branches and tags to the remote under the same names, either all or none.
pub async fn push(repository: &Repository, what: &[Pushed], within: Duration) -> Result<(), GitError> {
    let remote = repository.remote.as_deref().ok_or(GitError::NoRemote)?;
    let specs: Vec<String> = what
        .iter()
        .map(|one| match one {
            Pushed::Branch(name) => named("refs/heads/", name),
            Pushed::Tag(name) => named("refs/tags/", name),
        })
        .map(|full| full.map(|full| format!("{full}:{full}")))
        .collect::<Result<_, _>>()?;
    if specs.is_empty() {
        return Ok(());
    }
    let mut args = vec!["push", "--quiet"];
    // Git refuses an atomic push to remotes that don't support it. A push of one thing is atomic anyway.
    args.extend((specs.len() > 1).then_some("--atomic"));
    args.extend(["--", remote]);
    args.extend(specs.iter().map(String::as_str));
    done(repository, &args, within).await
}

pub(super) async fn done(repository: &Repository, args: &[&str], within: Duration) -> Result<(), GitError> {
    let ended = git(repository, args, within).await?;
    if ended.ok { Ok(()) } else { Err(GitError::Git { what: verb(args), why: ended.why() }) }
}

/// Checks that a text is a commit's whole id.
pub(super) fn whole_commit(commit: &str) -> Result<&str, GitError> {
    if whole(commit) { Ok(commit) } else { Err(GitError::BadName(visible(commit))) }
}

fn worked_in(repository: &Repository) -> Result<(), GitError> {
    repository.work.as_ref().map(drop).ok_or(GitError::NoWorkTree)
}

pub(super) fn text(text: &str) -> Result<(), GitError> {
    if text.contains('\0') { Err(GitError::BadName(visible(text))) } else { Ok(()) }
}

pub(super) fn named(prefix: &str, name: &str) -> Result<String, GitError> {
    let full = format!("{prefix}{name}");
    if !name.starts_with('-') && git2::Reference::is_valid_name(&full) {
        Ok(full)
    } else {
        Err(GitError::BadName(visible(name)))
    }
}

/// Finds a local branch or tag and returns its full name, or a commit by its whole id.
pub(super) fn full_name(repository: &Repository, reference: &str) -> Result<String, GitError> {
    let open = OpenRepository::of(repository)?;
    let candidates = ["refs/heads/", "refs/tags/", "refs/remotes/"].map(|prefix| format!("{prefix}{reference}"));
    let found: Vec<&String> = candidates.iter().filter(|full| open.peeled(full).is_some()).collect();
    match found[..] {
        [one] => return Ok(one.clone()),
        [] => {}
        _ => {
            let meanings = found.iter().map(|full| format!("`{}`", visible(full))).collect();
            return Err(GitError::Ambiguous { reference: visible(reference), meanings });
        }
    }
    if open.has(reference) {
        return Ok(reference.to_owned());
    }
    let near = read(&open, false)?.near(reference);
    Err(GitError::Unknown { reference: visible(reference), near })
}

fn head(repository: &Repository) -> Result<String, GitError> {
    OpenRepository::of(repository)?.head()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::sample::{self, Sample};

    const SOON: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn named_files_are_committed_tagged_and_pushed_with_the_users_hooks() {
        let sample = Sample::new();
        let mark = sample.folder.path().join("hooked");
        sample.hook("pre-commit", &format!("#!/bin/sh\ntouch {}\n", mark.display()));
        sample.write("--odd name*", b"1");
        sample.write("other", b"1");
        let repository = sample.repository();
        let made = commit(&repository, "-m is text\n\nand a body", &["--odd name*"], SOON).await.unwrap();
        assert!(mark.exists());
        assert_eq!(sample.git(&["show", "--name-only", "--format=%s", "-z", &made]), "-m is text\0\n--odd name*\0");
        let again = commit(&repository, "again", &["--odd name*"], SOON).await;
        assert_eq!(again, Err(GitError::NothingToCommit));
        tag(&repository, "v1.0.0", &made, Some("--first"), SOON).await.unwrap();
        push(&repository, &[Pushed::Branch("main".into()), Pushed::Tag("v1.0.0".into())], SOON).await.unwrap();
        assert_eq!(sample::git(&sample.origin, &["rev-parse", "v1.0.0^{commit}", "main"]), format!("{made}\n{made}"));
    }

    #[tokio::test]
    async fn a_push_is_all_or_none_and_never_forced() {
        let sample = Sample::new();
        let other = sample.other();
        other.commit("a", "theirs");
        other.git(&["push", "-q", "origin", "main"]);
        let mine = sample.commit("a", "mine");
        let repository = sample.repository();
        tag(&repository, "v1.0.0", &mine, None, SOON).await.unwrap();
        let both = [Pushed::Branch("main".into()), Pushed::Tag("v1.0.0".into())];
        assert!(matches!(push(&repository, &both, SOON).await, Err(GitError::Git { .. })));
        assert_eq!(sample::git(&sample.origin, &["tag"]), "");
    }

    #[tokio::test]
    async fn a_merge_that_conflicts_leaves_the_work_tree_as_it_was() {
        let sample = Sample::new();
        sample.git(&["checkout", "-q", "-b", "side"]);
        sample.commit("README", "side");
        sample.git(&["checkout", "-q", "main"]);
        let before = sample.commit("README", "main");
        let repository = sample.repository();
        assert_eq!(
            merge(&repository, "side", SOON).await,
            Err(GitError::Conflict { reference: "side".into(), files: vec!["README".into()] })
        );
        assert_eq!(sample.git(&["rev-parse", "HEAD"]), before);
        assert_eq!(sample.git(&["status", "--porcelain"]), "");
        sample.git(&["checkout", "-q", "-b", "fine", "HEAD~1"]);
        sample.commit("b", "fine");
        sample.git(&["checkout", "-q", "main"]);
        let merged = merge(&repository, "fine", SOON).await.unwrap();
        assert_eq!(sample.git(&["log", "-1", "--format=%H %s"]), format!("{merged} Merge branch 'fine'"));
        assert!(matches!(merge(&repository, "--abort", SOON).await, Err(GitError::Unknown { .. })));
    }

    #[tokio::test]
    async fn hostile_names_are_refused_before_git_sees_them() {
        let sample = Sample::new();
        let repository = sample.repository();
        let head = sample.git(&["rev-parse", "HEAD"]);
        for name in ["--delete", "-d", "a b", "a\nb", "a\0b", "", "a..b", "x.lock", "@{1}", "main:main"] {
            assert!(matches!(tag(&repository, name, &head, None, SOON).await, Err(GitError::BadName(_))), "{name:?}");
            let pushed = push(&repository, &[Pushed::Branch(name.into())], SOON).await;
            assert!(matches!(pushed, Err(GitError::BadName(_))), "{name:?}");
        }
        assert!(matches!(tag(&repository, "fine", "--delete", None, SOON).await, Err(GitError::BadName(_))));
    }
}
