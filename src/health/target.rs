//! A service, as it is reached from here.
use super::{Probe, ProbeAnswer, answer};
use crate::{
    duration::limit,
    failure::{Cause, Failure},
    fleet::Health,
    http::innermost,
    port::{FleetConnections, Remote},
};
use reqwest::{Certificate, Url, header::HOST};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// How long one answer may take.
pub(super) const ONE_ANSWER: Duration = Duration::from_secs(5);

/// The most of an answer that is read.
const BODY: usize = 64 << 10;

/// Where a probe leads, and how it is sent.
pub(super) struct Target {
    /// None where only a connection is tried.
    client: Option<reqwest::Client>,
    url: Url,
    /// The `Host` header, where it is not the URL's.
    header: Option<String>,
    /// The host and port of the URL, as the other side is told them.
    place: (String, u16),
    /// Whether the host is a name, not an address.
    named: bool,
}

impl Target {
    /// Finds where a probe leads, and opens the way there.
    pub async fn of(probe: &Probe, site: &FleetConnections) -> Result<Target, Failure> {
        let (text, host, health) = (probe.url(), &probe.host, &probe.health);
        let wrong =
            |e: &dyn std::fmt::Display| Failure::new(Cause::Fabfile, format!("`{text}` isn't a URL to probe: {e}"));
        let mut url = Url::parse(&text).map_err(|e| wrong(&e))?;
        let (name, named) = match url.host().ok_or_else(|| wrong(&"it has no host"))? {
            // On the other side it is no URL's any more, and has no brackets.
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
            // Where it is reached is said by the socket: the URL's name is only what TLS goes by.
            url.set_host(Some(&server)).map_err(|e| wrong(&e))?;
        }
        let socket: PathBuf = site.transport.forward(&probe.through, &Remote::Tcp(place.0.clone(), place.1)).await?;
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

    /// Returns the name that must resolve where the probe goes out; none for an address.
    pub fn name(&self) -> Option<&str> {
        self.named.then_some(&self.place.0)
    }

    /// Returns the host and port where only a connection is tried.
    pub fn port(&self) -> Option<(&str, u16)> {
        self.client.is_none().then_some((&*self.place.0, self.place.1))
    }

    /// Asks once.
    ///
    /// `Fabfile` when the service's certificate is not accepted.
    pub async fn ask(&self, health: &Health) -> Result<ProbeAnswer, Failure> {
        let Some(client) = &self.client else { return Ok(ProbeAnswer::connected()) };
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
            "write the name that it is for as `server_name` in `[app.health]`, and as `ca` a file beside the fleet with the \
             authority that signed it",
        )
    }
}

/// The certificates in a file.
fn certificates(file: &Path) -> Result<Vec<Certificate>, Failure> {
    let wrong = |e: &dyn std::fmt::Display| {
        Failure::new(Cause::Fabfile, format!("`{}` has no certificates that can be read: {e}", file.display()))
    };
    let pem = std::fs::read(file).map_err(|e| wrong(&e))?;
    Certificate::from_pem_bundle(&pem).map_err(|e| wrong(&innermost(&e)))
}

/// Why a certificate is not accepted, if that is what an error is about.
fn certificate(error: &reqwest::Error) -> Option<rustls::Error> {
    let mut next = std::error::Error::source(error);
    while let Some(error) = next {
        if let Some(found @ rustls::Error::InvalidCertificate(_)) = error.downcast_ref::<rustls::Error>() {
            return Some(found.clone());
        }
        // What an error of I/O is made of is none of its sources.
        let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        next = match inner {
            Some(inner) => Some(inner as &(dyn std::error::Error + 'static)),
            None => error.source(),
        };
    }
    None
}
