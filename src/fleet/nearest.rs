//! Finds the name that the user probably meant.

/// Finds the candidate that `word` misspells, if one is near enough.
///
/// `web1` means `web01`. But `web7` never means `web1`, because that's another host.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let limit = (word.chars().count() / 3).max(1);
    let distance = |candidate: &str| {
        let candidate = candidate.to_lowercase();
        if unpadded(&word) == unpadded(&candidate) {
            Some(0)
        } else if unnumbered(&word) == unnumbered(&candidate) {
            None
        } else {
            let distance = strsim::damerau_levenshtein(&word, &candidate);
            (distance <= limit && distance < candidate.chars().count()).then_some(distance)
        }
    };
    candidates
        .into_iter()
        .filter_map(|candidate| Some((distance(candidate)?, candidate)))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Words the question for [`nearest`].
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(word, candidates).map(|candidate| format!("did you mean `{candidate}`?"))
}

/// Drops the leading zeros of each number.
fn unpadded(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let in_number = out.ends_with(|c: char| c.is_ascii_digit());
        let padding = c == '0' && !in_number && chars.peek().is_some_and(char::is_ascii_digit);
        if !padding {
            out.push(c);
        }
    }
    out
}

/// Replaces each number with `0`.
fn unnumbered(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c.is_ascii_digit() {
            true if out.ends_with('0') => {}
            true => out.push('0'),
            false => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_found_and_anything_else_is_not() {
        let keys = ["keep", "linked", "path", "service", "web", "web01", "web10"];
        for (word, found) in [
            ("kep", Some("keep")),
            ("lniked", Some("linked")),
            ("Path", Some("path")),
            ("servcie", Some("service")),
            ("web1", Some("web01")),
            ("web010", Some("web10")),
            ("wbe10", Some("web10")),
            ("web07", None),
            ("x", None),
            ("depth", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, keys), found, "{word}");
        }
        assert_eq!(did_you_mean("kep", keys).as_deref(), Some("did you mean `keep`?"));
    }
}
