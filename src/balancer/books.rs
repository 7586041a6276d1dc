//! Ledgers of state folders: read once and followed, and rotated before they get long.
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
/// The longest line; of a longer one nothing is read.
const LONGEST: usize = 1 << 20;
/// The size from which a ledger is rotated.
const LONG: u64 = 2 << 20;
/// How many lines stay as they are when it is, and after how many more a long one is made short while it is read.
const RECENT: usize = 2_000;
const OFTEN: usize = 20_000;

/// What is known of the ledgers of a fleet.
#[derive(Default)]
pub struct Books(Mutex<BTreeMap<Name, Arc<tokio::sync::Mutex<KnownBook>>>>);

/// What is known of one.
#[derive(Default)]
struct KnownBook {
    book: Arc<Book>,
    /// The number of the file, and how many bytes of it were read: whole lines.
    file: String,
    read: u64,
    /// Whether a line at its end has no end yet.
    torn: bool,
    /// Whether it was read under the lock that is held, so that nobody else writes to it.
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

/// Where a ledger lies.
pub struct Shelf<'a> {
    pub transport: &'a dyn Transport,
    pub place: &'a Name,
    pub host: &'a Host,
    pub folder: String,
}

/// Prints the file's number and where it prints from, then the rest of it. A file that is another one, or shorter than it
/// was, is printed from its beginning.
const READ: &str = r#"case $folder in '~/'*) folder=$HOME/${folder#'~/'} ;; esac
file=$folder/ledger
[ -e "$file" ] || { printf 'none 0\n'; exit 0; }
[ -f "$file" ] && [ ! -L "$file" ] || exit 3
exec < "$file" || exit 3
set -- $(stat -L -c '%d:%i %s' /proc/self/fd/0 2>/dev/null) none 0
[ "$1" = "$known" ] && [ "$2" -ge "$from" ] || from=0
printf '%s %s\n' "$1" "$from"
tail -c "+$((from + 1))""#;

/// Writes what comes beside the ledger.
const WRITE: &str = r#"case $folder in '~/'*) folder=$HOME/${folder#'~/'} ;; esac
umask 077
rm -f "$folder/ledger.new" && cat > "$folder/ledger.new""#;

impl Books {
    fn of(&self, place: &Name) -> Arc<tokio::sync::Mutex<KnownBook>> {
        self.0.lock().unwrap().entry(place.clone()).or_default().clone()
    }

    /// The ledger as it is now; under the lock it is what was read once, and what was written since.
    pub async fn read(&self, shelf: &Shelf<'_>, locked: bool) -> Result<Arc<Book>, Failure> {
        let known = self.of(shelf.place);
        let mut known = known.lock().await;
        if !(locked && known.locked) {
            let mut reading = LedgerReading::after(&known);
            reading.read(shelf).await?;
            *known = KnownBook { locked, ..reading.known() };
        }
        Ok(known.seen())
    }

    /// Takes a line that was written; if nobody knows whether it was, the ledger is read again.
    pub async fn wrote(&self, place: &Name, line: &str, well: bool) {
        let known = self.of(place);
        let mut known = known.lock().await;
        match well && known.locked && !known.torn {
            true => {
                Arc::make_mut(&mut known.book).extend(line);
                known.read += line.len() as u64 + 1;
            }
            false => *known = KnownBook::default(),
        }
    }

    /// From now on others may write, or could until now.
    pub async fn turned(&self) {
        let all: Vec<_> = self.0.lock().unwrap().values().cloned().collect();
        for known in all {
            known.lock().await.locked = false;
        }
    }

    /// Makes a long ledger short, under the lock: the old file keeps all its lines, under another name.
    ///
    /// One with lines of a newer rfab stays as it is.
    pub async fn rotate(&self, shelf: &Shelf<'_>, keeper: &LockSession) -> Result<(), Failure> {
        let size = keeper.size().await?;
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
    /// The texts of its lines, with their ends, where they are wanted.
    texts: Option<Vec<String>>,
    /// The first line of the answer, then what is not a whole line yet.
    rest: Vec<u8>,
    /// Whether the rest of a line that is too long is left out.
    skips: bool,
    file: Option<String>,
    known: (String, u64),
    /// How many bytes were read, to the end of the last whole line.
    read: u64,
    since: usize,
    newer: bool,
}

impl LedgerReading {
    /// Goes on where it was read to.
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

    /// How many bytes there were.
    fn total(&self) -> u64 {
        self.read + self.rest.len() as u64
    }

    async fn read(&mut self, shelf: &Shelf<'_>) -> Result<(), Failure> {
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

    /// The first line of the answer: which file, and from where.
    fn head(&mut self, text: &str) {
        let Some((file, from)) = text.split_once(' ') else { return };
        let Ok(from) = from.parse::<u64>() else { return };
        if from == 0 {
            self.book = Book::default();
        }
        (self.file, self.read) = (Some(file.to_owned()), from);
    }

    /// Leaves out what says nothing any more, so that a long ledger does not fill memory.
    fn condense(&mut self, recent: usize) {
        self.since = 0;
        let kept = self.book.condense(recent);
        if let Some(texts) = &mut self.texts {
            *texts = kept.into_iter().map(|at| std::mem::take(&mut texts[at])).collect();
        }
    }
}

/// Whether a line that cannot be read is whole, and of a newer rfab.
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
        // What came since is read behind it, and another file from its beginning.
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
