//! How rfab talks to a balancer.
use serde::{Deserialize, Serialize};

/// The driver of a balancer, with its settings.
///
/// A journal holds only the socket, as rfab 0.1.0 wrote it. A balancer without a socket is changed by a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Option<String>", from = "Option<String>")]
pub enum DriverSettings {
    /// HAProxy, over its admin socket: a path, or an address with a port.
    Haproxy { socket: String },
    /// A person changes it, and rfab asks whether they did.
    Manual,
}

impl DriverSettings {
    /// Returns the admin socket, if it has one.
    pub fn socket(&self) -> Option<&str> {
        match self {
            DriverSettings::Haproxy { socket } => Some(socket),
            DriverSettings::Manual => None,
        }
    }
}

impl From<DriverSettings> for Option<String> {
    fn from(driver: DriverSettings) -> Option<String> {
        match driver {
            DriverSettings::Haproxy { socket } => Some(socket),
            DriverSettings::Manual => None,
        }
    }
}

impl From<Option<String>> for DriverSettings {
    fn from(socket: Option<String>) -> DriverSettings {
        socket.map_or(DriverSettings::Manual, |socket| DriverSettings::Haproxy { socket })
    }
}
