//! Folders in which rfab caches files on this machine, and their limits.
use crate::temporary::TemporaryFile;
use serde::{Serialize, de::DeserializeOwned};
use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

/// Another version of rfab may read a tree in another way.
pub(super) const BY: &str = concat!("rfab ", env!("CARGO_PKG_VERSION"), ", trees 2");

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

/// Removes folders for temporary files that releases before 0.2.0 left in the cache, if they are older than a day.
pub(super) fn sweep(cache: &Path) {
    let day = Duration::from_secs(24 * 3600);
    let of_process = |name: &str| name.split_once('-').is_some_and(|(id, _)| id.parse::<u32>().is_ok());
    let entries = |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten();
    let is = |entry: &fs::DirEntry, ours: fn(&str) -> bool| ours(&entry.file_name().to_string_lossy());
    let temporary = entries(cache).filter(|entry| is(entry, |name| name.starts_with(".tmp")));
    let built = entries(&cache.join("building")).filter(|entry| is(entry, of_process));
    let is_old = |seen: fs::Metadata| seen.is_dir() && seen.modified().is_ok_and(|at| at < SystemTime::now() - day);
    for entry in temporary.chain(built).filter(|entry| entry.metadata().is_ok_and(is_old)) {
        let _ = fs::remove_dir_all(entry.path());
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
    fn folders_of_an_earlier_release_go_after_a_day_and_no_others() {
        let folder = tempfile::tempdir().unwrap();
        let all = [".tmpold/deep", ".tmpnew", "built", "7-r0-abc", "building/77-r0-abc/deep", "building/78-r1-abc"];
        let all = [&all[..], &["building/rfab-01234567-abcdef012345", "building/own"]].concat();
        for name in &all {
            fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        let old = SystemTime::now() - Duration::from_secs(25 * 3600);
        for name in all.iter().filter(|name| ![".tmpnew", "building/78-r1-abc"].contains(name)) {
            let name = name.trim_end_matches("/deep");
            fs::File::open(folder.path().join(name)).unwrap().set_modified(old).unwrap();
        }
        sweep(folder.path());
        let stayed: Vec<_> = all.iter().filter(|name| folder.path().join(name).exists()).collect();
        let gone = [".tmpold/deep", "building/77-r0-abc/deep"];
        assert_eq!(stayed, all.iter().filter(|name| !gone.contains(name)).collect::<Vec<_>>());
    }

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
