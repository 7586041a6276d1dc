//! Which tags are the releases of an app.
use crate::control::hidden;
use serde::{Deserialize, Serialize};

/// The longest pattern, in bytes.
const LONGEST: usize = 200;

/// A tag's name with one `*` for the version: `v*`, `shop-v*`, `web/v*`, `release-*`, `2026.*`.
///
/// Digits and dots before the `*` belong to the version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TagPattern(String);

/// The numbers of a version, without zeros at the end. Comparing them gives the order of stable versions.
pub type VersionNumbers = Vec<u64>;

impl TagPattern {
    /// Reads a pattern, or says why it isn't one.
    pub fn of(text: &str) -> Result<TagPattern, String> {
        match text.matches('*').count() {
            0 => return Err("it has no `*` for the version".to_owned()),
            1 => {}
            _ => return Err("it has more than one `*`".to_owned()),
        }
        if text.len() > LONGEST {
            return Err(format!("it is longer than {LONGEST} bytes"));
        }
        if text.starts_with('-') || !is_ref(&text.replace('*', "1")) {
            return Err("no tag can have such a name".to_owned());
        }
        Ok(TagPattern(text.to_owned()))
    }

    /// Returns the pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the version in a tag's name; `None` if the tag doesn't match. A version begins with a digit.
    pub fn version<'a>(&self, tag: &'a str) -> Option<&'a str> {
        let (before, after) = self.0.split_once('*')?;
        let words = before.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.').len();
        let inner = tag.strip_prefix(before)?.strip_suffix(after)?;
        let version = &tag[words..before.len() + inner.len()];
        (!inner.is_empty() && version.starts_with(|c: char| c.is_ascii_digit()) && !version.contains('/'))
            .then_some(version)
    }

    /// Returns the numbers of a stable tag's version; `None` if the tag doesn't match, or is a pre-release.
    pub fn stable(&self, tag: &str) -> Option<VersionNumbers> {
        let (numbers, rest) = numbers(self.version(tag)?)?;
        rest.is_empty().then_some(numbers)
    }

    /// Returns what orders the tags that match: by version, with a pre-release before its release.
    pub fn order<'a>(&self, tag: &'a str) -> Option<(VersionNumbers, bool, &'a str)> {
        let (numbers, rest) = numbers(self.version(tag)?)?;
        Some((numbers, rest.is_empty(), rest))
    }
}

/// Splits a version into its numbers and what follows them, such as `-rc.1`. A date may have dashes: `2026-11-30`.
fn numbers(version: &str) -> Option<(VersionNumbers, &str)> {
    let (date, plain) = version.split_at(if is_date(version) { DATE } else { 0 });
    let end = plain.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(plain.len());
    let (dotted, rest) = plain.split_at(end);
    let dotted = match (date, dotted) {
        ("", dotted) => Some(dotted),
        (_, "") => None,
        (_, dotted) => Some(dotted.strip_prefix('.')?),
    };
    let parts = date.split('-').filter(|part| !part.is_empty()).chain(dotted.into_iter().flat_map(|d| d.split('.')));
    let mut numbers = parts.map(|part| part.parse().ok()).collect::<Option<VersionNumbers>>()?;
    while numbers.len() > 1 && numbers.last() == Some(&0) {
        numbers.pop();
    }
    Some((numbers, rest))
}

/// The length of a date.
const DATE: usize = "2026-11-30".len();

fn is_date(version: &str) -> bool {
    let fits = |(at, byte): (usize, u8)| if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() };
    version.len() >= DATE && version.bytes().take(DATE).enumerate().all(fits)
}

/// Returns whether git accepts a name for a tag (see `git check-ref-format`).
fn is_ref(name: &str) -> bool {
    let bad = |c: char| c == ' ' || "~^:?*[\\".contains(c) || c.is_control() || hidden(c);
    let part = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock");
    name.split('/').all(part)
        && !name.ends_with('.')
        && !name.contains("..")
        && !name.contains("@{")
        && !name.contains(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the stable tags that match, the lowest first.
    fn ordered<'a>(pattern: &str, tags: &[&'a str]) -> Vec<&'a str> {
        let pattern = TagPattern::of(pattern).unwrap();
        let mut stable: Vec<_> = tags.iter().filter_map(|tag| Some((pattern.stable(tag)?, *tag))).collect();
        stable.sort();
        stable.into_iter().map(|(_, tag)| tag).collect()
    }

    #[test]
    fn the_star_stands_for_a_version_and_versions_are_ordered_by_their_numbers() {
        let shop =
            ["shop-v1.10.0", "shop-v1.9.0", "shop-v2.0.0-rc.1", "shop-v2.0.0+b", "shop-vnext", "v3.0.0", "api-v4.0.0"];
        assert_eq!(ordered("shop-v*", &shop), ["shop-v1.9.0", "shop-v1.10.0"]);
        assert_eq!(ordered("v*", &shop), ["v3.0.0"]);
        assert_eq!(ordered("web/v*", &["web/v1.2.3", "web/v1.2.3/x", "api/web/v9.0.0"]), ["web/v1.2.3"]);
        let days = ["2026.11.3", "2026.11.03.1", "2026.9.30", "2025.12", "v9.0.0", "2026.12.1rc1"];
        assert_eq!(ordered("*", &days), ["2025.12", "2026.9.30", "2026.11.3", "2026.11.03.1"]);
        let dashed = ["release-2026-11-30", "release-2026-11-30.2", "release-2026-02-01", "release-2026-11-301"];
        let by_day = ["release-2026-02-01", "release-2026-11-30", "release-2026-11-30.2"];
        assert_eq!(ordered("release-*", &dashed), by_day);
        assert_eq!(
            ordered("release-*", &["release-9", "release-10", "release-1.2.3"]),
            ["release-1.2.3", "release-9", "release-10"]
        );
        assert_eq!(ordered("v*-final", &["v1.0.0-final", "v1.1.0", "v1.2.0-rc.1-final"]), ["v1.0.0-final"]);
    }

    #[test]
    fn a_series_is_a_pattern_with_the_beginning_of_its_versions() {
        let tags = ["v3.9.0", "v3.10.1", "v4.0.0", "v30.0.0"];
        assert_eq!(ordered("v3.*", &tags), ["v3.9.0", "v3.10.1"]);
        let version = |pattern: &str, tag: &'static str| TagPattern::of(pattern).unwrap().version(tag);
        assert_eq!(version("v3.*", "v3.10.1"), Some("3.10.1"));
        assert_eq!(version("shop-v*", "shop-v1.2.3-rc.1"), Some("1.2.3-rc.1"));
        assert_eq!(version("app2-*", "app2-1.0"), Some("1.0"));
        assert_eq!([version("v*", "v"), version("v*", "vx"), version("v*", "1.0")], [None; 3]);
    }

    #[test]
    fn what_is_not_one_is_refused_and_no_tag_is_too_strange() {
        for bad in [
            "v1.0.0",
            "*-*",
            "",
            "-*",
            "a b*",
            "a..*",
            "*.lock",
            "a\n*",
            "[v]*",
            "v?*",
            "a//*",
            "/*",
            "~*",
            "\u{202e}*",
        ] {
            assert!(TagPattern::of(bad).is_err(), "{bad:?}");
        }
        assert!(TagPattern::of(&format!("{}*", "x".repeat(200))).is_err());
        let huge = format!("v{}.0.0", "9".repeat(40));
        for tag in ["v", "v1..2", "v1.", "v.1", "v1.2.", &huge, "v1\u{202e}", "v٣.0.0"] {
            assert_eq!(TagPattern::of("v*").unwrap().stable(tag), None, "{tag}");
        }
    }

    #[test]
    fn a_pre_release_comes_before_its_release() {
        let pattern = TagPattern::of("v*").unwrap();
        let mut tags = ["v2.0.0", "v2.0.0-rc.2", "v1.9.9", "v2.0.0-rc.1"];
        tags.sort_by_key(|tag| pattern.order(tag));
        assert_eq!(tags, ["v1.9.9", "v2.0.0-rc.1", "v2.0.0-rc.2", "v2.0.0"]);
    }
}
