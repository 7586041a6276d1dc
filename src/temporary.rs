//! Temporary files and folders, which a later run removes if theirs was killed.
//!
//! Whoever makes one holds a lock on a file as long as it's in use. The kernel gives the lock back when the process ends,
//! however it ends. So a file whose lock is free is left over.
//!
//! In a folder that machines share, each kernel may know only its own locks. So a name begins with its machine.
use rustix::{
    fs::{FlockOperation, OFlags, flock},
    process::geteuid,
    system::uname,
};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeSet,
    env,
    ffi::OsStr,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::{LazyLock, Mutex, PoisonError},
};
use tempfile::NamedTempFile;

/// How the name of each begins on this machine. Releases before 0.2.0 lock nothing, and have other names.
static PREFIX: LazyLock<String> = LazyLock::new(|| {
    let id = fs::read("/etc/machine-id").unwrap_or_default();
    prefix(&id, uname().nodename().to_bytes())
});

/// How many random letters and digits end a name.
const RANDOM: usize = 8;

/// How often making one is tried, if another process takes the name first.
const TRIES: usize = 16;

/// The folders in which this process has looked for what is left over.
static SWEPT: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// A file for this user alone, which is removed when it's dropped.
#[derive(Debug)]
pub(crate) struct TemporaryFile(NamedTempFile);

impl TemporaryFile {
    /// Makes a file in the folder for temporary files.
    pub(crate) fn make() -> io::Result<Self> {
        Self::make_in(&env::temp_dir())
    }

    /// Makes a file in a folder.
    pub(crate) fn make_in(folder: &Path) -> io::Result<Self> {
        if SWEPT.lock().unwrap_or_else(PoisonError::into_inner).insert(folder.to_owned()) {
            sweep(folder);
        }
        for _ in 0..TRIES {
            let file = tempfile::Builder::new().prefix(&*PREFIX).rand_bytes(RANDOM).tempfile_in(folder)?;
            // Until it's locked, another process could take it for one that is left over.
            if locked(file.as_file(), file.path()) != Locked::Gone {
                return Ok(Self(file));
            }
        }
        Err(io::ErrorKind::ResourceBusy.into())
    }

    /// Returns its path.
    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Returns the open file.
    pub(crate) fn as_file(&self) -> &File {
        self.0.as_file()
    }

    /// Opens it again, at its beginning.
    pub(crate) fn reopen(&self) -> io::Result<File> {
        self.0.reopen()
    }

    /// Gives it its final name in the same folder; an existing file is replaced.
    pub(crate) fn persist(self, place: &Path) -> io::Result<()> {
        self.0.persist(place).map(drop).map_err(|e| e.error)
    }
}

impl Write for TemporaryFile {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.0.write(piece)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// A folder for this user alone, which is removed when it's dropped.
#[derive(Debug)]
pub(crate) struct TemporaryFolder {
    path: PathBuf,
    /// Is removed last; it stays if the folder does, so that a later run finds that.
    lock: TemporaryFile,
}

impl TemporaryFolder {
    /// Makes a folder in the folder for temporary files.
    pub(crate) fn make() -> io::Result<Self> {
        Self::make_in(&env::temp_dir())
    }

    /// Makes a folder in a folder.
    pub(crate) fn make_in(folder: &Path) -> io::Result<Self> {
        for _ in 0..TRIES {
            let lock = TemporaryFile::make_in(folder)?;
            let path = beside(lock.path());
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Self { path, lock }),
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(e),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Returns its path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        self.lock.0.disable_cleanup(remove_folder(&self.path).is_err());
    }
}

/// Returns how the names of a machine begin, by its id and its name. Nobody types such a name.
fn prefix(id: &[u8], name: &[u8]) -> String {
    let sum = Sha256::new().chain_update(id).chain_update([0]).chain_update(name).finalize();
    format!(".rfab-{}-", hex::encode(&sum[..2]))
}

/// Removes a folder with all that's in it, even folders that their owner may not change.
fn remove_folder(path: &Path) -> io::Result<()> {
    let removed = fs::remove_dir_all(path).or_else(|_| {
        open_up(path);
        fs::remove_dir_all(path)
    });
    match removed {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Lets the owner change all folders below one; ignores what fails.
fn open_up(path: &Path) {
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        let Some(about) = fs::symlink_metadata(&folder).ok().filter(fs::Metadata::is_dir) else { continue };
        let _ = fs::set_permissions(&folder, fs::Permissions::from_mode(about.mode() | 0o700));
        folders.extend(fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path()));
    }
}

/// Returns the folder that a lock is for. Its name has no dot in front, because programs that build skip such folders.
fn beside(lock: &Path) -> PathBuf {
    let name = lock.file_name().and_then(OsStr::to_str).unwrap_or_default();
    lock.with_file_name(name.trim_start_matches('.'))
}

#[derive(Debug, PartialEq)]
enum Locked {
    Yes,
    /// The file system has no locks. Then nothing in it is ever left over.
    Never,
    /// Another process has it, or it isn't there any more.
    Gone,
}

/// Locks a file, if its name still leads to it.
fn locked(file: &File, path: &Path) -> Locked {
    match flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK | rustix::io::Errno::INTR) => return Locked::Gone,
        Err(_) => return Locked::Never,
    }
    let [is, named] = [file.metadata(), fs::symlink_metadata(path)].map(|about| about.map(|a| (a.dev(), a.ino())));
    if matches!((is, named), (Ok(is), Ok(named)) if is == named) { Locked::Yes } else { Locked::Gone }
}

/// Removes what this user's killed processes left in a folder; ignores what can't be removed.
fn sweep(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if is_lock(&entry.file_name()) {
            let _ = remove(&entry.path());
        }
    }
}

/// Returns whether a file's name is one that this module gives on this machine.
fn is_lock(name: &OsStr) -> bool {
    let rest = name.to_str().and_then(|name| name.strip_prefix(&**PREFIX));
    rest.is_some_and(|rest| rest.len() == RANDOM && rest.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// Removes a file and the folder that it is for, unless somebody uses them.
fn remove(path: &Path) -> io::Result<()> {
    let me = geteuid().as_raw();
    let own = |about: &fs::Metadata| about.uid() == me;
    if !fs::symlink_metadata(path).is_ok_and(|about| about.is_file() && own(&about)) {
        return Ok(());
    }
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32;
    let file = OpenOptions::new().read(true).write(true).custom_flags(flags).open(path)?;
    if !own(&file.metadata()?) || locked(&file, path) != Locked::Yes {
        return Ok(());
    }
    let folder = beside(path);
    if fs::symlink_metadata(&folder).is_ok_and(|about| about.is_dir() && own(&about)) {
        remove_folder(&folder)?;
    }
    fs::remove_file(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io::{BufRead, BufReader},
        process::{Child, Command, Stdio},
    };

    /// Names what is in a folder.
    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Starts a process that has a file and a folder in a folder, which it prints, until it's killed.
    fn other(folder: &Path) -> (Child, Vec<String>) {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "temporary::tests::another_process", "--ignored", "--nocapture"])
            .env("RFAB_TEMPORARY", folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.as_mut().unwrap());
        let made = out.lines().map(Result::unwrap).filter_map(|line| line.strip_prefix("made ").map(str::to_owned));
        let made = made.take(2).collect();
        (child, made)
    }

    #[test]
    #[ignore = "it's started by the tests beside it"]
    fn another_process() {
        let Some(folder) = env::var_os("RFAB_TEMPORARY").map(PathBuf::from) else { return };
        let mut file = TemporaryFile::make_in(&folder).unwrap();
        file.write_all(b"half").unwrap();
        let made = TemporaryFolder::make_in(&folder).unwrap();
        fs::create_dir(made.path().join("deep")).unwrap();
        fs::write(made.path().join("deep/file"), "half").unwrap();
        writeln!(io::stdout(), "\nmade {}\nmade {}", file.path().display(), made.path().display()).unwrap();
        let _ = io::stdin().read_line(&mut String::new());
    }

    #[test]
    fn what_a_killed_process_had_goes_and_what_a_living_one_has_stays() {
        let folder = tempfile::tempdir().unwrap();
        let ([mut dead, mut living], [left, used]) = {
            let ((dead, left), (living, used)) = (other(folder.path()), other(folder.path()));
            ([dead, living], [left, used])
        };
        dead.kill().unwrap();
        dead.wait().unwrap();
        assert!(left.iter().chain(&used).all(|path| Path::new(path).exists()));
        sweep(folder.path());
        assert!(!left.iter().any(|path| Path::new(path).exists()), "{:?}", names(folder.path()));
        assert!(used.iter().all(|path| Path::new(path).exists()));
        assert_eq!(names(folder.path()).len(), 3, "a file, a folder and its lock");
        drop(living.stdin.take());
        assert!(living.wait().unwrap().success());
        assert_eq!(names(folder.path()), [] as [&str; 0], "one that ends by itself removes what it has");
    }

    #[test]
    fn what_this_process_has_stays_until_it_is_dropped_or_named() {
        let folder = tempfile::tempdir().unwrap();
        let (mut file, made) =
            (TemporaryFile::make_in(folder.path()).unwrap(), TemporaryFolder::make_in(folder.path()).unwrap());
        sweep(folder.path());
        assert!(file.path().exists() && made.path().is_dir());
        file.write_all(b"whole").unwrap();
        file.persist(&folder.path().join("named")).unwrap();
        drop(made);
        sweep(folder.path());
        assert_eq!(names(folder.path()), ["named"]);
        assert_eq!(fs::read_to_string(folder.path().join("named")).unwrap(), "whole");
    }

    #[test]
    fn nothing_of_another_name_machine_user_or_kind_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let own = |rest: &str| at(&format!("{}{rest}", *PREFIX));
        for name in [".rfab.config", ".rfab.backup", ".rfab-abcdef", "rfab-merge-abcdef", "precious"] {
            fs::write(at(name), "").unwrap();
        }
        fs::create_dir(at("rfab.config")).unwrap();
        for rest in ["abcdef0", "abcdef012", "abcdef-0"] {
            fs::write(own(rest), "").unwrap();
        }
        // Another machine has no lock here that this one can see.
        fs::write(at(&format!("{}abcdef01", prefix(b"another id", b"web1"))), "").unwrap();
        fs::create_dir(at(&format!("{}abcdef01", &prefix(b"another id", b"web1")[1..]))).unwrap();
        std::os::unix::fs::symlink(at("precious"), own("linked01")).unwrap();
        fs::create_dir(own("folder01")).unwrap();
        fs::create_dir(at("kept")).unwrap();
        fs::write(own("locked01"), "").unwrap();
        std::os::unix::fs::symlink(at("kept"), beside(&own("locked01"))).unwrap();
        if geteuid().is_root() {
            fs::write(own("theirs01"), "").unwrap();
            std::os::unix::fs::chown(own("theirs01"), Some(58001), None).unwrap();
        }
        let mut all = names(folder.path());
        sweep(folder.path());
        all.retain(|name| !name.starts_with('.') || !name.ends_with("locked01"));
        assert_eq!(names(folder.path()), all);
    }

    #[test]
    fn a_machine_has_names_of_its_own_that_stay_the_same() {
        let names = [prefix(b"id", b"web1"), prefix(b"id", b"web2"), prefix(b"other", b"web1"), prefix(b"idw", b"eb1")];
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), 4);
        assert_eq!(names[0], prefix(b"id", b"web1"));
        assert!(names.iter().all(|name| name.len() == ".rfab-0123-".len()));
    }

    #[test]
    fn a_folder_goes_even_if_it_lets_nobody_change_it_and_else_its_lock_stays_for_a_later_run() {
        let folder = tempfile::tempdir().unwrap();
        let made = TemporaryFolder::make_in(folder.path()).unwrap();
        fs::create_dir_all(made.path().join("module/deep")).unwrap();
        fs::write(made.path().join("module/deep/file"), "").unwrap();
        for closed in ["module/deep", "module"] {
            fs::set_permissions(made.path().join(closed), fs::Permissions::from_mode(0o500)).unwrap();
        }
        drop(made);
        assert_eq!(names(folder.path()), [] as [&str; 0]);
        let made = TemporaryFolder::make_in(folder.path()).unwrap();
        let path = made.path().to_owned();
        fs::remove_dir(&path).unwrap();
        fs::write(&path, "what can't be removed as a folder").unwrap();
        drop(made);
        assert_eq!(names(folder.path()).len(), 2, "what stayed, and its lock");
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        sweep(folder.path());
        assert_eq!(names(folder.path()), [] as [&str; 0]);
    }
}
