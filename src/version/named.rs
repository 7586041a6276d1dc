//! Which files of a project have its version, as an effect.
use super::{change, snapshot::Snapshot};
use crate::{
    effect::*,
    failure::Failure,
    fleet::{VersionFile, version_files},
    git::{Repository, here},
    model::{Model, Predicted},
};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The files that have a project's version.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VersionFiles {
    pub files: Vec<NamedVersionFile>,
    /// Whether rfab found the file, because `rfab.toml` names none.
    pub found: bool,
}

/// A file with the version, and all files that a write of it changes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NamedVersionFile {
    pub file: VersionFile,
    pub changes: Vec<String>,
}

/// Reads which files have the version: those that `rfab.toml` names, or the only one that rfab finds.
#[derive(Clone, Debug, Serialize)]
pub struct ReadVersionFiles {
    pub repository: String,
    /// The fabfile's folder, which has `rfab.toml`.
    #[serde(skip)]
    pub project: PathBuf,
    /// The whole id of the commit to look at; `None` for the work tree.
    pub commit: Option<String>,
}

impl ReadVersionFiles {
    fn read(&self, files: &Snapshot) -> Result<VersionFiles, Failure> {
        let settings = version_files(&self.project)?;
        let found = settings.is_none();
        let named = match settings {
            Some(named) => named,
            None => vec![files.only_version_file()?],
        };
        let changes = |file: VersionFile| {
            let changes = match files {
                Snapshot::Work(_) => change::paths(files, &file)?,
                Snapshot::Commit(..) => Vec::new(),
            };
            Ok(NamedVersionFile { file, changes })
        };
        Ok(VersionFiles { files: named.into_iter().map(changes).collect::<Result<_, Failure>>()?, found })
    }
}

impl Read for ReadVersionFiles {
    type Outcome = VersionFiles;
    const NAME: &'static str = "read_version_files";

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.repository)
    }

    fn describe(&self) -> String {
        "find the files with the version".to_owned()
    }

    async fn carry_out(&self, at: At<'_>) -> Result<VersionFiles, Failure> {
        let repository = Repository::of(&self.repository, &at)?;
        self.read(&Snapshot::of(&repository, self.commit.as_deref())?)
    }

    /// A dry run reads the real files, and what it wrote itself.
    fn predict(&self, model: &mut Model) -> Predicted<VersionFiles> {
        let repository = here(&self.repository)?;
        let commit = self.commit.as_deref();
        Ok(self.read(&Snapshot::simulated(&repository, &self.repository, commit, model)?)?)
    }
}
