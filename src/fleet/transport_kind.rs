//! What reaches the hosts of a fleet.
use serde::{Deserialize, Serialize};

/// What reaches the hosts of a fleet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TransportKind {
    /// OpenSSH's client.
    #[default]
    Openssh,
    /// The client in rfab's own process.
    Native,
}

impl TransportKind {
    pub const ALL: [TransportKind; 2] = [TransportKind::Openssh, TransportKind::Native];

    /// Returns the word for it.
    pub fn word(self) -> &'static str {
        match self {
            TransportKind::Openssh => "openssh",
            TransportKind::Native => "native",
        }
    }
}
