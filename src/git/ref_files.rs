//! The refs of a repository as its files name them: found without git, and without reading an object.
//!
//! Git's documentation has the form of these files in `git help gitrepository-layout` and in the comments of
//! `refs/packed-backend.c`.
use std::{collections::BTreeSet, fs, io, path::Path};

/// The header of a `packed-refs` that has the inner object of every annotated tag.
const PEELED: &str = " fully-peeled";

/// Folders of refs may be this deep.
const DEEPEST: usize = 20;

/// The refs below a prefix.
pub(super) struct RefFiles {
    prefix: String,
    /// The names of refs that have a file each.
    loose: BTreeSet<String>,
    /// The lines of `packed-refs`.
    packed: String,
}

impl RefFiles {
    /// Reads the refs below a prefix that ends with a slash; `folder` is what all work trees share.
    pub(super) fn read(folder: &Path, prefix: &str) -> io::Result<RefFiles> {
        let mut loose = BTreeSet::new();
        // Loose refs first: one that git packs meanwhile is then in both.
        collect(&folder.join(prefix), "", 0, &mut loose)?;
        let packed = match fs::read(folder.join("packed-refs")) {
            Ok(bytes) => String::from_utf8(bytes).map_err(io::Error::other)?,
            Err(e) if e.kind() == io::ErrorKind::NotFound => String::new(),
            Err(e) => return Err(e),
        };
        Ok(RefFiles { prefix: prefix.to_owned(), loose, packed })
    }

    /// Lists the names, each with the id of what it leads to: `None` if only the object itself can tell that.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let peeled = self.packed.lines().next().is_some_and(|header| header.contains(PEELED));
        let mut lines = self.packed.lines().peekable();
        let packed = std::iter::from_fn(move || {
            loop {
                let line = lines.next()?;
                let inner = lines.next_if(|next| next.starts_with('^')).map(|next| &next[1..]);
                let Some((own, name)) = line.split_once(' ') else { continue };
                let Some(name) = name.strip_prefix(&self.prefix) else { continue };
                if !self.loose.contains(name) {
                    return Some((name, inner.or(peeled.then_some(own))));
                }
            }
        });
        self.loose.iter().map(|name| (name.as_str(), None)).chain(packed)
    }
}

/// Collects the names of files below a folder.
fn collect(folder: &Path, above: &str, depth: usize, names: &mut BTreeSet<String>) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) if depth <= DEEPEST => entries,
        Ok(_) => return Err(io::Error::other("refs lie too deep")),
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(e),
    };
    for entry in entries {
        let entry = entry?;
        let Ok(own) = entry.file_name().into_string() else { continue };
        let name = format!("{above}{own}");
        if fs::metadata(entry.path()).is_ok_and(|seen| seen.is_dir()) {
            collect(&entry.path(), &format!("{name}/"), depth + 1, names)?;
        } else if !own.ends_with(".lock") {
            names.insert(name);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loose_ref_hides_the_packed_one_and_only_a_peeled_file_tells_what_a_tag_leads_to() {
        let folder = tempfile::tempdir().unwrap();
        let [a, b, c] = ["a", "b", "c"].map(|digit| digit.repeat(40));
        fs::create_dir_all(folder.path().join("refs/tags/deep")).unwrap();
        for name in ["v2.0.0", "deep/v1", "v9.0.0.lock"] {
            fs::write(folder.path().join("refs/tags").join(name), &a).unwrap();
        }
        let lines =
            format!("{a} refs/heads/main\n{a} refs/tags/v1.0.0\n{b} refs/tags/v1.1.0\n^{c}\n{b} refs/tags/v2.0.0\n");
        let all = |header: &str| {
            fs::write(folder.path().join("packed-refs"), format!("{header}{lines}")).unwrap();
            let files = RefFiles::read(folder.path(), "refs/tags/").unwrap();
            files.all().map(|(name, id)| (name.to_owned(), id.map(|id| id[..1].to_owned()))).collect::<Vec<_>>()
        };
        let named =
            |ids: [(&str, Option<&str>); 4]| ids.map(|(name, id)| (name.to_owned(), id.map(str::to_owned))).to_vec();
        assert_eq!(
            all("# pack-refs with: peeled fully-peeled sorted \n"),
            named([("deep/v1", None), ("v2.0.0", None), ("v1.0.0", Some("a")), ("v1.1.0", Some("c"))])
        );
        assert_eq!(
            all("# pack-refs with: peeled \n"),
            named([("deep/v1", None), ("v2.0.0", None), ("v1.0.0", None), ("v1.1.0", Some("c"))])
        );
        let none = RefFiles::read(&folder.path().join("nowhere"), "refs/tags/").unwrap();
        assert_eq!(none.all().count(), 0);
    }
}
