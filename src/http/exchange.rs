//! Sends a request and receives its response.
use super::{HttpRequest, HttpResponse, client, innermost, request::shown};
use crate::{
    duration::limit,
    failure::{Cause, Failure},
    port::{Spending, SpendingTime},
};
use reqwest::{Url, header, redirect::Policy};
use std::{collections::BTreeMap, net::IpAddr};
use tokio::{sync::Notify, time::timeout};

/// The largest response that rfab accepts, in bytes.
const LARGEST: usize = 8 << 20;

/// The most redirects that a request follows.
const REDIRECTS: usize = 5;

/// Sends a request and receives the response, within its time limit or until `stops` is notified.
pub(super) async fn exchanged(request: &HttpRequest, stops: &Notify) -> Result<HttpResponse, Failure> {
    let (within, _time) = (request.within, SpendingTime::on(Spending::Network));
    tokio::select! {
        () = stops.notified() => Err(unanswered(request, "was interrupted", true)),
        answered = timeout(within, followed(request)) => answered.unwrap_or_else(|_| {
            Err(unanswered(request, &format!("wasn't answered within {}", limit(within)), true))
        }),
    }
}

/// Sends a request, and expects a good status.
pub async fn deliver(request: &HttpRequest, stops: &Notify) -> Result<(), Failure> {
    request.judged(exchanged(request, stops).await?).map(drop)
}

/// Builds the failure of a request without a response. One that changes something may have been carried out.
fn unanswered(request: &HttpRequest, why: &str, sent: bool) -> Failure {
    let message = format!("`{}` {why}", request.shown());
    if sent && !request.method.reads() {
        Failure::unknown(format!("{message}, and rfab can't tell whether the request took effect"))
            .help("check the other side before you send it again")
    } else {
        Failure::new(Cause::Http, message)
    }
}

/// Follows the redirects of a request that only reads.
async fn followed(request: &HttpRequest) -> Result<HttpResponse, Failure> {
    let mut url = request.url();
    for _ in 0..=REDIRECTS {
        let mut response = once(request, &url).await?;
        let status = response.status();
        if !(status.is_redirection() && request.method.reads() && !request.good(status.as_u16())) {
            return taken(request, &mut response).await;
        }
        let Some(place) = response.headers().get(header::LOCATION) else {
            return taken(request, &mut response).await;
        };
        url = next(request, &url, place.to_str().ok())?;
    }
    let message = format!("`{}` is redirected more than {REDIRECTS} times", request.shown());
    Err(Failure::new(Cause::Http, message).help("request its final URL"))
}

/// Returns the URL that a request is redirected to. Refuses to go from `https` to `http`, which others could read.
pub(super) fn next(request: &HttpRequest, url: &Url, place: Option<&str>) -> Result<Url, Failure> {
    let next = place.and_then(|place| url.join(place).ok()).filter(|next| matches!(next.scheme(), "http" | "https"));
    let Some(next) = next else {
        return Err(Failure::new(
            Cause::Http,
            format!("`{}` is redirected to something that isn't a URL", request.shown()),
        ));
    };
    if url.scheme() == "https" && next.scheme() == "http" {
        let message = format!(
            "`{}` is redirected to `{}`, so anybody along the way could read it",
            request.shown(),
            shown(&next)
        );
        return Err(Failure::new(Cause::Http, message).help("request its final URL, with `https://…`"));
    }
    Ok(next)
}

async fn once(request: &HttpRequest, url: &Url) -> Result<reqwest::Response, Failure> {
    // Certificates are always checked. A proxy from the environment wouldn't know this machine's own services.
    let client = client(url).redirect(Policy::none()).pool_max_idle_per_host(0);
    let own = url.host_str().is_some_and(|host| {
        host == "localhost" || host.trim_matches(['[', ']']).parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
    });
    let client = if own { client.no_proxy() } else { client };
    let client = client.build().map_err(|e| {
        Failure::new(Cause::Http, format!("`{}` can't be sent from here: {}", request.shown(), innermost(&e)))
            .help("install this machine's certificates, such as the package `ca-certificates`")
    })?;
    request.built(&client, url).send().await.map_err(|e| {
        let sent = !e.is_connect() && !e.is_builder();
        unanswered(request, &format!("wasn't answered: {}", innermost(&e.without_url())), sent)
    })
}

/// Receives the whole response.
async fn taken(request: &HttpRequest, response: &mut reqwest::Response) -> Result<HttpResponse, Failure> {
    let status = response.status().as_u16();
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in response.headers() {
        let value = String::from_utf8_lossy(value.as_bytes());
        headers
            .entry(name.as_str().to_owned())
            .and_modify(|known| *known = format!("{known}, {value}"))
            .or_insert_with(|| value.into_owned());
    }
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(None) => break,
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Err(e) => {
                let why = format!(
                    "was answered with {status}, but the response is incomplete: {}",
                    innermost(&e.without_url())
                );
                return Err(unanswered(request, &why, true));
            }
        }
        if body.len() > LARGEST {
            let why = format!("was answered with {status}, and more than {} MiB", LARGEST >> 20);
            let failure = unanswered(request, &why, true);
            // With its status, a script can tell it from a response that never came.
            return Err(if request.method.reads() { failure.status(status.into()) } else { failure });
        }
    }
    Ok(HttpResponse { status, headers, body: String::from_utf8_lossy(&body).into_owned() })
}
