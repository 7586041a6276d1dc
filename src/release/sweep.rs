//! Removes the folder of a build.
use super::{check_out::BuildFolders, work::blocking};
use crate::{
    effect::*,
    failure::Failure,
    model::{Model, Predicted},
};
use serde::Serialize;
use std::path::Path;

/// Removes the folder of a build.
#[derive(Clone, Debug, Serialize)]
pub struct Sweep {
    pub repository: String,
    pub folder: String,
}

impl Effect for Sweep {
    type Outcome = ();
    const NAME: &'static str = "sweep";
    const KIND: EffectKind = EffectKind::Hold;

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.repository)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Here
    }

    fn describe(&self) -> String {
        format!("remove {}", self.folder)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<(), Failure> {
        let (folder, folders) = (self.folder.clone(), at.real.kept.get::<BuildFolders>());
        blocking(move || {
            let removed = folders.remove(Path::new(&folder));
            removed.map_err(|e| Failure::failed(format!("`{folder}` can't be removed: {e}")))
        })
        .await
    }

    fn predict(&self, _: &mut Model) -> Predicted<()> {
        Ok(())
    }
}
