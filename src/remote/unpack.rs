//! Unpacks a tar that came from a host, without trusting it.
use crate::control::shown;
use std::{
    fs, io,
    os::unix::fs::OpenOptionsExt,
    path::{Component, Path, PathBuf},
};
use tar::EntryType;

/// Unpacks the files and folders of a tar into an empty, private folder.
///
/// Anything but files and folders is refused: without links nothing can lead out of the folder. A file stays executable
/// if it is, and keeps no other mode bits.
pub fn unpack(tar: impl io::Read, folder: &Path) -> Result<(), String> {
    let said = |e: io::Error| e.to_string();
    for entry in tar::Archive::new(tar).entries().map_err(said)? {
        let mut entry = entry.map_err(said)?;
        let path = entry.path().map_err(said)?.into_owned();
        let path_text = shown(&path.display().to_string());
        let mut inside = PathBuf::new();
        for part in path.components() {
            match part {
                Component::Normal(part) => inside.push(part),
                Component::CurDir => {}
                _ => return Err(format!("it has the path `{}`, which points outside it", path_text)),
            }
        }
        let to = folder.join(inside);
        match entry.header().entry_type() {
            // Holds for the whole archive, and isn't a file.
            EntryType::XGlobalHeader => {}
            EntryType::Directory => fs::create_dir_all(&to).map_err(said)?,
            EntryType::Regular => {
                let runs = entry.header().mode().is_ok_and(|mode| mode & 0o100 != 0);
                fs::create_dir_all(to.parent().unwrap_or(folder)).map_err(said)?;
                let mode = if runs { 0o755 } else { 0o644 };
                let mut file =
                    fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&to).map_err(said)?;
                io::copy(&mut entry, &mut file).and_then(|_| file.sync_all()).map_err(said)?;
            }
            _ => return Err(format!("`{}` in it is neither a file nor a folder", path_text)),
        }
    }
    Ok(())
}

/// Moves a folder to `place`; the folder that was there is removed only when the new one is in place.
pub(super) fn replace(new: &Path, place: &Path) -> io::Result<()> {
    if !place.is_dir() {
        return fs::rename(new, place);
    }
    let old = new.with_extension("old");
    fs::rename(place, &old)?;
    match fs::rename(new, place) {
        Ok(()) => fs::remove_dir_all(old),
        Err(e) => fs::rename(old, place).and(Err(e)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes a tar with one entry that has a path that the tar library itself wouldn't write.
    fn hostile(path: &str, kind: EntryType, link: &str) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
        header.set_entry_type(kind);
        header.set_size(if kind.is_file() { 4 } else { 0 });
        header.set_mode(0o4755);
        if !link.is_empty() {
            header.set_link_name(link).unwrap();
        }
        header.set_cksum();
        builder.append(&header, if kind.is_file() { &b"text"[..] } else { b"" }).unwrap();
        builder.into_inner().unwrap()
    }

    #[test]
    fn nothing_leads_out_and_nothing_but_files_and_folders_is_made() {
        for (path, kind, link, why) in [
            ("../x", EntryType::Regular, "", "it has the path `../x`, which points outside it"),
            ("a/../../x", EntryType::Regular, "", "it has the path `a/../../x`, which points outside it"),
            ("/tmp/x", EntryType::Regular, "", "it has the path `/tmp/x`, which points outside it"),
            ("x", EntryType::Symlink, "/etc/passwd", "`x` in it is neither a file nor a folder"),
            ("x", EntryType::Link, "/etc/passwd", "`x` in it is neither a file nor a folder"),
            ("x", EntryType::Char, "", "`x` in it is neither a file nor a folder"),
            ("x", EntryType::Fifo, "", "`x` in it is neither a file nor a folder"),
        ] {
            let outer = tempfile::tempdir().unwrap();
            let folder = outer.path().join("in");
            fs::create_dir(&folder).unwrap();
            assert_eq!(unpack(&*hostile(path, kind, link), &folder), Err(why.to_owned()));
            assert_eq!(
                fs::read_dir(&folder).unwrap().count() + fs::read_dir(outer.path()).unwrap().count(),
                1,
                "{path}"
            );
        }
        let folder = tempfile::tempdir().unwrap();
        unpack(&*hostile("./a/b", EntryType::Regular, ""), folder.path()).unwrap();
        let made = fs::metadata(folder.path().join("a/b")).unwrap();
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&made.permissions()) & 0o7777, 0o755, "no setuid");
    }
}
