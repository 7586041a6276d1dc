//! Makes foreign texts safe to show: some colors may stay; other characters that move or hide text become visible.
use crate::control::sign;

/// The longest line that is shown, in characters.
const LONGEST: usize = 4_000;

/// Returns a text without anything that a terminal would obey; line ends become `␊`.
///
/// With `color`, the colors that can't hide anything stay, and end with the text.
pub fn visible(text: &str, color: bool) -> String {
    // Most lines pass here: gigabytes aren't checked character by character.
    if text.len() <= LONGEST && text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len());
    let (mut rest, mut painted, mut count) = (text, false, 0);
    while let Some(c) = rest.chars().next() {
        if count >= LONGEST {
            shown.push_str(&format!(" … {} more characters", rest.chars().count()));
            break;
        }
        count += 1;
        if c == '\x1b'
            && let Some(length) = sgr(rest)
        {
            let kept = if color { paint(&rest[2..length - 1]) } else { String::new() };
            if !kept.is_empty() {
                shown.push_str(&format!("\x1b[{kept}m"));
                painted = true;
            }
            rest = &rest[length..];
            continue;
        }
        rest = &rest[c.len_utf8()..];
        match c {
            '\t' => shown.push_str("    "),
            // Selects how a sign such as an emoji is drawn; only directly after one.
            '\u{fe0e}' | '\u{fe0f}' if shown.ends_with(drawn) => shown.push(c),
            c => match sign(c) {
                Some(sign) => shown.push_str(&sign),
                None => shown.push(c),
            },
        }
    }
    if painted {
        shown.push_str("\x1b[0m");
    }
    shown
}

/// Returns whether a sign may be drawn as text or as an emoji.
fn drawn(c: char) -> bool {
    matches!(c as u32, 0x2190..=0x2bff | 0x1f000..=0x1faff)
}

/// Keeps the parts of an SGR sequence that can't hide text: no background, and no color that may be the background's.
fn paint(parts: &str) -> String {
    let mut kept = Vec::new();
    let mut parts = parts.split(';');
    while let Some(part) = parts.next() {
        match part.parse().unwrap_or(if part.is_empty() { 0 } else { u32::MAX }) {
            0 => kept.push("0"),
            1 | 3 | 4 | 7 | 22..=24 | 27 | 31..=36 | 39 | 91..=96 => kept.push(part),
            // Its arguments follow: `5;n` or `2;r;g;b`.
            38 | 48 | 58 => {
                let more = match parts.next() {
                    Some("5") => 1,
                    Some("2") => 3,
                    _ => 0,
                };
                parts.by_ref().take(more).for_each(drop);
            }
            _ => {}
        }
    }
    kept.join(";")
}

/// Returns the length of the SGR sequence at the start of a text, if there is one: `ESC [ digits ; : m`.
fn sgr(text: &str) -> Option<usize> {
    let body = text.strip_prefix("\x1b[")?;
    let end = body.find(|c: char| !(c.is_ascii_digit() || c == ';' || c == ':'))?;
    (body[end..].starts_with('m') && end < 40).then_some(end + 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_would_obey_passes() {
        for (hostile, shown) in [
            ("\x1b]0;title\x07", "␛]0;title␇"),
            ("\x1b[2J", "␛[2J"),
            ("\x1b[3A", "␛[3A"),
            ("\x1b]8;;http://x\x1b\\", "␛]8;;http://x␛\\"),
            ("\x1b]52;c;aGk=\x07", "␛]52;c;aGk=␇"),
            ("\r[web1] ok", "␍[web1] ok"),
            ("a\u{202e}b", "a<U+202E>b"),
            ("a\u{200b}b\u{feff}", "a<U+200B>b<U+FEFF>"),
            ("a\u{ad}\u{34f}\u{180e}\u{3164}b", "a<U+00AD><U+034F><U+180E><U+3164>b"),
            ("a\u{fe0f}\u{e0100}", "a<U+FE0F><U+E0100>"),
            ("✔\u{fe0f}\u{fe0f}", "✔\u{fe0f}<U+FE0F>"),
            ("\u{9b}2J", "<U+009B>2J"),
            ("a\x7fb\x08", "a␡b␈"),
            ("\x1b[31mred", "red"),
            ("\x1b[", "␛["),
            ("\x1b[31", "␛[31"),
            ("a\tb", "a    b"),
        ] {
            assert_eq!(visible(hostile, false), shown, "{hostile:?}");
        }
    }

    #[test]
    fn colours_stay_where_they_are_wanted_and_end_with_the_text() {
        assert_eq!(visible("\x1b[1;31mred", true), "\x1b[1;31mred\x1b[0m");
        assert_eq!(visible("\x1b[1;31Hred", true), "␛[1;31Hred");
        // Neither the background's own color, nor text that isn't drawn.
        for hidden in
            ["8", "30;40", "30", "40", "31;41", "97", "90", "38;5;0", "38;2;0;0;0", "48;5;31", "38:5:0", "5", "28"]
        {
            let kept = if hidden == "31;41" { "\x1b[31mx\x1b[0m" } else { "x" };
            assert_eq!(visible(&format!("\x1b[{hidden}mx"), true), kept, "{hidden}");
        }
        assert_eq!(visible("\x1b[38;5;8;1mx\x1b[my", true), "\x1b[1mx\x1b[0my\x1b[0m");
    }

    #[test]
    fn a_line_without_end_is_cut_and_says_so() {
        let shown = visible(&"x".repeat(1 << 20), false);
        assert!(shown.len() < 5_000 && shown.ends_with(" … 1044576 more characters"), "{}", shown.len());
    }
}
