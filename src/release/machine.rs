//! A host in the model, as releases need it.
use super::{ReleaseError, on_host::on};
use crate::{
    host::Host,
    model::{Machine, Model, Predicted},
};

/// Returns the host, which must have the app's folders; `lacks` names those that it has not.
pub(super) fn set_up<'a>(model: &'a mut Model, host: &Host, lacks: &'static str) -> Predicted<&'a mut Machine> {
    let machine = model.machine(host)?;
    match machine.set_up.get("whether it is set up")? {
        true => Ok(machine),
        false => Err(on(host)(ReleaseError::NotSetUp(lacks)).into()),
    }
}
