//! A host in a script.
use crate::{host::Host, remote::On};

/// A host as a script holds it.
#[derive(Clone, Debug)]
pub struct HostValue(pub On);

impl From<Host> for HostValue {
    fn from(host: Host) -> Self {
        Self(host.into())
    }
}
