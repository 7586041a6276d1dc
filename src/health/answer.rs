//! What a service answered, and whether that proves what it serves.
use crate::fleet::Version;
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

/// Whether a served text names the commit, whole or short, as a tag, or as a release's folder.
pub fn says(version: &str, commit: &str, tag: Option<&str>) -> bool {
    let version = version.trim();
    let named = |text: &str| {
        let hex = text.len() >= 7 && text.bytes().all(|b| b.is_ascii_hexdigit());
        hex && commit.get(..text.len()).is_some_and(|c| c.eq_ignore_ascii_case(text))
    };
    let folder = version.rsplit('/').next().unwrap_or(version);
    let of_folder = folder.split_once('-').is_some_and(|(number, short)| {
        number.len() >= 4 && number.bytes().all(|b| b.is_ascii_digit()) && short.len() >= 12 && named(short)
    });
    // A package's version has the packager's own count behind the last dash, and an epoch before the colon.
    let upstream = commit.rsplit_once('-').map_or(commit, |(upstream, _)| upstream);
    let upstream = upstream.split_once(':').map_or(upstream, |(_, rest)| rest);
    named(version) || of_folder || version == commit || version == upstream || tag.is_some_and(|tag| version == tag)
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
    Some(text.chars().filter(|c| !c.is_control()).take(80).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_the_commit_whole_or_short_its_tag_or_its_folder_and_nothing_else() {
        let commit = "9ab0c1d2e3f49ab0c1d2e3f49ab0c1d2e3f49ab0";
        for good in [
            commit,
            "9ab0c1d",
            "9AB0C1D2E3F4",
            " 9ab0c1d2e3f4\n",
            "v3.0.1",
            "0007-9ab0c1d2e3f4",
            "/srv/shop/releases/0007-9ab0c1d2e3f4",
        ] {
            assert!(says(good, commit, Some("v3.0.1")), "{good}");
        }
        for bad in ["", "9ab0c1", "9ab0c1e", "v3.0.0", "v3", "0007-9ab0c1d2e3f5", "0007-9ab0", "7-9ab0c1d2e3f4", "ok"] {
            assert!(!says(bad, commit, Some("v3.0.1")), "{bad}");
        }
        assert!(!says("v3.0.1", commit, None));
    }

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
