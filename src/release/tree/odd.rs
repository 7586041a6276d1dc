//! Files of a release that may not be what the app expects.
use crate::control::shown;
use serde::{Deserialize, Serialize};

/// Files that may not be what the app expects.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OddFiles {
    /// Files that are still encrypted, each with the tool that did it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub encrypted: Vec<(String, String)>,
    /// Pointers of git-lfs that no attribute of the commit makes ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pointers: Vec<String>,
}

impl OddFiles {
    /// Warns about the files; nothing if there are none.
    pub(crate) fn warning(&self) -> Option<String> {
        let encrypted = self.encrypted.iter().map(|(path, tool)| format!("`{}` ({tool})", shown(path))).collect();
        let pointers = self.pointers.iter().map(|path| format!("`{}`", shown(path))).collect();
        let all = [
            named("these files are released encrypted, as they were committed", encrypted),
            named(
                "these files are released as git-lfs pointers, because no `.gitattributes` gives them to git-lfs",
                pointers,
            ),
        ];
        let all: Vec<String> = all.into_iter().flatten().collect();
        (!all.is_empty()).then(|| all.join("; "))
    }
}

/// Names the first files after a text; nothing if there are none.
pub(super) fn named(what: &str, files: Vec<String>) -> Option<String> {
    let more = files.len().saturating_sub(10);
    let more = if more == 0 { String::new() } else { format!(", and {more} more") };
    let first = files.iter().take(10).map(String::as_str).collect::<Vec<_>>().join(", ");
    (!files.is_empty()).then(|| format!("{what}: {first}{more}"))
}
