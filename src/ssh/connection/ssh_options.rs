//! The options that ssh has for one host.
use std::path::{Path, PathBuf};

/// The options that ssh has for one host, as `ssh -G` prints them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SshOptions(String);

impl SshOptions {
    pub(crate) fn of(said: &str) -> SshOptions {
        SshOptions(said.to_owned())
    }

    /// Returns each option and its value, in order.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.lines().map(|line| line.split_once(' ').unwrap_or((line, "")))
    }

    /// Returns the first value of an option.
    pub(crate) fn value(&self, option: &str) -> Option<&str> {
        self.all().find(|(name, _)| *name == option).map(|(_, value)| value)
    }

    /// Returns the files that an option names. ssh puts spaces between them, without quotes.
    pub(super) fn files(&self, option: &str) -> Vec<PathBuf> {
        paths(self.value(option).unwrap_or_default(), super::account::home().as_deref())
    }

    /// Returns the name that ssh looks for in known-hosts files.
    pub(super) fn known_as(&self) -> String {
        match (self.value("hostkeyalias"), self.value("hostname"), self.value("port")) {
            (Some(alias), ..) => alias.to_lowercase(),
            (None, Some(name), Some("22") | None) => name.to_lowercase(),
            (None, name, Some(port)) => format!("[{}]:{port}", name.unwrap_or_default().to_lowercase()),
            (None, None, None) => String::new(),
        }
    }
}

/// Splits a list at spaces into files, which may have spaces in their names; files that don't exist are left out.
fn paths(list: &str, home: Option<&Path>) -> Vec<PathBuf> {
    let words: Vec<&str> = list.split(' ').collect();
    let (mut paths, mut at) = (Vec::new(), 0);
    while at < words.len() {
        let file = |end: usize| {
            let text = words[at..end].join(" ");
            let below = text.strip_prefix("~/").and_then(|rest| Some(home?.join(rest)));
            Some(below.unwrap_or_else(|| text.into())).filter(|path| path.is_file()).map(|path| (path, end))
        };
        match (at + 1..=words.len()).rev().find_map(file) {
            Some((path, end)) => {
                paths.push(path);
                at = end;
            }
            None => at += 1,
        }
    }
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_apart_also_where_names_have_spaces() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| {
            let file = folder.path().join(name);
            std::fs::write(&file, "").unwrap();
            file
        };
        let (own, spaced, other) = (file("own"), file("two words"), file("other"));
        let list = format!("~/own {} /nowhere/x {}", spaced.display(), other.display());
        assert_eq!(paths(&list, Some(folder.path())), [own, spaced, other]);
        assert_eq!(paths("", None), Vec::<PathBuf>::new());
    }
}
