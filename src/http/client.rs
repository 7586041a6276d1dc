//! The client that sends requests.
use std::sync::Once;

/// Starts a client for a URL. Its TLS is rustls with ring.
///
/// Without TLS, it reads none of this machine's certificates: a minimal machine has none, and reading them takes time.
pub fn client(url: &reqwest::Url) -> reqwest::ClientBuilder {
    static PROVIDER: Once = Once::new();
    // The first caller in this process sets the provider; any provider works.
    PROVIDER.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
    let client = reqwest::Client::builder().user_agent(concat!("rfab/", env!("CARGO_PKG_VERSION")));
    if url.scheme() == "http" { client.tls_certs_only([]) } else { client }
}

/// Returns the innermost cause of an error, which tells more than the errors around it.
pub fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
