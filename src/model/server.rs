//! A server that scripts send requests to, such as a forge.
use super::Time;
use std::collections::BTreeMap;

/// What a server answers to a request, from a time on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelAnswer {
    pub from: Time,
    pub status: u16,
    /// With names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: String,
}
