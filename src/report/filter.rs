//! What others wrote, made safe to show: colours may stay, everything else that moves or hides is made visible.

/// The longest line that is shown.
const LONGEST: usize = 4_000;

/// A text without anything that a terminal would obey; line ends become `␊`.
///
/// With `color`, SGR sequences stay, and end with the text.
pub fn visible(text: &str, color: bool) -> String {
    // Most lines of most programs: gigabytes are not looked at letter by letter.
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
            if color {
                shown.push_str(&rest[..length]);
                painted = true;
            }
            rest = &rest[length..];
            continue;
        }
        rest = &rest[c.len_utf8()..];
        match c {
            '\t' => shown.push_str("    "),
            c if (c as u32) < 0x20 => shown.push(char::from_u32(0x2400 + c as u32).unwrap_or('␀')),
            '\x7f' => shown.push('␡'),
            c if hidden(c) => shown.push_str(&format!("<U+{:04X}>", c as u32)),
            c => shown.push(c),
        }
    }
    if painted {
        shown.push_str("\x1b[0m");
    }
    shown
}

/// The length of an SGR sequence at the beginning, if there is one: `ESC [ digits ; : m`.
fn sgr(text: &str) -> Option<usize> {
    let body = text.strip_prefix("\x1b[")?;
    let end = body.find(|c: char| !(c.is_ascii_digit() || c == ';' || c == ':'))?;
    (body[end..].starts_with('m') && end < 40).then_some(end + 3)
}

/// C1 controls, and what turns or hides text: bidi controls, zero-width characters, tags.
pub fn hidden(c: char) -> bool {
    matches!(c as u32,
        0x80..=0x9f | 0x61c | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x2064 | 0x2066..=0x206f | 0xfeff | 0xfff9..=0xfffb
        | 0xe0000..=0xe007f)
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
    }

    #[test]
    fn a_line_without_end_is_cut_and_says_so() {
        let shown = visible(&"x".repeat(1 << 20), false);
        assert!(shown.len() < 5_000 && shown.ends_with(" … 1044576 more characters"), "{}", shown.len());
    }
}
