//! A host's file in the model.
use super::{On, file::unfit};
use crate::model::{Fact, Miss, Model, Predicted};

/// Returns the model's file; a file that isn't in the model doesn't exist, unless the model is partial.
pub fn content(model: &mut Model, on: &On, path: &str) -> Predicted<Option<Vec<u8>>> {
    let partial = model.partial;
    let machine = model.machine(&on.host)?;
    match machine.files.get(path) {
        Some(fact) => Ok(fact.get("a file")?.clone()),
        None if partial => Err(Miss::Untold("a file")),
        None => Ok(None),
    }
}

/// Puts a file into the model, if the disk has room for it.
pub fn written(model: &mut Model, on: &On, path: &str, content: Vec<u8>) -> Predicted<()> {
    let machine = model.machine(&on.host)?;
    if machine.full {
        return Err(unfit(on, path, "it can't be written there; what was there is unchanged").into());
    }
    machine.files.insert(path.to_owned(), Fact::Predicted(Some(content)));
    Ok(())
}
