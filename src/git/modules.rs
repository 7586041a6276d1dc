//! The submodules of a commit, as its `.gitmodules` names them.
use super::{
    EntryKind, GitError, Repository, Tree,
    module_url::{refused, resolved, shown},
    process::read,
};
use std::collections::HashMap;

/// A submodule at the commit that the repository above pins.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Submodule {
    pub name: String,
    pub url: String,
    /// The whole id.
    pub commit: String,
}

impl Submodule {
    /// Returns the URL for people, without a password.
    pub fn shown_url(&self) -> String {
        shown(&self.url)
    }
}

/// The submodules of a tree, by their paths.
#[derive(Default)]
pub struct Submodules {
    /// The name and the URL of each path, as written.
    written: HashMap<String, (String, Option<String>)>,
    /// Why nothing in `.gitmodules` counts.
    bad: Option<&'static str>,
}

impl Submodules {
    /// Reads `.gitmodules` of a commit, without the files that it includes.
    pub fn of(tree: &Tree) -> Result<Submodules, GitError> {
        let Some(entry) = tree.entries.iter().find(|entry| entry.path == b".gitmodules") else {
            return Ok(Submodules::default());
        };
        if !matches!(entry.kind, EntryKind::File { .. }) {
            return Ok(Submodules { bad: Some("`.gitmodules` isn't a file"), ..Submodules::default() });
        }
        let content = tree.content(entry)?;
        let Ok(text) = std::str::from_utf8(&content) else {
            return Ok(Submodules { bad: Some("`.gitmodules` isn't UTF-8"), ..Submodules::default() });
        };
        let args = ["config", "--null", "--no-includes", "--file", "-", "--get-regexp", r"^submodule\..*\.(path|url)$"];
        let (ended, out) = read(tree.repository(), &args, text)?;
        // With no words git says that there are none.
        if !ended.ok && !ended.err.is_empty() {
            return Ok(Submodules { bad: Some("git can't read `.gitmodules`"), ..Submodules::default() });
        }
        let out = String::from_utf8_lossy(&out);
        let (mut paths, mut urls) = (Vec::new(), HashMap::new());
        for entry in out.split('\0').filter_map(|entry| entry.split_once('\n')) {
            let (key, value) = entry;
            let Some((name, key)) = key.strip_prefix("submodule.").and_then(|key| key.rsplit_once('.')) else {
                continue;
            };
            // As in git, the first value of a name counts.
            match key {
                "path" => paths.push((value.trim_end_matches('/').to_owned(), name.to_owned())),
                _ => drop(urls.entry(name.to_owned()).or_insert_with(|| value.to_owned())),
            }
        }
        let mut written = HashMap::new();
        for (path, name) in paths {
            let url = urls.get(&name).cloned();
            written.entry(path).or_insert((name, url));
        }
        Ok(Submodules { written, bad: None })
    }

    /// Finds what a path pins to a commit, or why nothing is fetched for it.
    ///
    /// As in git, the user's own `submodule.NAME.url` goes before `.gitmodules`, and a relative URL starts from the URL
    /// of the repository's remote.
    pub fn at(&self, repository: &Repository, path: &str, commit: &str) -> Result<Submodule, String> {
        if let Some(why) = self.bad {
            return Err(why.to_owned());
        }
        let (name, url) = self.written.get(path).ok_or("`.gitmodules` doesn't name it")?;
        let odd = |part: &str| matches!(part, "" | "." | "..");
        if name.chars().any(crate::control::hidden) || name.split(['/', '\\']).any(odd) || name.len() > 200 {
            return Err("`.gitmodules` gives it a name that git refuses".to_owned());
        }
        let own = setting(repository, &format!("submodule.{name}.url"));
        let url = own.or_else(|| url.clone()).ok_or("`.gitmodules` names no URL for it")?;
        let bad = |url: &str| refused(url).map(|why| format!("its URL `{}` {why}", shown(url)));
        if let Some(why) = bad(&url) {
            return Err(why);
        }
        let url = resolved(&url, &above(repository))
            .ok_or_else(|| format!("its URL `{}` goes above the repository's own URL", shown(&url)))?;
        match bad(&url) {
            Some(why) => Err(why),
            None => Ok(Submodule { name: name.clone(), url, commit: commit.to_owned() }),
        }
    }
}

/// Returns where relative URLs start: at the URL of the remote, or at the repository if it has none.
fn above(repository: &Repository) -> String {
    match &repository.remote {
        Some(remote) => setting(repository, &format!("remote.{remote}.url")).unwrap_or_else(|| remote.clone()),
        None => repository.work.as_ref().unwrap_or(&repository.folder).display().to_string(),
    }
}

fn setting(repository: &Repository, key: &str) -> Option<String> {
    let (ended, out) = read(repository, &["config", "--get", key], "").ok()?;
    ended.ok.then(|| String::from_utf8_lossy(&out).trim_end_matches('\n').to_owned())
}
