//! Limits the age and the size of the mirrors on this machine.
use super::Repository;
use rustix::fs::{FlockOperation, flock};
use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// A mirror is removed if nothing was fetched into it for this long.
const KEPT: Duration = DAY.saturating_mul(90);

/// If the mirrors have more bytes than this, those that were unused longest are removed.
const BYTES: u64 = 20 << 30;

/// Marks a mirror as used, and removes others that are beyond the limits. It ignores a mirror that it can't remove.
pub(super) fn bound(used: &Repository) {
    if let Ok(lock) = fs::File::options().append(true).open(used.folder.join("rfab-fetch.lock")) {
        let _ = lock.set_modified(SystemTime::now());
    }
    if let Some(cache) = used.folder.parent() {
        cut(cache, &used.folder, KEPT, BYTES);
    }
}

fn cut(cache: &Path, used: &Path, kept: Duration, most: u64) {
    let (gone, there): (Vec<PathBuf>, Vec<PathBuf>) = fs::read_dir(cache)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .partition(|path| path.extension().is_some_and(|end| end == "gone"));
    // A run that was killed left half of them.
    for path in gone {
        let _ = fs::remove_dir_all(path);
    }
    let mut others: Vec<(SystemTime, u64, PathBuf)> = there
        .into_iter()
        .filter(|path| path != used && path.extension().is_some_and(|end| end == "git"))
        .filter_map(|path| Some((fs::metadata(path.join("rfab-fetch.lock")).ok()?.modified().ok()?, size(&path), path)))
        .collect();
    others.sort();
    let mut bytes: u64 = size(used) + others.iter().map(|(_, bytes, _)| bytes).sum::<u64>();
    for (at, size, path) in others {
        let age = SystemTime::now().duration_since(at).unwrap_or_default();
        // Another run may be reading a mirror that is younger than a day.
        if (age > kept || (bytes > most && age > DAY)) && remove(&path) {
            bytes -= size;
        }
    }
}

/// Removes a mirror if no fetch into it is under way. It's renamed first, so that nothing finds half of it.
fn remove(mirror: &Path) -> bool {
    let Ok(lock) = fs::File::open(mirror.join("rfab-fetch.lock")) else { return false };
    if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
        return false;
    }
    let gone = mirror.with_extension("gone");
    let _ = fs::remove_dir_all(&gone);
    fs::rename(mirror, &gone).is_ok() && fs::remove_dir_all(&gone).is_ok()
}

fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let of = |entry: fs::DirEntry| match entry.metadata() {
        Ok(seen) if seen.is_dir() => size(&entry.path()),
        Ok(seen) => seen.len(),
        Err(_) => 0,
    };
    entries.map(of).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirrors_that_nobody_used_for_long_go_and_beyond_a_size_the_oldest() {
        let cache = tempfile::tempdir().unwrap();
        let put = |name: &str, days: u64| {
            let folder = cache.path().join(name);
            fs::create_dir_all(folder.join("objects/pack")).unwrap();
            fs::write(folder.join("objects/pack/a.pack"), vec![0; 1000]).unwrap();
            let lock = fs::File::create(folder.join("rfab-fetch.lock")).unwrap();
            lock.set_modified(SystemTime::now() - DAY * u32::try_from(days).unwrap()).unwrap();
            lock
        };
        let names = || {
            let entries = fs::read_dir(cache.path()).unwrap().map(|entry| entry.unwrap().file_name());
            let mut names: Vec<String> = entries.map(|name| name.into_string().unwrap()).collect();
            names.sort();
            names
        };
        for (name, days) in [("a.git", 100), ("b.git", 50), ("c.git", 20), ("d.git", 0), ("used.git", 0)] {
            put(name, days);
        }
        fs::create_dir_all(cache.path().join("half.gone/objects")).unwrap();
        let held = put("held.git", 200);
        flock(&held, FlockOperation::LockExclusive).unwrap();
        let used = cache.path().join("used.git");
        cut(cache.path(), &used, KEPT, 1 << 20);
        assert_eq!(names(), ["b.git", "c.git", "d.git", "held.git", "used.git"], "one that is fetched into stays");
        cut(cache.path(), &used, KEPT, 4500);
        assert_eq!(names(), ["c.git", "d.git", "held.git", "used.git"]);
        cut(cache.path(), &used, KEPT, 1);
        assert_eq!(names(), ["d.git", "held.git", "used.git"], "another run may read what is young");
    }
}
