//! The pipeline that a run is part of.
use super::github::{self, harmless};
use crate::failure::Failure;
use std::{
    env,
    path::{Path, PathBuf},
};

/// The service that runs the pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pipeline {
    /// `summary` is the file that collects the job's summary.
    GitHub {
        summary: Option<PathBuf>,
    },
    GitLab,
}

impl Pipeline {
    /// Returns the pipeline that this process runs in.
    pub(crate) fn here() -> Option<Self> {
        let is = |name: &str| env::var_os(name).is_some_and(|value| value == "true");
        if is("GITHUB_ACTIONS") {
            let summary = env::var_os("GITHUB_STEP_SUMMARY").filter(|file| !file.is_empty());
            return Some(Pipeline::GitHub { summary: summary.map(PathBuf::from) });
        }
        is("GITLAB_CI").then_some(Pipeline::GitLab)
    }

    /// Makes a text harmless for this pipeline's log.
    pub(super) fn harmless(&self, text: &str) -> String {
        match self {
            Pipeline::GitHub { .. } => harmless(text),
            Pipeline::GitLab => text.to_owned(),
        }
    }
}

/// Returns an annotation for a failure before any run; empty outside a pipeline that shows annotations.
pub(crate) fn annotation(failure: &Failure, folder: &Path) -> String {
    match Pipeline::here() {
        Some(Pipeline::GitHub { .. }) => github::error("rfab", failure, folder),
        _ => String::new(),
    }
}
