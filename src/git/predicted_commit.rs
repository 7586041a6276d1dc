//! A commit of files that a simulated run wrote.
use super::{WorkTree, open::OpenRepository, reading::here};
use crate::{
    failure::Failure,
    model::{Model, PredictedCommit},
};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Makes a commit in the model, and moves the branch that is checked out. Returns its id.
///
/// `None` if the run wrote none of the files: then only git can know whether there is something to commit.
pub(super) fn predicted_commit(
    source: &str,
    message: &str,
    files: &[String],
    model: &mut Model,
) -> Result<Option<String>, Failure> {
    let text = |path: &String| Some((path.clone(), model.files.get(&(source.to_owned(), path.clone()))?.clone()));
    let texts: BTreeMap<String, String> = files.iter().filter_map(text).collect();
    if texts.is_empty() {
        return Ok(None);
    }
    let repository = here(source)?;
    let tree = WorkTree::of(&repository)?;
    let branch = model.checked_out.get(source).cloned().or(tree.branch);
    let name = branch.map_or_else(|| "HEAD".to_owned(), |branch| format!("refs/heads/{branch}"));
    let place = (source.to_owned(), name);
    let moved = model.refs.get(&place).cloned().flatten().map(|commit| commit.to_string());
    let real = || Some(OpenRepository::of(&repository).ok()?.peeled(&place.1));
    let Some(parent) = moved.or_else(|| real().flatten()) else { return Ok(None) };
    let digest = hex::encode(Sha256::digest(format!("{parent} {message} {texts:?}")));
    let id = digest[..parent.len().min(64)].to_owned();
    model.prepared.add(&id, &[&parent]);
    let made = PredictedCommit { parent: parent.as_str().into(), files: texts };
    model.commits.insert((source.to_owned(), id.as_str().into()), made);
    model.refs.insert(place, Some(id.as_str().into()));
    Ok(Some(id))
}
