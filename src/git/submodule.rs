//! A submodule's content on this machine: a copy that rfab fetched, or the clone's own.
use super::{
    GitError, Repository, Submodule, Trust,
    alone::alone,
    mirrors,
    missing::is_partial,
    open::OpenRepository,
    process::{git, patiently, read},
    progress::{FetchProgress, shown},
    repository::not_one,
};
use sha2::{Digest, Sha256};
use std::{
    os::unix::fs::DirBuilderExt,
    path::Path,
    time::{Duration, Instant},
};

impl Submodule {
    /// Finds a repository on this machine that has the commit: rfab's copy, or what the clone `above` once fetched.
    ///
    /// A commit that the clone has but that nobody pushed isn't taken: nobody else could make the same release.
    pub fn find(&self, above: &Repository, cache: &Path) -> Option<Repository> {
        let copy = self.copy(cache);
        let open = |at: &Repository| at.folder.join("HEAD").exists().then(|| OpenRepository::of(at).ok()).flatten();
        if open(&copy).is_some_and(|open| open.peeled(&self.pin()).as_deref() == Some(&*self.commit)) {
            return Some(copy);
        }
        let folder = above.folder.join("modules").join(&self.name);
        let own = Repository { folder, work: None, remote: Some("origin".to_owned()), trust: above.trust };
        let there = open(&own).is_some_and(|open| open.has(&self.commit)) && !is_partial(&own).ok()?;
        (there && pushed(&own, &self.commit)).then_some(own)
    }

    /// Fetches the commit into rfab's copy, with the user's git and by its rules for submodules.
    ///
    /// It asks for the commit alone. A server that doesn't give commits by their ids is asked for all branches and tags.
    pub async fn fetch(&self, cache: &Path, quiet: Duration, progress: FetchProgress<'_>) -> Result<(), GitError> {
        let copy = self.copy(cache);
        self.make(&copy).await?;
        let Some(_alone) = alone(&copy, Instant::now() + quiet).await? else {
            return Err(copy.unfetched("another rfab process is still fetching it".to_owned()));
        };
        mirrors::bound(&copy);
        let pin = format!("+{}:{}", self.commit, self.pin());
        let first = self.ask(&copy, &["--depth=1"], &[&pin], quiet, progress).await?;
        if first.is_ok() {
            return Ok(());
        }
        let all = ["+refs/heads/*:refs/rfab/heads/*", "+refs/tags/*:refs/rfab/tags/*"];
        let second = self.ask(&copy, &["--prune"], &all, quiet, progress).await?;
        if let Err(why) = second {
            return Err(copy.unfetched(why));
        }
        let kept = git(&copy, &["update-ref", &self.pin(), &self.commit], quiet).await?;
        if kept.ok { Ok(()) } else { Err(copy.unfetched("it doesn't have the commit".to_owned())) }
    }

    async fn ask(
        &self,
        copy: &Repository,
        how: &[&str],
        specs: &[&str],
        quiet: Duration,
        progress: FetchProgress<'_>,
    ) -> Result<Result<(), String>, GitError> {
        let plain =
            ["fetch", "--progress", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--refmap="];
        let args = [&plain[..], how, &["--", &self.url], specs].concat();
        match patiently(copy, &args, "", quiet, &mut |line| shown(line, progress)).await {
            Ok(Some(ended)) if ended.ok => Ok(Ok(())),
            Ok(Some(ended)) => Ok(Err(ended.why())),
            Ok(None) => Ok(Err("it was stopped".to_owned())),
            Err(GitError::Quiet { what, quiet }) => Err(copy.unfetched(GitError::Quiet { what, quiet }.to_string())),
            Err(other) => Err(other),
        }
    }

    /// Returns the place of rfab's copy, which may not exist.
    fn copy(&self, cache: &Path) -> Repository {
        let end = self.url.trim_end_matches('/').rsplit(['/', ':']).next().unwrap_or_default().trim_end_matches(".git");
        let end: String = end.chars().filter(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).take(40).collect();
        let format = if self.commit.len() == 64 { "-sha256" } else { "" };
        let name = format!("{end}-{}{format}.git", &hex::encode(Sha256::digest(&self.url))[..12]);
        let folder = cache.join("modules").join(name);
        Repository { folder, work: None, remote: Some(self.url.clone()), trust: Trust::Module }
    }

    async fn make(&self, copy: &Repository) -> Result<(), GitError> {
        if copy.folder.join("HEAD").exists() {
            return Ok(());
        }
        let failed = |why: &str| not_one(&copy.folder, why);
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&copy.folder);
        made.map_err(|e| failed(&e.to_string()))?;
        let mut args = vec!["init", "--quiet", "--bare", "--template="];
        if self.commit.len() == 64 {
            args.push("--object-format=sha256");
        }
        let made = git(copy, &args, Duration::from_secs(60)).await?;
        if !made.ok {
            return Err(failed(&made.why()));
        }
        std::fs::write(copy.folder.join("rfab-fetch.lock"), "").map_err(|e| failed(&e.to_string()))
    }

    /// Returns the ref that keeps the commit, and shows that all of it arrived.
    fn pin(&self) -> String {
        format!("refs/rfab/pinned/{}", self.commit)
    }
}

/// Returns whether a remote has a commit, as far as a clone knows.
fn pushed(at: &Repository, commit: &str) -> bool {
    let args = ["rev-list", "--max-count=1", commit, "--not", "--remotes", "--tags", "--"];
    read(at, &args, "").is_ok_and(|(ended, out)| ended.ok && out.is_empty())
}
