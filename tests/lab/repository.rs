//! The shop's repository: a bare remote, and clones of it, made with the `git` command.
use super::{alone, output::Output};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

/// A clone, which has its remote as `origin`.
pub struct Repository {
    pub folder: PathBuf,
    pub remote: PathBuf,
    home: PathBuf,
}

/// The files of a release, except its page: path, text, and whether it is executable.
const TREE: [(&str, &str, bool); 5] = [
    ("bin/install-dependencies", "#!/bin/sh\nset -eu\ndate > installed\n", true),
    ("bin/migrate", "#!/bin/sh\nset -eu\nprintf '%s\\n' \"${PWD##*/}\" >> ../../shared/migrated\n", true),
    ("config/application.yml", "name: shop\n", false),
    ("public/style.css", "body { color: black }\n", false),
    ("README", "The shop.\n", false),
];

impl Repository {
    /// Makes remote and clone: tags v3.0.0 and v3.0.1, branches `main` (at v3.0.1) and `my-branch` (one commit
    /// further).
    pub fn make(folder: &Path, remote: &Path, home: &Path, hash: &str) -> Repository {
        fs::create_dir_all(home).expect("a home");
        let config = "[user]\n\tname = Lab\n\temail = lab@localhost\n[init]\n\tdefaultBranch = main\n[commit]\n\tgpgsign = false\n[advice]\n\tdetachedHead = false\n";
        fs::write(home.join(".gitconfig"), config).expect("a home");
        let repository = Repository { folder: folder.into(), remote: remote.into(), home: home.into() };
        let format = format!("--object-format={hash}");
        repository
            .git_in(Path::new("/"), &["init", "-q", &format, "--bare", &remote.display().to_string()])
            .expect_ok();
        repository.git_in(Path::new("/"), &["init", "-q", &format, &folder.display().to_string()]).expect_ok();
        for key in ["uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"] {
            repository.git_in(remote, &["config", key, "true"]).expect_ok();
        }
        repository.git(&["remote", "add", "origin", &remote.display().to_string()]).expect_ok();
        // Also for a git that runs with another home, on a machine where git has no name and address.
        repository.git(&["config", "user.name", "Lab"]).expect_ok();
        repository.git(&["config", "user.email", "lab@localhost"]).expect_ok();
        for (path, text, executable) in TREE {
            repository.write(path, text);
            if executable {
                fs::set_permissions(folder.join(path), fs::Permissions::from_mode(0o755)).expect("a file");
            }
        }
        repository.release("v3.0.0");
        repository.release("v3.0.1");
        repository.git(&["checkout", "-q", "-b", "my-branch"]).expect_ok();
        repository.commit(&[("index.txt", "shop my-branch\n")]);
        repository.git(&["push", "-q", "origin", "my-branch"]).expect_ok();
        repository.git(&["checkout", "-q", "main"]).expect_ok();
        repository
    }

    /// Makes another clone of the same remote, such as a colleague has.
    pub fn clone_to(&self, folder: &Path) -> Repository {
        let (remote, to) = (self.remote.display().to_string(), folder.display().to_string());
        self.git_in(Path::new("/"), &["clone", "-q", &remote, &to]).expect_ok();
        Repository { folder: folder.into(), remote: self.remote.clone(), home: self.home.clone() }
    }

    /// Commits a page with the text `shop TAG`, tags the commit, pushes both, and returns the commit.
    pub fn release(&self, tag: &str) -> String {
        let commit = self.commit(&[("index.txt", &format!("shop {tag}\n"))]);
        self.git(&["tag", tag]).expect_ok();
        self.git(&["push", "-q", "origin", "HEAD", tag]).expect_ok();
        commit
    }

    /// Writes files, commits all changes, and returns the commit. Nothing is pushed.
    pub fn commit(&self, files: &[(&str, &str)]) -> String {
        for (path, text) in files {
            self.write(path, text);
        }
        self.git(&["add", "--all"]).expect_ok();
        self.git(&["commit", "-q", "--allow-empty", "-m", "shop: change"]).expect_ok();
        self.resolve("HEAD")
    }

    /// Returns the commit that a reference names, with all its hex digits.
    pub fn resolve(&self, reference: &str) -> String {
        let commit = format!("{reference}^{{commit}}");
        self.git(&["rev-parse", "--verify", "-q", &commit]).expect_ok().trim().to_owned()
    }

    pub fn write(&self, path: &str, text: &str) {
        let file = self.folder.join(path);
        fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        fs::write(&file, text).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    }

    /// Runs git in the clone, as the lab's operator.
    pub fn git(&self, arguments: &[&str]) -> Output {
        self.git_in(&self.folder, arguments)
    }

    fn git_in(&self, folder: &Path, arguments: &[&str]) -> Output {
        let mut command = Command::new("git");
        alone::cleared(command.args(arguments).current_dir(folder));
        command.env("HOME", &self.home).env("GIT_TERMINAL_PROMPT", "0");
        Output::of(&mut command)
    }
}
