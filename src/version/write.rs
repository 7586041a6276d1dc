//! Writes a version into a file of a repository, as an effect.
use super::{change::texts, snapshot::Snapshot, work_folder::WorkFolder};
use crate::{
    effect::*,
    failure::Failure,
    fleet::VersionFile,
    git::{Repository, here},
    model::{Model, Predicted},
};
use serde::Serialize;

/// Writes a version into a file of the work tree, and into the lock files that repeat it.
///
/// To do it twice does no harm. Each file is replaced in one step, and the lock files come first.
#[derive(Clone, Debug, Serialize)]
pub struct WriteVersion {
    pub repository: String,
    pub file: VersionFile,
    pub value: String,
}

impl Effect for WriteVersion {
    /// The paths of the files that have the version now.
    type Outcome = Vec<String>;
    const NAME: &'static str = "write_version";
    const KIND: EffectKind = EffectKind::Change;

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.repository)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Here
    }

    fn describe(&self) -> String {
        format!("write the version {} into {}", self.value, self.file.file)
    }

    fn look(&self, ask: Ask<'_>) -> Result<Happened<Vec<String>>, Failure> {
        let written = ask.read(ReadWritten { write: self.clone() })?;
        Ok(written.map_or(Happened::Not, Happened::Done))
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Vec<String>, Failure> {
        let repository = Repository::of(&self.repository, &at)?;
        let folder = WorkFolder::of(&repository)?;
        // All texts are made before the first is written.
        let all = texts(&Snapshot::of(&repository, None)?, &self.file, &self.value)?;
        for changed in all.iter().filter(|changed| changed.before != changed.after) {
            folder.write(&changed.path, &changed.after)?;
        }
        Ok(all.into_iter().map(|changed| changed.path).collect())
    }

    fn predict(&self, model: &mut Model) -> Predicted<Vec<String>> {
        let files = Snapshot::simulated(&here(&self.repository)?, &self.repository, None, model)?;
        let all = texts(&files, &self.file, &self.value)?;
        for changed in all.iter().filter(|changed| changed.before != changed.after) {
            model.files.insert((self.repository.clone(), changed.path.clone()), changed.after.clone());
        }
        Ok(all.into_iter().map(|changed| changed.path).collect())
    }
}

/// Checks whether a version is written everywhere.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ReadWritten {
    write: WriteVersion,
}

impl ReadWritten {
    fn read(&self, files: &Snapshot) -> Result<Option<Vec<String>>, Failure> {
        let all = texts(files, &self.write.file, &self.write.value)?;
        let written = all.iter().all(|changed| changed.before == changed.after);
        Ok(written.then(|| all.into_iter().map(|changed| changed.path).collect()))
    }
}

impl Read for ReadWritten {
    /// The paths of the files that have the version; `None` if one doesn't have it.
    type Outcome = Option<Vec<String>>;
    const NAME: &'static str = "read_written";

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.write.repository)
    }

    fn describe(&self) -> String {
        format!("check whether {} has the version {}", self.write.file.file, self.write.value)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Self::Outcome, Failure> {
        let repository = Repository::of(&self.write.repository, &at)?;
        self.read(&Snapshot::of(&repository, None)?)
    }

    fn predict(&self, model: &mut Model) -> Predicted<Self::Outcome> {
        let source = &self.write.repository;
        Ok(self.read(&Snapshot::simulated(&here(source)?, source, None, model)?)?)
    }
}
