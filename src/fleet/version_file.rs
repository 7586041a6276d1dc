//! A file that holds the project's version, as `rfab.toml` or a script names it.
use serde::{Deserialize, Serialize};

/// A file with a version, and where in it the version is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionFile {
    /// The path from the top of the repository.
    pub file: String,
    /// The keys that lead to the version, with dots between them; `None` for where such a file usually has it.
    pub key: Option<String>,
    pub format: VersionFormat,
}

/// How a file with a version is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VersionFormat {
    Ini,
    Toml,
    Json,
    Yaml,
    Ruby,
    Plain,
}

/// The formats and their names in settings.
pub const FORMATS: [(&str, VersionFormat); 6] = [
    ("ini", VersionFormat::Ini),
    ("toml", VersionFormat::Toml),
    ("json", VersionFormat::Json),
    ("yaml", VersionFormat::Yaml),
    ("ruby", VersionFormat::Ruby),
    ("plain", VersionFormat::Plain),
];

impl VersionFormat {
    /// Returns the format that a file has by its name.
    pub fn of(file: &str) -> Option<VersionFormat> {
        let name = name_of(file);
        // The dot of a hidden file such as `.version` begins no extension.
        match name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()) {
            None | Some((_, "txt")) => Some(VersionFormat::Plain),
            Some((_, "toml")) => Some(VersionFormat::Toml),
            Some((_, "json")) => Some(VersionFormat::Json),
            Some((_, "yaml" | "yml")) => Some(VersionFormat::Yaml),
            Some((_, "ini" | "cfg")) => Some(VersionFormat::Ini),
            Some((_, "rb" | "gemspec")) => Some(VersionFormat::Ruby),
            Some(_) => None,
        }
    }

    /// Returns the name for people.
    pub fn shown(self) -> &'static str {
        match self {
            VersionFormat::Ini => "INI",
            VersionFormat::Toml => "TOML",
            VersionFormat::Json => "JSON",
            VersionFormat::Yaml => "YAML",
            VersionFormat::Ruby => "Ruby",
            VersionFormat::Plain => "a plain file",
        }
    }
}

/// Returns the keys where a file of this name usually has its version. The first that is there counts.
pub fn usual_keys(file: &str) -> &'static [&'static str] {
    match name_of(file) {
        "Cargo.toml" => &["package.version", "workspace.package.version"],
        "pyproject.toml" => &["project.version", "tool.poetry.version"],
        "package.json" | "composer.json" | "deno.json" | "jsr.json" => &["version"],
        "Chart.yaml" | "pubspec.yaml" | "galaxy.yml" => &["version"],
        "setup.cfg" => &["metadata.version"],
        "version.rb" => &["VERSION"],
        name if name.ends_with(".gemspec") => &["version"],
        _ => &[],
    }
}

/// Explains why a path can't be a file's in a repository.
pub fn why_no_path(path: &str) -> Option<&'static str> {
    if path.is_empty() || path.contains(crate::control::hidden) {
        return Some("isn't a path");
    }
    let mut parts = path.split('/');
    if path.starts_with('/') || parts.clone().any(|part| part == "..") {
        return Some("isn't below the top of the repository");
    }
    if parts.clone().any(|part| matches!(part, "" | ".")) {
        return Some("isn't written as git writes it");
    }
    parts.any(|part| part.eq_ignore_ascii_case(".git")).then_some("belongs to git")
}

fn name_of(file: &str) -> &str {
    file.rsplit('/').next().unwrap_or(file)
}

impl VersionFile {
    /// Describes the file and the key, for people.
    pub fn shown(&self) -> String {
        match &self.key {
            Some(key) if self.format != VersionFormat::Plain => format!("`{key}` in `{}`", self.file),
            _ => format!("`{}`", self.file),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_the_format() {
        let of = |name: &str| VersionFormat::of(name).map(VersionFormat::shown);
        let names = ["VERSION", "a.b/VERSION", ".version", "version.txt", "Cargo.toml", "a/package.json", "a.yml"];
        let formats = ["a plain file", "a plain file", "a plain file", "a plain file", "TOML", "JSON", "YAML"];
        assert_eq!(names.map(of), formats.map(Some));
        assert_eq!(["setup.cfg", ".bumpversion.cfg", "a.gemspec"].map(of), ["INI", "INI", "Ruby"].map(Some));
        assert_eq!(["setup.py", "pom.xml", "a.jsonc"].map(of), [None; 3]);
    }

    #[test]
    fn a_path_stays_in_the_repository() {
        for bad in ["", "/etc/passwd", "../x", "a/../b", "a//b", "./a", "a/", ".git/config", "a/.GIT/x", "a\nb"] {
            assert!(why_no_path(bad).is_some(), "{bad:?}");
        }
        for good in ["VERSION", "a b/ü.toml", "..a/b..", ".github/x.yml"] {
            assert_eq!(why_no_path(good), None, "{good}");
        }
    }
}
