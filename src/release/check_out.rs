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
    temporary::TemporaryFolder,
};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::Mutex,
};

/// Writes a commit's tree into a folder of this machine that nothing else uses.
#[derive(Clone, Debug, Serialize)]
pub struct CheckOut {
    pub repository: String,
    pub commit: String,
    #[serde(flatten)]
    pub rules: TreeRules,
}

/// The folders that this run builds in, by their paths.
#[derive(Default)]
pub(super) struct BuildFolders(Mutex<BTreeMap<PathBuf, TemporaryFolder>>);

impl BuildFolders {
    /// Removes a folder.
    pub(super) fn remove(&self, folder: &Path) -> io::Result<()> {
        fs::remove_dir_all(folder)?;
        self.0.lock().unwrap().remove(folder);
        Ok(())
    }
}

impl CheckOut {
    fn check_out(&self, cache: &Path, folders: &BuildFolders) -> Result<String, Failure> {
        let outer = cache.join("building");
        let made = fs::create_dir_all(&outer).and_then(|()| TemporaryFolder::make_in(&outer));
        let folder = made.map_err(|e| Failure::failed(format!("`{}` can't be made: {e}", outer.display())))?;
        let source = Tree::read(&Repository::locate(&self.repository, &cache.join("mirrors"))?, &self.commit)?;
        let path = folder.path().join(short(&self.commit));
        tree::check_out(source, &self.rules, &path, cache)?;
        folders.0.lock().unwrap().insert(path.clone(), folder);
        Ok(path.display().to_string())
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
        let (own, cache, folders) = (self.clone(), at.real.cache.clone(), at.real.kept.get::<BuildFolders>());
        if at.real.fetch {
            let found = Repository::locate(&self.repository, &cache.join("mirrors"))?;
            git::complete(&found, &self.commit, self.rules.tree.as_deref(), git::WITHIN, &git::fetched(&at)).await?;
            tree::fetch(&found, &self.commit, &self.rules, &cache, &git::fetched(&at)).await?;
        }
        blocking(move || own.check_out(&cache, &folders)).await
    }

    fn predict(&self, model: &mut Model) -> Predicted<String> {
        model.takes(500);
        Ok(format!("/tmp/building/{}", short(&self.commit)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::sample::Sample;

    #[test]
    fn each_checkout_is_clean_and_gone_with_its_run() {
        let sample = Sample::new();
        let commit = sample.git(&["rev-parse", "HEAD"]);
        let cache = tempfile::tempdir().unwrap();
        let repository = sample.work.display().to_string();
        let check_out = CheckOut { repository, commit, rules: TreeRules::default() };
        let folders = BuildFolders::default();
        let [first, second] = [(); 2].map(|()| check_out.check_out(cache.path(), &folders).unwrap());
        assert_ne!(first, second);
        for folder in [&first, &second] {
            assert_eq!(fs::read_to_string(Path::new(folder).join("README")).unwrap(), "first");
        }
        folders.remove(Path::new(&first)).unwrap();
        assert!(!Path::new(&first).exists() && Path::new(&second).exists());
        drop(folders);
        assert_eq!(fs::read_dir(cache.path().join("building")).unwrap().count(), 0);
    }
}
