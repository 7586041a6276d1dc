//! Whose turn it is: two rows a day, or all that have not passed yet.
use crate::{day, rows::Rows, say};
use std::{
    collections::BTreeSet,
    env, fs,
    hash::{DefaultHasher, Hash, Hasher},
    io::Write as _,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::Mutex,
    thread,
    time::{Instant, SystemTime},
};

/// Takes the rows whose turn it is, two at once, and panics if one ends badly.
pub fn take() {
    let rows = Rows::of_environment();
    let passed = Passed::open(&rows);
    let asked = env::var("RFAB_VARIED").unwrap_or_default();
    if asked == "rows" {
        return say(&rows.listing());
    }
    let days = SystemTime::UNIX_EPOCH.elapsed().expect("a time").as_secs() / 86_400;
    let turn: Vec<usize> = match asked.as_str() {
        "" => (0..2).map(|n| (2 * days as usize + n) % rows.len()).collect(),
        "all" => (0..rows.len()).filter(|at| !passed.has(&rows.text(&rows.cover.rows[*at]))).collect(),
        list => list.split(',').map(|at| at.parse().expect("numbers of rows")).collect(),
    };
    let which = if asked == "all" { format!("{} have not passed yet", turn.len()) } else { format!("now {turn:?}") };
    say(&format!("varied: seed {}, {} rows, day {days}: {which}; RFAB_VARIED=all takes all", rows.seed, rows.len()));
    let (waiting, bad) = (Mutex::new(turn.into_iter()), Mutex::new(Vec::new()));
    let work = || {
        loop {
            let Some(at) = waiting.lock().expect("the rows").next() else { return };
            let (row, began) = (&rows.cover.rows[at], Instant::now());
            let text = rows.text(row);
            let ended = catch_unwind(AssertUnwindSafe(|| day::live(&rows, row, at)));
            let took = began.elapsed().as_secs();
            match ended {
                Ok(()) => {
                    passed.add(&text);
                    say(&format!("varied: row {at} ended well in {took} s: {text}"));
                }
                Err(panic) => {
                    let said = panic.downcast_ref::<String>().cloned();
                    let said = said.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
                    let said = format!("row {at} ended BADLY in {took} s: {text}\n{}", said.unwrap_or_default());
                    say(&said);
                    bad.lock().expect("what went wrong").push(said);
                }
            }
        }
    };
    thread::scope(|scope| {
        scope.spawn(work);
        work();
    });
    let bad = bad.into_inner().expect("what went wrong");
    assert!(bad.is_empty(), "{} rows ended badly, first: {}", bad.len(), bad[0]);
}

/// The rows that have passed with this rfab and seed, in a file below the target folder.
struct Passed {
    file: PathBuf,
    known: BTreeSet<String>,
}

impl Passed {
    fn open(rows: &Rows) -> Passed {
        let mut hasher = DefaultHasher::new();
        fs::read(env!("CARGO_BIN_EXE_rfab")).expect("rfab").hash(&mut hasher);
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("varied");
        fs::create_dir_all(&folder).expect("a folder for what has passed");
        let file = folder.join(format!("passed-{}-{:016x}", rows.seed, hasher.finish()));
        let known = fs::read_to_string(&file).unwrap_or_default().lines().map(str::to_owned).collect();
        Passed { file, known }
    }

    fn has(&self, row: &str) -> bool {
        self.known.contains(row)
    }

    fn add(&self, row: &str) {
        let file = fs::OpenOptions::new().create(true).append(true).open(&self.file);
        file.and_then(|mut file| file.write_all(format!("{row}\n").as_bytes())).expect("a row that has passed");
    }
}
