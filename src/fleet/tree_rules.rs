//! What of a commit becomes a release.
use serde::{Deserialize, Serialize};

/// What of a commit becomes a release.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TreeRules {
    /// The folder of the repository with the app; `None` if the app is all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tree: Option<String>,
    /// Names that are kept in `shared/` across releases.
    pub linked: Vec<String>,
    /// Whether placeholders in files with `export-subst` are substituted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub export_subst: bool,
}

impl TreeRules {
    /// Returns the path of a name of the release in the repository.
    pub fn in_repository(&self, name: &str) -> String {
        self.tree.as_ref().map_or_else(|| name.to_owned(), |tree| format!("{tree}/{name}"))
    }
}
