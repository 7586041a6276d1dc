//! A commit's tree in a folder of this machine, to be built there.
//!
//! The folder belongs to one attempt at a run: a resumed run builds again.
use super::{name::short, tree, work::blocking};
use crate::{
    effect::*,
    failure::Failure,
    fleet::TreeRules,
    git::{self, Repository, Tree},
    model::{Model, Predicted},
};
use serde::Serialize;
use std::{fs, path::Path};

/// Writes a commit's tree into a folder of this machine that nothing else uses.
#[derive(Clone, Debug, Serialize)]
pub struct CheckOut {
    pub repository: String,
    pub commit: String,
    #[serde(flatten)]
    pub rules: TreeRules,
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
        // Left by a closure that failed and was called again.
        let _ = fs::remove_dir_all(&folder);
        let source = Tree::read(&Repository::locate(&self.repository, &cache.join("mirrors"))?, &self.commit)?;
        tree::check_out(source, &self.rules, &folder, cache)?;
        Ok(folder.display().to_string())
    }
}

impl Effect for CheckOut {
    /// The folder.
    type Outcome = String;
    const NAME: &'static str = "check_out";
    const KIND: EffectKind = EffectKind::Hold;

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
            git::complete(&found, &self.commit, self.rules.tree.as_deref(), git::WITHIN, &git::fetched(&at)).await?;
            tree::fetch(&found, &self.commit, &self.rules, &cache, &git::fetched(&at)).await?;
        }
        blocking(move || own.check_out(&cache, &run)).await
    }

    fn predict(&self, model: &mut Model) -> Predicted<String> {
        model.takes(500);
        Ok(format!("/tmp/building/{}", short(&self.commit)))
    }
}

/// Removes what dead runs left.
fn sweep(outer: &Path) {
    for entry in fs::read_dir(outer).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let pid = name.split('-').next().and_then(|pid| pid.parse().ok()).and_then(rustix::process::Pid::from_raw);
        if pid.is_some_and(|pid| rustix::process::test_kill_process(pid) == Err(rustix::io::Errno::SRCH)) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
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
        let check_out = CheckOut {
            repository: sample.work.display().to_string(),
            commit: commit.clone(),
            rules: TreeRules::default(),
        };
        let folder = check_out.check_out(cache.path(), "r2").unwrap();
        assert_eq!(fs::read_to_string(Path::new(&folder).join("README")).unwrap(), "first");
        fs::write(Path::new(&folder).join("half"), "built").unwrap();
        assert_eq!(check_out.check_out(cache.path(), "r2").unwrap(), folder);
        assert!(!Path::new(&folder).join("half").exists(), "each is clean");
        assert_eq!((cache.path().join(left).exists(), cache.path().join(living).exists()), (false, true));
    }
}
