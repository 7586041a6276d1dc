//! The folder with one user's ssh files for their runs.
use crate::{failure::Failure, temporary::TemporaryFile};
use std::{
    fs,
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// The folder with the ssh files of one run.
#[derive(Clone, Debug)]
pub(crate) struct SshFolder(PathBuf);

impl SshFolder {
    /// Makes the folder, private to this user, in the runtime directory; or in `/tmp` if that directory doesn't exist,
    /// isn't this user's, isn't writable, or has a name that is too long for sockets or that a shell would interpret.
    ///
    /// Refuses a folder that is a link, belongs to another user, or is readable by others.
    pub(crate) fn make(runtime: Option<&Path>) -> Result<SshFolder, Failure> {
        let me = rustix::process::geteuid().as_raw();
        let own =
            runtime.filter(|runtime| is_short(runtime) && is_own(runtime, me)).map(|runtime| runtime.join("rfab"));
        let can_be = |folder: &PathBuf| {
            let made = fs::DirBuilder::new().mode(0o700).create(folder);
            made.map_or_else(|e| e.kind() == io::ErrorKind::AlreadyExists, |()| true)
        };
        let folder = own.filter(can_be).unwrap_or_else(|| PathBuf::from(format!("/tmp/rfab-{me}")));
        let failed = |e: &dyn std::fmt::Display| Failure::failed(format!("folder `{}`: {e}", folder.display()));
        match fs::DirBuilder::new().mode(0o700).create(&folder) {
            Ok(()) => {}
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(failed(&e)),
        }
        let about = fs::symlink_metadata(&folder).map_err(|e| failed(&e))?;
        if !about.is_dir() {
            return Err(failed(&"it is a link or a file").help("remove it"));
        }
        if about.uid() != me {
            return Err(failed(&"it belongs to another user").help("remove it"));
        }
        if about.permissions().mode() & 0o077 != 0 {
            return Err(failed(&"others may enter it").help(format!("type `chmod 700 {}`", folder.display())));
        }
        Ok(SshFolder(folder))
    }

    /// Returns the path of a file in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a private file; an existing one is replaced.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<PathBuf, Failure> {
        let path = self.path(name);
        let failed = |e: io::Error| Failure::failed(format!("file `{}`: {e}", path.display()));
        let mut file = TemporaryFile::make_in(&self.0).map_err(failed)?;
        file.write_all(text.as_bytes()).and_then(|()| file.persist(&path)).map_err(failed)?;
        Ok(path)
    }
}

/// Returns whether a folder's name leaves room for a socket's name, and is one word in every shell.
fn is_short(folder: &Path) -> bool {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"/._-".contains(b);
    folder.as_os_str().len() <= 40 && folder.as_os_str().as_encoded_bytes().iter().all(plain)
}

/// Returns whether a folder is this user's, and nobody else can change the names in it.
fn is_own(folder: &Path, me: u32) -> bool {
    fs::metadata(folder).is_ok_and(|about| about.is_dir() && about.uid() == me && about.mode() & 0o022 == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runtime_directory_that_cannot_be_used_gives_way_to_one_in_tmp() {
        let me = rustix::process::geteuid().as_raw();
        let fallback = PathBuf::from(format!("/tmp/rfab-{me}"));
        let made = |runtime: Option<&Path>| SshFolder::make(runtime).unwrap().path("");
        let own = tempfile::tempdir().unwrap();
        assert!(made(Some(own.path())).starts_with(own.path()));
        assert!(own.path().join("rfab").is_dir());
        let spaced = own.path().join("a b");
        fs::create_dir(&spaced).unwrap();
        let open = own.path().join("open");
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
        let long = own.path().join("x".repeat(40));
        fs::create_dir(&long).unwrap();
        let file = own.path().join("file");
        fs::write(&file, "").unwrap();
        for unusable in [None, Some(&*own.path().join("missing")), Some(&spaced), Some(&open), Some(&long), Some(&file)]
        {
            assert_eq!(made(unusable), fallback.join(""), "{unusable:?}");
        }
        if me == 0 {
            let foreign = own.path().join("foreign");
            fs::create_dir(&foreign).unwrap();
            std::os::unix::fs::chown(&foreign, Some(58001), None).unwrap();
            assert_eq!(made(Some(&foreign)), fallback.join(""));
            assert_eq!(fs::read_dir(&foreign).unwrap().count(), 0, "nothing is left in another user's folder");
        }
    }
}
