//! Compares the text that a service reports with the release that it should serve.
use super::Expected;
use crate::ledger::number_in;

/// The smallest number of digits that identify a commit.
const SHORT: usize = 7;

/// Returns whether a text names the expected release: by its commit, whole or short, its tag, or its folder.
///
/// A commit may follow the prefix of `git describe`, or a `+` as in semver. A tag may lack the words before its number
/// (`3.0.1` for `v3.0.1`), and a package's version may lack the packager's additions.
pub(super) fn says(said: &str, expected: &Expected) -> bool {
    let said = said.trim();
    let folder = said.rsplit('/').next().unwrap_or(said);
    let commit =
        |id: &str| is_commit(said, id) || behind(said).is_some_and(|c| is_commit(c, id)) || is_folder(folder, id);
    expected.id.as_deref().is_some_and(|id| said == id || commit(id) || is_package(said, id))
        || expected.names.iter().any(|name| is_name(said, name))
}

/// Returns whether a text has the form of a release: of one of those in `expected`, or of any commit.
pub(super) fn could_say(said: &str, expected: &Expected) -> bool {
    let said = said.trim();
    let forms = expected.names.iter().map(String::as_str).chain(expected.id.as_deref());
    let like = |form: &str| shape(form) == shape(said) || number_in(form).map(shape) == Some(shape(said));
    let plain = said.bytes().all(|b| b.is_ascii_alphanumeric() || b"._+~:-".contains(&b));
    let version = plain && number_in(said).is_some();
    names_commit(said) || version || forms.into_iter().any(like)
}

/// Returns whether a text names a commit, no matter which.
pub(super) fn names_commit(said: &str) -> bool {
    let said = said.trim();
    let folder = said.rsplit('/').next().unwrap_or(said);
    is_hex(said) || behind(said).is_some() || folder_of(folder).is_some()
}

/// Replaces each run of digits with `0`.
fn shape(text: &str) -> String {
    let mut shape = String::new();
    for c in text.chars() {
        match c.is_ascii_digit() {
            true if shape.ends_with('0') => {}
            true => shape.push('0'),
            false => shape.push(c),
        }
    }
    shape
}

fn is_hex(text: &str) -> bool {
    text.len() >= SHORT && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// A service may report the whole digest of an archive, of which rfab knows only the first 40 digits.
fn is_commit(text: &str, id: &str) -> bool {
    let both = text.len().min(id.len());
    is_hex(text) && is_hex(id) && text.as_bytes()[..both].eq_ignore_ascii_case(&id.as_bytes()[..both])
}

/// Returns the commit in `v3.0.1-4-g9ab0c1d` (git describe) and `3.0.1+9ab0c1d` (semver).
fn behind(text: &str) -> Option<&str> {
    let described = text.rsplit_once("-g").or_else(|| text.rsplit_once("+g")).or_else(|| text.rsplit_once('+'));
    described.map(|(_, commit)| commit).filter(|commit| is_hex(commit))
}

/// Returns the commit in the name of a release's folder: `0007-9ab0c1d2e3f4`.
fn folder_of(text: &str) -> Option<&str> {
    let (number, short) = text.split_once('-')?;
    let good = number.len() >= 4 && number.bytes().all(|b| b.is_ascii_digit()) && short.len() >= 12 && is_hex(short);
    good.then_some(short)
}

fn is_folder(text: &str, id: &str) -> bool {
    folder_of(text).is_some_and(|short| is_commit(short, id))
}

fn is_name(said: &str, name: &str) -> bool {
    said == name
        || is_commit(said, name)
        || number_in(name).is_some_and(|number| said == number || said == format!("v{number}"))
}

/// Returns whether a text is a package's version, with or without the epoch before the colon and the packager's number
/// after the last dash. A part that sorts before a version (`~rc1`) may have the form of a tag (`-rc1`, `rc1`).
fn is_package(said: &str, version: &str) -> bool {
    if number_in(version).is_none() && !version.contains([':', '-']) {
        return false;
    }
    let bare =
        version.split_once(':').filter(|(epoch, _)| epoch.bytes().all(|b| b.is_ascii_digit())).map(|(_, rest)| rest);
    let upstream = |version: &str| version.rsplit_once('-').map(|(upstream, _)| upstream.to_owned());
    let without = [Some(version), bare].into_iter().flatten();
    let mut forms: Vec<String> = without.flat_map(|v| [Some(v.to_owned()), upstream(v)]).flatten().collect();
    let tagged: Vec<String> = forms.iter().flat_map(|v| [v.replace('~', "-"), v.replace('~', "")]).collect();
    forms.extend(tagged);
    forms.iter().any(|form| said == form || said.strip_prefix('v') == Some(form))
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "9ab0c1d2e3f49ab0c1d2e3f49ab0c1d2e3f49ab0";

    fn expected(id: &str, names: &[&str]) -> Expected {
        Expected { id: Some(id.into()), names: names.iter().map(|name| name.to_string()).collect(), sure: true }
    }

    #[test]
    fn a_release_is_named_by_its_commit_its_tags_or_its_folder_and_by_nothing_else() {
        let expected = expected(COMMIT, &["v3.0.1", "nightly", "shop-3.0.1"]);
        for good in [
            COMMIT,
            "9ab0c1d",
            "9AB0C1D2E3F4",
            " 9ab0c1d2e3f4\n",
            "v3.0.1",
            "3.0.1",
            "nightly",
            "shop-3.0.1",
            "v3.0.0-4-g9ab0c1d",
            "3.0.1+9ab0c1d",
            "3.0.1.dev4+g9ab0c1d",
            "0007-9ab0c1d2e3f4",
            "/srv/shop/releases/0007-9ab0c1d2e3f4",
        ] {
            assert!(says(good, &expected), "{good}");
            assert!(could_say(good, &expected), "{good}");
        }
        for bad in [
            "",
            "9ab0c1",
            "9ab0c1e",
            "v3.0.0",
            "3.0",
            "v3",
            "13.0.1",
            "3.0.1-rc.1",
            "v3.0.0-4-g9ab0c1e",
            "v3.0.0-4-g9ab0c1d-dirty",
            "0007-9ab0c1d2e3f5",
            "0007-9ab0",
            "7-9ab0c1d2e3f4",
            "ok",
        ] {
            assert!(!says(bad, &expected), "{bad}");
        }
        assert!(!says("v3.0.1", &Expected { names: vec![], ..expected.clone() }));
        assert!(!says("", &Expected::default()));
    }

    #[test]
    fn an_archive_is_named_by_its_version_or_its_digest() {
        let digest = format!("{COMMIT}112233445566778899aabbcc");
        let expected = expected(COMMIT, &["3.0.1", &digest]);
        for good in [&digest, &digest[..12], "3.0.1", "v3.0.1"] {
            assert!(says(good, &expected), "{good}");
        }
        assert!(!says(&digest.replace("11", "12"), &Expected { id: None, ..expected }));
    }

    #[test]
    fn a_package_is_named_with_or_without_what_the_packager_put_around_it() {
        for (version, good, bad) in [
            ("3.0.1-1", &["3.0.1-1", "3.0.1", "v3.0.1"][..], &["3.0.1-2", "3.0", "1"][..]),
            ("1:3.0.1-1", &["1:3.0.1-1", "3.0.1-1", "1:3.0.1", "3.0.1"], &["2:3.0.1-1", "1"]),
            ("3.0.1~rc1-1", &["3.0.1~rc1-1", "3.0.1~rc1", "3.0.1-rc1", "3.0.1rc1"], &["3.0.1"]),
            ("3.0.1+dfsg-1", &["3.0.1+dfsg"], &["3.0.1", "dfsg"]),
            ("3.0.1-rc1-1", &["3.0.1-rc1"], &["3.0.1"]),
            ("20241129-1", &["20241129", "20241129-1"], &["20241128"]),
        ] {
            good.iter().for_each(|said| assert!(says(said, &expected(version, &[])), "{version}: {said}"));
            bad.iter().for_each(|said| assert!(!says(said, &expected(version, &[])), "{version}: {said}"));
        }
    }

    #[test]
    fn what_could_be_another_release_is_told_from_what_could_be_none() {
        let expected = expected(COMMIT, &["build-4711"]);
        for could in ["build-4712", "aaaaaaa", "v2.0.0", "2.0.0", "0006-aaaaaaaaaaaa", "1:2.0.0-1"] {
            assert!(could_say(could, &expected), "{could}");
        }
        for never in ["", "ok", "healthy", "opensky.version = 3.0.1", "4711", "main", "unknown"] {
            assert!(!could_say(never, &expected), "{never}");
        }
        for around in ["version=3.0.1", "{\"version\":\"3.0.1\"}", "nginx/1.25.3", "<p>3.0.1</p>"] {
            assert!(!could_say(around, &expected), "{around}");
        }
    }
}
