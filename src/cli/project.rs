//! The project that a request is about.
use super::{
    request::Request,
    stopped::{Stopped, of_reason},
};
use crate::{
    fabfile::{self, Options, Project},
    failure::{Exit, Failure},
    fleet::Set,
};
use std::{env, path::PathBuf};

/// Finds and compiles the fabfile.
pub(super) fn project(request: &Request) -> Result<Project, Stopped> {
    let file = match &request.fabfile {
        Some(file) => file.clone(),
        None => fabfile::find(&here()?, home().as_deref()).map_err(of_reason)?,
    };
    let set = request.set.iter().map(|(key, value)| {
        format!("{key}={value}")
            .parse::<Set>()
            .map_err(|e| (Failure::failed(format!("`--set {key}={value}`: {e}")).help(e.help()), Exit::Usage))
    });
    let set = set.collect::<Result<_, _>>()?;
    let options = Options { set, limit: request.limit.clone(), exclude: request.exclude.clone() };
    fabfile::load(&file, options).map_err(of_reason)
}

/// Returns the fabfile's folder, if there is a fabfile.
pub(super) fn folder(request: &Request) -> Option<PathBuf> {
    let found = || fabfile::find(&here().ok()?, home().as_deref()).ok();
    Some(request.fabfile.clone().or_else(found)?.parent()?.to_owned())
}

/// Returns the working folder.
pub(super) fn here() -> Result<PathBuf, Stopped> {
    env::current_dir().map_err(|e| of_reason(Failure::failed(format!("this folder: {e}"))))
}

/// Returns the user's home, if `HOME` is set.
pub(super) fn home() -> Option<PathBuf> {
    env::var_os("HOME").map(PathBuf::from)
}
