//! Which rows run: two a day, or all that haven't passed yet.
use crate::{day, say};
use lab::{
    choices::{cover::Row, rows::Rows},
    not_run,
};
use std::{
    collections::BTreeSet,
    env, fs,
    hash::{DefaultHasher, Hash, Hasher},
    io::Write as _,
    path::PathBuf,
    process::{Command, Stdio},
    sync::Mutex,
    thread,
    time::{Instant, SystemTime},
};

/// Runs today's rows, two at a time, and panics if one ends badly.
pub fn take() {
    let rows = Rows::of_environment();
    let passed = Passed::open(&rows);
    let asked = env::var("RFAB_VARIED").unwrap_or_default();
    if asked == "rows" {
        return say(&rows.listing());
    }
    let days = SystemTime::UNIX_EPOCH.elapsed().expect("a time").as_secs() / 86_400;
    let turn: Vec<usize> = match asked.as_str() {
        "" => (0..2).map(|n| (2 * days as usize + n) % rows.count()).collect(),
        "all" => (0..rows.count()).filter(|at| !passed.has(&rows.text(&rows.cover.rows[*at]))).collect(),
        list => list.split(',').map(|at| at.parse().expect("numbers of rows")).collect(),
    };
    let which = if asked == "all" { format!("{} haven't passed yet", turn.len()) } else { format!("now {turn:?}") };
    say(&format!("varied: seed {}, {} rows, day {days}: {which}; RFAB_VARIED=all takes all", rows.seed, rows.count()));
    let (waiting, bad) = (Mutex::new(turn.into_iter()), Mutex::new(Vec::new()));
    let work = || {
        loop {
            let Some(at) = waiting.lock().expect("the rows").next() else { return };
            let whole = &chosen(&rows, at);
            // What takes minutes to make is made only if the environment asks for rows.
            if !asked.is_empty()
                && let Err(why) = rows.provide(whole)
            {
                not_run(&format!("varied: row {at}"), &format!("needs what can't be made here: {why}"));
                continue;
            }
            let (row, mut missing) = rows.at_hand(whole);
            missing.dedup();
            if !missing.is_empty() {
                let missing = missing.join(" and ");
                say(&format!("varied: row {at} is lived without {missing}; RFAB_VARIED={at} makes what can be made"));
            }
            let (text, began) = (rows.text(&row), Instant::now());
            let ended = in_own_network(at);
            let took = began.elapsed().as_secs();
            match ended {
                Ok(()) => {
                    passed.add(&text);
                    say(&format!("varied: row {at} ended well in {took} s: {text}"));
                }
                Err(why) => {
                    let said = format!("row {at} ended BADLY in {took} s: {text}\n{why}");
                    say(&said);
                    bad.lock().expect("what went wrong").push(said);
                }
            }
        }
    };
    thread::scope(|scope| {
        for _ in 1..at_once() {
            scope.spawn(work);
        }
        work();
    });
    let bad = bad.into_inner().expect("what went wrong");
    assert!(bad.is_empty(), "{} rows ended badly, first: {}", bad.len(), bad[0]);
}

/// Lives the day of a row in its own process and network; the error tells why it ended badly.
fn in_own_network(at: usize) -> Result<(), String> {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--", "unshare", "--net", "--"]);
    command.arg(env::current_exe().expect("this binary"));
    command.args(["turn::one_row", "--exact", "--ignored", "--nocapture", "--test-threads=1"]);
    let out = command.env("RFAB_VARIED_ROW", at.to_string()).stdin(Stdio::null()).output().expect("unshare");
    let said = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    let why = said.split("panicked at").nth(1).unwrap_or(&said);
    if out.status.success() { Ok(()) } else { Err(why.split("stack backtrace:").next().unwrap_or(why).to_owned()) }
}

#[test]
#[ignore = "one row, in the network of its own that the others make for it"]
fn one_row() {
    let Some(at) = env::var("RFAB_VARIED_ROW").ok().and_then(|at| at.parse::<usize>().ok()) else { return };
    let up = Command::new("ip").args(["link", "set", "lo", "up"]).status().expect("ip");
    assert!(up.success(), "the network's loopback doesn't come up");
    let rows = Rows::of_environment();
    day::live(&rows, &rows.at_hand(&chosen(&rows, at)).0, at);
}

/// Returns a row; of a day's turn, without what is slow.
fn chosen(rows: &Rows, at: usize) -> Row {
    let whole = &rows.cover.rows[at];
    let asked = ["RFAB_VARIED", "RFAB_ALL"].into_iter().any(|name| env::var_os(name).is_some_and(|it| !it.is_empty()));
    if asked { whole.clone() } else { rows.quick(whole) }
}

/// Returns how many rows run at the same time: two, or `RFAB_VARIED_AT_ONCE`.
fn at_once() -> usize {
    let text = env::var("RFAB_VARIED_AT_ONCE").ok();
    text.map_or(2, |text| text.parse().unwrap_or_else(|_| panic!("RFAB_VARIED_AT_ONCE={text} isn't a number")))
}

/// The rows that have passed with this rfab and seed, kept in a file below the target folder.
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
