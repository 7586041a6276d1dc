//! The forms of a secret in a text: unchanged, line by line, and in base64.

/// The least length of a line that counts as a form, in characters: shorter lines occur everywhere.
const LINE: usize = 8;
/// The least length of a form, in bytes: shorter ones are found where there is no secret.
const LEAST: usize = 4;

/// The alphabets of base64, which differ in two characters.
const ALPHABETS: [&[u8; 64]; 2] = [
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
];

/// A byte sequence to search for in a text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Form {
    pub bytes: Vec<u8>,
    /// Whether the characters before and after it contain bits of the secret, too.
    pub around: (bool, bool),
    /// Whether it is base64; even a short piece of base64 never occurs by accident.
    pub coded: bool,
}

/// Returns every form of a secret, each once.
pub(super) fn of(text: &str) -> Vec<Form> {
    // A shell drops the whitespace around a value.
    let whole = [text, text.trim()];
    let lines = text.lines().map(str::trim).filter(|line| line.chars().count() >= LINE);
    let plain =
        whole.into_iter().chain(lines).map(|text| Form { bytes: text.into(), around: (false, false), coded: false });
    let kinds = ALPHABETS.iter().flat_map(|alphabet| (0..3).map(move |at| (at, alphabet)));
    let coded = kinds.flat_map(|(at, alphabet)| whole.map(|text| base64(text.as_bytes(), at, alphabet)));
    let mut all: Vec<Form> = plain.chain(coded).filter(|form| form.bytes.len() >= LEAST).collect();
    all.sort();
    all.dedup();
    all
}

/// Returns whether a byte is a base64 character.
pub(super) fn is_base64(byte: u8) -> bool {
    byte == b'=' || ALPHABETS.iter().any(|alphabet| alphabet.contains(&byte))
}

/// Encodes a text that has `before` bytes before it, and keeps the characters that depend only on the text.
fn base64(text: &[u8], before: usize, alphabet: &[u8; 64]) -> Form {
    let (first, end) = (before * 8, (before + text.len()) * 8);
    let bit = |at: usize| usize::from(text[(at - first) / 8] >> (7 - at % 8) & 1);
    let sign = |nth: usize| alphabet[(nth * 6..nth * 6 + 6).fold(0, |value, at| value << 1 | bit(at))];
    let bytes = (first.div_ceil(6)..end / 6).map(sign).collect();
    Form { bytes, around: (first % 6 != 0, end % 6 != 0), coded: true }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_has_the_signs_that_only_the_secret_decides_wherever_it_begins() {
        let texts = |text: &str| -> Vec<String> {
            of(text).into_iter().map(|form| String::from_utf8(form.bytes).unwrap()).collect()
        };
        // From `printf pass | base64`, `printf xpass | base64` and `printf xxpass | base64`.
        assert_eq!(texts("pass"), ["Bhc3", "cGFzc", "pass", "wYXNz"]);
        assert_eq!(
            texts("?>~~").iter().filter(|text| text.contains(['-', '_', '+', '/'])).count(),
            6,
            "both alphabets"
        );
    }

    #[test]
    fn each_line_that_is_long_enough_is_a_form() {
        let plain = |text: &str| -> Vec<String> {
            let plain = of(text).into_iter().filter_map(|form| String::from_utf8(form.bytes).ok());
            plain.filter(|form| text.contains(form.as_str())).collect()
        };
        let whole = ["-----BEGIN", "-----BEGIN\r\n  12345678\nshort", "-----BEGIN\r\n  12345678\nshort\n", "12345678"];
        assert_eq!(plain(whole[2]), whole);
        assert_eq!(plain(" pass\n"), [" pass\n", "pass"]);
    }
}
