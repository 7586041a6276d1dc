//! Packs the output of a build.
use super::{BuildRequest, PackedTrees, name::short, work::blocking};
use crate::{
    effect::*,
    event::EventKind,
    failure::Failure,
    model::{Model, Predicted},
};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::path::Path;

/// Packs the output of a build, and keeps it on this machine.
#[derive(Clone, Debug, Serialize)]
pub struct PackBuilt {
    pub of: BuildRequest,
    pub folder: String,
}

impl Effect for PackBuilt {
    /// The digest of its manifest.
    type Outcome = String;
    const NAME: &'static str = "pack_built";
    const KIND: EffectKind = EffectKind::Hold;

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
        let (packs, cache) = (at.real.kept.get::<PackedTrees>(), at.real.cache.clone());
        let packed = blocking(move || packs.keep(&of, Path::new(&folder), &run, &cache)).await?;
        if let Some(text) = packed.odd.warning() {
            at.tell(EventKind::Warned { host: None, text });
        }
        Ok(packed.manifest_sha256.clone())
    }

    /// A simulated build of a commit is always the same.
    fn predict(&self, model: &mut Model) -> Predicted<String> {
        model.takes(500);
        Ok(hex::encode(Sha256::digest(format!("built {} {}", self.of.commit, self.of.part))))
    }
}
