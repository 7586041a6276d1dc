//! What an earlier release lacks of a new one.
use super::{
    manifest::{Manifest, ManifestEntry, ManifestKind},
    patch::SIZES,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

/// The most changes that a host applies to a manifest; beyond that, all is sent.
const MOST: usize = 2000;

/// The most files that are patched. Each takes the time to read all of the earlier release.
const MOST_PATCHED: usize = 20;

/// What an earlier release lacks of a new one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Difference {
    /// The lines of the earlier manifest that go away, as a script for sed.
    pub gone: String,
    /// The first line of the new manifest, and its lines that the earlier one doesn't have.
    pub manifest: String,
    /// The names that are sent.
    pub names: BTreeSet<String>,
    /// Large files that are sent as a difference to the earlier ones, with the sha256 of those.
    pub patched: BTreeMap<String, String>,
    /// The earlier release's commit, and the digest of its manifest.
    pub earlier: (String, String),
}

impl Difference {
    /// Compares two manifests; nothing if it is better to send all of the new release.
    ///
    /// `lost` are names that the host doesn't have any more as the earlier manifest says; `patches` tells whether it can
    /// patch files.
    pub(crate) fn between(
        earlier: &Manifest,
        new: &Manifest,
        lost: &BTreeSet<String>,
        patches: bool,
    ) -> Option<Difference> {
        let wanted: BTreeMap<&str, &ManifestKind> =
            new.entries.iter().map(|entry| (entry.path.as_str(), &entry.what)).collect();
        let stays =
            |entry: &&ManifestEntry| wanted.get(&*entry.path) == Some(&&entry.what) && !lost.contains(&entry.path);
        let kept: BTreeSet<&str> = earlier.entries.iter().filter(stays).map(|entry| &*entry.path).collect();
        let mut gone = "1d\n".to_owned();
        let mut changes = 0;
        let mut lines = earlier.entries.iter().enumerate().filter(|(_, entry)| !kept.contains(&*entry.path)).peekable();
        while let Some((first, _)) = lines.next() {
            let mut last = first;
            while lines.next_if(|(line, _)| *line == last + 1).is_some() {
                last += 1;
            }
            changes += 1;
            let _ = if first == last {
                writeln!(gone, "{}d", first + 2)
            } else {
                writeln!(gone, "{},{}d", first + 2, last + 2)
            };
        }
        let lacking: Vec<&ManifestEntry> = new.entries.iter().filter(|entry| !kept.contains(&*entry.path)).collect();
        let names: BTreeSet<String> = lacking.iter().map(|entry| entry.path.clone()).collect();
        let patched = if patches { patched(earlier, &wanted, &names, lost) } else { BTreeMap::new() };
        let bytes = |entry: &&ManifestEntry| if patched.contains_key(&entry.path) { 0 } else { size(entry) };
        let (sent, all) = (lacking.iter().map(bytes).sum::<u64>(), new.entries.iter().map(size).sum::<u64>());
        if (kept.is_empty() && patched.is_empty()) || sent > all / 2 || changes + lacking.len() > MOST {
            return None;
        }
        let lines = lacking.iter().map(|entry| entry.line());
        let manifest = std::iter::once(new.header()).chain(lines).collect();
        let earlier = (earlier.commit.clone(), earlier.digest());
        Some(Difference { gone, manifest, names, patched, earlier })
    }

    /// Returns how many bytes of files are sent as they are, before compression.
    pub(crate) fn bytes(&self, new: &Manifest) -> u64 {
        let sent = |entry: &&ManifestEntry| self.names.contains(&entry.path) && !self.patched.contains_key(&entry.path);
        new.entries.iter().filter(sent).map(size).sum()
    }
}

/// Finds the largest files that changed, with the sha256 of the earlier ones.
fn patched(
    earlier: &Manifest,
    wanted: &BTreeMap<&str, &ManifestKind>,
    names: &BTreeSet<String>,
    lost: &BTreeSet<String>,
) -> BTreeMap<String, String> {
    let one = |entry: &ManifestEntry| {
        let (ManifestKind::File { size: before, sha256, .. }, ManifestKind::File { size: after, .. }) =
            (&entry.what, wanted.get(&*entry.path)?)
        else {
            return None;
        };
        let fits = SIZES.contains(before) && SIZES.contains(after) && !lost.contains(&entry.path);
        (fits && names.contains(&entry.path)).then(|| (*after, entry.path.clone(), sha256.clone()))
    };
    let mut all: Vec<(u64, String, String)> = earlier.entries.iter().filter_map(one).collect();
    all.sort_by_key(|(size, ..)| std::cmp::Reverse(*size));
    all.into_iter().take(MOST_PATCHED).map(|(_, path, sha256)| (path, sha256)).collect()
}

fn size(entry: &ManifestEntry) -> u64 {
    if let ManifestKind::File { size, .. } = entry.what { size } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(commit: &str, files: &[(&str, u64, &str)]) -> Manifest {
        let entry = |(path, size, digit): &(&str, u64, &str)| ManifestEntry {
            path: (*path).to_owned(),
            what: ManifestKind::File { executable: false, size: *size, sha256: digit.repeat(64) },
        };
        Manifest { commit: commit.repeat(40), entries: files.iter().map(entry).collect() }
    }

    #[test]
    fn only_the_lines_that_changed_travel() {
        let old = manifest("1", &[("a", 9, "a"), ("b", 1, "b"), ("c", 1, "c"), ("d", 9, "d"), ("e", 9, "e")]);
        let new = manifest("2", &[("a", 9, "a"), ("b", 2, "9"), ("d", 9, "d"), ("e", 9, "e"), ("f", 3, "f")]);
        let none = BTreeSet::new();
        let found = Difference::between(&old, &new, &none, false).unwrap();
        assert_eq!(found.gone, "1d\n3,4d\n");
        let (nine, f) = ("9".repeat(64), "f".repeat(64));
        let text = format!("rfab-manifest 1 {}\nf\t644\t2\t{nine}\t./b\nf\t644\t3\t{f}\t./f\n", "2".repeat(40));
        assert_eq!((found.manifest.as_str(), found.bytes(&new)), (text.as_str(), 5));
        let lost = BTreeSet::from(["a".to_owned()]);
        let found = Difference::between(&old, &new, &lost, false).unwrap();
        assert_eq!((found.gone.as_str(), found.names.len()), ("1d\n2,4d\n", 3));
    }

    #[test]
    fn all_is_sent_if_little_stays() {
        let old = manifest("1", &[("a", 9, "a"), ("b", 1, "b")]);
        let none = BTreeSet::new();
        assert_eq!(Difference::between(&old, &manifest("2", &[("a", 9, "9"), ("b", 1, "b")]), &none, false), None);
        assert_eq!(Difference::between(&old, &manifest("2", &[("c", 9, "c")]), &none, false), None);
        assert!(Difference::between(&old, &manifest("2", &[("a", 9, "a")]), &none, false).is_some());
        // A large file that can be patched doesn't count.
        let old = manifest("1", &[("a", 9, "a"), ("b", 1 << 20, "b")]);
        let new = manifest("2", &[("a", 9, "a"), ("b", 1 << 20, "c")]);
        assert_eq!(Difference::between(&old, &new, &none, false), None);
        let found = Difference::between(&old, &new, &none, true).unwrap();
        assert_eq!(found.patched, BTreeMap::from([("b".to_owned(), "b".repeat(64))]));
    }

    #[test]
    fn only_the_largest_files_are_patched() {
        let paths: Vec<String> = (10..60).map(|n| n.to_string()).collect();
        let files = |digit: &'static str| {
            let large = paths.iter().map(|path| (path.as_str(), (1 << 20) + path.parse::<u64>().unwrap(), digit));
            large.chain([("same", 60 << 20, "a")]).collect::<Vec<_>>()
        };
        let (old, new) = (manifest("1", &files("b")), manifest("2", &files("c")));
        let found = Difference::between(&old, &new, &BTreeSet::new(), true).unwrap();
        let patched: Vec<&str> = found.patched.keys().map(String::as_str).collect();
        assert_eq!((patched.len(), patched[0], found.names.len()), (20, "40", 50));
    }
}
