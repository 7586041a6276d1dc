//! A commit's tree, packed on this machine.
use super::{Packed, PackedTrees};
use crate::{
    effect::At,
    failure::Failure,
    git::{self, Repository},
};
use std::sync::Arc;

/// Packs a commit's tree on this machine, unless it is packed already.
pub(super) async fn pack(
    at: &At<'_>,
    repository: &str,
    commit: &str,
    linked: &[String],
) -> Result<Arc<Packed>, Failure> {
    if at.real.fetch {
        let found = Repository::locate(repository, &at.real.cache.join("mirrors"))?;
        git::complete(&found, commit, git::WITHIN, &git::fetched(at)).await?;
    }
    let (repository, commit, linked) = (repository.to_owned(), commit.to_owned(), linked.to_vec());
    let (cache, packs) = (at.real.cache.clone(), at.real.kept.get::<PackedTrees>());
    let packed = tokio::task::spawn_blocking(move || packs.pack(&repository, &commit, &linked, &cache)).await;
    packed.map_err(|e| Failure::failed(format!("packing didn't finish: {e}")))?
}
