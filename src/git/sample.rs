//! Makes real repositories for tests: a bare origin and a clone of it.
use super::Repository;
use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

/// A clone with a first commit, which is pushed to an origin next to it. Both are removed when it's dropped.
pub(crate) struct Sample {
    pub folder: tempfile::TempDir,
    pub origin: PathBuf,
    pub work: PathBuf,
}

/// Another clone of the same origin.
pub(crate) struct Clone {
    pub work: PathBuf,
}

impl Sample {
    pub(crate) fn new() -> Self {
        // Part of a ref's name comes from this path, so it must be valid there.
        let folder = tempfile::Builder::new().prefix("rfab-").tempdir().unwrap();
        let (origin, work) = (folder.path().join("origin.git"), folder.path().join("work"));
        git(folder.path(), &["init", "-q", "--bare", "-b", "main", "origin.git"]);
        git(folder.path(), &["clone", "-q", "origin.git", "work"]);
        let sample = Self { folder, origin, work };
        set_up(&sample.work);
        sample.git(&["checkout", "-q", "-B", "main"]);
        sample.commit("README", "first");
        sample.git(&["push", "-q", "origin", "main"]);
        sample
    }

    pub(crate) fn git(&self, args: &[&str]) -> String {
        git(&self.work, args)
    }

    /// Writes a file, commits it, and returns the commit.
    pub(crate) fn commit(&self, file: &str, content: &str) -> String {
        commit(&self.work, file, content)
    }

    /// Writes a file without committing it.
    pub(crate) fn write(&self, file: &str, content: &[u8]) {
        write(&self.work, file, content)
    }

    pub(crate) fn make_executable(&self, file: &str) {
        std::fs::set_permissions(self.work.join(file), std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Commits everything in the work tree.
    pub(crate) fn commit_all(&self) -> String {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", "all"]);
        self.git(&["rev-parse", "HEAD"])
    }

    pub(crate) fn hook(&self, name: &str, text: &str) {
        let path = self.work.join(".git/hooks").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        lab::runnable::write(&path, text);
    }

    pub(crate) fn other(&self) -> Clone {
        git(self.folder.path(), &["clone", "-q", "origin.git", "other"]);
        let work = self.folder.path().join("other");
        set_up(&work);
        Clone { work }
    }

    pub(crate) fn repository(&self) -> Repository {
        Repository::locate(self.work.to_str().unwrap(), Path::new("/nowhere")).unwrap()
    }
}

impl Clone {
    pub(crate) fn git(&self, args: &[&str]) -> String {
        git(&self.work, args)
    }

    pub(crate) fn commit(&self, file: &str, content: &str) -> String {
        commit(&self.work, file, content)
    }
}

fn set_up(work: &Path) {
    for (key, value) in [
        ("user.name", "Anna"),
        ("user.email", "anna@example.org"),
        ("commit.gpgsign", "false"),
        ("tag.gpgsign", "false"),
        ("core.hooksPath", ".git/hooks"),
        ("core.autocrlf", "false"),
    ] {
        git(work, &["config", key, value]);
    }
}

fn write(work: &Path, file: &str, content: &[u8]) {
    let path = work.join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

fn commit(work: &Path, file: &str, content: &str) -> String {
    write(work, file, content.as_bytes());
    git(work, &["add", "--", file]);
    git(work, &["commit", "-q", "-m", &format!("{file}: {content}")]);
    git(work, &["rev-parse", "HEAD"])
}

/// Runs git with only the repository's configuration. Panics if git fails.
pub(crate) fn git(at: &Path, args: &[&str]) -> String {
    let mut command = Command::new("git");
    lab::alone::cleared(&mut command).env("HOME", "/nonexistent").env("GIT_CONFIG_GLOBAL", "/dev/null");
    let out = command.arg("-C").arg(at).args(args).output().unwrap();
    assert!(out.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap().trim_end().to_owned()
}

/// Returns whether this machine's git knows an option of `git init`. If not, it reports that the test was not run.
pub(crate) fn knows(option: &str) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let out = Command::new("git").args(["init", "-q", option]).current_dir(folder.path()).output().unwrap();
    if !out.status.success() {
        // This bypasses the capture of libtest. A script that sums up reads the same line from the file `RFAB_NOT_RUN`.
        let line = format!("not run: git::tests: a repository by `git init {option}`: git is too old\n");
        let _ = std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes());
        if let Some(file) = std::env::var_os("RFAB_NOT_RUN") {
            let file = std::fs::OpenOptions::new().create(true).append(true).open(file);
            std::io::Write::write_all(&mut file.unwrap(), line.as_bytes()).unwrap();
        }
    }
    out.status.success()
}
