//! Measures `rfab --history` with 100,000 runs: `cargo bench --bench history`. It fails if a line takes too long.
use rfab::store::{Head, JournalTail, Record, Runs};
use sha2::{Digest, Sha256};
use std::{
    fs,
    path::Path,
    process::{Command, ExitCode},
    thread::sleep,
    time::{Duration, Instant},
};

const RUNS: u64 = 100_000;
const WITHIN: Duration = Duration::from_millis(50);
const TIMES: usize = 21;

/// One in this many runs died.
const DIED: u64 = 500;

fn head(number: u64) -> Head {
    let began = 1_700_000_000_000 + number * 600_000;
    let task = ["deploy:stable", "proxy.flip", "release:stable", "deploy:my-branch"][number as usize % 4];
    Head {
        v: 1,
        run: format!("{began:011x}-{:06x}", number * 7919 % 0xff_ffff).into(),
        line: format!("prod:out {task}"),
        tasks: vec!["prod".into(), task.split(':').next().unwrap_or_default().into()],
        argv: vec!["prod:out".into(), task.into()],
        who: ["alice", "berta", "ci"][number as usize % 3].into(),
        on_behalf_of: (number % 3 == 2).then(|| "carl".into()),
        from: "laptop".into(),
        since: jiff::Timestamp::from_millisecond(began as i64).expect("a time").to_string(),
        fabfile: "/home/alice/shop/fabfile.rhai".into(),
        digest: "5".repeat(64),
        ..Head::default()
    }
}

/// Builds a journal as `store/journal.rs` writes it, without syncs.
fn journal(number: u64) -> Vec<u8> {
    let commit = format!("{number:040x}");
    let tail = JournalTail {
        exit: number.is_multiple_of(7).into(),
        took: 90_000,
        journal: 0,
        commit: Some(commit.into()),
        name: None,
        typed_again: false,
        table: vec![],
    };
    let mut records = vec![serde_json::to_vec(&Record::Begun(head(number))).expect("JSON")];
    let fleet = if number.is_multiple_of(5_000) { "rare" } else { "prod" };
    for host in 1..=6 {
        let effect = serde_json::json!({ "effect": {
            "lane": format!("each/web{host}"), "number": 1, "name": "set_admin", "kind": "change", "host": format!("web{host}"),
            "text": "drain", "recorded": {}, "things": [format!("admin {fleet}/web{host}")],
        }});
        records.push(effect.to_string().into_bytes());
    }
    records.extend((!number.is_multiple_of(DIED)).then(|| serde_json::to_vec(&Record::Ended(tail)).expect("JSON")));
    let framed = |text: &Vec<u8>| {
        let length = u32::try_from(text.len()).expect("it is short").to_le_bytes();
        [&length, &Sha256::new().chain_update(length).chain_update(text).finalize()[..8], text].concat()
    };
    [b"rfab-journal 1\n".to_vec()].into_iter().chain(records.iter().map(framed)).flatten().collect()
}

/// Measures how long the program takes for a person who waits for it.
fn took(home: &Path, arguments: &[&str]) -> Duration {
    let began = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_rfab"))
        .args(arguments)
        .env_clear()
        .env("HOME", home)
        .output()
        .expect("rfab can be run");
    let took = began.elapsed();
    assert!(output.status.success() && !output.stdout.is_empty(), "{arguments:?}: {output:?}");
    took
}

/// Writes the journals of all runs.
fn write_journals(folder: &Path) {
    fs::create_dir_all(folder).expect("a folder");
    for number in 0..RUNS {
        fs::write(folder.join(format!("{}.journal", head(number).run)), journal(number)).expect("a journal");
    }
}

/// Begins and ends one more run.
fn add_run(runs: &Runs, number: u64) {
    let head = head(number);
    drop(runs.begin(&head).unwrap_or_else(|failure| panic!("{failure}")).journal);
    runs.take_up(&head.run);
}

/// Returns the median and the worst of `TIMES` measurements, each of which is given its number.
fn middle_and_worst(time: impl FnMut(u64) -> Duration) -> (Duration, Duration) {
    let mut times: Vec<Duration> = (0..TIMES as u64).map(time).collect();
    times.sort();
    (times[TIMES / 2], times[TIMES - 1])
}

/// Measures a line of rfab, prints the times, and returns the median.
fn measure(home: &Path, what: &str, line: &str, before: impl Fn(u64)) -> Duration {
    let arguments: Vec<&str> = line.split(' ').collect();
    let (middle, worst) = middle_and_worst(|number| {
        before(number);
        took(home, &arguments)
    });
    println!("{middle:>9.1?} {worst:>9.1?}   {what}");
    middle
}

const FILTERS: [&str; 7] = [
    "--fleet prod",
    "--fleet rare",
    "--task deploy",
    "--fleet rare --task deploy",
    "--outcome failed",
    "--outcome unfinished",
    "--since 2024-06-01 --until 2024-06-02",
];

fn main() -> ExitCode {
    let home = tempfile::tempdir().expect("a folder");
    let (home, folder) = (home.path(), home.path().join(".local/share/rfab/runs"));
    write_journals(&folder);
    let build = if cfg!(debug_assertions) { "debug" } else { "release" };
    println!("{RUNS} runs, {build} build; each figure is the middle and the worst of {TIMES} processes");
    sleep(Duration::from_millis(1_500));
    println!("{:>9.1?}             the first listing, which makes the index", took(home, &["--history"]));
    let runs = Runs::new(folder);
    let nothing = |_: u64| {};
    let mut middles = vec![
        measure(home, "--version, for comparison", "--version", nothing),
        measure(home, "--history", "--history", nothing),
        measure(home, "--history, after one more run each time", "--history", |number| add_run(&runs, RUNS + number)),
    ];
    middles.extend(FILTERS.map(|filter| {
        let line = format!("--history {filter}");
        measure(home, &line, &line, nothing)
    }));
    let (middle, worst) = middle_and_worst(|number| {
        let began = Instant::now();
        add_run(&runs, 2 * RUNS + number);
        began.elapsed()
    });
    println!("{middle:>9.1?} {worst:>9.1?}   what a run's begin and end cost");
    middles.push(measure(home, "--show RUN", &format!("--show {}", head(RUNS / 2 + 1).run), nothing));
    if middles.iter().any(|middle| *middle > WITHIN) {
        println!("that is more than {WITHIN:?}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
