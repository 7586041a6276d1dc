//! What a service answered, and whether that proves what it serves.
use super::{Expected, expected::Written, says};
use crate::fleet::{Health, Version};
use serde::{Deserialize, Serialize};

/// One answer to a probe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The HTTP status; `None` when nothing came.
    pub status: Option<u16>,
    /// The version that it proved, as it stood there; cut to 80 characters.
    pub version: Option<String>,
    /// Why nothing came.
    pub error: Option<String>,
}

impl Answer {
    pub fn good(&self) -> bool {
        self.status.is_some_and(|s| (200..300).contains(&s))
    }

    /// The answer in a few words.
    pub fn shown(&self) -> String {
        match (self.status, &self.error, &self.version) {
            (Some(status), _, Some(version)) => format!("{status}, version {version}"),
            (Some(status), _, None) => status.to_string(),
            (None, Some(error), _) => error.clone(),
            (None, None, _) => "no answer".to_owned(),
        }
    }
}

/// What an answer comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Bad,
    Good {
        /// Whether it proves what the host should serve.
        proven: bool,
    },
}

/// Judges an answer: it must prove what is expected, unless the fleet file says that it cannot, or nobody knows how.
pub fn judged(answer: &Answer, health: &Health, expected: &Expected, written: &Written) -> Verdict {
    let said = answer.version.as_deref();
    let proven = said.is_some_and(|said| says(said, expected) || written.proves(said, expected));
    let open = !expected.sure || said.is_some_and(|said| written.leaves_open(said));
    match answer.good() && (proven || open || health.version == Version::None) {
        true => Verdict::Good { proven },
        false => Verdict::Bad,
    }
}

/// A text as it may be shown: one line, and not long.
pub(super) fn plain(text: &str) -> String {
    text.trim().chars().filter(|c| !c.is_control()).take(80).collect()
}

/// Takes the version out of an answer; `None` where it is not there.
pub fn version(how: &Version, header: impl Fn(&str) -> Option<String>, body: &[u8]) -> Option<String> {
    let text = match how {
        Version::Header(name) => header(name)?,
        Version::Json(pointer) => match serde_json::from_slice::<serde_json::Value>(body).ok()?.pointer(pointer)? {
            serde_json::Value::String(text) => text.clone(),
            serde_json::Value::Number(number) => number.to_string(),
            _ => return None,
        },
        Version::Body => String::from_utf8(body.to_vec()).ok()?.trim().to_owned(),
        Version::Process | Version::None => return None,
    };
    Some(plain(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_from_a_header_a_json_pointer_or_the_body() {
        let header = |name: &str| (name == "X-Release").then(|| "abc\x1b[2J".to_owned());
        assert_eq!(version(&Version::Header("X-Release".into()), header, b""), Some("abc[2J".into()));
        assert_eq!(version(&Version::Header("X-Other".into()), header, b""), None);
        assert_eq!(version(&Version::Json("/a/b".into()), header, br#"{"a":{"b":"x"}}"#), Some("x".into()));
        assert_eq!(version(&Version::Json("/a".into()), header, br#"{"a":{"b":"x"}}"#), None);
        assert_eq!(version(&Version::Body, header, b" x \n"), Some("x".into()));
    }
}
