//! A git directory of rfab's own that reads the objects of another repository.
//!
//! Nothing that is in the other's configuration, attributes and refs counts in it, except what is put there.
use super::{GitError, Repository, Trust};
use crate::temporary::TemporaryFolder;
use std::{fs, io, path::Path};

/// A git directory with another repository's objects, which is removed when it's dropped.
pub(super) struct Borrowed {
    pub at: Repository,
    _folder: TemporaryFolder,
}

impl Borrowed {
    /// Makes one with a commit as its `HEAD`, and these names and contents of files.
    pub(super) fn of(repository: &Repository, commit: &str, files: &[(&str, &str)]) -> Result<Borrowed, GitError> {
        let failed = |e: io::Error| GitError::Read(format!("a folder for git can't be made: {e}"));
        let folder = TemporaryFolder::make().map_err(failed)?;
        let objects = repository.folder.join("objects").canonicalize().map_err(failed)?;
        let format = if commit.len() == 64 {
            "[core]\n\tbare = false\n\trepositoryformatversion = 1\n[extensions]\n\tobjectformat = sha256\n"
        } else {
            "[core]\n\tbare = false\n\trepositoryformatversion = 0\n"
        };
        // With a work tree, which stays empty, git is called without `GIT_DIR`. A program of git-lfs that reads another
        // repository would take that for its own.
        let own = folder.path().join(".git");
        let put = |name: &str, text: &str| {
            let file = own.join(name);
            fs::create_dir_all(file.parent().unwrap_or(&own))?;
            fs::write(file, text)
        };
        let all = || -> io::Result<()> {
            fs::create_dir_all(own.join("refs"))?;
            put("HEAD", &format!("{commit}\n"))?;
            put("config", format)?;
            put("objects/info/alternates", &format!("{}\n", quoted(&objects)))?;
            // Without it, git would miss the parents that a shallow repository lacks.
            match fs::read(repository.folder.join("shallow")) {
                Ok(lines) => fs::write(own.join("shallow"), lines)?,
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                Err(e) => return Err(e),
            }
            files.iter().try_for_each(|(name, text)| put(name, text))
        };
        all().map_err(failed)?;
        let (own, work) = (own.clone(), Some(folder.path().to_owned()));
        let at = Repository { folder: own, work, remote: None, trust: Trust::Mirror };
        Ok(Borrowed { at, _folder: folder })
    }
}

/// Returns a path as a line of `alternates`, quoted only if it must be: git-lfs reads the file, too, and knows no quotes.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    if text.starts_with(['"', '#']) || text.contains('\n') {
        format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
    } else {
        text
    }
}
