//! Files with `export-subst`, as `git archive` writes them.
use super::{
    GitError, Repository, Tree, TreeEntry, borrowed::Borrowed, prepared::reading, process::read, visible::visible,
};
use std::{ffi::OsStr, io::Read, os::unix::ffi::OsStrExt, process::Stdio};

/// The most bytes that a file may have after the substitution.
const MOST: u64 = 64 << 20;

/// What `git archive` would also do to a file: line ends, `$Id$`, filters and encodings. A commit's own attributes
/// can't undo this.
const NOTHING_ELSE: &str = "* -text !eol -ident !filter !working-tree-encoding -export-ignore\n";

/// Makes a commit's files with `export-subst`.
///
/// The names that a placeholder can show are the tags, so that each machine makes the same file.
pub struct Substitution {
    made: Borrowed,
    commit: String,
}

impl Substitution {
    /// Prepares it for a commit; its tags are those of the remote, or the repository's own if it has none.
    ///
    /// A submodule's commit has neither names nor parents: how much else of it a machine fetched differs.
    pub fn of(repository: &Repository, commit: &str, is_submodule: bool) -> Result<Substitution, GitError> {
        if is_submodule {
            let only = [("info/attributes", NOTHING_ELSE), ("shallow", &format!("{commit}\n"))];
            return Ok(Substitution { made: Borrowed::of(repository, commit, &only)?, commit: commit.to_owned() });
        }
        let prefix = if repository.remote.is_some() { "refs/rfab/tags/" } else { "refs/tags/" };
        // The tags' own objects, because a placeholder can tell an annotated tag from another.
        let (ended, out) = read(repository, &["for-each-ref", "--format=%(objectname) %(refname)", prefix], "")?;
        if !ended.ok {
            return Err(GitError::Git { what: "for-each-ref".to_owned(), why: ended.why() });
        }
        let refs: String = String::from_utf8_lossy(&out)
            .lines()
            .filter_map(|line| line.split_once(&format!(" {prefix}")))
            .map(|(id, name)| format!("{id} refs/tags/{name}\n"))
            .collect();
        let refs = format!("# pack-refs with: sorted \n{refs}");
        let made = Borrowed::of(repository, commit, &[("packed-refs", &refs), ("info/attributes", NOTHING_ELSE)])?;
        Ok(Substitution { made, commit: commit.to_owned() })
    }

    /// Returns the content of a file.
    pub fn content(&self, entry: &TreeEntry) -> Result<Vec<u8>, GitError> {
        let path = visible(&String::from_utf8_lossy(&entry.path));
        let failed = |why: String| GitError::Read(format!("`{path}`, by `git archive`: {why}"));
        let mut command = reading(&self.made.at);
        // An abbreviated id has the same length on each machine.
        command.args([
            "-c",
            "core.abbrev=12",
            "-c",
            "core.attributesFile=/dev/null",
            "-c",
            "mailmap.blob=HEAD:.mailmap",
        ]);
        command.args(["--literal-pathspecs", "archive", "--format=tar", &self.commit, "--"]);
        command.arg(OsStr::from_bytes(&entry.path)).env("GIT_ATTR_NOSYSTEM", "1").env("TZ", "UTC");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|e| GitError::NoGit(e.to_string()))?;
        let out = child.stdout.take().expect("piped");
        let found = file_of(out);
        let ended = child.kill().and_then(|()| child.wait_with_output());
        match found {
            Ok(Some(content)) => Ok(content),
            Ok(None) => {
                let err = ended.map(|ended| ended.stderr).unwrap_or_default();
                Err(failed(format!("it isn't there; {}", visible(String::from_utf8_lossy(&err).trim()))))
            }
            Err(e) => Err(failed(e.to_string())),
        }
    }
}

/// Returns the one file of a tar.
fn file_of(tar: impl Read) -> std::io::Result<Option<Vec<u8>>> {
    for entry in tar::Archive::new(tar).entries()? {
        let mut entry = entry?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let size = entry.size();
        if size > MOST {
            return Err(std::io::Error::other("it gets too large"));
        }
        let mut content = Vec::new();
        entry.read_to_end(&mut content)?;
        if content.len() as u64 != size {
            return Err(std::io::Error::other("git ended in the middle"));
        }
        return Ok(Some(content));
    }
    Ok(None)
}

/// Returns whether a file of a commit has anything to substitute.
pub fn has_placeholder(tree: &Tree, entry: &TreeEntry) -> Result<bool, GitError> {
    const BEGINNING: &[u8] = b"$Format:";
    let (_, mut reader) = tree.reader(entry)?;
    let (mut seen, mut piece) = (Vec::new(), [0; 65536]);
    loop {
        let read = reader.read(&mut piece).map_err(|e| GitError::Read(e.to_string()))?;
        if read == 0 {
            return Ok(false);
        }
        seen.extend_from_slice(&piece[..read]);
        if seen.windows(BEGINNING.len()).any(|part| part == BEGINNING) {
            return Ok(true);
        }
        seen.drain(..seen.len().saturating_sub(BEGINNING.len() - 1));
    }
}
