//! Connects to a host's port.
use super::settings::LoginSettings;
use std::io;
use tokio::{
    net::{TcpStream, lookup_host},
    time::timeout,
};

/// What OpenSSH says of a name without an address.
const UNRESOLVED: &str = concat!("Could", " not resolve hostname");

/// Connects to the first address of a host that answers; fails with the reason in OpenSSH's words.
pub(super) async fn tcp(settings: &LoginSettings) -> Result<TcpStream, String> {
    let LoginSettings { hostname, port, .. } = settings;
    let unresolved = |why: String| format!("ssh: {UNRESOLVED} {hostname}: {why}");
    let found = timeout(settings.connect_within, lookup_host((hostname.as_str(), *port))).await;
    let addresses = found.map_err(|_| unresolved("no answer".to_owned()))?.map_err(|e| unresolved(resolving(&e)))?;
    let mut failed = None;
    for address in addresses.filter(|address| settings.only_ipv4.is_none_or(|only| only == address.is_ipv4())) {
        match timeout(settings.connect_within, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(e)) => failed = Some(reason(&e)),
            Err(_) => failed = Some("Connection timed out".to_owned()),
        }
    }
    let why = failed.unwrap_or_else(|| "it has no such address".to_owned());
    Err(format!("ssh: connect to host {hostname} port {port}: {why}"))
}

/// Returns the system's words for an error, without its number.
pub(super) fn reason(e: &io::Error) -> String {
    let text = e.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

fn resolving(e: &io::Error) -> String {
    let text = reason(e);
    text.strip_prefix("failed to lookup address information: ").unwrap_or(&text).to_owned()
}
