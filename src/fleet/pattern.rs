//! A pattern that finds a version in a text.
use regex::RegexBuilder;
use serde::{Deserialize, Serialize};

/// The longest pattern, in bytes. The memory that a compiled pattern may take depends on it.
const LONGEST: usize = 1_000;
const LARGEST: usize = 1 << 20;

/// A regular expression with one group, which is the version. `^` and `$` match at the ends of a line.
///
/// The crate `regex` takes time linear in the length of the text for any pattern.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pattern(String);

impl Pattern {
    /// Reads a pattern, or says why it isn't one.
    pub fn of(text: &str) -> Result<Pattern, String> {
        if text.len() > LONGEST {
            return Err(format!("it is longer than {LONGEST} bytes"));
        }
        let regex = built(text).map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
            error => error.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned(),
        })?;
        match regex.captures_len() {
            2 => Ok(Pattern(text.to_owned())),
            1 => Err("it has no group".to_owned()),
            _ => Err("it has more than one group".to_owned()),
        }
    }

    /// Finds the first version in a text.
    pub fn find(&self, text: &str) -> Option<String> {
        let found = built(&self.0).ok()?.captures(text)?.get(1)?.as_str().trim();
        (!found.is_empty()).then(|| found.to_owned())
    }
}

fn built(text: &str) -> Result<regex::Regex, regex::Error> {
    RegexBuilder::new(text).multi_line(true).crlf(true).size_limit(LARGEST).dfa_size_limit(LARGEST).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_finds_the_one_group_of_its_first_match() {
        for (pattern, text, found) in [
            (r"opensky\.version = (.*)", "a = 1\r\nopensky.version = 3.0.1 \r\nb = 2\n", Some("3.0.1")),
            (r"^version: (\S+)$", "old version: 1\nversion: 3.0.1\n", Some("3.0.1")),
            (r"shop/(?:v)?([0-9.]+)", "shop/v3.0.1 (linux)", Some("3.0.1")),
            (r"version = (.*)", "version = \n", None),
            (r"version = (.*)", "nothing", None),
        ] {
            assert_eq!(Pattern::of(pattern).unwrap().find(text).as_deref(), found, "{pattern}");
        }
    }

    #[test]
    fn a_bad_pattern_is_refused_with_its_reason() {
        for (pattern, why) in [
            ("version", "it has no group"),
            ("(a)(b)", "it has more than one group"),
            ("(", "unclosed group"),
            (r"(\w{500}){500}", "it is too large"),
        ] {
            assert_eq!(Pattern::of(pattern), Err(why.to_owned()), "{pattern}");
        }
        assert_eq!(Pattern::of(&"a".repeat(1_001)), Err("it is longer than 1000 bytes".to_owned()));
    }
}
