//! A commit's tree, packed on this machine.
use super::{Packed, PackedTrees, tree};
use crate::{
    effect::At,
    failure::Failure,
    fleet::TreeRules,
    git::{self, Repository},
};
use std::sync::Arc;

/// Packs a commit's tree on this machine, unless it is packed already.
pub(super) async fn pack(
    at: &At<'_>,
    repository: &str,
    commit: &str,
    rules: &TreeRules,
) -> Result<Arc<Packed>, Failure> {
    let packs = at.real.kept.get::<PackedTrees>();
    if let Some(packed) = packs.known(repository, commit, rules) {
        return Ok(packed);
    }
    if at.real.fetch {
        let found = Repository::of(repository, at)?;
        git::complete(&found, commit, rules.tree.as_deref(), git::WITHIN, &git::fetched(at)).await?;
        tree::fetch(&found, commit, rules, &at.real.cache, &git::fetched(at)).await?;
    }
    let (repository, commit, rules) = (repository.to_owned(), commit.to_owned(), rules.clone());
    let cache = at.real.cache.clone();
    let packed = tokio::task::spawn_blocking(move || packs.pack(&repository, &commit, &rules, &cache)).await;
    packed.map_err(|e| Failure::failed(format!("packing didn't finish: {e}")))?
}
