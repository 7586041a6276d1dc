//! HTTP from here.
use std::sync::Once;

/// Begins a client whose TLS is rustls over ring.
pub fn client() -> reqwest::ClientBuilder {
    static PROVIDER: Once = Once::new();
    // Whoever was first in this process decides; both speak the same TLS.
    PROVIDER.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
    reqwest::Client::builder().user_agent(concat!("rfab/", env!("CARGO_PKG_VERSION")))
}
