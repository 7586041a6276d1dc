//! Characters that a terminal obeys or doesn't show, and how they are made visible.

/// Whether a character moves, turns or hides text: control characters (C0, DEL and C1), Unicode's
/// Default_Ignorable_Code_Point (DerivedCoreProperties.txt), line and paragraph separators, and annotations.
pub fn hidden(c: char) -> bool {
    c.is_control()
        || matches!(c as u32,
            0xad | 0x34f | 0x61c | 0x115f..=0x1160 | 0x17b4..=0x17b5 | 0x180b..=0x180f | 0x200b..=0x200f | 0x2028..=0x202e
            | 0x2060..=0x206f | 0x3164 | 0xfe00..=0xfe0f | 0xfeff | 0xffa0 | 0xfff0..=0xfffb | 0x1bca0..=0x1bca3
            | 0x1d173..=0x1d17a | 0xe0000..=0xe0fff)
}

/// A text for a message or a record: control characters stand as escapes such as `\n`, other hidden ones as `<U+…>`.
pub fn shown(text: &str) -> String {
    text.chars().map(|c| escape(c).unwrap_or_else(|| c.to_string())).collect()
}

/// The beginning of a text as [`shown`] has it, with `…` behind its first `most` characters.
pub fn brief(text: &str, most: usize) -> String {
    let mut brief = String::new();
    let mut length = 0;
    for c in text.chars() {
        let each = escape(c).unwrap_or_else(|| c.to_string());
        length += each.chars().count();
        if length > most {
            brief.push('…');
            break;
        }
        brief.push_str(&each);
    }
    brief
}

/// A hidden character as a terminal's line has it; `None` for any other.
///
/// Those of ASCII have a sign such as `␛`. What programs print is full of backslashes, and a sign can't be taken for
/// one of them.
pub fn sign(c: char) -> Option<String> {
    match c {
        '\0'..='\x1f' => char::from_u32(0x2400 + c as u32).map(String::from),
        '\x7f' => Some('␡'.into()),
        c => hidden(c).then(|| code(c)),
    }
}

fn escape(c: char) -> Option<String> {
    if c.is_control() { Some(c.escape_default().to_string()) } else { hidden(c).then(|| code(c)) }
}

/// Returns a character as its code point.
fn code(c: char) -> String {
    format!("<U+{:04X}>", c as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A kind of characters, some of that kind, and how the first is shown: in a message, and on a terminal.
    const HIDDEN: &[(&str, &str, &str, &str)] = &[
        ("line ends", "\n\r", r"\n", "␊"),
        ("tabs", "\t\x0b", r"\t", "␉"),
        ("C0", "\x1b\0\x07\x08\x0c\x0e\x1f", r"\u{1b}", "␛"),
        ("DEL", "\x7f", r"\u{7f}", "␡"),
        ("C1", "\u{9b}\u{80}\u{85}\u{9f}", r"\u{9b}", "<U+009B>"),
        (
            "directions",
            "\u{202e}\u{61c}\u{200e}\u{200f}\u{202a}\u{202d}\u{2066}\u{2069}\u{206f}",
            "<U+202E>",
            "<U+202E>",
        ),
        ("without width", "\u{200b}\u{200c}\u{200d}\u{2060}\u{2065}\u{feff}\u{ad}", "<U+200B>", "<U+200B>"),
        ("separators", "\u{2028}\u{2029}", "<U+2028>", "<U+2028>"),
        ("fillers", "\u{3164}\u{34f}\u{115f}\u{1160}\u{17b4}\u{180b}\u{180e}\u{ffa0}\u{fff0}", "<U+3164>", "<U+3164>"),
        ("how a sign is drawn", "\u{fe0f}\u{fe00}", "<U+FE0F>", "<U+FE0F>"),
        ("annotations", "\u{fff9}\u{1bca0}\u{1d173}", "<U+FFF9>", "<U+FFF9>"),
        ("tags", "\u{e0100}\u{e0001}\u{e0041}\u{e01ef}\u{e0fff}", "<U+E0100>", "<U+E0100>"),
    ];

    #[test]
    fn what_takes_no_place_on_a_terminal_is_hidden_and_what_people_write_is_not() {
        for (kind, of_it, message, line) in HIDDEN {
            for c in of_it.chars() {
                let text = format!("a{c}b");
                assert!(hidden(c) && sign(c).is_some(), "{kind}: {c:?}");
                assert!(!shown(&text).contains(hidden) && shown(&text).len() > text.len(), "{kind}: {c:?}");
            }
            let first = of_it.chars().next().unwrap();
            assert_eq!((&*shown(&first.to_string()), sign(first).as_deref()), (*message, Some(*line)), "{kind}");
        }
        for c in r#" ~\'"`aä→✔😀한ก中ـا"#.chars().chain("\u{a0}\u{301}".chars()) {
            assert!(!hidden(c) && sign(c).is_none() && shown(&c.to_string()) == c.to_string(), "{c:?}");
        }
        assert_eq!(shown("a\u{e0100}\n\u{3164}b"), "a<U+E0100>\\n<U+3164>b");
        assert_eq!(shown("a\x1b[2Jb\r\u{202e}c ü"), "a\\u{1b}[2Jb\\r<U+202E>c ü");
    }

    #[test]
    fn a_text_is_cut_and_never_within_an_escape() {
        assert_eq!(brief("äöü", 3), "äöü");
        assert_eq!(brief("äöüß", 3), "äöü…");
        assert_eq!(brief("ab\ncd", 4), "ab\\n…");
        assert_eq!(brief("ab\ncd", 3), "ab…");
        assert_eq!(brief(&"x".repeat(4096), 400).chars().count(), 401);
    }
}
