//! Removes the folder of a build.
use super::work::blocking;
use crate::{
    effect::*,
    failure::Failure,
    model::{Model, Predicted},
};
use serde::Serialize;
use std::fs;

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
