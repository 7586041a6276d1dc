//! A host's file in the model.
use super::{
    On,
    file::{PathKind, checked, linked, sha256, unfit},
};
use crate::model::{Fact, Machine, Model, Predicted};

/// Returns what is at a path of the model; nothing if it was never told of it.
///
/// `Fabfile` for what isn't a path, as on a real host.
pub(super) fn lies(model: &mut Model, on: &On, path: &str) -> Predicted<PathKind> {
    let content = content(model, on, path)?;
    let is_folder = model.machine(&on.host)?.folders.contains(plain(path));
    Ok(match content {
        Some(bytes) => PathKind::File(sha256(&bytes)),
        None if is_folder => PathKind::Folder,
        None => PathKind::Absent,
    })
}

/// Returns the content of the model's file; `None` if there is no file.
pub(super) fn content(model: &mut Model, on: &On, path: &str) -> Predicted<Option<Vec<u8>>> {
    let path = plain(checked(on, path)?);
    match model.machine(&on.host)?.files.get(path) {
        Some(fact) => Ok(fact.get("a file")?.clone()),
        None => Ok(None),
    }
}

/// Returns the content of the model's file, which must be there.
pub(super) fn text(model: &mut Model, on: &On, path: &str) -> Predicted<Vec<u8>> {
    let why = match (content(model, on, path)?, lies(model, on, path)?) {
        (Some(content), _) => return Ok(content),
        (None, PathKind::Folder) => "it is a folder",
        (None, _) => "it isn't there",
    };
    Err(unfit(on, path, why).into())
}

/// Puts a file into the model, or a folder without a content, and refuses what a host refuses.
pub(super) fn written(model: &mut Model, on: &On, path: &str, content: Option<Vec<u8>>) -> Predicted<()> {
    let there = lies(model, on, path)?;
    let machine = model.machine(&on.host)?;
    let place = plain(path);
    let why = match (place.rsplit('/').next(), there, &content) {
        (None | Some("" | "." | ".."), ..) | (_, PathKind::Folder, Some(_)) => "it is a folder",
        _ if leads_through_file(machine, place) => "its folder isn't there",
        _ if is_linked(machine, place) => return Err(linked(on, path).into()),
        (_, PathKind::File(_), None) => "it is a file, but rfab sends a folder",
        _ if machine.full => "it can't be written there; what was there is unchanged",
        _ => {
            match content {
                Some(content) => _ = machine.files.insert(place.to_owned(), Fact::Predicted(Some(content))),
                None => _ = machine.folders.insert(place.to_owned()),
            }
            return Ok(());
        }
    };
    Err(unfit(on, path, why).into())
}

/// Returns whether a path leads through a link that another user can change.
fn is_linked(machine: &Machine, path: &str) -> bool {
    machine
        .links
        .iter()
        .any(|link| path.strip_prefix(&**link).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

/// Returns whether a part of a path before its last is a file.
fn leads_through_file(machine: &Machine, path: &str) -> bool {
    let mut above = path.match_indices('/').map(|(at, _)| &path[..at]);
    above.any(|path| machine.files.get(path).is_some_and(|fact| matches!(fact.get("a file"), Ok(Some(_)))))
}

/// Returns a path without slashes at its end.
fn plain(path: &str) -> &str {
    path.trim_end_matches('/')
}
