//! This machine, and how the next call runs on it.
use crate::{command::Command, host::Name, secret::Secret};
use serde::Serialize;
use std::{collections::BTreeMap, path::PathBuf, time::Duration};

/// This machine with the folder, environment and time limit of a call.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LocalCall {
    /// The fabfile's folder. A run is resumed in the folder that it began in.
    #[serde(skip)]
    pub folder: PathBuf,
    /// The folder of the call, from the fabfile's.
    pub cd: Option<String>,
    pub env: BTreeMap<String, Secret>,
    pub timeout: Option<Duration>,
    /// The input of the command, if it has one.
    pub stdin: Option<Secret>,
}

impl LocalCall {
    /// Builds a call in the fabfile's folder with default settings.
    pub fn at(folder: PathBuf) -> Self {
        Self { folder, cd: None, env: BTreeMap::new(), timeout: None, stdin: None }
    }

    /// Returns the call in words for people.
    pub fn shown(&self, command: &Command) -> String {
        let cd = self.cd.as_ref().map(|d| format!(" in {d}")).unwrap_or_default();
        format!("`{}`{cd}", command.shown())
    }
}

/// Returns the prefix of the lines that a command on this machine prints.
pub fn here() -> Name {
    "here".into()
}
