//! A request that a script sends.
use super::HttpResponse;
use crate::{
    failure::{Cause, Failure},
    secret::Secret,
};
use base64::{Engine, prelude::BASE64_STANDARD as BASE64};
use reqwest::{
    Url,
    header::{HeaderName, HeaderValue},
};
use serde::Serialize;
use std::time::Duration;

/// The method of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    /// Returns its name in a script.
    pub fn shown(self) -> &'static str {
        match self {
            Method::Get => "get",
            Method::Head => "head",
            Method::Post => "post",
            Method::Put => "put",
            Method::Patch => "patch",
            Method::Delete => "delete",
        }
    }

    /// Returns its form for the server.
    pub(super) fn sent(self) -> reqwest::Method {
        match self {
            Method::Get => reqwest::Method::GET,
            Method::Head => reqwest::Method::HEAD,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            Method::Patch => reqwest::Method::PATCH,
            Method::Delete => reqwest::Method::DELETE,
        }
    }

    pub(super) fn reads(self) -> bool {
        matches!(self, Method::Get | Method::Head)
    }
}

/// A request, and the statuses that are good.
#[derive(Clone, Debug, Serialize)]
pub struct HttpRequest {
    pub method: Method,
    /// The whole URL, as a secret because its query may contain a token.
    url: Secret,
    /// The URL for people, without its query.
    shown: String,
    /// What people see instead of the method and the URL.
    #[serde(skip)]
    name: Option<String>,
    headers: Vec<(String, Secret)>,
    body: Option<Secret>,
    pub within: Duration,
    /// The good statuses; all 2xx if it's empty.
    pub wanted: Vec<u16>,
}

impl HttpRequest {
    /// The options that a script can give.
    pub const OPTIONS: [&str; 5] = ["headers", "bearer", "basic", "timeout", "status"];

    /// Builds a request with only a URL.
    ///
    /// Fails with `Fabfile` if the text isn't a URL, or has a password.
    pub fn new(method: Method, url: &str, within: Duration) -> Result<HttpRequest, Failure> {
        let wrong = |message: String| Failure::new(Cause::Fabfile, message);
        let parsed = Url::parse(url).map_err(|e| {
            wrong(format!("`{url}` isn't a URL: {e}")).help("write the whole URL, such as `https://example.org/hook`")
        })?;
        if !matches!(parsed.scheme(), "http" | "https") {
            let message = format!("`{}://` isn't a protocol that rfab speaks", parsed.scheme());
            return Err(wrong(message).help("write `https://…`, or `http://…`"));
        }
        let shown = shown(&parsed);
        if !parsed.username().is_empty() || parsed.password().is_some() {
            let failure = wrong(format!("the URL of `{shown}` has a user or a password in it, which would be shown"));
            return Err(failure.help("pass them as an option: `#{ basic: #{ user: \"…\", password: secret } }`"));
        }
        let (url, headers) = (Secret::from(url), Vec::new());
        Ok(HttpRequest { method, url, shown, headers, body: None, within, wanted: Vec::new(), name: None })
    }

    /// Returns the value of the header `Authorization` for a user and a password (RFC 7617).
    pub fn basic(user: &Secret, password: &Secret) -> Secret {
        let coded = BASE64.encode(format!("{}:{}", user.reveal(), password.reveal()));
        format!("Basic {coded}").into()
    }

    /// Sets a header, and replaces one of the same name.
    ///
    /// Fails with `Fabfile` if it isn't valid.
    pub fn header(&mut self, name: &str, value: Secret) -> Result<(), Failure> {
        let wrong = |message: String| Failure::new(Cause::Fabfile, message);
        HeaderName::try_from(name).map_err(|_| wrong(format!("`{name}` isn't a header's name")))?;
        // The message doesn't show the value, which may be a secret.
        HeaderValue::try_from(value.reveal())
            .map_err(|_| wrong(format!("the value of the header `{name}` has a character that isn't allowed there")))?;
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value));
        Ok(())
    }

    /// Sets the body, and its type unless a header already sets it.
    pub fn body(&mut self, body: Secret, kind: &str) {
        self.body = Some(body);
        if !self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
            self.headers.push(("content-type".to_owned(), kind.into()));
        }
    }

    /// Gives it a name, which people see instead of its URL.
    pub fn called(self, name: &str) -> HttpRequest {
        HttpRequest { name: Some(name.to_owned()), ..self }
    }

    /// Returns the request in words for people.
    pub fn shown(&self) -> String {
        self.name.clone().unwrap_or_else(|| format!("{} {}", self.method.shown(), self.shown))
    }

    /// Returns what it sends, to tell it from another one. Nobody may see it.
    pub fn content(&self) -> String {
        format!("{}\n{}", self.url.reveal(), self.body.as_ref().map_or("", Secret::reveal))
    }

    pub(super) fn url(&self) -> Url {
        Url::parse(self.url.reveal()).expect("it was one when the request was made")
    }

    /// Builds the request for a URL. After a redirect to another server, it has none of the headers.
    pub(super) fn built(&self, client: &reqwest::Client, url: &Url) -> reqwest::RequestBuilder {
        let mut sent = client.request(self.method.sent(), url.clone());
        if url.origin() == self.url().origin() {
            for (name, value) in &self.headers {
                sent = sent.header(name, value.reveal());
            }
        }
        match &self.body {
            Some(body) => sent.body(body.reveal().to_owned()),
            None => sent,
        }
    }

    pub(super) fn good(&self, status: u16) -> bool {
        if self.wanted.is_empty() { (200..300).contains(&status) } else { self.wanted.contains(&status) }
    }

    /// Turns a response with another status into a failure that shows how it begins.
    pub(super) fn judged(&self, answer: HttpResponse) -> Result<HttpResponse, Failure> {
        if self.good(answer.status) {
            return Ok(answer);
        }
        let failure = Failure::new(Cause::Http, format!("`{}` was answered with {}", self.shown(), answer.words()));
        let failure = failure.status(answer.status.into());
        let said: String = answer.body.trim().chars().take(200).collect();
        Err(if said.is_empty() { failure } else { failure.help(format!("the response begins: {said}")) })
    }

    /// Returns the response that a dry run assumes.
    pub(super) fn assumed(&self) -> HttpResponse {
        HttpResponse::assumed(if self.good(200) { 200 } else { self.wanted[0] })
    }
}

/// Returns a URL for people, without its query, which may contain a token.
pub(super) fn shown(url: &Url) -> String {
    let mut short = url.clone();
    let _ = (short.set_username(""), short.set_password(None));
    short.set_fragment(None);
    short.set_query(url.query().map(|_| "…"));
    // The URL encodes the `…`.
    short.to_string().replace("?%E2%80%A6", "?…")
}
