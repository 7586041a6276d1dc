//! The first fetch of a mirror, which can be long and keeps what has arrived.
//!
//! Git keeps nothing of a broken transfer. So rfab cuts a long one into portions and keeps each of them: first the
//! newest commit of one branch, then ever older ones, then the rest of the other branches and tags. Until all of it is
//! there, its refs are in `refs/rfab-part/`, where nothing looks for names.
use super::transfer::{ProgressListener, alone_in, spoken};
use crate::git::{
    GitError, Repository,
    process::{git, listing, read},
};
use std::{
    fs,
    time::{Duration, Instant},
};

/// How long a portion should take.
const PORTION: Duration = Duration::from_secs(20);

/// How many portions in a row may break before the fetch fails.
const STRIKES: u32 = 3;

/// Fetches everything of a remote in portions. None of it has a name in `refs/rfab/` yet.
pub(super) async fn by_portions(
    mirror: &Repository,
    remote: &str,
    quiet: Duration,
    heard: ProgressListener<'_>,
) -> Result<(), GitError> {
    alone_in(mirror);
    let (head, all) = listed(mirror, remote, quiet).await?;
    let mut portions = Portions { mirror, remote, quiet, heard, strikes: 0 };
    if let Some(head) = head {
        portions.history(&head).await?;
    }
    portions.others(&all).await
}

/// Returns the remote's default branch, and all branches and tags.
async fn listed(mirror: &Repository, remote: &str, quiet: Duration) -> Result<(Option<String>, Vec<String>), GitError> {
    let listed = listing(mirror, &["ls-remote", "--quiet", "--symref", "--", remote], quiet).await?;
    if !listed.ok {
        return Err(mirror.unfetched(listed.why()));
    }
    let mut head = None;
    let mut all = Vec::new();
    for (what, name) in listed.out.lines().filter_map(|line| line.split_once('\t')) {
        match what.strip_prefix("ref: ") {
            Some(branch) if name == "HEAD" => head = Some(branch.to_owned()),
            Some(_) => {}
            None if name.ends_with("^{}") => {}
            None if name.starts_with("refs/heads/") || name.starts_with("refs/tags/") => all.push(name.to_owned()),
            None => {}
        }
    }
    let branch = || all.iter().find(|name| name.starts_with("refs/heads/")).cloned();
    let head = head.filter(|head| all.contains(head)).or_else(branch);
    Ok((head, all))
}

struct Portions<'a> {
    mirror: &'a Repository,
    remote: &'a str,
    quiet: Duration,
    heard: ProgressListener<'a>,
    strikes: u32,
}

impl Portions<'_> {
    /// Fetches the commits of a branch, from the newest to the oldest.
    async fn history(&mut self, branch: &str) -> Result<(), GitError> {
        let spec = part(branch);
        let begun = git(self.mirror, &["rev-parse", "--verify", "--quiet", &part_of(branch)], self.quiet).await?.ok;
        let mut more = 1_u32;
        let mut first = !begun;
        while first || self.is_shallow() {
            let depth = if first { "--depth=1".to_owned() } else { format!("--deepen={more}") };
            let at = Instant::now();
            if self.portion(&[&depth], &[&spec]).await? {
                first = false;
                more = if at.elapsed() < PORTION { more.saturating_mul(4).min(1 << 24) } else { (more / 2).max(1) };
            } else {
                more = (more / 4).max(1);
            }
        }
        Ok(())
    }

    /// Fetches what the other branches and tags have in addition.
    async fn others(&mut self, all: &[String]) -> Result<(), GitError> {
        // A command line has room for this many names.
        let (mut done, mut some) = (0, 500);
        while done < all.len() {
            let specs: Vec<String> = all[done..].iter().take(some).map(|name| part(name)).collect();
            let specs: Vec<&str> = specs.iter().map(String::as_str).collect();
            if self.portion(&[], &specs).await? { done += specs.len() } else { some = (some / 8).max(1) }
        }
        Ok(())
    }

    /// Fetches a portion; `false` if the transfer broke midway and a smaller portion can be tried.
    async fn portion(&mut self, how: &[&str], specs: &[&str]) -> Result<bool, GitError> {
        let mut moved = false;
        let heard = &mut *self.heard;
        let mut watch = |line: &str| {
            moved |= line.contains('%');
            heard(line)
        };
        let why = match spoken(self.mirror, self.remote, how, specs, self.quiet, &mut watch).await {
            Ok(Some(ended)) if ended.ok => {
                self.strikes = 0;
                return Ok(true);
            }
            Ok(Some(ended)) => ended.why(),
            Ok(None) => return Err(self.mirror.unfetched("it was stopped".to_owned())),
            Err(GitError::Quiet { what, quiet }) => GitError::Quiet { what, quiet }.to_string(),
            Err(other) => return Err(other),
        };
        alone_in(self.mirror);
        self.strikes += 1;
        if !moved || self.strikes >= STRIKES {
            let why = format!("{why}; what arrived before is kept, and the next try continues from there");
            return Err(self.mirror.unfetched(why));
        }
        Ok(false)
    }

    fn is_shallow(&self) -> bool {
        fs::metadata(self.mirror.folder.join("shallow")).is_ok_and(|seen| seen.len() > 0)
    }
}

/// Removes the refs of the portions after every object has a name in `refs/rfab/`.
pub(super) fn done(mirror: &Repository) -> Result<(), GitError> {
    let (_, parts) = read(mirror, &["for-each-ref", "--format=delete %(refname)", "refs/rfab-part/"], "")?;
    if parts.is_empty() {
        return Ok(());
    }
    let (ended, _) = read(mirror, &["update-ref", "--stdin"], &String::from_utf8_lossy(&parts))?;
    if ended.ok { Ok(()) } else { Err(GitError::Read(ended.why())) }
}

fn part(name: &str) -> String {
    format!("+{name}:{}", part_of(name))
}

fn part_of(name: &str) -> String {
    format!("refs/rfab-part/{}", name.trim_start_matches("refs/"))
}
