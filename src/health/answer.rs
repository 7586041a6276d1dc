//! The answer of a service to a probe.
use crate::{
    control::hidden,
    fleet::{Health, Version},
};
use serde::{Deserialize, Serialize};

/// One answer to a probe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProbeAnswer {
    /// The HTTP status; `None` if there was no response, or if the probe only connects.
    pub status: Option<u16>,
    /// Whether it meets what the fleet file requires of a healthy service.
    pub good: bool,
    /// The version that was found in it, cut to 80 characters.
    pub version: Option<String>,
    /// The text at the version's place, cut to 80 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Whether the service answered in something other than HTTP.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub garbled: bool,
    /// Why there was no response, or why it isn't good.
    pub error: Option<String>,
}

impl ProbeAnswer {
    /// Builds the answer of a service that didn't respond, with the reason.
    pub fn none(error: String) -> ProbeAnswer {
        ProbeAnswer { status: None, good: false, version: None, text: None, garbled: false, error: Some(error) }
    }

    /// Builds the answer of a probe that only connects.
    pub fn connected() -> ProbeAnswer {
        ProbeAnswer { good: true, error: None, ..ProbeAnswer::none(String::new()) }
    }

    /// Builds the answer from a response, with the text at the version's place.
    pub(super) fn of(status: u16, body: &str, text: Option<String>, health: &Health) -> ProbeAnswer {
        let lacks = (!health.has_body(body)).then(|| {
            let wanted = health.body.as_deref().unwrap_or_default();
            format!("{status}, without `{}` in its body", plain(wanted))
        });
        ProbeAnswer {
            status: Some(status),
            good: health.takes(status) && lacks.is_none(),
            version: text.as_deref().and_then(|text| found(health, text)),
            text: text.as_deref().and_then(some),
            garbled: false,
            error: lacks,
        }
    }

    /// Adds the releases that the host's processes run in. A single one is the version; several prove none.
    pub(super) fn runs(&mut self, releases: &[String]) {
        match releases {
            [] => {}
            [one] => self.version = some(one),
            several => self.text = some(&several.join(", ")),
        }
    }

    /// Describes the answer in a few words.
    pub fn shown(&self) -> String {
        match (self.status, &self.error, &self.version, &self.text) {
            (Some(_), Some(error), ..) => error.clone(),
            (None, None, ..) if self.good => "a connection".to_owned(),
            (Some(status), _, Some(version), _) => format!("{status}, version {version}"),
            (Some(status), _, None, Some(text)) => format!("{status}, no version in `{text}`"),
            (Some(status), _, None, None) => status.to_string(),
            (None, Some(error), ..) => error.clone(),
            (None, None, ..) => "no response".to_owned(),
        }
    }
}

/// Returns a text as it may be shown: one line, not long, and without what is hidden, for it is compared with releases.
pub(super) fn plain(text: &str) -> String {
    text.trim().chars().filter(|c| !hidden(*c)).take(80).collect()
}

/// Returns the version in a text. Without a pattern, the whole text is the version.
pub(super) fn found(health: &Health, text: &str) -> Option<String> {
    match &health.pattern {
        Some(pattern) => some(&pattern.find(text)?),
        None => some(text),
    }
}

/// Returns a text in a form to show; `None` if it's empty.
pub(super) fn some(text: &str) -> Option<String> {
    Some(plain(text)).filter(|text| !text.is_empty())
}

/// Returns the text at the version's place in a response; `None` if there is none.
pub(super) fn text(health: &Health, header: impl Fn(&str) -> Option<String>, body: &[u8]) -> Option<String> {
    Some(match &health.version {
        Version::Header(name) => header(name)?,
        Version::Json(pointer) => match serde_json::from_slice::<serde_json::Value>(body).ok()?.pointer(pointer)? {
            serde_json::Value::String(text) => text.clone(),
            serde_json::Value::Number(number) => number.to_string(),
            _ => return None,
        },
        Version::Body => String::from_utf8_lossy(body).trim().to_owned(),
        Version::Process | Version::None => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::Pattern;
    use std::time::Duration;

    #[test]
    fn a_version_is_read_from_a_header_a_json_pointer_or_the_body_by_its_pattern() {
        let header = |name: &str| (name == "X-Release").then(|| "shop/abc\x1b[2J".to_owned());
        let json = br#"{"a":{"b":"shop/x"}}"#;
        let group = Pattern::of("shop/(.*)").ok();
        let read = |version: Version, pattern: &Option<Pattern>, page: &[u8]| {
            let second = Duration::from_secs(1);
            let pattern = pattern.clone();
            let (over, within, settle) = (second, second, second);
            let (url, host, status, body, server_name, ca) = (String::new(), None, vec![], None, None, None);
            let health =
                Health { url, host, status, body, server_name, ca, version, pattern, good: 1, over, within, settle };
            super::text(&health, header, page).and_then(|text| found(&health, &text))
        };
        for (how, body, whole, found) in [
            (Version::Header("X-Release".into()), &b""[..], Some("shop/abc[2J"), Some("abc[2J")),
            (Version::Header("X-Other".into()), b"", None, None),
            (Version::Json("/a/b".into()), json, Some("shop/x"), Some("x")),
            (Version::Json("/a".into()), json, None, None),
            (Version::Body, b" shop/x \n", Some("shop/x"), Some("x")),
            (Version::Body, b"one\nshop/x\ntwo\n", Some("oneshop/xtwo"), Some("x")),
            (Version::Body, b"x", Some("x"), None),
            (Version::Body, b"", None, None),
        ] {
            assert_eq!(read(how.clone(), &None, body).as_deref(), whole, "{how:?}");
            assert_eq!(read(how.clone(), &group, body).as_deref(), found, "{how:?} by pattern");
        }
    }
}
