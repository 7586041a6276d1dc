//! The pipeline that a run is part of.
use super::github::{self, harmless};
use crate::failure::Failure;
use std::{
    env,
    path::{Path, PathBuf},
};

/// Whose pipeline it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pipeline {
    /// With the file that a job's summary is put together in.
    GitHub {
        summary: Option<PathBuf>,
    },
    GitLab,
}

impl Pipeline {
    /// The one that this process runs in.
    pub fn here() -> Option<Self> {
        let is = |name: &str| env::var_os(name).is_some_and(|value| value == "true");
        if is("GITHUB_ACTIONS") {
            let summary = env::var_os("GITHUB_STEP_SUMMARY").filter(|file| !file.is_empty());
            return Some(Pipeline::GitHub { summary: summary.map(PathBuf::from) });
        }
        is("GITLAB_CI").then_some(Pipeline::GitLab)
    }

    /// A text as this pipeline's log may have it.
    pub(super) fn harmless(&self, text: &str) -> String {
        match self {
            Pipeline::GitHub { .. } => harmless(text),
            Pipeline::GitLab => text.to_owned(),
        }
    }
}

/// A failure before any run, as an annotation of this pipeline; nothing where there is none.
pub fn annotation(failure: &Failure, folder: &Path) -> String {
    match Pipeline::here() {
        Some(Pipeline::GitHub { .. }) => github::error("rfab", failure, folder),
        _ => String::new(),
    }
}
