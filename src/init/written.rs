//! New files, all of them or none.
use crate::failure::Failure;
use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

/// A file and what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// From the folder on.
    pub path: String,
    pub text: String,
}

/// Writes files that are not there yet; if one is there, or cannot be written, then none.
pub fn write(folder: &Path, files: &[File]) -> Result<(), Failure> {
    let there = |file: &&File| fs::symlink_metadata(folder.join(&file.path)).is_ok();
    let there: Vec<String> = files.iter().filter(there).map(|file| format!("`{}`", file.path)).collect();
    if !there.is_empty() {
        let are = if there.len() == 1 { "is" } else { "are" };
        let failure = Failure::failed(format!("{} {are} there already, so nothing was written", there.join(", ")));
        return Err(failure.help("`rfab` alone says what can be typed here; move the old files away to begin anew"));
    }
    let mut done = Vec::new();
    for file in files {
        let path = folder.join(&file.path);
        if let Err(e) = create(&path, &file.text) {
            // Only what was made just now is taken away again.
            done.iter().for_each(|path| drop(fs::remove_file(path)));
            return Err(Failure::failed(format!("`{}` cannot be written, so nothing was: {e}", file.path)));
        }
        done.push(path);
    }
    Ok(())
}

fn create(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o644).open(path)?;
    file.write_all(text.as_bytes()).inspect_err(|_| drop(fs::remove_file(path)))
}
