//! A host in the model, as the effects on releases need it.
use super::{ReleaseError, on_host::on};
use crate::{
    host::Host,
    model::{Machine, Model, Predicted},
};

/// Returns the host, which must have the app's folders; `lacks` names the missing ones in the error.
pub(super) fn set_up<'a>(model: &'a mut Model, host: &Host, lacks: &'static str) -> Predicted<&'a mut Machine> {
    let machine = model.machine(host)?;
    match machine.set_up.get("whether it is set up")? {
        true => Ok(machine),
        false => Err(on(host)(ReleaseError::NotSetUp(lacks)).into()),
    }
}
