//! Where a repository is, and how far its configuration is trusted.
use super::Error;
use sha2::{Digest, Sha256};
use std::{
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
};

/// A repository on this machine: the user's own, or a mirror of a URL.
#[derive(Clone, Debug, PartialEq)]
pub struct Repository {
    /// The git directory that its worktrees share.
    pub folder: PathBuf,
    pub work: Option<PathBuf>,
    /// A remote's name, or a URL; `None` where there is no other repository to speak to.
    pub remote: Option<String>,
    pub trust: Trust,
}

/// How far a repository's configuration is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// The user's own: git behaves as by hand, hooks and signing included.
    Own,
    /// Made by rfab or owned by another user: no hooks, no programs out of its configuration.
    Careful,
}

impl Repository {
    /// Finds the repository of a folder, or the mirror of a URL below `cache`, which is made if it is missing.
    ///
    /// A source that starts with `/` is a folder: its repository may begin further up, but a bare one only in the
    /// folder itself. Anything else is a URL, also `host:path`. Its remote is `origin`, else the only one.
    pub fn locate(source: &str, cache: &Path) -> Result<Repository, Error> {
        if source.starts_with('/') { own(Path::new(source)) } else { mirror(source, cache) }
    }

    /// Opens it for reading.
    pub(super) fn open(&self) -> Result<git2::Repository, Error> {
        let at = self.work.as_deref().unwrap_or(&self.folder);
        git2::Repository::open(at).map_err(|e| no_repository(at, e.message()))
    }
}

fn own(path: &Path) -> Result<Repository, Error> {
    let none: [&Path; 0] = [];
    let open = git2::Repository::open_ext(path, git2::RepositoryOpenFlags::empty(), none)
        .map_err(|e| no_repository(path, e.message()))?;
    if open.is_bare() && path.canonicalize().ok() != open.path().canonicalize().ok() {
        return Err(no_repository(path, "it lies inside a bare one"));
    }
    let folder = open.commondir().to_owned();
    let owner = std::fs::metadata(&folder).map_err(|e| no_repository(path, &e.to_string()))?.uid();
    let trust = if owner == rustix::process::geteuid().as_raw() { Trust::Own } else { Trust::Careful };
    Ok(Repository { work: open.workdir().map(Path::to_owned), remote: remote(&open)?, folder, trust })
}

/// The remote that is meant when nobody names one.
fn remote(open: &git2::Repository) -> Result<Option<String>, Error> {
    let all = open.remotes()?;
    let mut names = Vec::new();
    for name in all.iter_bytes().filter_map(|name| std::str::from_utf8(name).ok()) {
        let has_url = open.find_remote(name).is_ok_and(|remote| !remote.url_bytes().is_empty());
        if has_url {
            names.push(name.to_owned());
        }
    }
    if names.iter().any(|name| name == "origin") {
        return Ok(Some("origin".to_owned()));
    }
    if names.len() > 1 { Err(Error::ManyRemotes(names)) } else { Ok(names.pop()) }
}

fn mirror(url: &str, cache: &Path) -> Result<Repository, Error> {
    let shown = || Error::BadUrl(super::process::visible(url));
    let plain = !url.is_empty() && !url.starts_with('-') && !url.chars().any(char::is_control) && url.len() < 2048;
    // `ext::` and the like name a program to run.
    if !plain || url.contains("::") || !url.contains(':') {
        return Err(shown());
    }
    let end = url.trim_end_matches('/').rsplit(['/', ':']).next().unwrap_or_default().trim_end_matches(".git");
    let end: String = end.chars().filter(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).take(40).collect();
    let folder = cache.join(format!("{end}-{}.git", &hex::encode(Sha256::digest(url))[..12]));
    let made = |e: std::io::Error| no_repository(&folder, &e.to_string());
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(cache).map_err(made)?;
    let mut options = git2::RepositoryInitOptions::new();
    options.bare(true).external_template(false).mkdir(true);
    if !folder.join("HEAD").exists() {
        git2::Repository::init_opts(&folder, &options).map_err(|e| no_repository(&folder, e.message()))?;
    }
    Ok(Repository { folder, work: None, remote: Some(url.to_owned()), trust: Trust::Careful })
}

fn no_repository(path: &Path, why: &str) -> Error {
    Error::NotARepository { path: path.display().to_string(), why: super::process::visible(why) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::sample::Sample;

    #[test]
    fn a_folder_below_the_top_finds_its_repository_and_its_remote() {
        let sample = Sample::new();
        std::fs::create_dir(sample.work.join("sub")).unwrap();
        let found = Repository::locate(sample.work.join("sub").to_str().unwrap(), Path::new("/nowhere")).unwrap();
        assert_eq!(found.work.unwrap().canonicalize().unwrap(), sample.work.canonicalize().unwrap());
        assert_eq!(found.remote.as_deref(), Some("origin"));
        assert_eq!(found.trust, Trust::Own);
    }

    #[test]
    fn several_remotes_without_an_origin_are_refused() {
        let sample = Sample::new();
        sample.git(&["remote", "rename", "origin", "one"]);
        assert_eq!(sample.repository().remote.as_deref(), Some("one"));
        sample.git(&["remote", "add", "two", "/nowhere"]);
        let source = sample.work.to_str().unwrap().to_owned();
        assert_eq!(
            Repository::locate(&source, Path::new("/nowhere")),
            Err(Error::ManyRemotes(vec!["one".into(), "two".into()]))
        );
    }

    #[test]
    fn a_bare_repository_is_taken_only_where_it_was_named() {
        let sample = Sample::new();
        let inside = sample.origin.join("refs");
        assert!(matches!(
            Repository::locate(inside.to_str().unwrap(), Path::new("/nowhere")),
            Err(Error::NotARepository { .. })
        ));
        assert_eq!(Repository::locate(sample.origin.to_str().unwrap(), Path::new("/nowhere")).unwrap().remote, None);
    }

    #[test]
    fn what_is_no_url_is_refused() {
        let cache = tempfile::tempdir().unwrap();
        for url in ["", "--upload-pack=touch /tmp/p", "ext::sh -c touch", "a\nb:c", "plain", "x:\0"] {
            assert!(matches!(Repository::locate(url, cache.path()), Err(Error::BadUrl(_))), "{url}");
        }
        let found = Repository::locate("git@host.example:team/shop.git", cache.path()).unwrap();
        assert!(found.folder.file_name().unwrap().to_str().unwrap().starts_with("shop-"));
        assert_eq!(found.trust, Trust::Careful);
    }
}
