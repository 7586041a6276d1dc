//! The folders of this user where rfab keeps something.
use crate::{
    failure::Failure,
    store::{Logs, Runs},
};
use std::{env, path::PathBuf};

/// Returns the runs of this user on this machine.
pub(super) fn runs() -> Result<Runs, Failure> {
    kept().map(Runs::new)
}

/// Returns the logs of these runs.
pub(super) fn logs() -> Result<Logs, Failure> {
    kept().map(Logs::new)
}

fn kept() -> Result<PathBuf, Failure> {
    let folders = directories::ProjectDirs::from("", "", "rfab");
    let folder = folders.map(|f| f.data_dir().join("runs"));
    folder.ok_or_else(|| Failure::failed("`HOME` doesn't name a folder").help("set it to your home folder"))
}

/// Returns the user's home, and rfab's folder for what can be made again.
pub(super) fn folders() -> Result<(PathBuf, PathBuf), Failure> {
    let home = env::var_os("HOME").map(PathBuf::from).filter(|h| h.is_absolute());
    let home =
        home.ok_or_else(|| Failure::failed("`HOME` doesn't name a folder").help("set it to your home folder"))?;
    let folders = directories::ProjectDirs::from("", "", "rfab");
    let cache = folders.map_or_else(|| home.join(".cache/rfab"), |f| f.cache_dir().to_owned());
    Ok((home, cache))
}
