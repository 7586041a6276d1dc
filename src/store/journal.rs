//! The journal of one run: an append-only file of records, each with its length and a checksum.
//!
//! After a first line that names the format, a record is its length (four bytes, the lowest first), the first eight
//! bytes of the sha256 of the length and the text, and the text in JSON. A broken record at the end of the file was
//! being written when the machine or the program died: it is cut off, never trusted.
use super::Record;
use rustix::fs::{FlockOperation, flock};
use sha2::{Digest, Sha256};
use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::{
        Condvar, Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

const FORMAT: &[u8] = b"rfab-journal 1\n";
const CHECK: usize = 8;
/// The longest record, in bytes: longer than any outcome that a run keeps in memory.
const LONGEST: usize = 64 << 20;

/// A journal that is being written.
pub struct Journal {
    file: File,
    state: Mutex<JournalState>,
    synced: Condvar,
    /// The time that lanes have waited for the journal, in microseconds.
    spent: AtomicU64,
}

#[derive(Default)]
struct JournalState {
    written: u64,
    synced: u64,
    syncing: bool,
    /// Why the journal is closed: after an error, rfab can't tell what the file contains.
    broken: Option<String>,
}

impl Journal {
    /// Begins a run's journal, readable only by its owner; fails if the file exists.
    pub fn create(path: &Path) -> io::Result<Journal> {
        let mut file = OpenOptions::new().append(true).create_new(true).mode(0o600).open(path)?;
        flock(&file, FlockOperation::NonBlockingLockExclusive)?;
        file.write_all(FORMAT)?;
        file.sync_all()?;
        if let Some(folder) = path.parent() {
            File::open(folder)?.sync_all()?;
        }
        Ok(Journal::over(file))
    }

    /// Opens a journal to write behind what it has; what was torn at its end is cut off first.
    ///
    /// `WouldBlock` while another process writes it.
    pub fn reopen(path: &Path) -> io::Result<Journal> {
        let file = OpenOptions::new().append(true).open(path)?;
        flock(&file, FlockOperation::NonBlockingLockExclusive)?;
        let torn = read(path)?.torn;
        file.set_len(file.metadata()?.len() - torn)?;
        file.sync_all()?;
        Ok(Journal::over(file))
    }

    fn over(file: File) -> Journal {
        Journal { file, state: Mutex::default(), synced: Condvar::new(), spent: AtomicU64::new(0) }
    }

    /// Writes a record.
    pub fn write(&self, record: &Record, durable: bool) -> io::Result<()> {
        let began = Instant::now();
        let written = serde_json::to_vec(record).map_err(io::Error::other).and_then(|text| self.append(&text, durable));
        self.spent.fetch_add(began.elapsed().as_micros() as u64, Relaxed);
        written
    }

    /// Returns the sum of the times that each lane has waited for the journal, in milliseconds.
    pub fn spent(&self) -> u64 {
        self.spent.load(Relaxed) / 1000
    }

    /// Appends a record. With `durable`, it is on the disk when the function returns; callers that wait at the same
    /// time share one sync.
    ///
    /// After one failure, every call fails.
    pub fn append(&self, text: &[u8], durable: bool) -> io::Result<()> {
        let mut state = self.state.lock().unwrap();
        if let Some(why) = &state.broken {
            return Err(io::Error::other(why.clone()));
        }
        if let Err(e) = (&self.file).write_all(&framed(text)) {
            state.broken = Some(e.to_string());
            return Err(e);
        }
        state.written += 1;
        let mine = state.written;
        while durable && state.synced < mine {
            if let Some(why) = &state.broken {
                return Err(io::Error::other(why.clone()));
            }
            if state.syncing {
                state = self.synced.wait(state).unwrap();
                continue;
            }
            state.syncing = true;
            let reached = state.written;
            drop(state);
            let done = self.file.sync_data();
            state = self.state.lock().unwrap();
            state.syncing = false;
            match done {
                Ok(()) => state.synced = reached,
                Err(e) => state.broken = Some(e.to_string()),
            }
            self.synced.notify_all();
        }
        Ok(())
    }
}

fn framed(text: &[u8]) -> Vec<u8> {
    let length = u32::try_from(text.len()).expect("a record is far shorter").to_le_bytes();
    [&length[..], &check(length, text), text].concat()
}

fn check(length: [u8; 4], text: &[u8]) -> [u8; CHECK] {
    let digest = Sha256::new().chain_update(length).chain_update(text).finalize();
    digest[..CHECK].try_into().expect("a digest is longer")
}

/// The complete records of a journal.
#[derive(Debug, PartialEq)]
pub struct KeptRecords {
    pub records: Vec<Vec<u8>>,
    /// The number of bytes at the end that aren't a complete record.
    pub torn: u64,
}

/// Reads a journal; fails if the file isn't one.
pub fn read(path: &Path) -> io::Result<KeptRecords> {
    let mut bytes = Vec::new();
    File::open(path)?.read_to_end(&mut bytes)?;
    let mut rest = bytes.strip_prefix(FORMAT).ok_or_else(|| io::Error::other("it isn't a journal of this format"))?;
    let mut records = Vec::new();
    while let Some((text, behind)) = first(rest) {
        records.push(text.to_vec());
        rest = behind;
    }
    Ok(KeptRecords { records, torn: rest.len() as u64 })
}

/// Returns the first record, if it is complete and correct, and the bytes after it.
fn first(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (sum, rest) = rest.split_first_chunk::<CHECK>()?;
    let long = u32::from_le_bytes(*length) as usize;
    let text = rest.get(..long).filter(|_| long <= LONGEST)?;
    (check(*length, text) == *sum).then_some((text, &rest[long..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, thread};

    fn three() -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run");
        let journal = Journal::create(&path).unwrap();
        for (text, durable) in [("{\"a\":1}", true), ("{\"b\":2}", false), ("{\"c\":3}", true)] {
            journal.append(text.as_bytes(), durable).unwrap();
        }
        (folder, path)
    }

    fn texts(path: &Path) -> Vec<String> {
        read(path).unwrap().records.into_iter().map(|r| String::from_utf8(r).unwrap()).collect()
    }

    #[test]
    fn a_tail_that_was_torn_at_any_byte_is_cut_off_and_nothing_before_it() {
        let (_folder, path) = three();
        let whole = fs::read(&path).unwrap();
        let record = 4 + CHECK + 7;
        for cut in 0..=2 * record {
            fs::write(&path, &whole[..whole.len() - cut]).unwrap();
            let expected = &["{\"a\":1}", "{\"b\":2}", "{\"c\":3}"][..3 - cut.div_ceil(record)];
            assert_eq!(texts(&path), expected, "{cut} bytes are missing");
            let kept = (FORMAT.len() + expected.len() * record) as u64;
            assert_eq!(read(&path).unwrap().torn, (whole.len() - cut) as u64 - kept);
        }
    }

    #[test]
    fn a_byte_that_flipped_ends_what_is_trusted() {
        let (_folder, path) = three();
        let whole = fs::read(&path).unwrap();
        let record = 4 + CHECK + 7;
        for at in whole.len() - record..whole.len() {
            for bit in 0..8 {
                let mut bytes = whole.clone();
                bytes[at] ^= 1 << bit;
                fs::write(&path, &bytes).unwrap();
                assert_eq!(texts(&path), ["{\"a\":1}", "{\"b\":2}"], "byte {at}, bit {bit}");
            }
        }
        fs::write(&path, b"something else").unwrap();
        assert!(read(&path).is_err());
    }

    #[test]
    fn what_many_lanes_wrote_is_all_there_and_another_run_never_writes_over_it() {
        let (_folder, path) = three();
        assert_eq!(Journal::create(&path).err().map(|e| e.kind()), Some(io::ErrorKind::AlreadyExists));
        fs::remove_file(&path).unwrap();
        let journal = Journal::create(&path).unwrap();
        thread::scope(|scope| {
            for lane in 0..16 {
                let journal = &journal;
                scope.spawn(move || {
                    (0..20).for_each(|n| journal.append(format!("{lane} {n}").as_bytes(), true).unwrap())
                });
            }
        });
        let mut texts = texts(&path);
        assert_eq!(texts.len(), 320);
        // In the order within each lane.
        texts.sort_by_key(|text| text.split(' ').next().unwrap().parse::<u32>().unwrap());
        let expected: Vec<String> = (0..16).flat_map(|lane| (0..20).map(move |n| format!("{lane} {n}"))).collect();
        assert_eq!(texts, expected);
    }

    #[test]
    fn a_disk_that_is_full_is_an_error_now_and_ever_after() {
        let journal = Journal::over(OpenOptions::new().append(true).open("/dev/full").unwrap());
        assert!(journal.append(b"{}", true).is_err());
        assert!(journal.append(b"{}", false).is_err());
    }
}
