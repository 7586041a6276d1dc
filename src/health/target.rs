//! A service, and the way to it from this machine.
use super::{Probe, ProbeAnswer, answer};
use crate::{
    duration::limit,
    failure::{Cause, Failure},
    fleet::Health,
    http::innermost,
    port::{FleetConnections, Remote, Spending, SpendingTime},
};
use reqwest::{Certificate, Url, header::HOST};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// The time limit of one answer.
pub(super) const ONE_ANSWER: Duration = Duration::from_secs(5);

/// The most that rfab reads of a response, in bytes.
const BODY: usize = 64 << 10;

/// Where a probe goes, and how it's sent.
pub(super) struct Target {
    /// `None` if the probe only connects.
    client: Option<reqwest::Client>,
    url: Url,
    /// The `Host` header, if it differs from the URL's.
    header: Option<String>,
    /// The host and port of the URL, in the form that ssh takes.
    place: (String, u16),
    /// Whether the host is a name and not an address.
    named: bool,
}

impl Target {
    /// Resolves where a probe goes, and opens the connection.
    pub(super) async fn of(probe: &Probe, site: &FleetConnections) -> Result<Target, Failure> {
        let (text, host, health) = (probe.url(), &probe.host, &probe.health);
        let wrong =
            |e: &dyn std::fmt::Display| Failure::new(Cause::Fabfile, format!("`{text}` isn't a URL to probe: {e}"));
        let mut url = Url::parse(&text).map_err(|e| wrong(&e))?;
        let (name, named) = match url.host().ok_or_else(|| wrong(&"it has no host"))? {
            // Outside a URL, an IPv6 address has no brackets.
            url::Host::Ipv6(address) => (address.to_string(), false),
            url::Host::Ipv4(address) => (address.to_string(), false),
            url::Host::Domain(name) => (name.to_owned(), name.parse::<std::net::IpAddr>().is_err()),
        };
        let port = url.port_or_known_default().ok_or_else(|| wrong(&"it has no port"))?;
        let header = health.header_of(host);
        let place = (name, port);
        if url.scheme() == "tcp" {
            return Ok(Target { client: None, url, header, place, named });
        }
        if let Some(server) = health.server_name_of(host).filter(|_| url.scheme() == "https") {
            // The socket decides which machine answers. TLS needs only the URL's name.
            url.set_host(Some(&server)).map_err(|e| wrong(&e))?;
        }
        let forwarding = SpendingTime::on(Spending::Network);
        let socket: PathBuf = site.transport.forward(&probe.through, &Remote::Tcp(place.0.clone(), place.1)).await?;
        drop(forwarding);
        let client = crate::http::client(&url).unix_socket(socket).timeout(ONE_ANSWER).pool_max_idle_per_host(0);
        let client = client.redirect(reqwest::redirect::Policy::none()).no_proxy();
        let client = match &health.ca {
            Some(file) => client.tls_certs_only(certificates(file)?),
            None => client,
        };
        let client = client.build().map_err(|e| {
            Failure::failed(format!("`{text}` can't be probed from here: {}", innermost(&e)))
                .help("install this machine's certificates, such as the package `ca-certificates`")
        })?;
        Ok(Target { client: Some(client), url, header, place, named })
    }

    /// Returns the name that must resolve on the machine that the probe goes out from; `None` for an address.
    pub(super) fn name(&self) -> Option<&str> {
        self.named.then_some(&self.place.0)
    }

    /// Returns the host and port if the probe only connects.
    pub(super) fn port(&self) -> Option<(&str, u16)> {
        self.client.is_none().then_some((&*self.place.0, self.place.1))
    }

    /// Asks once.
    ///
    /// Fails with `Fabfile` if the service's certificate isn't accepted.
    pub(super) async fn ask(&self, health: &Health) -> Result<ProbeAnswer, Failure> {
        let Some(client) = &self.client else { return Ok(ProbeAnswer::connected()) };
        let _time = SpendingTime::on(Spending::Network);
        let request = client.get(self.url.clone());
        let request = match &self.header {
            Some(header) => request.header(HOST, header),
            None => request,
        };
        Ok(match request.send().await {
            Err(e) if e.is_timeout() => ProbeAnswer::none(format!("no response within {}", limit(ONE_ANSWER))),
            Err(e) => {
                if let Some(why) = certificate(&e) {
                    return Err(self.unaccepted(&why));
                }
                let error = innermost(&e);
                ProbeAnswer { garbled: error.contains("invalid HTTP"), ..ProbeAnswer::none(error) }
            }
            Ok(mut response) => {
                let (status, headers) = (response.status().as_u16(), response.headers().clone());
                let mut body = Vec::new();
                while body.len() < BODY
                    && let Ok(Some(chunk)) = response.chunk().await
                {
                    body.extend_from_slice(&chunk);
                }
                let header = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
                let text = answer::text(health, header, &body);
                ProbeAnswer::of(status, &String::from_utf8_lossy(&body), text, health)
            }
        })
    }

    fn unaccepted(&self, why: &rustls::Error) -> Failure {
        let message = format!("the certificate of `{}` isn't accepted: {why}", self.url);
        Failure::new(Cause::Fabfile, message).help(
            "in `[app.health]`, set `server_name` to the name in the certificate, and `ca` to a file beside the fleet \
             file with the authority that signed it",
        )
    }
}

/// Reads the certificates in a file.
fn certificates(file: &Path) -> Result<Vec<Certificate>, Failure> {
    let wrong = |e: &dyn std::fmt::Display| {
        Failure::new(Cause::Fabfile, format!("rfab can't read certificates from `{}`: {e}", file.display()))
    };
    let pem = std::fs::read(file).map_err(|e| wrong(&e))?;
    Certificate::from_pem_bundle(&pem).map_err(|e| wrong(&innermost(&e)))
}

/// Returns why a certificate isn't accepted, if that caused the error.
fn certificate(error: &reqwest::Error) -> Option<rustls::Error> {
    let mut next = std::error::Error::source(error);
    while let Some(error) = next {
        if let Some(found @ rustls::Error::InvalidCertificate(_)) = error.downcast_ref::<rustls::Error>() {
            return Some(found.clone());
        }
        // The inner error of an I/O error isn't among its sources.
        let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        next = match inner {
            Some(inner) => Some(inner as &(dyn std::error::Error + 'static)),
            None => error.source(),
        };
    }
    None
}
