//! A host in a script.
use crate::{host::Host as Machine, remote::On};

/// A host as a script holds it.
#[derive(Clone, Debug)]
pub struct HostValue(pub On);

impl From<Machine> for HostValue {
    fn from(host: Machine) -> Self {
        Self(host.into())
    }
}
