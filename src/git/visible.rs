//! Makes other people's texts safe to show.
use crate::control::hidden;

/// Makes characters visible that a terminal obeys or hides, and cuts the text to 400 characters.
pub(super) fn visible(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars().take(400) {
        if hidden(c) { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    if text.chars().nth(400).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_cannot_move_the_cursor() {
        assert_eq!(visible("a\x1b[2Jb\r\u{202e}c ü"), "a\\u{1b}[2Jb\\r\\u{202e}c ü");
        assert_eq!(visible(&"x".repeat(4096)).chars().count(), 401);
    }
}
