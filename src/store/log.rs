//! The log of one host: a file with a limited size.
use std::{
    fs::{DirBuilder, File, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt},
    path::Path,
};

/// How much of a log's start is kept, in bytes …
const FIRST: u64 = 32 << 20;
/// … and at least how much of its end; up to twice as much before some is left out.
const LAST: u64 = 16 << 20;

/// A log that is being written; each write is in the file when it returns.
pub struct Log {
    file: File,
    length: u64,
    /// How many bytes were left out between the start and the end.
    left_out: u64,
    first: u64,
    last: u64,
}

/// Returns the text between the two, which always has the same length.
fn gap(left_out: u64) -> String {
    format!("\n[{left_out:>20} bytes were left out here]\n")
}

impl Log {
    /// Opens a log to append to it; only its owner can read it and its folder.
    pub fn open(path: &Path) -> io::Result<Log> {
        Log::sized(path, FIRST, LAST)
    }

    fn sized(path: &Path, first: u64, last: u64) -> io::Result<Log> {
        if let Some(folder) = path.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        let length = file.metadata()?.len();
        let mut between = vec![0; gap(0).len()];
        let found = file.read_exact_at(&mut between, first).is_ok();
        let between = String::from_utf8_lossy(&between).into_owned();
        let number = between.trim_start_matches(['\n', '[', ' ']).split(' ').next().and_then(|n| n.parse().ok());
        let left_out = number.filter(|n| found && between == gap(*n)).unwrap_or(0);
        Ok(Log { file, length, left_out, first, last })
    }

    pub fn write(&mut self, text: &[u8]) -> io::Result<()> {
        self.file.write_all_at(text, self.length)?;
        self.length += text.len() as u64;
        if self.length > self.first + gap(0).len() as u64 + 2 * self.last { self.leave_out() } else { Ok(()) }
    }

    /// Moves the end up to the start, and drops most of what was between them.
    fn leave_out(&mut self) -> io::Result<()> {
        let behind = self.first + gap(0).len() as u64;
        let begin = if self.left_out > 0 { behind } else { self.first };
        let from = self.length - self.last;
        self.left_out += from - begin;
        self.file.write_all_at(gap(self.left_out).as_bytes(), self.first)?;
        let mut piece = vec![0; (1 << 20).min(self.last) as usize];
        let mut done = 0;
        while done < self.last {
            let size = piece.len().min((self.last - done) as usize);
            self.file.read_exact_at(&mut piece[..size], from + done)?;
            self.file.write_all_at(&piece[..size], behind + done)?;
            done += size as u64;
        }
        self.length = behind + self.last;
        self.file.set_len(self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::PermissionsExt};

    #[test]
    fn a_log_that_grows_keeps_its_beginning_and_its_end_and_says_how_much_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.logs/web1.log");
        let text: String = (0..2_000).map(|n| format!("line {n:04}\n")).collect();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let mut log = Log::sized(&path, 100, 50).unwrap();
        for (at, line) in text.as_bytes().chunks(10).enumerate() {
            // From time to time it is opened again, as by a resumed run.
            if at % 7 == 0 {
                log = Log::sized(&path, 100, 50).unwrap();
            }
            log.write(line).unwrap();
            let now = fs::read_to_string(&path).unwrap();
            let written = 10 * (at + 1);
            let most = 200 + gap(0).len();
            assert!(now.len() <= most && now.starts_with(&text[..written.min(100)]), "{now}");
            assert!(now.ends_with(&text[written.saturating_sub(50)..written]), "{now}");
            if let Some((_, rest)) = now.split_once("\n[") {
                let left_out: usize = rest.split(" bytes").next().unwrap().trim().parse().unwrap();
                assert_eq!(now.len() - gap(0).len() + left_out, written);
            } else {
                assert_eq!(now.len(), written);
            }
        }
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    }

    #[test]
    fn a_log_that_cannot_be_written_says_so() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("run.logs"), "in the way").unwrap();
        assert!(Log::open(&folder.path().join("run.logs/web1.log")).is_err());
        assert!(Log::open(Path::new("/dev/full")).unwrap().write(b"x\n").is_err());
    }
}
