//! A machine, as plain data.
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, sync::Arc};

/// A name that is shared rather than copied.
pub type Name = Arc<str>;

/// A machine that rfab reaches over ssh.
///
/// A balancer's machine is one too; it has neither group nor roles.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Host {
    /// The fleet it belongs to; two fleets may have hosts of one name.
    pub fleet: Name,
    pub name: Name,
    /// Where it is reached, if that is not its name.
    pub address: Option<Name>,
    pub group: Option<Name>,
    pub roles: Vec<Name>,
    /// The keys of the fleet file that rfab does not know.
    pub vars: BTreeMap<String, serde_json::Value>,
}

impl Host {
    /// The name or address that ssh is given.
    pub fn address(&self) -> &str {
        self.address.as_deref().unwrap_or(&self.name)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
