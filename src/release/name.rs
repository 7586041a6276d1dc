//! The name of a release on its hosts.
use crate::control::shown;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// `NNNN-<12 hex>`: the fleet's number and the first digits of the commit. Ordered by number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ReleaseName {
    pub number: u32,
    short: String,
}

impl ReleaseName {
    /// Makes the name for a commit, given by its 40 hex digits, or 64 by sha256; numbers are 1 to 999,999,999.
    pub fn new(number: u32, commit: &str) -> Option<Self> {
        (whole(commit) && (1..=999_999_999).contains(&number)).then(|| Self { number, short: commit[..12].to_owned() })
    }

    /// Returns the first 12 digits of the commit.
    pub fn short(&self) -> &str {
        &self.short
    }
}

/// Returns the first 12 digits of a commit.
pub(super) fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}

/// Returns whether a text is the whole id of a commit.
pub(super) fn whole(commit: &str) -> bool {
    matches!(commit.len(), 40 | 64) && lower_hex(commit)
}

/// Returns whether a text has only lowercase hex digits.
pub(super) fn lower_hex(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

impl fmt::Display for ReleaseName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{}", self.number, self.short)
    }
}

impl FromStr for ReleaseName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = text.split_once('-').and_then(|(number, short)| {
            let good = short.len() == 12 && lower_hex(short) && number.bytes().all(|b| b.is_ascii_digit());
            good.then(|| Some(Self { number: number.parse().ok()?, short: short.to_owned() })).flatten()
        });
        // Each name has one spelling.
        parsed
            .filter(|name| name.to_string() == text && name.number <= 999_999_999)
            .ok_or_else(|| format!("`{}` isn't a release's name", shown(text)))
    }
}

impl TryFrom<String> for ReleaseName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<ReleaseName> for String {
    fn from(name: ReleaseName) -> String {
        name.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_spelled_in_one_way() {
        let commit = format!("9ab0c1d2e3f4{}", "0".repeat(28));
        assert_eq!(ReleaseName::new(3, &commit).unwrap().to_string(), "0003-9ab0c1d2e3f4");
        for good in ["0003-9ab0c1d2e3f4", "12345-9ab0c1d2e3f4"] {
            assert_eq!(good.parse::<ReleaseName>().unwrap().to_string(), good);
        }
        for bad in [
            "",
            "3-9ab0c1d2e3f4",
            "00003-9ab0c1d2e3f4",
            "0003-9AB0C1D2E3F4",
            "0003-9ab0",
            "+003-9ab0c1d2e3f4",
            "0003-9ab0c1d2e3f4\n",
            "../3-9ab0c1d2e3f4",
            "1234567890-9ab0c1d2e3f4",
        ] {
            assert!(bad.parse::<ReleaseName>().is_err(), "{bad:?}");
        }
        assert_eq!(ReleaseName::new(0, &commit), None);
        assert_eq!(ReleaseName::new(1, &commit[..39]), None);
        let sha256 = format!("{commit}{}", "0".repeat(24));
        assert_eq!(ReleaseName::new(3, &sha256), ReleaseName::new(3, &commit));
        assert_eq!(ReleaseName::new(3, &sha256[..63]), None);
    }
}
