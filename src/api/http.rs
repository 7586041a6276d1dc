//! Primitives that send requests from this machine.
use super::duration::duration;
use crate::{
    failure::{Cause, Failure},
    http::{Fetch, HttpRequest, HttpResponse, Method, Send},
    script::{Argument, Here, RhaiResultOf, here, refuse_stars, revealed, thrown},
    secret::Secret,
};
use rhai::{Dynamic, Map, NativeCallContext, plugin::*};
use std::time::Duration;

/// How long to wait for an answer by default.
pub(super) const WITHIN: Duration = Duration::from_secs(30);

fn wrong(message: String, help: &str) -> Box<EvalAltResult> {
    thrown(Failure::new(Cause::Fabfile, message).help(help))
}

/// Reads a text or a secret; refuses a text that contains the stars of a masked secret.
fn given(here: &Here, what: &str, value: &Dynamic) -> RhaiResultOf<Secret> {
    let given = Argument::of(value).ok_or_else(|| wrong(format!("{what} isn't text but {}", value.type_name()), ""))?;
    let given = given.sealed();
    refuse_stars(here.lane.masks(), given.reveal()).map_err(thrown)?;
    Ok(given)
}

/// Returns the header's value for a user and a password.
fn basic(here: &Here, value: Dynamic) -> RhaiResultOf<Secret> {
    let pair = value.try_cast::<Map>().unwrap_or_default();
    match (pair.get("user"), pair.get("password")) {
        (Some(user), Some(password)) if pair.len() == 2 => {
            let user = given(here, "`user`", user)?;
            let password = given(here, "`password`", password)?;
            Ok(HttpRequest::basic(&user, &password))
        }
        _ => Err(wrong(
            "`basic` isn't a user with a password".into(),
            "write `basic: #{ user: \"…\", password: secret }`",
        )),
    }
}

/// Builds a request from the given options.
pub(super) fn request(here: &Here, method: Method, url: &Dynamic, options: Map) -> RhaiResultOf<HttpRequest> {
    let url = given(here, "the URL", url)?;
    let mut request = HttpRequest::new(method, url.reveal(), WITHIN).map_err(thrown)?;
    for (name, value) in options {
        match name.as_str() {
            "headers" => {
                let headers = value.try_cast::<Map>();
                let headers =
                    headers.ok_or_else(|| wrong("`headers` isn't a map".into(), "write `#{ Accept: \"…\" }`"))?;
                for (name, value) in headers {
                    let value = given(here, &format!("the header `{name}`"), &value)?;
                    request.header(&name, value).map_err(thrown)?;
                }
            }
            "bearer" => {
                let token = given(here, "`bearer`", &value)?;
                request.header("Authorization", format!("Bearer {}", token.reveal()).into()).map_err(thrown)?;
            }
            "basic" => request.header("Authorization", basic(here, value)?).map_err(thrown)?,
            "timeout" => request.within = duration(&value)?,
            "status" => request.wanted = statuses(value)?,
            other => {
                let near = crate::misspelled::did_you_mean(other, HttpRequest::OPTIONS);
                let help =
                    near.unwrap_or_else(|| "there are `headers`, `bearer`, `basic`, `timeout`, `status`".to_owned());
                return Err(wrong(format!("there is no option `{other}`"), &help));
            }
        }
    }
    Ok(request)
}

/// Reads the statuses that count as good: one, a list of them, or any.
fn statuses(value: Dynamic) -> RhaiResultOf<Vec<u16>> {
    if value.is_string() && value.to_string() == "any" {
        return Ok((100..600).collect());
    }
    let all = value.clone().into_array().unwrap_or_else(|_| vec![value]);
    let status =
        |one: &Dynamic| one.as_int().ok().and_then(|n| u16::try_from(n).ok()).filter(|n| (100..600).contains(n));
    let good: Option<Vec<u16>> = all.iter().map(status).collect();
    good.filter(|good| !good.is_empty()).ok_or_else(|| {
        wrong(
            "`status` contains something that isn't a status".into(),
            "write `status: [200, 404]`, or `status: \"any\"`",
        )
    })
}

/// Adds a body to a request: a string as it is, a map or a list as JSON, `()` for none.
fn with_body(here: &Here, mut request: HttpRequest, body: Dynamic) -> RhaiResultOf<HttpRequest> {
    if body.is_unit() {
        return Ok(request);
    }
    if let Some(Argument::Text(_) | Argument::Secret(_)) =
        Argument::of(&body).filter(|_| body.is_string() || body.is::<Secret>())
    {
        request.body(given(here, "the body", &body)?, "text/plain; charset=utf-8");
        return Ok(request);
    }
    if !(body.is_map() || body.is_array()) {
        return Err(wrong(
            format!("`{body}` isn't a body"),
            "give a string, or a map or a list, which rfab sends as JSON",
        ));
    }
    let json: serde_json::Value = rhai::serde::from_dynamic(&revealed(body))?;
    let json = json.to_string();
    refuse_stars(here.lane.masks(), &json).map_err(thrown)?;
    request.body(json.into(), "application/json");
    Ok(request)
}

fn map(answer: HttpResponse) -> Map {
    let HttpResponse { status, headers, body } = answer;
    let headers: Map = headers.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
    let all: [(&str, Dynamic); 3] =
        [("status", i64::from(status).into()), ("headers", headers.into()), ("body", body.into())];
    all.into_iter().map(|(name, value)| (name.into(), value)).collect()
}

fn fetch(ctx: &NativeCallContext, method: Method, url: Dynamic, options: Map) -> RhaiResultOf<Map> {
    let here = here(ctx)?;
    Ok(map(here.perform(Fetch(request(&here, method, &url, options)?))?))
}

fn send(ctx: &NativeCallContext, method: Method, url: Dynamic, body: Dynamic, options: Map) -> RhaiResultOf<Map> {
    let here = here(ctx)?;
    let request = request(&here, method, &url, options)?;
    Ok(map(here.perform(Send(with_body(&here, request, body)?))?))
}

#[export_module(manifest)]
pub mod http {
    /// Encodes a string for a URL, as one part of its path or one value of its query.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let url = "https://example.org/branches/" + http::encoded("release/4");
    /// ```
    #[rhai_fn(name = "encoded")]
    pub(crate) fn encoded(text: &str) -> String {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
    }

    /// Gets a URL, and returns a map with `status`, `headers` and `body`. The headers' names are in lower case.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let version = parse_json(http::get("https://example.org/version.json").body);
    /// ```
    #[rhai_fn(name = "get", return_raw)]
    pub(crate) fn get(ctx: NativeCallContext, url: Dynamic) -> RhaiResultOf<Map> {
        super::fetch(&ctx, Method::Get, url, Map::new())
    }

    /// Gets a URL with options: `headers`, `bearer`, `basic`, `timeout` (default: 30 s) and `status`.
    ///
    /// A status other than 2xx is a failure, unless `status` lists it. With `status: "any"`, no status is a failure,
    /// and rfab doesn't follow redirects. You can pass secrets as a header, a token (`bearer: token`), a password
    /// (`basic: #{ user: "ci", password: secret }`), the body or a value in it, and the URL.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let answer = http::get("https://example.org/motd", #{
    ///     headers: #{ Accept: "text/plain" },
    ///     timeout: "5s",
    ///     status: [200, 404],
    /// });
    /// if answer.status == 404 { ui::note("no message of the day"); }
    /// ```
    #[rhai_fn(name = "get", return_raw)]
    pub(crate) fn get_options(ctx: NativeCallContext, url: Dynamic, options: Map) -> RhaiResultOf<Map> {
        super::fetch(&ctx, Method::Get, url, options)
    }

    /// Sends a HEAD request, and returns the status and the headers.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let kind = http::head("https://example.org/").headers.get("content-type");
    /// ```
    #[rhai_fn(name = "head", return_raw)]
    pub(crate) fn head(ctx: NativeCallContext, url: Dynamic) -> RhaiResultOf<Map> {
        super::fetch(&ctx, Method::Head, url, Map::new())
    }

    /// Sends a HEAD request with the options of `get`.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let there = http::head("https://example.org/app.tgz", #{ status: [200, 404] }).status == 200;
    /// ```
    #[rhai_fn(name = "head", return_raw)]
    pub(crate) fn head_options(ctx: NativeCallContext, url: Dynamic, options: Map) -> RhaiResultOf<Map> {
        super::fetch(&ctx, Method::Head, url, options)
    }

    /// Posts a body: a string as it is, a map or a list as JSON, or `()` for none.
    ///
    /// # Example
    ///
    /// ```rhai
    /// http::post("https://chat.example.org/hook", #{ text: "v3.0.1 is out" });
    /// ```
    #[rhai_fn(name = "post", return_raw)]
    pub(crate) fn post(ctx: NativeCallContext, url: Dynamic, body: Dynamic) -> RhaiResultOf<Map> {
        super::send(&ctx, Method::Post, url, body, Map::new())
    }

    /// Posts a body, with the options of `get`.
    ///
    /// # Example
    ///
    /// ```rhai
    /// http::post("https://ci.example.org/builds", (), #{ status: [201, 202] });
    /// ```
    #[rhai_fn(name = "post", return_raw)]
    pub(crate) fn post_options(ctx: NativeCallContext, url: Dynamic, body: Dynamic, options: Map) -> RhaiResultOf<Map> {
        super::send(&ctx, Method::Post, url, body, options)
    }

    /// Sends a PUT request with a body as for `post`.
    ///
    /// # Example
    ///
    /// ```rhai
    /// http::put("https://kv.example.org/current", "v3.0.1");
    /// ```
    #[rhai_fn(name = "put", return_raw)]
    pub(crate) fn put(ctx: NativeCallContext, url: Dynamic, body: Dynamic) -> RhaiResultOf<Map> {
        super::send(&ctx, Method::Put, url, body, Map::new())
    }

    /// Sends a PUT request with a body as for `post`, and the options of `get`.
    ///
    /// # Example
    ///
    /// ```rhai
    /// http::put("https://kv.example.org/current", "v3.0.1", #{ timeout: "5s" });
    /// ```
    #[rhai_fn(name = "put", return_raw)]
    pub(crate) fn put_options(ctx: NativeCallContext, url: Dynamic, body: Dynamic, options: Map) -> RhaiResultOf<Map> {
        super::send(&ctx, Method::Put, url, body, options)
    }

    /// Sends a PATCH request with a body as for `post`.
    ///
    /// # Example
    ///
    /// ```rhai
    /// http::patch("https://api.example.org/flags/banner", #{ on: false });
    /// ```
    #[rhai_fn(name = "patch", return_raw)]
    pub(crate) fn patch(ctx: NativeCallContext, url: Dynamic, body: Dynamic) -> RhaiResultOf<Map> {
        super::send(&ctx, Method::Patch, url, body, Map::new())
    }

    /// Sends a PATCH request with a body as for `post`, and the options of `get`.
    ///
    /// # Example
    ///
    /// ```rhai
    /// http::patch("https://api.example.org/flags/banner", #{ on: false }, #{ timeout: "5s" });
    /// ```
    #[rhai_fn(name = "patch", return_raw)]
    pub(crate) fn patch_options(
        ctx: NativeCallContext,
        url: Dynamic,
        body: Dynamic,
        options: Map,
    ) -> RhaiResultOf<Map> {
        super::send(&ctx, Method::Patch, url, body, options)
    }

    /// Sends a DELETE request.
    ///
    /// # Example
    ///
    /// ```rhai
    /// http::delete("https://cdn.example.org/cache/app.js");
    /// ```
    #[rhai_fn(name = "delete", return_raw)]
    pub(crate) fn delete(ctx: NativeCallContext, url: Dynamic) -> RhaiResultOf<Map> {
        super::send(&ctx, Method::Delete, url, Dynamic::UNIT, Map::new())
    }

    /// Sends a DELETE request with the options of `get`.
    ///
    /// # Example
    ///
    /// ```rhai
    /// http::delete("https://cdn.example.org/cache/app.js", #{ status: [204, 404] });
    /// ```
    #[rhai_fn(name = "delete", return_raw)]
    pub(crate) fn delete_options(ctx: NativeCallContext, url: Dynamic, options: Map) -> RhaiResultOf<Map> {
        super::send(&ctx, Method::Delete, url, Dynamic::UNIT, options)
    }
}
