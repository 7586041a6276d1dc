//! Characters that a terminal obeys, or doesn't show.

/// Returns whether a character moves, turns or hides text: control characters, Unicode's Default_Ignorable_Code_Point
/// (DerivedCoreProperties.txt), line and paragraph separators, and annotations.
pub fn hidden(c: char) -> bool {
    c.is_control()
        || matches!(c as u32,
            0xad | 0x34f | 0x61c | 0x115f..=0x1160 | 0x17b4..=0x17b5 | 0x180b..=0x180f | 0x200b..=0x200f | 0x2028..=0x202e
            | 0x2060..=0x206f | 0x3164 | 0xfe00..=0xfe0f | 0xfeff | 0xffa0 | 0xfff0..=0xfffb | 0x1bca0..=0x1bca3
            | 0x1d173..=0x1d17a | 0xe0000..=0xe0fff)
}

/// Returns a text with its hidden characters as `<U+…>`, and its control characters as escapes.
pub fn shown(text: &str) -> String {
    let each = |c: char| match c {
        c if c.is_control() => c.escape_default().to_string(),
        c if hidden(c) => code(c),
        c => c.to_string(),
    };
    text.chars().map(each).collect()
}

/// Returns a character as its code point.
pub fn code(c: char) -> String {
    format!("<U+{:04X}>", c as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_no_place_on_a_terminal_is_hidden_and_what_people_write_is_not() {
        for c in "\u{ad}\u{34f}\u{61c}\u{115f}\u{17b4}\u{180b}\u{180e}\u{200b}\u{200d}\u{202e}\u{2060}\u{2065}\u{206f}\u{3164}\u{fe0f}\u{feff}\u{ffa0}\u{fff0}\u{1bca0}\u{1d173}\u{e0001}\u{e0100}\u{e01ef}\u{7f}\u{9b}\n".chars() {
            assert!(hidden(c), "{c:?}");
        }
        for c in "aä→✔😀한ก中\u{a0}\u{301}".chars() {
            assert!(!hidden(c), "{c:?}");
        }
        assert_eq!(shown("a\u{e0100}\n\u{3164}b"), "a<U+E0100>\\n<U+3164>b");
    }
}
