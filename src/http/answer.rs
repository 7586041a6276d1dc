//! What a server answered.
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A server's answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HttpResponse {
    pub status: u16,
    /// Their names in lower case; those that are there several times are joined by commas.
    pub headers: BTreeMap<String, String>,
    /// As a text; what is no UTF-8 is replaced.
    pub body: String,
}

impl HttpResponse {
    /// Returns what is taken to have been answered when nobody asked: an empty JSON object, which most scripts can
    /// read.
    pub fn assumed(status: u16) -> HttpResponse {
        HttpResponse { status, headers: BTreeMap::new(), body: "{}".to_owned() }
    }

    /// Its status with the words that belong to it.
    pub fn words(&self) -> String {
        let status = reqwest::StatusCode::from_u16(self.status).ok();
        status.map_or_else(|| self.status.to_string(), |status| status.to_string())
    }
}
