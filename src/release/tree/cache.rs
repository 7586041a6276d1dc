//! Folders in which rfab caches files on this machine, and their limits.
use crate::temporary::TemporaryFile;
use serde::{Serialize, de::DeserializeOwned};
use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

/// The limits of a folder.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    /// Older files are removed.
    pub kept: Duration,
    /// If the folder is larger, the oldest files are removed.
    pub bytes: u64,
}

/// A younger file stays, because another run may be sending it at the moment.
const YOUNG: Duration = Duration::from_secs(3600);

/// Removes the files of a folder that exceed its limits, and what killed runs left in it; ignores what can't be
/// removed.
pub(super) fn bound(folder: &Path, bounds: Bounds) {
    let mut files: Vec<(SystemTime, u64, PathBuf)> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let seen = entry.metadata().ok().filter(fs::Metadata::is_file)?;
            Some((seen.modified().ok()?, seen.len(), entry.path()))
        })
        .collect();
    files.sort();
    let now = SystemTime::now();
    let mut bytes: u64 = files.iter().map(|(_, bytes, _)| bytes).sum();
    for (at, size, path) in files {
        let age = now.duration_since(at).unwrap_or_default();
        if age > bounds.kept || (bytes > bounds.bytes && age > YOUNG) {
            bytes -= size;
            let _ = fs::remove_file(path);
        }
    }
}

/// Marks a file as used at this time.
pub(super) fn touch(file: &Path) -> io::Result<()> {
    fs::File::options().append(true).open(file)?.set_modified(SystemTime::now())
}

/// Reads what [`write`] wrote; `None` if it isn't there, or is something else.
pub(super) fn read<T: DeserializeOwned>(file: &Path) -> Option<T> {
    serde_json::from_slice(&fs::read(file).ok()?).ok()
}

/// Writes a file whole or not at all. Without it, a later run packs again.
pub(super) fn write(file: &Path, what: &impl Serialize) {
    let text = serde_json::to_vec(what).expect("it is plain data");
    let Some(folder) = file.parent() else { return };
    if let Ok(mut new) = TemporaryFile::make_in(folder)
        && new.write_all(&text).is_ok()
    {
        let _ = new.persist(file);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go_beyond_a_time_or_a_size_and_what_is_young_stays() {
        let folder = tempfile::tempdir().unwrap();
        let hours = |hours: u64| SystemTime::now() - Duration::from_secs(hours * 3600);
        let put = |name: &str, at: SystemTime| {
            let path = folder.path().join(name);
            fs::write(&path, vec![0; 1000]).unwrap();
            fs::File::options().append(true).open(&path).unwrap().set_modified(at).unwrap();
            path
        };
        let names = || {
            let entries = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
            let mut names: Vec<String> = entries.map(|name| name.into_string().unwrap()).collect();
            names.sort();
            names
        };
        for (name, age) in [("a", 50), ("b", 20), ("c", 10), ("d", 3), (".tmpx", 30)] {
            put(name, hours(age));
        }
        put("young", hours(0));
        put("younger", hours(0));
        bound(folder.path(), Bounds { kept: Duration::from_secs(24 * 3600), bytes: 1 << 20 });
        assert_eq!(names(), ["b", "c", "d", "young", "younger"]);
        touch(&folder.path().join("b")).unwrap();
        bound(folder.path(), Bounds { kept: Duration::from_secs(24 * 3600), bytes: 3500 });
        assert_eq!(names(), ["b", "young", "younger"]);
        bound(folder.path(), Bounds { kept: Duration::from_secs(24 * 3600), bytes: 1 });
        assert_eq!(names(), ["b", "young", "younger"], "another run may send them");
    }
}
