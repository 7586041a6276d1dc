//! The names of branches and tags.
use super::{GitError, visible::visible};
use crate::{
    fleet::{TagPattern, VersionNumbers},
    misspelled::near_in_parts,
};
use semver::Version;
use serde::{Deserialize, Serialize};

/// A branch or a tag, and the commit that it leads to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NamedCommit {
    pub name: String,
    /// 40 hex digits, or 64 with sha256.
    pub commit: String,
}

/// All branches and tags, by name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReferenceNames {
    pub branches: Vec<NamedCommit>,
    /// Annotated tags are peeled. Tags of anything other than a commit are left out.
    pub tags: Vec<NamedCommit>,
}

impl ReferenceNames {
    /// Returns the newest stable tag: the highest one that matches the pattern and isn't a pre-release.
    ///
    /// Without a pattern, `vX.Y.Z` and `X.Y.Z` match. Fails with `Ambiguous` if two tags of one version, such as
    /// `v1.2.3` and `1.2.3`, name different commits.
    pub fn stable(&self, tags: Option<&TagPattern>) -> Result<Option<&NamedCommit>, GitError> {
        let of = |tag: &NamedCommit| stable(&tag.name, tags);
        let Some((version, best)) =
            self.tags.iter().filter_map(|tag| Some((of(tag)?, tag))).max_by(|a, b| a.0.cmp(&b.0))
        else {
            return Ok(None);
        };
        let twins: Vec<&NamedCommit> = self.tags.iter().filter(|tag| of(tag).as_ref() == Some(&version)).collect();
        if twins.iter().any(|twin| twin.commit != best.commit) {
            let meanings = twins.iter().map(|twin| format!("tag `{}` is {}", twin.name, twin.commit)).collect();
            return Err(GitError::Ambiguous { reference: "stable".to_owned(), meanings });
        }
        Ok(Some(best))
    }

    /// Builds the error of a repository without a stable tag.
    pub fn no_stable(&self, tags: Option<&TagPattern>) -> GitError {
        let Some(pattern) = tags else { return GitError::NoStable { tags: self.tags.len() } };
        let text = pattern.as_str();
        let early = self.newest_first(tags).into_iter().filter(|tag| pattern.version(&tag.name).is_some());
        let mut near: Vec<String> = early.take(3).map(|tag| visible(&tag.name)).collect();
        if near.is_empty() {
            let alike = |tag: &NamedCommit| tag.name.bytes().zip(text.bytes()).take_while(|(a, b)| a == b).count();
            let mut named: Vec<(usize, &str)> = self.tags.iter().map(|tag| (alike(tag), &*tag.name)).collect();
            named.retain(|(alike, _)| *alike > 0);
            named.sort_by_key(|(alike, _)| std::cmp::Reverse(*alike));
            near = named.into_iter().take(3).map(|(_, name)| visible(name)).collect();
        }
        GitError::NoStableOf { pattern: visible(text), tags: self.tags.len(), near }
    }

    /// Lists the tags from the highest version to the lowest, then those that aren't versions or don't match.
    pub fn newest_first(&self, tags: Option<&TagPattern>) -> Vec<&NamedCommit> {
        let mut all: Vec<&NamedCommit> = self.tags.iter().collect();
        match tags {
            Some(tags) => all.sort_by_cached_key(|tag| std::cmp::Reverse(tags.order(&tag.name))),
            None => all.sort_by_cached_key(|tag| std::cmp::Reverse(semantic(&tag.name))),
        }
        all
    }

    /// Finds a branch by its name.
    pub(super) fn branch(&self, name: &str) -> Option<&NamedCommit> {
        self.branches.iter().find(|branch| branch.name == name)
    }

    /// Finds a tag by its name.
    pub(super) fn tag(&self, name: &str) -> Option<&NamedCommit> {
        self.tags.iter().find(|tag| tag.name == name)
    }

    /// Returns a commit's tag: the highest stable one, otherwise the first by name that matches the pattern.
    pub(super) fn tag_of(&self, commit: &str, tags: Option<&TagPattern>) -> Option<&NamedCommit> {
        let fits = |tag: &&NamedCommit| tags.is_none_or(|tags| tags.version(&tag.name).is_some());
        let mine = || self.tags.iter().filter(|tag| tag.commit == commit).filter(fits);
        let version = |tag: &NamedCommit| stable(&tag.name, tags);
        mine().filter(|tag| version(tag).is_some()).max_by_key(|tag| version(tag)).or_else(|| mine().next())
    }

    /// Gives the names nearest to a text, best first.
    pub(super) fn near(&self, text: &str) -> Vec<String> {
        let all = self.tags.iter().chain(&self.branches).map(|named| named.name.as_str()).chain(["stable"]);
        near_in_parts(text, all).into_iter().map(visible).collect()
    }
}

/// Returns the numbers of a stable release's tag.
pub(super) fn stable(name: &str, tags: Option<&TagPattern>) -> Option<VersionNumbers> {
    let Some(tags) = tags else {
        let version = semantic(name).filter(|version| version.pre.is_empty() && version.build.is_empty())?;
        return Some(vec![version.major, version.minor, version.patch]);
    };
    tags.stable(name)
}

/// Returns the version in a tag's name, such as `1.2.3` in `v1.2.3`; `None` if the tag isn't a release's.
///
/// Pre-releases are releases, too.
pub fn version_in<'a>(name: &'a str, tags: Option<&TagPattern>) -> Option<&'a str> {
    match tags {
        Some(tags) => tags.version(name),
        None => semantic(name).map(|_| name.strip_prefix('v').unwrap_or(name)),
    }
}

fn semantic(name: &str) -> Option<Version> {
    Version::parse(name.strip_prefix('v').unwrap_or(name)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(names: &[(&str, &str)]) -> ReferenceNames {
        let tags = names.iter().map(|(n, c)| NamedCommit { name: n.to_string(), commit: c.to_string() }).collect();
        ReferenceNames { branches: Vec::new(), tags }
    }

    #[test]
    fn stable_is_the_highest_version_and_no_prerelease() {
        let all = ["v9.0.0-rc.1", "v3.0.1", "v3.0.0", "2.10.0", "v2.9.9", "v10", "v10.0", "vv99.0.0", "v4.0.0+b", "x"];
        let all: Vec<_> = all.iter().map(|name| (*name, "c")).collect();
        assert_eq!(tags(&all).stable(None).unwrap().unwrap().name, "v3.0.1");
        assert_eq!(tags(&[("v10.0.0", "a"), ("v9.9.9", "b")]).stable(None).unwrap().unwrap().name, "v10.0.0");
        assert_eq!(tags(&[("v1.0.0-beta", "a")]).stable(None), Ok(None));
    }

    #[test]
    fn one_version_under_two_tags_must_be_one_commit() {
        assert!(tags(&[("v1.0.0", "a"), ("1.0.0", "a")]).stable(None).unwrap().is_some());
        assert_eq!(
            tags(&[("1.0.0", "b"), ("v1.0.0", "a")]).stable(None),
            Err(GitError::Ambiguous {
                reference: "stable".into(),
                meanings: vec!["tag `1.0.0` is b".into(), "tag `v1.0.0` is a".into()]
            })
        );
    }

    #[test]
    fn each_app_has_its_own_newest_tag_and_its_own_name_for_a_commit() {
        let all = tags(&[
            ("api-v9.0.0", "b"),
            ("nightly", "b"),
            ("shop-v1.2.0", "a"),
            ("shop-v1.3.0-rc.1", "b"),
            ("v5.0.0", "c"),
        ]);
        let pattern = |text: &str| TagPattern::of(text).unwrap();
        let newest = |text: &str| all.stable(Some(&pattern(text))).unwrap().map(|tag| &*tag.name);
        assert_eq!(
            [newest("shop-v*"), newest("api-v*"), newest("web-v*")],
            [Some("shop-v1.2.0"), Some("api-v9.0.0"), None]
        );
        assert_eq!(all.stable(None).unwrap().map(|tag| &*tag.name), Some("v5.0.0"));
        let called = |text: &str| all.tag_of("b", Some(&pattern(text))).map(|tag| &*tag.name);
        assert_eq!(
            [called("shop-v*"), called("api-v*"), called("web-v*")],
            [Some("shop-v1.3.0-rc.1"), Some("api-v9.0.0"), None]
        );
        let first = |text: &str| all.newest_first(Some(&pattern(text)))[0].name.clone();
        assert_eq!([first("shop-v*"), first("api-v*")], ["shop-v1.3.0-rc.1", "api-v9.0.0"]);
        assert_eq!(version_in("shop-v1.3.0-rc.1", Some(&pattern("shop-v*"))), Some("1.3.0-rc.1"));
        assert_eq!([version_in("v1.2.3", None), version_in("shop-v1.2.3", None)], [Some("1.2.3"), None]);
    }

    #[test]
    fn a_pattern_that_no_tag_matches_names_what_is_near_it() {
        let said = |names: &[&str], text: &str| {
            let all: Vec<_> = names.iter().map(|name| (*name, "c")).collect();
            tags(&all).no_stable(Some(&TagPattern::of(text).unwrap())).to_string()
        };
        assert_eq!(
            said(&["shop-v1.0.0-rc.1", "v1.0.0"], "shop-v*"),
            "no stable tag matches `shop-v*` among 2 tags; similar: `shop-v1.0.0-rc.1`"
        );
        assert_eq!(
            said(&["shop-v1.0.0", "x"], "shop-*"),
            "no stable tag matches `shop-*` among 2 tags; similar: `shop-v1.0.0`"
        );
        assert_eq!(said(&[], "shop-*"), "no stable tag matches `shop-*` among 0 tags");
    }

    #[test]
    fn near_names_come_best_first() {
        let names = tags(&[("v3.0.1", "a"), ("v3.0.0", "a"), ("nightly", "a"), ("v2.0.0", "a")]);
        assert_eq!(names.near("v3.0.2")[..2], ["v3.0.0", "v3.0.1"]);
        assert_eq!(names.near("stabel"), ["stable"]);
        assert!(names.near("zzz").is_empty());
    }
}
