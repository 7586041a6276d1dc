//! Reads files of a repository from `git cat-file`.
use super::{GitError, Repository, prepared::reading, visible::visible};
use std::{
    io::{BufRead, BufReader, Read, Write},
    process::{Child, ChildStdin, ChildStdout, Stdio},
};

/// A git process that prints one file after another.
pub(super) struct Batch {
    child: Child,
    input: ChildStdin,
    out: BufReader<ChildStdout>,
}

impl Batch {
    /// Starts the git process.
    pub(super) fn open(at: &Repository) -> Result<Batch, GitError> {
        let mut command = reading(at);
        command.args(["cat-file", "--batch"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(|e| GitError::NoGit(e.to_string()))?;
        let (input, out) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
        Ok(Batch { child, input, out: BufReader::new(out) })
    }

    /// Returns the content of the file with this id.
    pub(super) fn content(&mut self, id: &str) -> Result<Vec<u8>, GitError> {
        let failed = |e: std::io::Error| GitError::Read(format!("`git cat-file` ended: {e}"));
        writeln!(self.input, "{id}").and_then(|()| self.input.flush()).map_err(failed)?;
        let mut head = String::new();
        self.out.read_line(&mut head).map_err(failed)?;
        let size = head.trim_end().strip_prefix(&format!("{id} blob ")).and_then(|size| size.parse::<usize>().ok());
        let size =
            size.ok_or_else(|| GitError::Read(format!("git reports about a file: {}", visible(head.trim_end()))))?;
        let mut content = vec![0; size + 1];
        self.out.read_exact(&mut content).map_err(failed)?;
        content.pop();
        Ok(content)
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The content of one file, read as git prints it.
pub(super) struct Blob {
    child: Child,
    out: ChildStdout,
}

impl Blob {
    /// Starts to read the blob with this id.
    pub(super) fn open(at: &Repository, id: &str) -> Result<Blob, GitError> {
        let mut command = reading(at);
        // Git passes on a larger file in pieces, and doesn't hold all of it in memory.
        command.args(["-c", "core.bigFileThreshold=1m", "cat-file", "blob", id]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(|e| GitError::NoGit(e.to_string()))?;
        let out = child.stdout.take().expect("piped");
        Ok(Blob { child, out })
    }
}

impl Read for Blob {
    fn read(&mut self, piece: &mut [u8]) -> std::io::Result<usize> {
        let read = self.out.read(piece)?;
        if read == 0 && !piece.is_empty() {
            let status = self.child.wait()?;
            if !status.success() {
                return Err(std::io::Error::other(format!("`git cat-file` ended with {status}")));
            }
        }
        Ok(read)
    }
}

impl Drop for Blob {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
