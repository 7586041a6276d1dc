//! The shop's repository: the team's clone, and the bare remote that it pushes to.
use crate::failure::Failure;
use std::{
    env, fs,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::Command,
};

/// What is deployed, except the page: path, text, whether it's executable.
const TREE: [(&str, &str, bool); 4] = [
    ("README", "The shop.\n", false),
    ("public/style.css", "body { color: black }\n", false),
    ("bin/install-dependencies", "#!/bin/sh\nset -eu\ndate > installed\n", true),
    ("bin/migrate", "#!/bin/sh\nset -eu\nprintf '%s\\n' \"${PWD##*/}\" >> ../../shared/migrated\n", true),
];

const GITCONFIG: &str = "[user]\n\tname = Demo\n\temail = demo@localhost\n[init]\n\tdefaultBranch = main\n\
                         [commit]\n\tgpgsign = false\n[tag]\n\tgpgsign = false\n";

/// A clone that has a folder beside it as its `origin`.
pub(super) struct DemoRepository {
    pub folder: PathBuf,
    home: PathBuf,
}

impl DemoRepository {
    /// Makes the clone and the remote; git reads its settings from `home`.
    pub(super) fn make(folder: &Path, remote: &Path, home: &Path) -> Result<DemoRepository, Failure> {
        let repository = DemoRepository { folder: folder.to_owned(), home: home.to_owned() };
        write(&home.join(".gitconfig"), GITCONFIG)?;
        fs::create_dir_all(folder).map_err(|e| failed(folder, &e))?;
        let remote = remote.to_string_lossy();
        repository.git(&["init", "-q", "--bare", &remote])?;
        repository.git(&["init", "-q"])?;
        repository.git(&["remote", "add", "origin", &remote])?;
        for (path, text, executable) in TREE {
            repository.write(path, text)?;
            if executable {
                let path = folder.join(path);
                fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).map_err(|e| failed(&path, &e))?;
            }
        }
        Ok(repository)
    }

    /// Commits everything with a page that reads `shop TAG`, tags it, pushes both, and returns the commit.
    pub(super) fn release(&self, tag: &str) -> Result<String, Failure> {
        self.write("index.txt", &format!("shop {tag}\n"))?;
        self.git(&["add", "--all"])?;
        self.git(&["commit", "-q", "-m", &format!("shop: {tag}")])?;
        self.git(&["tag", tag])?;
        self.git(&["push", "-q", "origin", "HEAD", tag])?;
        Ok(self.git(&["rev-parse", "HEAD"])?.trim().to_owned())
    }

    pub(super) fn write(&self, path: &str, text: &str) -> Result<(), Failure> {
        write(&self.folder.join(path), text)
    }

    fn git(&self, arguments: &[&str]) -> Result<String, Failure> {
        let mut command = Command::new("git");
        command.args(arguments).current_dir(&self.folder).process_group(0).env_clear();
        command.env("PATH", env::var_os("PATH").unwrap_or_default());
        command.env("HOME", &self.home).env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_TERMINAL_PROMPT", "0");
        let out =
            command.output().map_err(|e| Failure::failed(format!("git can't be started: {e}")).help("install git"))?;
        if !out.status.success() {
            let said = String::from_utf8_lossy(&out.stderr);
            return Err(Failure::failed(format!("`git {}` failed: {}", arguments.join(" "), said.trim())));
        }
        Ok(String::from_utf8_lossy(&out.stdout).into_owned())
    }
}

/// Writes a file of the demo, and makes its folder.
pub(super) fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).and_then(|()| fs::write(path, text)).map_err(|e| failed(path, &e))
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure::failed(format!("`{}` can't be written: {error}", path.display()))
}
