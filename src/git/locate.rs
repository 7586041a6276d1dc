//! Finds repositories.
use super::{GitError, Repository, Trust, process::read, refused::refused, repository::not_one, visible::visible};
use crate::effect::At;
use sha2::{Digest, Sha256};
use std::{
    ffi::OsStr,
    os::unix::{
        ffi::OsStrExt,
        fs::{DirBuilderExt, MetadataExt},
    },
    path::{Path, PathBuf},
};

impl Repository {
    /// Finds the repository of a folder, or the mirror of a URL in `cache`, and creates the mirror if it's missing.
    ///
    /// A source that starts with `/` is a folder. Its repository may start higher up, but a bare one must be the folder
    /// itself. Any other source is a URL, including `host:path`. Its remote is `origin`, otherwise the only one.
    pub fn locate(source: &str, cache: &Path) -> Result<Repository, GitError> {
        if source.starts_with('/') { own(Path::new(source)) } else { mirror(source, cache) }
    }

    /// Finds a repository for an effect; mirrors are in the run's cache.
    pub(crate) fn of(source: &str, at: &At<'_>) -> Result<Repository, GitError> {
        Repository::locate(source, &at.real.cache.join("mirrors"))
    }
}

fn own(path: &Path) -> Result<Repository, GitError> {
    let none: [&Path; 0] = [];
    let owner = |folder: &Path| -> Result<u32, GitError> {
        Ok(std::fs::metadata(folder).map_err(|e| not_one(path, &e.to_string()))?.uid())
    };
    let me = rustix::process::geteuid().as_raw();
    let (folder, work, own, remotes) = match git2::Repository::open_ext(path, git2::RepositoryOpenFlags::empty(), none)
    {
        Ok(open) if owner(open.commondir())? == me => {
            (open.commondir().to_owned(), open.workdir().map(Path::to_owned), open.path().to_owned(), remotes(&open)?)
        }
        Err(e) if e.code() == git2::ErrorCode::NotFound => return Err(not_one(path, e.message())),
        // libgit2 can't open this one, or it's another user's: the user's git decides whether to open it.
        _ => told(path)?,
    };
    if work.is_none() && path.canonicalize().ok() != own.canonicalize().ok() {
        return Err(not_one(path, "it is inside a bare one"));
    }
    let trust = if owner(&folder)? == me { Trust::Own } else { opened_in_place(&folder).map(|()| Trust::Strange)? };
    Ok(Repository { work, remote: remote(remotes)?, folder, trust })
}

/// Fails unless git opens another user's repository at its real path. Through a user's own link, git wouldn't check.
fn opened_in_place(folder: &Path) -> Result<(), GitError> {
    let real = folder.canonicalize().map_err(|e| not_one(folder, &e.to_string()))?;
    let place = if real.ends_with(".git") { real.parent().unwrap_or(&real) } else { &real };
    told(place).map(drop)
}

/// The folder that worktrees share, the work tree, the worktree's own folder, and the remotes that have a URL.
type RepositoryFolders = (PathBuf, Option<PathBuf>, PathBuf, Vec<String>);

/// Asks git for them.
fn told(path: &Path) -> Result<RepositoryFolders, GitError> {
    let at = Repository { folder: path.to_owned(), work: Some(path.to_owned()), remote: None, trust: Trust::Own };
    let ask = |args: &[&str]| -> Result<Vec<u8>, GitError> {
        let (ended, out) = read(&at, args, "")?;
        if ended.ok { Ok(out) } else { Err(refused(path, &ended)) }
    };
    let lines = |bytes: Vec<u8>| -> Vec<PathBuf> {
        bytes.split(|byte| *byte == b'\n').map(|line| PathBuf::from(OsStr::from_bytes(line))).collect()
    };
    let places = lines(ask(&["rev-parse", "--absolute-git-dir", "--git-common-dir", "--is-inside-work-tree"])?);
    let [own, common, inside, ..] = &places[..] else { return Err(not_one(path, "git doesn't report where it is")) };
    let work = if inside.to_str() == Some("true") {
        lines(ask(&["rev-parse", "--show-toplevel"])?).into_iter().next()
    } else {
        None
    };
    let keys = ask(&["config", "-z", "--name-only", "--get-regexp", r"^remote\..*\.url$"]).unwrap_or_default();
    let names = keys.split(|byte| *byte == 0).filter_map(|key| {
        std::str::from_utf8(key).ok()?.strip_prefix("remote.")?.strip_suffix(".url").map(str::to_owned)
    });
    let mut names: Vec<String> = names.collect();
    names.dedup();
    Ok((path.join(common), work, own.clone(), names))
}

fn remotes(open: &git2::Repository) -> Result<Vec<String>, GitError> {
    let all = open.remotes()?;
    let names = all.iter_bytes().filter_map(|name| std::str::from_utf8(name).ok());
    let has_url = |name: &&str| open.find_remote(name).is_ok_and(|remote| !remote.url_bytes().is_empty());
    Ok(names.filter(has_url).map(str::to_owned).collect())
}

/// Returns the default remote.
fn remote(mut names: Vec<String>) -> Result<Option<String>, GitError> {
    if names.iter().any(|name| name == "origin") {
        return Ok(Some("origin".to_owned()));
    }
    if names.len() > 1 { Err(GitError::ManyRemotes(names)) } else { Ok(names.pop()) }
}

fn mirror(url: &str, cache: &Path) -> Result<Repository, GitError> {
    let shown = || GitError::BadUrl(visible(url));
    let plain = !url.is_empty() && !url.starts_with('-') && !url.chars().any(char::is_control) && url.len() < 2048;
    // `ext::` and similar transports name a program to run.
    if !plain || url.contains("::") || !url.contains(':') {
        return Err(shown());
    }
    let end = url.trim_end_matches('/').rsplit(['/', ':']).next().unwrap_or_default().trim_end_matches(".git");
    let end: String = end.chars().filter(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).take(40).collect();
    let folder = cache.join(format!("{end}-{}.git", &hex::encode(Sha256::digest(url))[..12]));
    let made = |e: std::io::Error| not_one(&folder, &e.to_string());
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(cache).map_err(made)?;
    if !folder.join("HEAD").exists() {
        made_empty(&folder)?;
    }
    Ok(Repository { folder, work: None, remote: Some(url.to_owned()), trust: Trust::Mirror })
}

fn made_empty(folder: &Path) -> Result<(), GitError> {
    let mut options = git2::RepositoryInitOptions::new();
    options.bare(true).external_template(false).mkdir(true);
    git2::Repository::init_opts(folder, &options).map(drop).map_err(|e| not_one(folder, e.message()))
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
            Err(GitError::ManyRemotes(vec!["one".into(), "two".into()]))
        );
    }

    #[test]
    fn a_bare_repository_is_taken_only_where_it_was_named() {
        let sample = Sample::new();
        let inside = sample.origin.join("refs");
        assert!(matches!(
            Repository::locate(inside.to_str().unwrap(), Path::new("/nowhere")),
            Err(GitError::NotARepository { .. })
        ));
        assert_eq!(Repository::locate(sample.origin.to_str().unwrap(), Path::new("/nowhere")).unwrap().remote, None);
    }

    #[test]
    fn what_is_no_url_is_refused() {
        let cache = tempfile::tempdir().unwrap();
        for url in ["", "--upload-pack=touch /tmp/p", "ext::sh -c touch", "a\nb:c", "plain", "x:\0"] {
            assert!(matches!(Repository::locate(url, cache.path()), Err(GitError::BadUrl(_))), "{url}");
        }
        let found = Repository::locate("git@host.example:team/shop.git", cache.path()).unwrap();
        assert!(found.folder.file_name().unwrap().to_str().unwrap().starts_with("shop-"));
        assert_eq!(found.trust, Trust::Mirror);
    }
}
