//! The ledgers in state folders: read once and followed, and rotated before they get long.
use super::lock_session::LockSession;
use crate::{
    command::Command,
    failure::{Cause, Failure},
    host::{Host, Name},
    ledger::Book,
    port::{Input, Job, Transport},
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

/// How long reading or writing a ledger may take.
const WITHIN: Duration = Duration::from_secs(120);
/// The longest line; a longer one isn't read.
const LONGEST: usize = 1 << 20;
/// The size at which a ledger is rotated.
const LONG: u64 = 2 << 20;
/// How many recent lines condensing leaves as they are, and how many lines a reader takes before it condenses them.
const RECENT: usize = 2_000;
const OFTEN: usize = 20_000;

/// What rfab knows of the ledgers of a fleet.
#[derive(Default)]
pub(super) struct Books(Mutex<BTreeMap<Name, Arc<tokio::sync::Mutex<KnownBook>>>>);

/// What rfab knows of one ledger.
#[derive(Default)]
struct KnownBook {
    book: Arc<Book>,
    /// The file's device and inode, and how many bytes of it were read: whole lines.
    file: String,
    read: u64,
    /// Whether its last line is still incomplete.
    torn: bool,
    /// Whether it was read under the lock that this run holds, so that no other run writes to it.
    locked: bool,
}

impl KnownBook {
    fn seen(&self) -> Arc<Book> {
        let mut book = self.book.clone();
        if self.torn {
            Arc::make_mut(&mut book).unread += 1;
        }
        book
    }
}

/// The location of a ledger.
pub(super) struct LedgerPlace<'a> {
    pub transport: &'a dyn Transport,
    pub place: &'a Name,
    pub host: &'a Host,
    pub folder: String,
}

/// Prints the file's device and inode and the offset of what follows, then the rest of the file. A file that is another
/// one, or shorter than before, is printed from its beginning.
const READ: &str = r#"case $folder in '~/'*) folder=$HOME/${folder#'~/'} ;; esac
file=$folder/ledger
[ -e "$file" ] || { printf 'none 0\n'; exit 0; }
[ -f "$file" ] && [ ! -L "$file" ] || exit 3
exec < "$file" || exit 3
set -- $(stat -L -c '%d:%i %s' /proc/self/fd/0 2>/dev/null) none 0
[ "$1" = "$known" ] && [ "$2" -ge "$from" ] || from=0
printf '%s %s\n' "$1" "$from"
tail -c "+$((from + 1))""#;

/// Writes the new ledger beside the old one.
const WRITE: &str = r#"case $folder in '~/'*) folder=$HOME/${folder#'~/'} ;; esac
umask 077
rm -f "$folder/ledger.new" && cat > "$folder/ledger.new""#;

impl Books {
    fn of(&self, place: &Name) -> Arc<tokio::sync::Mutex<KnownBook>> {
        self.0.lock().unwrap().entry(place.clone()).or_default().clone()
    }

    /// Returns the current ledger. Under the lock, that's what was read once and what was written since.
    pub(super) async fn read(&self, shelf: &LedgerPlace<'_>, locked: bool) -> Result<Arc<Book>, Failure> {
        let known = self.of(shelf.place);
        let mut known = known.lock().await;
        if !(locked && known.locked) {
            let mut reading = LedgerReading::after(&known);
            reading.read(shelf).await?;
            *known = KnownBook { locked, ..reading.known() };
        }
        Ok(known.seen())
    }

    /// Adds a line that was written. If rfab can't tell whether it was, the ledger is read again.
    pub(super) async fn wrote(&self, place: &Name, line: &str, well: bool) {
        let known = self.of(place);
        let mut known = known.lock().await;
        if well && known.locked && !known.torn {
            Arc::make_mut(&mut known.book).extend(line);
            known.read += line.len() as u64 + 1;
        } else {
            *known = KnownBook::default()
        }
    }

    /// Marks all ledgers to be read again: the lock was taken or released, so others could write or can write.
    pub(super) async fn turned(&self) {
        let all: Vec<_> = self.0.lock().unwrap().values().cloned().collect();
        for known in all {
            known.lock().await.locked = false;
        }
    }

    /// Shortens a long ledger, under the lock: the old file keeps all its lines, under another name.
    ///
    /// Leaves a ledger with lines of a newer rfab as it is.
    pub(super) async fn rotate(&self, shelf: &LedgerPlace<'_>, keeper: &LockSession) -> Result<(), Failure> {
        let size = keeper.size();
        if size < LONG {
            return Ok(());
        }
        let mut reading = LedgerReading { texts: Some(Vec::new()), ..LedgerReading::after(&KnownBook::default()) };
        reading.read(shelf).await?;
        reading.condense(RECENT);
        let text: String = reading.texts.take().unwrap_or_default().concat();
        let worth = (text.len() as u64) < size / 2 && reading.total() == size;
        if !worth || reading.newer {
            return Ok(());
        }
        let command = Command::line(WRITE, vec![("folder".into(), shelf.folder.clone())]).expect("a good line");
        let job = Job { timeout: Some(WITHIN), stdin: Input::Bytes(text.as_bytes()), ..Job::new(&command) };
        let ended = shelf.transport.run(shelf.host, job).await?;
        if ended.status != 0 || !keeper.turn(text.len() as u64, size).await? {
            let message = format!("the ledger on `{}` is long and can't be rotated", shelf.place);
            return Err(Failure::new(Cause::Balancer, message).on(&shelf.host.name));
        }
        Ok(())
    }
}

/// A ledger that is being read.
struct LedgerReading {
    book: Book,
    /// The texts of its lines with their line ends, if they are wanted.
    texts: Option<Vec<String>>,
    /// The first line of the answer, then the line that isn't complete yet.
    rest: Vec<u8>,
    /// Whether it skips the rest of a line that is too long.
    skips: bool,
    file: Option<String>,
    known: (String, u64),
    /// How many bytes were read, up to the end of the last whole line.
    read: u64,
    since: usize,
    newer: bool,
}

impl LedgerReading {
    /// Starts a reading where the last one ended.
    fn after(known: &KnownBook) -> LedgerReading {
        LedgerReading {
            book: (*known.book).clone(),
            texts: None,
            rest: Vec::new(),
            skips: false,
            file: None,
            known: (known.file.clone(), known.read),
            read: 0,
            since: 0,
            newer: false,
        }
    }

    fn known(self) -> KnownBook {
        let torn = !self.rest.is_empty() || self.skips;
        KnownBook {
            book: Arc::new(self.book),
            file: self.file.unwrap_or_default(),
            read: self.read,
            torn,
            locked: false,
        }
    }

    /// Returns how many bytes there were.
    fn total(&self) -> u64 {
        self.read + self.rest.len() as u64
    }

    async fn read(&mut self, shelf: &LedgerPlace<'_>) -> Result<(), Failure> {
        let values = vec![
            ("folder".into(), shelf.folder.clone()),
            ("known".into(), self.known.0.clone()),
            ("from".into(), self.known.1.to_string()),
        ];
        let command = Command::line(READ, values).expect("a good line");
        let ended = {
            let reading = Mutex::new(&mut *self);
            let into = |bytes: &[u8]| reading.lock().unwrap().push(bytes);
            let job = Job { timeout: Some(WITHIN), into: Some(&into), ..Job::new(&command) };
            shelf.transport.run(shelf.host, job).await?
        };
        if ended.status != 0 || self.file.is_none() {
            let message = format!("the ledger on `{}` can't be read", shelf.place);
            return Err(Failure::new(Cause::Balancer, message).on(&shelf.host.name));
        }
        Ok(())
    }

    fn push(&mut self, mut bytes: &[u8]) {
        while let Some(length) = bytes.iter().position(|b| *b == b'\n') {
            self.rest.extend_from_slice(&bytes[..length]);
            bytes = &bytes[length + 1..];
            self.line();
        }
        self.rest.extend_from_slice(bytes);
        if self.rest.len() > LONGEST {
            self.read += self.rest.len() as u64;
            self.rest.clear();
            self.skips = true;
        }
    }

    fn line(&mut self) {
        let line = std::mem::take(&mut self.rest);
        let text = String::from_utf8_lossy(&line);
        let Some(_) = &self.file else { return self.head(&text) };
        self.read += line.len() as u64 + 1;
        if std::mem::take(&mut self.skips) {
            self.book.unread += 1;
            return;
        }
        let told = self.book.take(&text);
        self.newer |= told.is_none() && newer(&text);
        if let (Some(texts), Some(told)) = (&mut self.texts, told) {
            texts.push(format!("{told}\n"));
        }
        self.since += 1;
        if self.since == OFTEN {
            self.condense(RECENT);
        }
    }

    /// Reads the first line of the answer: which file follows, and from which offset.
    fn head(&mut self, text: &str) {
        let Some((file, from)) = text.split_once(' ') else { return };
        let Ok(from) = from.parse::<u64>() else { return };
        if from == 0 {
            self.book = Book::default();
        }
        (self.file, self.read) = (Some(file.to_owned()), from);
    }

    /// Drops lines that don't matter anymore, so that a long ledger doesn't fill memory.
    fn condense(&mut self, recent: usize) {
        self.since = 0;
        let kept = self.book.condense(recent);
        if let Some(texts) = &mut self.texts {
            *texts = kept.into_iter().map(|at| std::mem::take(&mut texts[at])).collect();
        }
    }
}

/// Returns whether a line that can't be read is whole and of a newer rfab.
fn newer(text: &str) -> bool {
    let line = serde_json::from_str::<serde_json::Value>(text).ok();
    line.and_then(|line| line["v"].as_u64()).is_some_and(|v| v > 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(run: usize, reason: &str) -> String {
        format!(
            "{{\"v\":1,\"run\":\"r{run}\",\"seq\":0,\"at\":\"2026-11-23T10:00:00Z\",\"who\":\"anna\",\"from\":\"mac\",\
             \"effect\":\"mark\",\"phase\":\"ok\",\"commit\":\"c{run}\",\"reason\":\"{reason}\"}}\n"
        )
    }

    fn read(known: &KnownBook, pieces: &[&[u8]]) -> LedgerReading {
        let mut reading = LedgerReading::after(known);
        pieces.iter().for_each(|piece| reading.push(piece));
        reading
    }

    #[test]
    fn a_ledger_that_is_read_in_pieces_is_the_whole_one_wherever_they_end() {
        let text = ["1:2 0\n".to_owned(), line(1, "a"), "torn\n".to_owned(), line(2, "b")].concat();
        let whole = read(&KnownBook::default(), &[text.as_bytes()]);
        assert_eq!((whole.book.lines.len(), whole.book.unread, whole.total()), (2, 1, text.len() as u64 - 6));
        for at in 0..text.len() {
            let (first, rest) = text.as_bytes().split_at(at);
            assert_eq!(read(&KnownBook::default(), &[first, rest]).book, whole.book, "{at}");
        }
        // New lines of the same file are added; another file is read from its beginning.
        let known = whole.known();
        let more = ["1:2 ", &known.read.to_string(), "\n", &line(3, "c")].concat();
        assert_eq!(read(&known, &[more.as_bytes()]).book.lines.len(), 3);
        assert_eq!(read(&known, &["1:3 0\n".as_bytes(), line(3, "c").as_bytes()]).book.lines.len(), 1);
        assert_eq!(read(&known, &["none 0\n".as_bytes()]).book, Book::default());
    }

    #[test]
    fn a_line_without_an_end_fills_no_memory_and_costs_itself_alone() {
        let mut reading = read(&KnownBook::default(), &[b"1:2 0\n"]);
        for _ in 0..100 {
            reading.push(&[0; LONGEST / 2]);
            assert!(reading.rest.len() <= LONGEST);
        }
        reading.push(b"\n");
        reading.push(line(1, "a").as_bytes());
        assert_eq!((reading.book.lines.len(), reading.book.unread), (1, 1));
        let total = 50 * LONGEST as u64 + 1 + line(1, "a").len() as u64;
        assert_eq!(reading.total(), total);
        reading.push(b"{\"v\":1");
        assert!(reading.known().torn);
    }

    #[test]
    fn a_ledger_of_any_length_is_read_in_bounded_memory_and_what_was_done_once_is_not_forgotten() {
        let mut reading = read(&KnownBook::default(), &[b"1:2 0\n"]);
        reading.texts = Some(Vec::new());
        reading.push(line(0, "migrate").as_bytes());
        for run in 0..100_000 {
            reading.push(line(run % 7 + 1, "switch web1").as_bytes());
            assert!(reading.book.lines.len() < OFTEN + RECENT + 100);
        }
        reading.condense(RECENT);
        let texts = reading.texts.as_ref().expect("they are wanted").concat();
        assert_eq!(Book::read(&texts).lines, reading.book.lines);
        assert!(reading.book.mark("migrate", "c0").is_some() && reading.book.lines.len() < RECENT + 100);
    }

    #[test]
    fn only_a_whole_line_of_a_newer_version_keeps_a_ledger_as_it_is() {
        for (text, is) in [("{\"v\":2,\"run\":\"x\"}", true), ("{\"v\":1}", false), ("{\"v\":2", false), ("x", false)] {
            assert_eq!(newer(text), is, "{text}");
        }
    }
}
