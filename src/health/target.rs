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
}

impl Target {
    pub async fn of(url: &str, site: &Site, through: &Host) -> Result<Target, Failure> {
        let wrong =
            |e: &dyn std::fmt::Display| Failure::new(Reason::Fabfile, format!("`{url}` is no URL to probe: {e}"));
        let parsed = reqwest::Url::parse(url).map_err(|e| wrong(&e))?;
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
        Ok(Target { client, url: url.to_owned() })
    }

    pub async fn ask(&self, health: &Health) -> Answer {
        let none = |error: String| Answer { status: None, version: None, error: Some(error) };
        match self.client.get(&self.url).send().await {
            Err(e) if e.is_timeout() => none(format!("no answer within {} s", ONE_ANSWER.as_secs())),
            Err(e) => none(innermost(&e)),
            Ok(mut response) => {
                let (status, headers) = (response.status().as_u16(), response.headers().clone());
                let mut body = Vec::new();
                while body.len() < BODY
                    && let Ok(Some(chunk)) = response.chunk().await
                {
                    body.extend_from_slice(&chunk);
                }
                let header = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
                Answer { status: Some(status), version: answer::version(health, header, &body), error: None }
            }
        }
    }
}
