//! The response of a server.
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The response of a server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HttpResponse {
    pub status: u16,
    /// The headers, with names in lower case. Headers of the same name are joined with commas.
    pub headers: BTreeMap<String, String>,
    /// The body as a text. Bytes that aren't UTF-8 are replaced.
    pub body: String,
}

impl HttpResponse {
    /// Returns the response that a dry run assumes: an empty JSON object, which most scripts can read.
    pub fn assumed(status: u16) -> HttpResponse {
        HttpResponse { status, headers: BTreeMap::new(), body: "{}".to_owned() }
    }

    /// Returns its status with the standard words for it.
    pub fn words(&self) -> String {
        let status = reqwest::StatusCode::from_u16(self.status).ok();
        status.map_or_else(|| self.status.to_string(), |status| status.to_string())
    }
}
