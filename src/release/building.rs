//! A commit built on this machine: its tree in a folder, and what is left there packed for a release.
//!
//! All of it belongs to one attempt at a run: whoever resumes the run takes what is kept, or builds anew.
use super::{Wanted, on_host, tree};
use crate::{
    effect::*,
    failure::Failure,
    git::{self, Repository, Tree},
    host::Host,
    model::{Model, Predicted, Release},
};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::{fs, path::Path};

/// Finds a build of a commit that this machine keeps.
#[derive(Clone, Debug, Serialize)]
pub struct ReadBuilt {
    pub of: Wanted,
    /// Whether only a build of this very run counts.
    pub own: bool,
}

impl Read for ReadBuilt {
    /// The digest of its manifest.
    type Outcome = Option<String>;
    const NAME: &'static str = "read_built";

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.of.repository)
    }

    fn describe(&self) -> String {
        format!("check whether {} was built here", short(&self.of.commit))
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Option<String>, Failure> {
        let run = self.own.then_some(&**at.lane.run());
        let built = at.real.packed.built(&self.of, run, &at.real.cache);
        Ok(built.map(|packed| packed.manifest_sha256.clone()))
    }

    /// The made-up world has no machine of its own.
    fn predict(&self, _: &mut Model) -> Predicted<Option<String>> {
        Ok(None)
    }
}

/// Writes a commit's tree into a folder of this machine, which is nobody else's.
#[derive(Clone, Debug, Serialize)]
pub struct CheckOut {
    pub repository: String,
    pub commit: String,
}

impl CheckOut {
    fn folder(&self, outer: &Path, run: &str) -> std::path::PathBuf {
        outer.join(format!("{}-{run}-{}", std::process::id(), short(&self.commit)))
    }

    fn check_out(&self, cache: &Path, run: &str) -> Result<String, Failure> {
        let outer = cache.join("building");
        let failed = |e: std::io::Error| Failure::failed(format!("`{}` can't be made: {e}", outer.display()));
        fs::create_dir_all(&outer).map_err(failed)?;
        sweep(&outer);
        let folder = self.folder(&outer, run);
        // Of a closure that failed and was called again.
        let _ = fs::remove_dir_all(&folder);
        let source = Tree::read(&Repository::locate(&self.repository, &cache.join("mirrors"))?, &self.commit)?;
        tree::check_out(source, &folder)?;
        Ok(folder.display().to_string())
    }
}

impl Effect for CheckOut {
    /// The folder.
    type Outcome = String;
    const NAME: &'static str = "check_out";
    const KIND: Kind = Kind::Hold;

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.repository)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Here
    }

    fn describe(&self) -> String {
        format!("check {} out into a folder here", short(&self.commit))
    }

    async fn carry_out(&self, at: At<'_>) -> Result<String, Failure> {
        let (own, cache, run) = (self.clone(), at.real.cache.clone(), at.lane.run().to_string());
        if at.real.fetch {
            let found = Repository::locate(&self.repository, &cache.join("mirrors"))?;
            git::complete(&found, &self.commit, git::WITHIN, &git::fetched(&at)).await?;
        }
        blocking(move || own.check_out(&cache, &run)).await
    }

    fn predict(&self, model: &mut Model) -> Predicted<String> {
        model.takes(500);
        Ok(format!("/tmp/building/{}", short(&self.commit)))
    }
}

/// Packs what a build left, and keeps it on this machine.
#[derive(Clone, Debug, Serialize)]
pub struct PackBuilt {
    pub of: Wanted,
    pub folder: String,
}

impl Effect for PackBuilt {
    /// The digest of its manifest.
    type Outcome = String;
    const NAME: &'static str = "pack_built";
    const KIND: Kind = Kind::Hold;

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.of.repository)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Here
    }

    fn describe(&self) -> String {
        format!("pack what was built of {}", short(&self.of.commit))
    }

    async fn carry_out(&self, at: At<'_>) -> Result<String, Failure> {
        let (of, folder, run) = (self.of.clone(), self.folder.clone(), at.lane.run().to_string());
        let (packs, cache) = (at.real.packed.clone(), at.real.cache.clone());
        let packed = blocking(move || packs.keep(&of, Path::new(&folder), &run, &cache)).await?;
        Ok(packed.manifest_sha256.clone())
    }

    /// A made-up build of a commit is always the same.
    fn predict(&self, model: &mut Model) -> Predicted<String> {
        model.takes(500);
        Ok(hex::encode(Sha256::digest(format!("built {} {}", self.of.commit, self.of.part))))
    }
}

/// Removes the folder of a build.
#[derive(Clone, Debug, Serialize)]
pub struct Sweep {
    pub repository: String,
    pub folder: String,
}

impl Effect for Sweep {
    type Outcome = ();
    const NAME: &'static str = "sweep";
    const KIND: Kind = Kind::Hold;

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.repository)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Here
    }

    fn describe(&self) -> String {
        format!("remove {}", self.folder)
    }

    async fn carry_out(&self, _: At<'_>) -> Result<(), Failure> {
        let folder = self.folder.clone();
        blocking(move || {
            fs::remove_dir_all(&folder).map_err(|e| Failure::failed(format!("`{folder}` can't be removed: {e}")))
        })
        .await
    }

    fn predict(&self, _: &mut Model) -> Predicted<()> {
        Ok(())
    }
}

/// Reads the digest of a release's manifest on a host.
#[derive(Clone, Debug, Serialize)]
pub struct ReadManifest {
    pub host: Host,
    pub release: Release,
    pub home: super::Home,
}

impl Read for ReadManifest {
    /// Nothing if the release is not there.
    type Outcome = Option<String>;
    const NAME: &'static str = "read_manifest";

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.host)
    }

    fn describe(&self) -> String {
        format!("read what {} is made from", self.release)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Option<String>, Failure> {
        on_host::manifest(&at, &self.host, &self.home, &self.release).await
    }

    fn predict(&self, model: &mut Model) -> Predicted<Option<String>> {
        let machine = model.machine(&self.host)?;
        let there = machine.releases.get("its releases")?.contains(&self.release);
        let plain = || hex::encode(Sha256::digest(&*self.release.commit));
        Ok(there.then(|| machine.made.get(&self.release).cloned().unwrap_or_else(plain)))
    }
}

/// Removes what runs left that are no more.
fn sweep(outer: &Path) {
    for entry in fs::read_dir(outer).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let pid = name.split('-').next().and_then(|pid| pid.parse().ok()).and_then(rustix::process::Pid::from_raw);
        if pid.is_some_and(|pid| rustix::process::test_kill_process(pid) == Err(rustix::io::Errno::SRCH)) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Failure> + Send + 'static) -> Result<T, Failure> {
    let ended = tokio::task::spawn_blocking(work).await;
    ended.map_err(|e| Failure::unknown(format!("work on this machine didn't finish: {e}")))?
}

fn short(commit: &str) -> &str {
    &commit[..commit.len().min(12)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::sample::Sample;

    #[test]
    fn a_checkout_is_of_one_run_and_sweeps_away_those_of_runs_that_died() {
        let sample = Sample::new();
        let commit = sample.git(&["rev-parse", "HEAD"]);
        let cache = tempfile::tempdir().unwrap();
        let mut dead = std::process::Command::new("true").spawn().unwrap();
        dead.wait().unwrap();
        let (left, living) = (format!("building/{}-r0-1", dead.id()), format!("building/{}-r1-1", std::process::id()));
        for name in [&left, &living] {
            fs::create_dir_all(cache.path().join(name)).unwrap();
        }
        let check_out = CheckOut { repository: sample.work.display().to_string(), commit: commit.clone() };
        let folder = check_out.check_out(cache.path(), "r2").unwrap();
        assert_eq!(fs::read_to_string(Path::new(&folder).join("README")).unwrap(), "first");
        fs::write(Path::new(&folder).join("half"), "built").unwrap();
        assert_eq!(check_out.check_out(cache.path(), "r2").unwrap(), folder);
        assert!(!Path::new(&folder).join("half").exists(), "each is clean");
        assert_eq!((cache.path().join(left).exists(), cache.path().join(living).exists()), (false, true));
    }
}
