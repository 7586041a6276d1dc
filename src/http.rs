//! HTTP from here.

/// Begins a client whose TLS is rustls over ring.
pub fn client() -> reqwest::ClientBuilder {
    reqwest::Client::builder().user_agent(concat!("rfab/", env!("CARGO_PKG_VERSION")))
}
