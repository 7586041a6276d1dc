//! The names of branches and tags.
use super::{GitError, visible::visible};
use crate::misspelled::near_in_parts;
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
    /// Returns the highest `vX.Y.Z` or `X.Y.Z` by semver that isn't a pre-release.
    ///
    /// Fails with `Ambiguous` if `v1.2.3` and `1.2.3` name different commits.
    pub fn stable(&self) -> Result<Option<&NamedCommit>, GitError> {
        let Some((version, best)) =
            self.tags.iter().filter_map(|tag| Some((stable(&tag.name)?, tag))).max_by(|a, b| a.0.cmp(&b.0))
        else {
            return Ok(None);
        };
        let twins: Vec<&NamedCommit> =
            self.tags.iter().filter(|tag| stable(&tag.name).as_ref() == Some(&version)).collect();
        if twins.iter().any(|twin| twin.commit != best.commit) {
            let meanings = twins.iter().map(|twin| format!("tag `{}` is {}", twin.name, twin.commit)).collect();
            return Err(GitError::Ambiguous { reference: "stable".to_owned(), meanings });
        }
        Ok(Some(best))
    }

    /// Lists the tags from the highest version to the lowest, then those that aren't versions.
    pub fn newest_first(&self) -> Vec<&NamedCommit> {
        let version = |tag: &NamedCommit| Version::parse(tag.name.strip_prefix('v').unwrap_or(&tag.name)).ok();
        let mut tags: Vec<&NamedCommit> = self.tags.iter().collect();
        tags.sort_by_cached_key(|tag| std::cmp::Reverse(version(tag)));
        tags
    }

    /// Finds a branch by its name.
    pub(super) fn branch(&self, name: &str) -> Option<&NamedCommit> {
        self.branches.iter().find(|branch| branch.name == name)
    }

    /// Finds a tag by its name.
    pub(super) fn tag(&self, name: &str) -> Option<&NamedCommit> {
        self.tags.iter().find(|tag| tag.name == name)
    }

    /// Returns a commit's tag: the highest stable one, otherwise the first by name.
    pub(super) fn tag_of(&self, commit: &str) -> Option<&NamedCommit> {
        let mine = || self.tags.iter().filter(|tag| tag.commit == commit);
        mine().filter(|tag| stable(&tag.name).is_some()).max_by_key(|tag| stable(&tag.name)).or_else(|| mine().next())
    }

    /// Gives the names nearest to a text, best first.
    pub(super) fn near(&self, text: &str) -> Vec<String> {
        let all = self.tags.iter().chain(&self.branches).map(|named| named.name.as_str()).chain(["stable"]);
        near_in_parts(text, all).into_iter().map(visible).collect()
    }
}

/// Parses a tag's name as the version of a stable release.
fn stable(name: &str) -> Option<Version> {
    let version = Version::parse(name.strip_prefix('v').unwrap_or(name)).ok()?;
    (version.pre.is_empty() && version.build.is_empty()).then_some(version)
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
        assert_eq!(tags(&all).stable().unwrap().unwrap().name, "v3.0.1");
        assert_eq!(tags(&[("v10.0.0", "a"), ("v9.9.9", "b")]).stable().unwrap().unwrap().name, "v10.0.0");
        assert_eq!(tags(&[("v1.0.0-beta", "a")]).stable(), Ok(None));
    }

    #[test]
    fn one_version_under_two_tags_must_be_one_commit() {
        assert!(tags(&[("v1.0.0", "a"), ("1.0.0", "a")]).stable().unwrap().is_some());
        assert_eq!(
            tags(&[("1.0.0", "b"), ("v1.0.0", "a")]).stable(),
            Err(GitError::Ambiguous {
                reference: "stable".into(),
                meanings: vec!["tag `1.0.0` is b".into(), "tag `v1.0.0` is a".into()]
            })
        );
    }

    #[test]
    fn near_names_come_best_first() {
        let names = tags(&[("v3.0.1", "a"), ("v3.0.0", "a"), ("nightly", "a"), ("v2.0.0", "a")]);
        assert_eq!(names.near("v3.0.2")[..2], ["v3.0.0", "v3.0.1"]);
        assert_eq!(names.near("stabel"), ["stable"]);
        assert!(names.near("zzz").is_empty());
    }
}
