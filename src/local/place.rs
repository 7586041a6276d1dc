//! This machine, and how the next call runs on it.
use crate::{command::Command, host::Name, secret::Secret};
use serde::Serialize;
use std::{collections::BTreeMap, path::PathBuf, time::Duration};

/// This machine with the folder, environment and time limit of a call.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LocalCall {
    /// The fabfile's; a run is resumed in the folder that it began in.
    #[serde(skip)]
    pub folder: PathBuf,
    /// From the fabfile's folder on.
    pub cd: Option<String>,
    pub env: BTreeMap<String, Secret>,
    pub timeout: Option<Duration>,
    /// What a command reads; nothing if absent.
    pub stdin: Option<Secret>,
}

impl LocalCall {
    /// Makes a call in the fabfile's folder, with nothing else said.
    pub fn at(folder: PathBuf) -> Self {
        Self { folder, cd: None, env: BTreeMap::new(), timeout: None, stdin: None }
    }

    /// Returns how people see the call.
    pub fn shown(&self, command: &Command) -> String {
        let cd = self.cd.as_ref().map(|d| format!(" in {d}")).unwrap_or_default();
        format!("`{}`{cd}", command.shown())
    }
}

/// Returns what stands before the lines that a command here prints.
pub fn here() -> Name {
    "here".into()
}
