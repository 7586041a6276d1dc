//! What requests are sent with.
use std::sync::Once;

/// Begins a client for what a URL names; its TLS is rustls over ring.
///
/// Without TLS no certificate of this machine is read: a bare one has none, and reading them takes its time.
pub fn client(url: &reqwest::Url) -> reqwest::ClientBuilder {
    static PROVIDER: Once = Once::new();
    // Whoever was first in this process decides; both speak the same TLS.
    PROVIDER.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
    let client = reqwest::Client::builder().user_agent(concat!("rfab/", env!("CARGO_PKG_VERSION")));
    if url.scheme() == "http" { client.tls_certs_only([]) } else { client }
}

/// Returns the cause at the bottom of an error, which says more than its wrappings.
pub fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
