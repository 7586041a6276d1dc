//! A service, as it is reached from here.
use super::{Answer, ONE_ANSWER, answer};
use crate::{
    failure::{Failure, Reason},
    fleet::Health,
    host::Host,
    http::innermost,
    world::real::{Remote, Site},
};
use std::path::PathBuf;

/// The most of an answer that is read.
const BODY: usize = 64 << 10;

pub(super) struct Target {
    client: reqwest::Client,
    url: String,
    /// The name in the URL, if that is not an address.
    name: Option<String>,
}

impl Target {
    pub async fn of(url: &str, site: &Site, through: &Host) -> Result<Target, Failure> {
        let wrong =
            |e: &dyn std::fmt::Display| Failure::new(Reason::Fabfile, format!("`{url}` isn't a URL to probe: {e}"));
        let parsed = reqwest::Url::parse(url).map_err(|e| wrong(&e))?;
        let name = parsed.domain().map(str::to_owned);
        let host = match parsed.host().ok_or_else(|| wrong(&"it has no host"))? {
            // On the other side it is no URL's any more, and has no brackets.
            url::Host::Ipv6(address) => address.to_string(),
            host => host.to_string(),
        };
        let port = parsed.port_or_known_default().ok_or_else(|| wrong(&"it has no port"))?;
        let socket: PathBuf = site.transport.forward(through, &Remote::Tcp(host, port)).await?;
        let client = crate::http::client(&parsed).unix_socket(socket).timeout(ONE_ANSWER).pool_max_idle_per_host(0);
        let client = client.redirect(reqwest::redirect::Policy::none()).no_proxy();
        let client = client.build().map_err(|e| {
            Failure::failed(format!("`{url}` cannot be probed from here: {}", innermost(&e)))
                .help("install this machine's certificates, such as the package `ca-certificates`")
        })?;
        Ok(Target { client, url: url.to_owned(), name })
    }

    /// The name that must resolve where the probe goes out; none for an address.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Asks once.
    ///
    /// `Fabfile` when the service's certificate is not accepted.
    pub async fn ask(&self, health: &Health) -> Result<Answer, Failure> {
        Ok(match self.client.get(&self.url).send().await {
            Err(e) if e.is_timeout() => Answer::none(format!("no answer within {} s", ONE_ANSWER.as_secs())),
            Err(e) => {
                if let Some(why) = certificate(&e) {
                    return Err(self.unaccepted(&why));
                }
                let error = innermost(&e);
                Answer { garbled: error.contains("invalid HTTP"), ..Answer::none(error) }
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
                let version = text.as_deref().and_then(|text| answer::found(health, text));
                let text = text.as_deref().and_then(answer::some);
                Answer { status: Some(status), version, text, garbled: false, error: None }
            }
        })
    }

    fn unaccepted(&self, why: &rustls::Error) -> Failure {
        let message = format!("the certificate of `{}` is not accepted: {why}", self.url);
        Failure::new(Reason::Fabfile, message)
            .help("probe it by the name that its certificate has, and by an authority that this machine trusts")
    }
}

/// Why a certificate is not accepted, if that is what an error is about.
fn certificate(error: &reqwest::Error) -> Option<rustls::Error> {
    let mut next = std::error::Error::source(error);
    while let Some(error) = next {
        let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        let inner = inner.map(|inner| inner as &(dyn std::error::Error + 'static)).unwrap_or(error);
        if let Some(found @ rustls::Error::InvalidCertificate(_)) = inner.downcast_ref::<rustls::Error>() {
            return Some(found.clone());
        }
        next = inner.source();
    }
    None
}
