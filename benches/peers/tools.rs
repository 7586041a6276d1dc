//! The tools that rfab is measured beside: where they come from, and their versions.
use super::machine::said;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Programs that come from Debian: the program, its package, and the words that print its version.
const DEBIAN: [(&str, &str, &[&str]); 9] = [
    ("rsync", "rsync", &["--version"]),
    ("parallel-ssh", "pssh", &["--version"]),
    ("ansible", "ansible-core", &["--version"]),
    ("cap", "capistrano", &["--version"]),
    ("time", "time", &["--version"]),
    ("socat", "socat", &["-V"]),
    ("git", "git", &["--version"]),
    ("python3", "python3-venv", &["--version"]),
    ("mkfs.xfs", "xfsprogs", &["-V"]),
];

/// Libraries of Python, each set in a folder of its own: Fabric 1 and Fabric 3 have the same name.
const PYPI: [(&str, &[&str]); 2] = [("classic", &["fab-classic", "parallel-ssh"]), ("fabric", &["fabric"])];

/// Installs what is missing. What can't be had is left out later.
pub fn install() {
    let lacks = |program: &str| said("sh", &["-c", &format!("command -v {program}")]).is_empty();
    let packages: Vec<&str> = DEBIAN.iter().filter(|tool| lacks(tool.0)).map(|tool| tool.1).collect();
    if !packages.is_empty() {
        let mut apt = Command::new("apt-get");
        apt.args(["install", "--yes", "--quiet", "--no-install-recommends"]).args(packages);
        let _ = apt.env("DEBIAN_FRONTEND", "noninteractive").stdout(Stdio::null()).status();
    }
    for (name, libraries) in PYPI {
        let folder = folder().join(name);
        if !folder.join("bin/fab").exists() {
            let _ = Command::new("python3").args(["-m", "venv"]).arg(&folder).status();
            let pip = folder.join("bin/pip");
            let _ = Command::new(pip).args(["install", "--quiet"]).args(libraries).status();
        }
    }
}

/// Returns the Python of Fabric 1 and parallel-ssh, or that of Fabric 3.
pub fn python(name: &str) -> Option<String> {
    let python = folder().join(name).join("bin/python");
    folder().join(name).join("bin/fab").exists().then(|| python.display().to_string())
}

/// Returns the path of Fabric 1's program.
pub fn fab() -> Option<String> {
    python("classic").map(|python| Path::new(&python).with_file_name("fab").display().to_string())
}

/// Returns whether a program is here.
pub fn has(program: &str) -> bool {
    !said("sh", &["-c", &format!("command -v {program}")]).is_empty()
}

/// Returns the versions of all that are here.
pub fn versions() -> BTreeMap<String, String> {
    let mut versions = BTreeMap::new();
    for (program, package, words) in DEBIAN.into_iter().filter(|tool| has(tool.0)) {
        let text = said(program, words);
        versions.extend(number(&text).map(|number| (package.to_owned(), number)));
    }
    for (name, libraries) in PYPI {
        let pip = folder().join(name).join("bin/pip").display().to_string();
        for library in libraries {
            let text = said(&pip, &["show", library]);
            let line = text.lines().find_map(|line| line.strip_prefix("Version: "));
            versions.extend(line.map(|version| ((*library).to_owned(), version.to_owned())));
        }
    }
    versions
}

/// Names the tools that can't be measured.
pub fn missing() -> Vec<String> {
    let mut missing: Vec<String> = Vec::new();
    missing.extend(DEBIAN.iter().filter(|tool| !has(tool.0)).map(|tool| format!("{} (not installed)", tool.1)));
    for (name, libraries) in PYPI.iter().filter(|(name, _)| python(name).is_none()) {
        missing.push(format!("{} (not installed: {name})", libraries.join(", ")));
    }
    missing
}

/// Finds the first number of a version in a text.
fn number(text: &str) -> Option<String> {
    let words = text.split(|c: char| c.is_whitespace() || "[]()v,".contains(c));
    words
        .into_iter()
        .find(|word| word.contains('.') && word.starts_with(|c: char| c.is_ascii_digit()))
        .map(str::to_owned)
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("peers")
}
