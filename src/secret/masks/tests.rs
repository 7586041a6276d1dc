use super::*;

fn masks(secrets: &[&str]) -> Masks {
    let masks = Masks::default();
    secrets.iter().for_each(|text| assert!(masks.add(&Secret::from(*text)), "{text}"));
    masks
}

fn base64(bytes: &[u8], url: bool, padded: bool) -> String {
    let alphabet: Vec<char> =
        ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(if url { "-_" } else { "+/" }.chars()).collect();
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let value =
            three.iter().chain([0, 0].iter()).take(3).fold(0_usize, |value, byte| value << 8 | usize::from(*byte));
        for nth in 0..4 {
            match nth <= three.len() {
                true => text.push(alphabet[value >> (18 - 6 * nth) & 63]),
                false if padded => text.push('='),
                false => {}
            }
        }
    }
    text
}

fn percent(text: &str, lower: bool) -> String {
    let sign = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        byte if lower => format!("%{byte:02x}"),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(sign).collect()
}

/// Secrets of every kind: short, with characters that are special in a pattern, in JSON, in a URL or in a shell, and
/// with several lines.
const SECRETS: [&str; 8] = [
    "pass",
    "hunter22",
    r".*[a-z]+(x|y)$^\d{3}",
    "p\"a\\s/s w'o?r&d=%41+",
    "pässwörd→😀",
    "it's a long pass phrase with many words in it",
    "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\nMzEfYyjiWA4R4/M2bS1GB4t7NXp98C3S\n-----END KEY-----\n",
    "0123456789abcdef0123456789abcdef0123456789abcdef",
];

#[test]
fn a_secret_is_masked_in_each_of_its_forms() {
    for secret in SECRETS {
        let masks = masks(&[secret]);
        let json = serde_json::to_string(secret).unwrap();
        let ascii: String = secret.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
        let mut forms = vec![
            secret.to_owned(),
            percent(secret, true),
            percent(secret, false),
            percent(secret, false).replace("%20", "+"),
            json[1..json.len() - 1].to_owned(),
            json[1..json.len() - 1].replace('/', "\\/"),
            ascii,
            secret.replace('\'', r"'\''"),
        ];
        forms.push(secret.bytes().map(|byte| format!("\\{byte:03o}")).collect());
        forms.push(secret.bytes().map(|byte| format!("\\0{byte:03o}")).collect());
        forms.push(secret.bytes().map(|byte| format!("\\x{byte:02x}")).collect());
        let twice = serde_json::to_string(&json).unwrap();
        forms.push(twice[3..twice.len() - 3].to_owned());
        for form in &forms {
            let text = format!("before <{form}> behind");
            assert_eq!(masks.text(&text), "before <***> behind", "{secret:?} as {form:?}");
        }
        for (url, padded) in [(false, false), (false, true), (true, false), (true, true)] {
            let text = format!("is {}.", base64(secret.as_bytes(), url, padded));
            let masked = masks.text(&text).replace('=', "");
            assert_eq!(masked, "is ***.", "{secret:?} as {text:?}");
        }
    }
}

#[test]
fn base64_of_a_longer_text_has_no_bit_of_the_secret_in_it() {
    for secret in SECRETS {
        let masks = masks(&[secret]);
        for before in 0..4 {
            for behind in 0..4 {
                for url in [false, true] {
                    let whole = [&b"user"[..before], secret.as_bytes(), &b":end"[..behind]].concat();
                    let masked = masks.text(&base64(&whole, url, true)).into_owned();
                    let (left, right) = masked.split_once(MASK).expect("it is masked");
                    assert!(left.len() * 6 <= before * 8 && !right.contains(MASK), "{secret:?} {masked}");
                    let right = right.trim_end_matches('=');
                    assert!(right.len() * 6 <= behind * 8 + 5, "{secret:?} {masked}");
                }
            }
        }
    }
}

#[test]
fn a_long_secret_is_masked_in_pieces_wherever_it_was_cut() {
    for secret in [SECRETS[5], SECRETS[7]] {
        let masks = masks(&[secret]);
        for begin in 0..secret.len() - PIECE {
            for end in begin + PIECE..=secret.len() {
                assert_eq!(masks.text(&format!("x<{}>", &secret[begin..end])), "x<***>", "{begin} {end}");
            }
        }
    }
    // `base64` prints lines of 76 characters.
    let masks = masks(&[SECRETS[6]]);
    let whole = base64(format!("x{}", SECRETS[6]).as_bytes(), false, true);
    for line in whole.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap()) {
        let masked = masks.text(line);
        assert!(masked.replace(MASK, "").trim_end_matches('=').len() <= 1, "{line} {masked}");
    }
}

#[test]
fn base64_that_is_wrapped_at_eight_signs_or_more_shows_no_whole_line() {
    for secret in [SECRETS[2], SECRETS[5], SECRETS[6], SECRETS[7]] {
        let masks = masks(&[secret]);
        for before in 0..3 {
            let whole = base64(&[&b"xx"[..before], secret.as_bytes()].concat(), false, true);
            for columns in [10, 8, 11, 16, 20] {
                let lines: Vec<&[u8]> = whole.as_bytes().chunks(columns).collect();
                // The first and the last lines may contain characters of the text around the secret.
                for line in lines.get(1..lines.len().saturating_sub(2)).unwrap_or_default() {
                    let line = std::str::from_utf8(line).unwrap();
                    let left = masks.text(line).replace(MASK, "");
                    assert!(left.len() <= 1, "{columns} {before} {line} {left}");
                }
            }
        }
    }
}

#[test]
fn what_is_left_of_a_secret_beside_a_cut_is_masked() {
    let secret = "hunter2+wörter";
    let masks = masks(&[secret]);
    for cut in (4..secret.len() - 4).filter(|cut| secret.is_char_boundary(*cut)) {
        let (first, last) = secret.split_at(cut);
        assert_eq!(masks.text(&format!("a {first}…")), "a ***…");
        let both = format!("a {first}\n… 12 bytes left out …\n{last} b");
        assert_eq!(masks.text(&both), "a ***\n… 12 bytes left out …\n*** b");
    }
    assert_eq!(masks.text("waiting… hunter… hun…"), "waiting… ***… hun…");
}

#[test]
fn secrets_that_overlap_or_stand_in_each_other_leave_nothing() {
    let masks = masks(&["hunter", "hunter2hunter3", "3abcdef", "bcdefgh"]);
    assert_eq!(masks.text("<hunter2hunter3>"), "<***>", "the longest, not its parts");
    assert_eq!(masks.text("<hunter2>"), "<***2>");
    assert_eq!(masks.text("<hunter2hunter3abcdefgh>"), "<***>");
    assert_eq!(masks.text("hunterhunter and hunte"), "*** and hunte");
}

#[test]
fn a_line_of_many_is_masked_alone_and_what_is_no_secret_is_left_alone() {
    let masks = masks(&[SECRETS[6], "ünï→"]);
    assert_eq!(masks.text("| MzEfYyjiWA4R4/M2bS1GB4t7NXp98C3S"), "| ***");
    for text in ["", "abc", "MzEfYyji", "ünï", "→ünï", "100% \\ + %zz %", "\\u12", "'\\''"] {
        assert_eq!(masks.text(text), text);
    }
    assert_eq!(Masks::default().text("anything"), "anything");
}

#[test]
fn what_stands_around_a_secret_may_be_dropped() {
    let masks = masks(&[" pass\n"]);
    assert_eq!(masks.text("is pass."), "is ***.");
    assert_eq!(masks.text("is cGFzcw== or IHBhc3MK."), "is ***== or ***.");
}

#[test]
fn one_that_is_too_short_is_not_masked_and_said_to_be() {
    let masks = Masks::default();
    assert!(!masks.add(&"abc".into()) && masks.is_empty());
    assert!(!masks.add(&"äöü".into()), "characters are counted, not bytes");
    assert_eq!(masks.text("abc"), "abc");
    assert!(masks.add(&"abcd".into()) && masks.add(&"abcd".into()));
    assert_eq!(masks.in_place("let x = \"abcd\"; abc"), "let x = \"****\"; abc");
    assert_eq!(format!("{masks:?}"), "***");
}

#[test]
fn texts_of_data_are_found_by_the_way_to_them_and_names_are_none() {
    let masks = masks(&["hunter2", "web1"]);
    masks.spare(["web1"]);
    let value = serde_json::json!({ "out": ["x", "a hunter2"], "host": "web1", "a/b": { "~": "on web1" } });
    let found: Vec<String> = masks.within(&value).into_iter().map(|(at, _)| at).collect();
    assert_eq!(found, ["/out/1", "/a~1b/~0"]);
    assert_eq!(value.pointer(&found[1]).unwrap(), "on web1");
}

#[test]
fn a_secret_of_the_same_sign_over_and_over_is_found_in_time() {
    let masks = masks(&[&"a".repeat(60_000)]);
    assert_eq!(masks.text(&"a".repeat(40)), "***");
    assert_eq!(masks.text(&format!("b{}b", "a".repeat(200))), "b***b");
}
