//! A host's file in the model.
use super::{
    On,
    file::{checked, unfit},
};
use crate::model::{Fact, Model, Predicted};

/// Returns the model's file; one that it was never told of is not there.
///
/// `Fabfile` for what isn't a path, as on a real host.
pub(super) fn content(model: &mut Model, on: &On, path: &str) -> Predicted<Option<Vec<u8>>> {
    let path = checked(on, path)?;
    match model.machine(&on.host)?.files.get(path) {
        Some(fact) => Ok(fact.get("a file")?.clone()),
        None => Ok(None),
    }
}

/// Puts a file into the model, if the disk has room for it.
pub(super) fn written(model: &mut Model, on: &On, path: &str, content: Vec<u8>) -> Predicted<()> {
    let path = checked(on, path)?;
    let machine = model.machine(&on.host)?;
    if machine.full {
        return Err(unfit(on, path, "it can't be written there; what was there is unchanged").into());
    }
    machine.files.insert(path.to_owned(), Fact::Predicted(Some(content)));
    Ok(())
}
