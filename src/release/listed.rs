//! The answer of a host that lists its releases.
use super::{
    Packing, ReleaseError,
    answer::{AnswerLines, digits, text},
    name::{self, ReleaseName},
    program::Program,
};
use crate::port::Ended;
use serde::{Deserialize, Serialize};

/// A release on a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedRelease {
    pub name: ReleaseName,
    /// 40 hex digits, or 64 by sha256.
    pub commit: String,
    /// The digest of its manifest.
    pub manifest: String,
}

/// What `current` is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Current {
    None,
    Release(ReleaseName),
    /// A link to something else; empty if it isn't a link.
    Foreign(String),
}

/// The releases of an app on a host, the highest number first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    pub releases: Vec<ListedRelease>,
    pub current: Current,
    /// Names of folders without a manifest: they aren't rfab's, or they are damaged.
    pub incomplete: Vec<ReleaseName>,
    /// Everything else in `releases`; control characters aren't escaped.
    pub others: Vec<String>,
    /// The commit in the `REVISION` of a foreign `current`.
    pub revision: Option<String>,
    /// Whether a folder that `setup` makes is missing.
    pub lacks_folders: bool,
    /// What the host can unpack.
    #[serde(default)]
    pub packing: Packing,
    /// Whether it can take files from an earlier release.
    #[serde(default)]
    pub copies: bool,
    /// Whether it can patch files.
    #[serde(default)]
    pub patches: bool,
}

impl Listed {
    /// Returns the highest number of a complete or current release: anybody can make a folder of any name.
    pub fn highest(&self) -> u32 {
        let current = match &self.current {
            Current::Release(name) => Some(name),
            Current::None | Current::Foreign(_) => None,
        };
        let names = self.releases.iter().map(|release| &release.name).chain(current);
        names.map(|name| name.number).max().unwrap_or(0)
    }

    /// Returns the release with the next lower number than the current one's.
    pub fn previous(&self) -> Option<&ListedRelease> {
        let Current::Release(current) = &self.current else { return None };
        self.releases.iter().find(|release| release.name.number < current.number)
    }

    /// Finds the release of a commit, given by its whole id.
    pub fn of(&self, commit: &str) -> Option<&ListedRelease> {
        self.releases.iter().find(|release| release.commit == commit)
    }
}

/// Reads the answer of `list`.
pub fn listed(ended: &Ended) -> Result<Listed, ReleaseError> {
    let lines = AnswerLines::of(Program::List, ended)?;
    let mut listed = Listed {
        releases: vec![],
        current: Current::None,
        incomplete: vec![],
        others: vec![],
        revision: None,
        lacks_folders: false,
        packing: Packing::Gzip,
        copies: false,
        patches: false,
    };
    let mut currents = 0;
    lines.each(|word, rest| {
        match (word, rest) {
            ("release", [name, commit, manifest]) => {
                let name: ReleaseName = name.parse().ok()?;
                let good = name::whole(commit) && digits(manifest, 64) && commit.starts_with(name.short());
                good.then(|| {
                    listed.releases.push(ListedRelease {
                        name,
                        commit: commit.to_string(),
                        manifest: manifest.to_string(),
                    })
                })?;
            }
            ("incomplete", [name]) => listed.incomplete.push(name.parse().ok()?),
            ("tool", ["copies"]) => listed.copies = true,
            ("tool", [tool @ ("zstd" | "patches")]) => {
                (listed.packing, listed.patches) = (Packing::Zstd, *tool == "patches");
            }
            ("lacks-folders", []) => listed.lacks_folders = true,
            ("other", [name]) => listed.others.push(text(name)?),
            ("current", [name]) => (currents, listed.current) = (currents + 1, Current::Release(name.parse().ok()?)),
            ("current-foreign", ["-"]) => (currents, listed.current) = (currents + 1, Current::Foreign(String::new())),
            ("current-foreign", [target]) => {
                (currents, listed.current) = (currents + 1, Current::Foreign(text(target)?))
            }
            ("revision", [commit]) if name::whole(commit) => listed.revision = Some(commit.to_string()),
            ("current-none", []) => currents += 1,
            _ => return None,
        }
        Some(())
    })?;
    if currents != 1 {
        return Err(lines.nonsense("not one `current`"));
    }
    listed.releases.sort_by(|a, b| b.name.cmp(&a.name));
    Ok(listed)
}
