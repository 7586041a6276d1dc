//! A text as a decoder would see it: with percent signs, backslashes and a shell's quotes decoded.

/// The bytes of a decoded string, and the position in the original that each came from.
#[derive(Clone, Debug)]
pub(super) struct View {
    pub bytes: Vec<u8>,
    from: Vec<(u32, u32)>,
}

/// The length of the code at the start of a text, and its meaning; none if there is no code.
type Decoded = Option<(usize, Vec<u8>)>;

impl View {
    /// Returns the text unchanged.
    fn of(text: &str) -> View {
        View { bytes: text.as_bytes().to_vec(), from: (0..text.len() as u32).map(|at| (at, at + 1)).collect() }
    }

    /// Returns the range in the text that a part of the view came from.
    pub(super) fn origin(&self, begin: usize, end: usize) -> (usize, usize) {
        (self.from[begin].0 as usize, self.from[end - 1].1 as usize)
    }

    fn each(&self, all: &[Decode], show: &mut dyn FnMut(&View)) {
        let Some((decode, rest)) = all.split_first() else { return show(self) };
        self.each(rest, show);
        if let Some(decoded) = self.decoded(*decode) {
            decoded.each(rest, show);
        }
    }

    /// Returns the view decoded once more; none if there is nothing to decode.
    fn decoded(&self, decode: Decode) -> Option<View> {
        let mut view = View { bytes: Vec::with_capacity(self.bytes.len()), from: Vec::with_capacity(self.from.len()) };
        let (mut at, mut changed) = (0, false);
        while at < self.bytes.len() {
            let (taken, stands_for) = match decode(&self.bytes[at..]) {
                Some(found) => found,
                None => (1, vec![self.bytes[at]]),
            };
            changed |= taken > 1 || stands_for != self.bytes[at..=at];
            let from = (self.from[at].0, self.from[at + taken - 1].1);
            view.from.extend(stands_for.iter().map(|_| from));
            view.bytes.extend(stands_for);
            at += taken;
        }
        changed.then_some(view)
    }
}

type Decode = fn(&[u8]) -> Decoded;

/// The decoders in order; each is applied or not. `+` comes before `%`, so that an encoded plus stays a plus.
const ALL: [(u8, Decode); 6] =
    [(b'\\', quote), (b'\\', backslash), (b'\\', backslash), (b'+', plus), (b'%', percent), (b'%', percent)];

/// Shows the text and every decoding of it, even one decoded twice; only a few views of a long text exist at a time.
pub(super) fn each(text: &str, show: &mut dyn FnMut(&View)) {
    let useful: Vec<Decode> =
        ALL.into_iter().filter(|(sign, _)| text.as_bytes().contains(sign)).map(|(_, decode)| decode).collect();
    View::of(text).each(&useful, show);
}

/// Decodes `%2F`, as in a URL.
fn percent(text: &[u8]) -> Decoded {
    let digits = text.strip_prefix(b"%")?.get(..2)?;
    Some((3, vec![u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?]))
}

/// Decodes `+` as a space, as in a form.
fn plus(text: &[u8]) -> Decoded {
    (text[0] == b'+').then(|| (1, vec![b' ']))
}

/// Decodes `\n` and `\u00e4`, as in JSON; `\163` and `\x73`, as programs print bytes that aren't text; any other
/// character after a backslash is itself, as in a shell.
fn backslash(text: &[u8]) -> Decoded {
    let behind = text.strip_prefix(b"\\")?;
    let sign = *behind.first()?;
    if let Some(octal) = octal(behind) {
        return Some(octal);
    }
    let byte = match sign {
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'b' => 8,
        b'f' => 12,
        b'u' => return unicode(text),
        b'x' => {
            let digits = std::str::from_utf8(text.get(2..4)?).ok()?;
            return Some((4, vec![u8::from_str_radix(digits, 16).ok()?]));
        }
        sign => sign,
    };
    Some((2, vec![byte]))
}

/// Decodes `\163` as in C, or `\0163` as in `echo` and `printf %b`.
fn octal(behind: &[u8]) -> Decoded {
    let most = if behind.first() == Some(&b'0') { 4 } else { 3 };
    let digits = behind.iter().take(most).take_while(|sign| (b'0'..b'8').contains(*sign)).count();
    let value = behind[..digits].iter().fold(0_u32, |value, digit| value * 8 + u32::from(digit - b'0'));
    (digits >= 3).then(|| Some((digits + 1, vec![u8::try_from(value).ok()?])))?
}

/// Decodes `\u00e4`, or two such codes for a character above U+FFFF.
fn unicode(text: &[u8]) -> Decoded {
    let unit = |text: &[u8]| {
        let digits = text.strip_prefix(b"\\u")?.get(..4)?;
        u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let first = unit(text)?;
    let all = if (0xd800..0xdc00).contains(&first) { vec![first, unit(text.get(6..)?)?] } else { vec![first] };
    Some((all.len() * 6, String::from_utf16(&all).ok()?.into_bytes()))
}

/// Decodes `'\''`, a quote inside a shell's quotes.
fn quote(text: &[u8]) -> Decoded {
    text.starts_with(b"'\\''").then(|| (4, vec![b'\'']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_seen_as_it_is_and_decoded_and_each_byte_knows_where_it_came_from() {
        let of = |text: &str| -> Vec<View> {
            let mut all = Vec::new();
            each(text, &mut |view| all.push(view.clone()));
            all
        };
        let seen = |text: &str| -> Vec<String> {
            let all = of(text);
            let mut all: Vec<String> = all.iter().map(|view| String::from_utf8_lossy(&view.bytes).into()).collect();
            all.dedup();
            all
        };
        assert_eq!(seen("plain"), ["plain"]);
        assert_eq!(seen("a%2fb%C3%a4 100%"), ["a%2fb%C3%a4 100%", "a/bä 100%"]);
        assert_eq!(seen("a+b"), ["a+b", "a b"]);
        assert!(seen("a%252Fb").contains(&"a/b".to_owned()), "twice");
        assert!(seen(r#"\"a\\\n\u00e4\ud83d\ude00\u12"#).contains(&"\"a\\\nä😀\\u12".to_owned()));
        assert!(seen(r#"{\"a\":\"x\\\"y\"}"#).contains(&"{\"a\":\"x\"y\"}".to_owned()), "twice");
        assert!(seen(r"'it'\''s'").contains(&"'it's'".to_owned()));
        let view = of("x%C3%a4y").pop().unwrap();
        assert_eq!((view.origin(0, 1), view.origin(1, 3), view.origin(3, 4)), ((0, 1), (1, 7), (7, 8)));
    }
}
