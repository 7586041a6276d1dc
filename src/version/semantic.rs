//! The order of versions, and the next one.
use super::VersionError;
use semver::{BuildMetadata, Prerelease, Version};
use std::cmp::Ordering;

/// Compares two versions by the precedence of semantic versions, which ignores build metadata. A `v` before one doesn't
/// count.
pub fn compare(one: &str, other: &str) -> Result<Ordering, VersionError> {
    Ok(read(one)?.cmp_precedence(&read(other)?))
}

/// Returns the version that follows one: `part` is `major`, `minor` or `patch`.
///
/// What follows a pre-release is its own version, if that is such a step already: after `2.0.0-rc.1` comes `2.0.0`.
pub fn next(version: &str, part: &str) -> Result<String, VersionError> {
    let Version { major, minor, patch, pre, .. } = read(version)?;
    let before = !pre.is_empty();
    let (major, minor, patch) = match part {
        "major" if before && (minor, patch) == (0, 0) => (major, 0, 0),
        "major" => (major.saturating_add(1), 0, 0),
        "minor" if before && patch == 0 => (major, minor, 0),
        "minor" => (major, minor.saturating_add(1), 0),
        "patch" if before => (major, minor, patch),
        "patch" => (major, minor, patch.saturating_add(1)),
        _ => return Err(VersionError::BadPart(part.to_owned())),
    };
    Ok(Version { major, minor, patch, pre: Prerelease::EMPTY, build: BuildMetadata::EMPTY }.to_string())
}

fn read(text: &str) -> Result<Version, VersionError> {
    let plain = text.strip_prefix('v').unwrap_or(text);
    Version::parse(plain).map_err(|_| VersionError::NotSemantic(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_as_semver_orders_them() {
        let ascending = ["0.9.9", "1.0.0-alpha", "1.0.0-alpha.2", "1.0.0-rc.1", "v1.0.0", "1.0.1", "1.9.0", "1.10.0"];
        for pair in ascending.windows(2) {
            assert_eq!(compare(pair[0], pair[1]), Ok(Ordering::Less), "{pair:?}");
            assert_eq!(compare(pair[1], pair[0]), Ok(Ordering::Greater), "{pair:?}");
        }
        assert_eq!(compare("1.0.0+a", "v1.0.0+b"), Ok(Ordering::Equal));
        for bad in ["", "1.2", "1.2.3.4", "01.2.3", "vv1.2.3", "latest", " 1.2.3"] {
            assert_eq!(compare(bad, "1.0.0"), Err(VersionError::NotSemantic(bad.into())));
        }
    }

    #[test]
    fn the_next_version_is_one_step_on() {
        let after = |version: &str| ["patch", "minor", "major"].map(|part| next(version, part).unwrap());
        assert_eq!(after("v3.0.1"), ["3.0.2", "3.1.0", "4.0.0"]);
        assert_eq!(after("0.9.9+b"), ["0.9.10", "0.10.0", "1.0.0"]);
        assert_eq!(after("2.0.0-rc.1"), ["2.0.0", "2.0.0", "2.0.0"]);
        assert_eq!(after("2.1.1-rc.1"), ["2.1.1", "2.2.0", "3.0.0"]);
        assert_eq!(next("1.0.0", "pach"), Err(VersionError::BadPart("pach".into())));
    }
}
