//! Writes new files, either all of them or none.
use crate::failure::Failure;
use rustix::{
    fs::{AtFlags, Mode, OFlags, mkdirat, open, openat, unlinkat},
    io::Errno,
};
use std::{
    fs,
    io::{self, Write},
    path::Path,
};

/// A file and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// The path from the folder.
    pub path: String,
    pub text: String,
}

/// Writes files. If one of them exists or can't be written, it writes none.
pub fn write(folder: &Path, files: &[File]) -> Result<(), Failure> {
    let there = |file: &&File| fs::symlink_metadata(folder.join(&file.path)).is_ok();
    let there: Vec<String> = files.iter().filter(there).map(|file| format!("`{}`", file.path)).collect();
    if !there.is_empty() {
        let exist = if there.len() == 1 { "exists" } else { "exist" };
        let failure = Failure::failed(format!("{} already {exist}, so rfab wrote nothing", there.join(", ")));
        return Err(failure.help("type `rfab` to see what you can type here; move the old files away to start again"));
    }
    let mut done = Vec::new();
    for file in files {
        let path = folder.join(&file.path);
        if let Err(e) = create(folder, &file.path, &file.text) {
            // Removes only the files that it wrote itself.
            done.iter().for_each(|path| drop(fs::remove_file(path)));
            return Err(Failure::failed(format!("`{}` can't be written, so rfab wrote nothing: {e}", file.path)));
        }
        done.push(path);
    }
    Ok(())
}

/// Creates a file and its parent folders. It doesn't follow a link among these, which may point outside the repository.
fn create(top: &Path, path: &str, text: &str) -> io::Result<()> {
    let folder = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut at = open(top, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    for part in folders.split('/').filter(|part| !part.is_empty()) {
        match mkdirat(&at, part, Mode::from_raw_mode(0o755)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(no) => return Err(no.into()),
        }
        at = openat(&at, part, folder, Mode::empty()).map_err(|no| match no {
            Errno::LOOP | Errno::NOTDIR => io::Error::other(format!("`{part}` isn't a folder, or is a link to one")),
            no => no.into(),
        })?;
    }
    let new = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file = fs::File::from(openat(&at, name, new, Mode::from_raw_mode(0o644))?);
    let written = file.write_all(text.as_bytes());
    if written.is_err() {
        let _ = unlinkat(&at, name, AtFlags::empty());
    }
    written
}
