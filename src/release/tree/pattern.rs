//! The patterns of `.gitattributes`, matched in a time that no pattern can stretch.
//!
//! `gix-glob` has the same rules, but as in git some patterns take it minutes for a path, and it gives up on those with
//! more than 64 stars. `globset` has other rules: braces mean something, `[[:digit:]]` doesn't, and a pattern is UTF-8.

/// Returns whether a pattern matches a path, like git's `wildmatch` with the rule that only `/` matches `/`.
pub(super) fn matches(pattern: &[u8], text: &[u8]) -> bool {
    // Git compares what stands before the first wildcard, and matches the rest as a pattern of its own.
    let wild = pattern.iter().position(|byte| b"*?[\\".contains(byte)).unwrap_or(pattern.len());
    let (before, pattern) = pattern.split_at(wild);
    let Some(text) = text.strip_prefix(before) else { return false };
    // Each pair is tried only once, so that stars can't make the match slow.
    let mut tried = vec![false; (pattern.len() + 1) * (text.len() + 1)];
    Match { pattern, text, tried: &mut tried }.from(0, 0)
}

struct Match<'a> {
    pattern: &'a [u8],
    text: &'a [u8],
    tried: &'a mut [bool],
}

impl Match<'_> {
    fn from(&mut self, mut p: usize, mut t: usize) -> bool {
        let tried = &mut self.tried[p * (self.text.len() + 1) + t];
        if std::mem::replace(tried, true) {
            return false;
        }
        while let Some(&wanted) = self.pattern.get(p) {
            if wanted == b'*' {
                return self.star(p, t);
            }
            let Some(&found) = self.text.get(t) else { return false };
            match wanted {
                b'?' if found != b'/' => p += 1,
                b'?' => return false,
                b'[' => match class(&self.pattern[p..], found) {
                    Some((true, length)) if found != b'/' => p += length,
                    _ => return false,
                },
                b'\\' => {
                    if self.pattern.get(p + 1) != Some(&found) {
                        return false;
                    }
                    p += 2;
                }
                literal if literal == found => p += 1,
                _ => return false,
            }
            t += 1;
        }
        t == self.text.len()
    }

    fn star(&mut self, p: usize, t: usize) -> bool {
        let mut after = p;
        while self.pattern.get(after) == Some(&b'*') {
            after += 1;
        }
        let ends = matches!(self.pattern[after..], [] | [b'/', ..] | [b'\\', b'/', ..]);
        let alone = (p == 0 || self.pattern[p - 1] == b'/') && ends;
        let across = after - p > 1 && alone;
        // `**/` may match nothing.
        if across && self.pattern.get(after) == Some(&b'/') && self.from(after + 1, t) {
            return true;
        }
        for end in t..=self.text.len() {
            if self.from(after, end) {
                return true;
            }
            if !across && self.text.get(end) == Some(&b'/') {
                return false;
            }
        }
        false
    }
}

/// Returns whether a class such as `[a-z]` matches a byte, and the class's length; `None` if it isn't closed.
fn class(pattern: &[u8], found: u8) -> Option<(bool, usize)> {
    let mut at = 1;
    let negated = matches!(pattern.get(at), Some(b'!' | b'^'));
    at += usize::from(negated);
    let (mut taken, mut before, first) = (false, None, at);
    loop {
        let byte = *pattern.get(at)?;
        if byte == b']' && at > first {
            return Some((taken != negated, at + 1));
        }
        if byte == b'[' && pattern.get(at + 1) == Some(&b':') {
            let rest = &pattern[at + 2..];
            let end = rest.iter().position(|b| *b == b']')?;
            // Without `:]`, the bracket is an ordinary character.
            if let Some(name) = rest[..end].strip_suffix(b":") {
                taken |= named(name, found)?;
                (before, at) = (None, at + 2 + end + 1);
                continue;
            }
        }
        let ranged = byte == b'-' && before.is_some() && !matches!(pattern.get(at + 1), None | Some(b']'));
        if ranged {
            at += 1;
        }
        let literal = if pattern[at] == b'\\' {
            at += 1;
            *pattern.get(at)?
        } else {
            pattern[at]
        };
        match before {
            Some(low) if ranged => {
                taken |= (low..=literal).contains(&found);
                before = None;
            }
            _ => {
                taken |= literal == found;
                before = Some(literal);
            }
        }
        at += 1;
    }
}

fn named(name: &[u8], found: u8) -> Option<bool> {
    Some(match name {
        b"alnum" => found.is_ascii_alphanumeric(),
        b"alpha" => found.is_ascii_alphabetic(),
        b"blank" => matches!(found, b' ' | b'\t'),
        b"cntrl" => found.is_ascii_control(),
        b"digit" => found.is_ascii_digit(),
        b"graph" => found.is_ascii_graphic(),
        b"lower" => found.is_ascii_lowercase(),
        b"print" => found.is_ascii_graphic() || found == b' ',
        b"punct" => found.is_ascii_punctuation(),
        b"space" => found.is_ascii_whitespace() || found == 0x0b,
        b"upper" => found.is_ascii_uppercase(),
        b"xdigit" => found.is_ascii_hexdigit(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stop_at_slashes_unless_they_are_two() {
        for (pattern, text, taken) in [
            ("a*c", "abc", true),
            ("a*c", "a/c", false),
            ("**/c", "c", true),
            ("**/c", "a/b/c", true),
            ("a/**", "a/b/c", true),
            ("a/**/c", "a/c", true),
            ("a/**/c", "a/x/y/c", true),
            ("a**c", "a/c", false),
            ("a/*", "a/b/c", false),
            ("[a-c]?", "b/", false),
            ("[!a-c]", "d", true),
            ("a**/c", "ab/x/c", true),
            ("a**", "ab/x", true),
            ("**\\/c", "a/b/c", true),
            ("**\\/c", "c", false),
            ("[[:digit:]x]", "7", true),
            ("[]]", "]", true),
            ("[a", "a", false),
            ("\\*", "*", true),
            ("\\*", "a", false),
        ] {
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes()), taken, "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_are_not_slow() {
        // The time of other threads doesn't count.
        let spent = || rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime).tv_sec;
        let begun = spent();
        assert!(!matches("*a".repeat(40).as_bytes(), "a".repeat(2000).replace("aaaa", "aaab").as_bytes()));
        for piece in ["**/", "**/?/", "**/*/", "**/[a]/"] {
            assert!(!matches((piece.repeat(100) + "x").as_bytes(), ("a/".repeat(200) + "y").as_bytes()), "{piece}");
        }
        assert!(spent() - begun < 5);
    }
}
