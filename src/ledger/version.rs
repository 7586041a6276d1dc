//! Finds the number in a version's name.

/// Finds the number in a version's name: `3.0.1` in `v3.0.1`, `shop-3.0.1` and `app2-v3.0.1`.
///
/// It starts at the first `N.N`. `2024-11-29.1` has no number, because `29.1` could belong to another day.
pub fn number_in(name: &str) -> Option<&str> {
    let bytes = name.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let starts = |at: &usize| {
        let end = (*at..).find(|at| !digit(*at)).unwrap_or(bytes.len());
        digit(*at) && bytes.get(end) == Some(&b'.') && digit(end + 1)
    };
    let goes_on = |at: usize| {
        at > 0 && (digit(at - 1) || (at > 1 && digit(at - 2) && matches!(bytes[at - 1], b'-' | b'_' | b'.')))
    };
    let start = (0..bytes.len()).find(starts).filter(|at| !goes_on(*at))?;
    Some(&name[start..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_version_is_what_stands_behind_its_words() {
        for (name, number) in [
            ("v3.0.1", Some("3.0.1")),
            ("3.0.1", Some("3.0.1")),
            ("V3.0-rc.1", Some("3.0-rc.1")),
            ("shop-3.0.1", Some("3.0.1")),
            ("app2-v3.0.1", Some("3.0.1")),
            ("release/10.2", Some("10.2")),
            ("app2-3.0.1", None),
            ("2024-11-29.1", None),
            ("build-4711", None),
            ("v3", None),
            ("v3.", None),
            ("main", None),
            ("", None),
            ("\u{fc}ber1.2", Some("1.2")),
        ] {
            assert_eq!(number_in(name), number, "{name}");
        }
    }
}
