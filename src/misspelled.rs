//! The names that somebody may have meant by a misspelled one.
//!
//! One rule holds everywhere. Case doesn't count, nor which of `.`, `-`, `/` and `_` stands in a name, nor a number's
//! leading zeros. A name is near if few slips lie between it and the word: at most a third of the longer one's letters,
//! and fewer than the shorter one has. The nearest comes first. Of names that are equally near, those of the same
//! letters come first, and then the alphabet decides.

/// The most names that are offered.
const MOST: usize = 3;

/// The longest name that anything is near to.
const LONGEST: usize = 200;

/// Finds the name that `word` is a slip of. A number tells names apart: `web1` is near `web01`, but not `web7`.
pub fn nearest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    sorted(word, names, |name| slips(word, name)).first().map(|(_, name)| *name)
}

/// Asks whether the [`nearest`] name was meant.
pub fn did_you_mean<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<String> {
    question(nearest(word, names).as_slice())
}

/// Finds up to three names made of parts, such as `proxy.flip` or `v3.0.1`, the nearest first.
///
/// The first or the last part stands for the whole name. A number is a part like others: `v3.0.2` is near `v3.0.1`.
pub fn near_in_parts<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let typed = flat(word);
    let near = sorted(word, names, |name| {
        let name = flat(name);
        if is_part(&typed, &name) { Some(1) } else { distance(&typed, &name) }
    });
    // What is much further away than the nearest was not meant.
    let least = near.first().map_or(0, |(slips, _)| *slips);
    near.into_iter().take(MOST).filter(|(slips, _)| *slips <= least + 1).map(|(_, name)| name).collect()
}

/// Asks whether one of some names was meant; `None` without a name.
pub fn question(names: &[&str]) -> Option<String> {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let (last, others) = names.split_last()?;
    let names = if others.is_empty() { last.clone() } else { format!("{} or {last}", others.join(", ")) };
    Some(format!("did you mean {names}?"))
}

/// Counts the slips between a word and a name; `None` if they are too many, or another number tells the two apart.
pub fn slips(word: &str, name: &str) -> Option<usize> {
    let word = flat(word);
    let name = flat(name);
    let one = unpadded(&word);
    let other = unpadded(&name);
    if one != other && unnumbered(&one) == unnumbered(&other) { None } else { distance(&word, &name) }
}

/// The names that are near, with their slips, the nearest first.
fn sorted<'a>(
    word: &str,
    names: impl IntoIterator<Item = &'a str>,
    slips: impl Fn(&str) -> Option<usize>,
) -> Vec<(usize, &'a str)> {
    let mut near: Vec<(usize, &str)> = names.into_iter().filter_map(|name| Some((slips(name)?, name))).collect();
    let typed = letters(word);
    near.sort_by_cached_key(|(slips, name)| (*slips, letters(name) != typed, *name));
    near.dedup();
    near
}

/// What a name is made of, in whatever order.
fn letters(name: &str) -> Vec<char> {
    let mut letters: Vec<char> = flat(name).chars().collect();
    letters.sort_unstable();
    letters
}

/// A letter too many, too few, another one, or two that changed places: each is a slip.
fn distance(word: &str, name: &str) -> Option<usize> {
    let one = word.chars().count();
    let other = name.chars().count();
    let most = (one.max(other) / 3).max(1);
    let same = unpadded(word) == unpadded(name);
    if !same && (one.max(other) > LONGEST || one.abs_diff(other) > most) {
        return None;
    }
    let slips = if same { 0 } else { strsim::osa_distance(word, name) };
    (slips <= most && slips < one.min(other)).then_some(slips)
}

/// Whether a word is the first or the last part of a name, and not all of it.
fn is_part(word: &str, name: &str) -> bool {
    let rest = name.strip_prefix(word).is_some_and(|rest| rest.starts_with('_'));
    !word.is_empty() && (rest || name.strip_suffix(word).is_some_and(|rest| rest.ends_with('_')))
}

/// A name as it is compared.
fn flat(name: &str) -> String {
    name.to_lowercase().replace(['.', '-', '/'], "_")
}

/// Drops the leading zeros of each number.
fn unpadded(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let in_number = out.ends_with(|c: char| c.is_ascii_digit());
        let padding = c == '0' && !in_number && chars.peek().is_some_and(char::is_ascii_digit);
        if !padding {
            out.push(c);
        }
    }
    out
}

/// Puts one `0` for each number.
fn unnumbered(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c.is_ascii_digit() {
            true if out.ends_with('0') => {}
            true => out.push('0'),
            false => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_found_and_anything_else_is_not() {
        let keys = ["keep", "linked", "path", "service", "web", "web01", "web10"];
        for (word, found) in [
            ("kep", Some("keep")),
            ("lniked", Some("linked")),
            ("Path", Some("path")),
            ("servcie", Some("service")),
            ("srvce", Some("service")),
            ("web1", Some("web01")),
            ("web010", Some("web10")),
            ("web00000010", Some("web10")),
            ("wbe10", Some("web10")),
            ("web07", None),
            ("w", None),
            ("x", None),
            ("depth", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, keys), found, "{word}");
        }
        assert_eq!(did_you_mean("kep", keys).as_deref(), Some("did you mean `keep`?"));
        assert_eq!(did_you_mean("depth", keys), None);
        assert_eq!(nearest("tok", ["took", "tool", "toks"]), Some("toks"), "the first by the alphabet");
        assert_eq!(nearest("iu", ["id", "ui"]), Some("ui"), "the one of the same letters");
        assert_eq!(nearest(&"x".repeat(201), [&*"x".repeat(202)]), None);
    }

    #[test]
    fn only_what_is_like_a_word_is_offered_and_the_nearest_first() {
        let names = ["deploy", "prod", "proxy.flip", "proxy_all"];
        let of_parts = |word: &str| near_in_parts(word, names).first().copied();
        let whole = |word: &str| nearest(word, names);
        for best in [&whole as &dyn Fn(&str) -> _, &of_parts] {
            assert_eq!(best("depoly"), Some("deploy"));
            assert_eq!(best("Deploy"), Some("deploy"));
            assert_eq!(best("prdo"), Some("prod"));
            assert_eq!(best("proxy-flop"), Some("proxy.flip"));
            assert_eq!(best("prxy.al"), Some("proxy_all"));
            assert_eq!(best("stable"), None);
            assert_eq!(best("x"), None);
            assert_eq!(best(""), None);
        }
        assert_eq!(near_in_parts("tol", ["tool", "told", "toll", "toil"]), ["toil", "told", "toll"]);
        assert_eq!(near_in_parts("deplox", ["deploy", "deplore", "deploy"]), ["deploy", "deplore"]);
        assert_eq!(near_in_parts("deploxxx", ["deployer", "deplore", "depl0xx"]), ["depl0xx"]);
    }

    #[test]
    fn the_first_and_the_last_part_of_a_name_are_like_it() {
        for (word, name, near) in [
            ("flip", "proxy.flip", true),
            ("flip", "proxy_flip", true),
            ("proxy", "proxy_flip", true),
            ("login", "feature/login", true),
            ("v3", "v3.0.1", true),
            ("pro", "proxy_flip", false),
            ("flop", "proxy.flip", false),
        ] {
            assert_eq!(near_in_parts(word, [name]) == [name], near, "{word}");
            assert_eq!(nearest(word, [name]), None, "{word}");
        }
        assert_eq!(near_in_parts("web7", ["web1", "web8"]), ["web1", "web8"]);
    }

    #[test]
    fn the_question_names_all_that_it_is_given() {
        assert_eq!(question(&[]), None);
        assert_eq!(question(&["a"]).unwrap(), "did you mean `a`?");
        assert_eq!(question(&["a", "b", "c"]).unwrap(), "did you mean `a`, `b` or `c`?");
    }
}
