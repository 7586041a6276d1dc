//! The index of runs agrees with the journals, even after damage, and reads none of them if nothing changed.

use rfab::{
    failure::{Failure, Reason},
    store::{Ending, Filter, Head, Journal, RunEntry, RunPage, Runs},
};
use std::{
    fs,
    os::unix::fs::{FileExt, PermissionsExt},
    path::{Path, PathBuf},
    thread,
    time::{Duration, SystemTime},
};

/// A user's data folder.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Place {
        Place(tempfile::tempdir().unwrap())
    }

    fn folder(&self) -> PathBuf {
        self.0.path().join("rfab/runs")
    }

    fn index(&self) -> PathBuf {
        self.0.path().join("rfab/index.sqlite3")
    }

    fn journal(&self, run: &str) -> PathBuf {
        self.folder().join(format!("{run}.journal"))
    }

    fn runs(&self) -> Runs {
        Runs::new(self.folder())
    }

    /// Begins a run in this process, and ends it if it has an exit code.
    fn ran(&self, head: &Head, fleet: &str, exit: Option<u8>) -> Journal {
        let (journal, unknown) = self.ran_beside_others(head, fleet, exit);
        assert_eq!(unknown, None);
        journal
    }

    /// The same beside other processes. On a busy machine, a run may begin without the index, and says why.
    fn ran_beside_others(&self, head: &Head, fleet: &str, exit: Option<u8>) -> (Journal, Option<Failure>) {
        let begun = self.runs().begin(head).unwrap();
        write(&begun.journal, fleet, exit);
        if exit.is_some() {
            self.runs().take_up(&head.run);
        }
        (begun.journal, begun.unknown)
    }

    /// Leaves a run that the index isn't told of, such as one that died.
    fn left(&self, head: &Head, fleet: &str, exit: Option<u8>) {
        fs::create_dir_all(self.folder()).unwrap();
        let journal = Journal::create(&self.journal(&head.run)).unwrap();
        record(&journal, &serde_json::json!({ "begun": head }));
        write(&journal, fleet, exit);
    }

    /// Makes the folder look as if it hadn't changed for a while.
    fn settle(&self) {
        let long_ago = SystemTime::now() - Duration::from_secs(100);
        fs::File::open(self.folder()).unwrap().set_modified(long_ago).unwrap();
    }

    #[track_caller]
    fn list(&self, filter: &Filter) -> RunPage {
        self.runs().list(filter, 30).unwrap()
    }

    /// Returns the runs in short: id, outcome, fleets.
    #[track_caller]
    fn known(&self) -> Vec<String> {
        self.list(&Filter::default()).runs.iter().map(short).collect()
    }
}

fn short(run: &RunEntry) -> String {
    let fleets: Vec<&str> = run.fleets.iter().map(|name| &**name).collect();
    format!("{} {} {}", run.run, run.outcome, fleets.join(","))
}

fn record(journal: &Journal, record: &serde_json::Value) {
    journal.append(record.to_string().as_bytes(), false).unwrap();
}

fn write(journal: &Journal, fleet: &str, exit: Option<u8>) {
    record(journal, &serde_json::json!({ "fleet": { "name": fleet } }));
    record(journal, &serde_json::json!({ "of_a_later_version": [1] }));
    if let Some(exit) = exit {
        record(journal, &serde_json::json!({ "ended": { "exit": exit, "took": 9, "commit": "f00", "table": [] } }));
    }
}

/// Returns the answer of a SQLite file to a question.
fn number(file: &Path, question: &str) -> u32 {
    rusqlite::Connection::open(file).unwrap().query_row(question, [], |row| row.get(0)).unwrap()
}

/// Returns a run that began this many hours into the year.
fn head(run: &str, hour: u32, task: &str) -> Head {
    Head {
        run: run.into(),
        line: task.into(),
        tasks: vec![task.into()],
        who: "alice".into(),
        from: "laptop".into(),
        since: format!("2026-01-01T{hour:02}:00:00Z"),
        fabfile: "/f".into(),
        digest: "d".into(),
        ..Head::default()
    }
}

#[test]
fn a_run_is_known_from_its_begin_to_its_end_and_to_its_owner_alone() {
    let place = Place::new();
    assert_eq!(place.list(&Filter::default()), RunPage { runs: vec![], more: false });
    assert!(!place.0.path().join("rfab").exists(), "a question makes nothing");
    let journal = place.ran(&head("a", 1, "deploy"), "prod", None);
    assert_eq!(place.known(), ["a running prod"]);
    let busy = place.runs().resume("a").err().unwrap();
    let says = "alice's run `a` has been in progress on laptop since 2026-01-01T01:00:00Z: `rfab deploy`";
    assert_eq!((busy.reason(), &*busy.message), (Reason::Locked, says));
    drop(journal);
    assert_eq!(place.known(), ["a unfinished prod"]);
    place.ran(&head("b", 2, "deploy"), "prod", Some(0));
    place.ran(&head("c", 3, "deploy"), "shop", Some(130));
    assert_eq!(place.known(), ["c interrupted shop", "b done prod", "a unfinished prod"]);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&place.index()), mode(&place.folder())), (0o600, 0o700));
}

#[test]
fn nothing_is_read_of_a_folder_that_did_not_change() {
    let place = Place::new();
    place.left(&head("a", 1, "deploy"), "prod", Some(0));
    place.settle();
    let before = place.list(&Filter::default());
    let size = fs::metadata(place.journal("a")).unwrap().len() as usize;
    // It keeps its time and length, but isn't a journal any more.
    fs::File::options().write(true).open(place.journal("a")).unwrap().write_all_at(&vec![b'x'; size], 0).unwrap();
    assert_eq!(place.list(&Filter::default()), before);
    // A run that reports its own changes doesn't make the index read it either.
    place.ran(&head("b", 2, "deploy"), "prod", Some(0));
    assert_eq!(place.known(), ["b done prod", "a done prod"]);
    fs::remove_file(place.index()).unwrap();
    assert_eq!(place.known(), ["b done prod"], "and without an index they are");
}

#[test]
fn journals_that_came_went_or_changed_without_the_index_are_noticed() {
    let place = Place::new();
    place.ran(&head("a", 1, "deploy"), "prod", Some(0));
    place.settle();
    assert_eq!(place.known(), ["a done prod"]);
    place.left(&head("b", 2, "deploy"), "shop", None);
    place.left(&head("c", 3, "deploy"), "prod", Some(1));
    // A run that is written down meanwhile doesn't hide them.
    place.ran(&head("d", 4, "deploy"), "prod", Some(0));
    assert_eq!(place.known(), ["d done prod", "c failed prod", "b unfinished shop", "a done prod"]);
    // The run that died comes to its end, and the end of one that was done is torn.
    let journal = Journal::reopen(&place.journal("b")).unwrap();
    write(&journal, "more", Some(8));
    let whole = fs::read(place.journal("a")).unwrap();
    fs::write(place.journal("a"), &whole[..whole.len() - 3]).unwrap();
    assert_eq!(place.known(), ["d done prod", "c failed prod", "b left-out more,shop", "a unfinished prod"]);
    fs::remove_file(place.journal("c")).unwrap();
    fs::write(place.journal("x"), "no journal").unwrap();
    assert_eq!(place.known(), ["d done prod", "b left-out more,shop", "a unfinished prod"]);
}

#[test]
fn an_index_that_is_lost_or_damaged_in_any_way_is_made_again() {
    let place = Place::new();
    for i in 0..60_u32 {
        place.left(&head(&format!("r{i:02}"), i / 3, "deploy"), "prod", Some(0));
    }
    place.settle();
    let filter = Filter { fleet: Some("prod".into()), ..Filter::default() };
    let before = place.list(&filter);
    assert_eq!((before.runs.len(), before.more), (30, true));
    let whole = fs::read(place.index()).unwrap();
    assert!(whole.len() > 8 * 4096, "{} bytes", whole.len());
    type Damage = fn(&mut Vec<u8>);
    let damages: [(&str, Damage); 7] = [
        ("empty", Vec::clear),
        ("something else", |bytes| *bytes = b"something else, and longer than a header is\n".repeat(300)),
        ("cut in the middle", |bytes| bytes.truncate(bytes.len() / 2)),
        ("cut within a page", |bytes| bytes.truncate(4096 * 3 + 100)),
        ("a header without a database", |bytes| bytes[100..].fill(0)),
        ("pages of nothing", |bytes| bytes[4096..].fill(0)),
        ("pages of noise", |bytes| bytes[4096..].fill(0xa5)),
    ];
    for (what, damage) in damages {
        let mut bytes = whole.clone();
        damage(&mut bytes);
        fs::write(place.index(), &bytes).unwrap();
        assert_eq!(place.list(&filter), before, "{what}");
        place.settle();
        assert_eq!(place.list(&filter), before, "{what}, asked again");
        let count = "SELECT count(*) FROM run";
        assert_eq!(number(&place.index(), count), 60, "{what}: the file has them again");
        // A run repairs the index too, and is in it then.
        fs::write(place.index(), bytes).unwrap();
        let begun = place.runs().begin(&head("new", 23, "deploy")).unwrap();
        assert_eq!((begun.unknown, &*place.known()[0]), (None, "new running "), "{what}");
        fs::remove_file(place.journal("new")).unwrap();
        assert_eq!(place.list(&filter), before, "{what}, after a run");
    }
    for file in ["index.sqlite3", "index.sqlite3-wal", "index.sqlite3-shm"] {
        let _ = fs::remove_file(place.index().with_file_name(file));
    }
    assert_eq!(place.list(&filter), before, "lost");
}

#[test]
fn an_index_of_a_newer_rfab_is_refused_and_keeps_nobody_from_running() {
    let place = Place::new();
    place.ran(&head("a", 1, "deploy"), "prod", Some(0));
    let connection = rusqlite::Connection::open(place.index()).unwrap();
    connection.pragma_update(None, "user_version", 77).unwrap();
    drop(connection);
    let index = place.index();
    let why = format!(
        "the index of runs, `{}`, can't be used: a newer rfab wrote it (its schema is 77, and this rfab knows 1)",
        index.display()
    );
    let refused = place.runs().list(&Filter::default(), 30).unwrap_err();
    let help = "use that rfab, or remove the file: rfab rebuilds it from the journals";
    assert_eq!((refused.message.as_str(), refused.help.as_deref()), (why.as_str(), Some(help)));
    let begun = place.runs().begin(&head("b", 2, "deploy")).unwrap();
    assert_eq!(begun.unknown.map(|f| f.message), Some(why));
    write(&begun.journal, "prod", Some(0));
    place.runs().take_up(&"b".into());
    assert_eq!(number(&index, "PRAGMA user_version"), 77, "it is left as it is");
    fs::remove_file(&index).unwrap();
    assert_eq!(place.known(), ["b done prod", "a done prod"]);
}

#[test]
fn where_no_index_can_be_written_the_journals_answer() {
    let place = Place::new();
    place.ran(&head("a", 1, "deploy"), "prod", Some(0));
    fs::remove_file(place.index()).unwrap();
    fs::create_dir(place.index()).unwrap();
    let begun = place.runs().begin(&head("b", 2, "deploy")).unwrap();
    let why = begun.unknown.unwrap();
    assert!(why.message.starts_with("the index of runs, `") && why.message.contains("can't be used: "), "{why:?}");
    write(&begun.journal, "prod", Some(1));
    drop(begun.journal);
    place.runs().take_up(&"b".into());
    assert_eq!(place.known(), ["b failed prod", "a done prod"]);
    drop(place.runs().begin(&head("c", 3, "deploy")).unwrap());
    assert_eq!(place.runs().resume("c").unwrap().head, head("c", 3, "deploy"));
}

#[test]
fn a_run_whose_journal_cannot_be_made_is_no_run() {
    let place = Place::new();
    place.ran(&head("a", 1, "deploy"), "prod", Some(0));
    // The journal's name is longer than a file's name can be.
    let refused = place.runs().begin(&head(&"b".repeat(300), 2, "deploy")).err().unwrap();
    assert!(refused.message.starts_with("the journal can't be written to `"), "{refused:?}");
    assert_eq!(place.known(), ["a done prod"]);
}

#[test]
fn many_runs_at_once_are_all_known() {
    let place = Place::new();
    thread::scope(|scope| {
        for worker in 0..8_u32 {
            let place = &place;
            scope.spawn(move || {
                for i in 0..10_u32 {
                    let head = head(&format!("w{worker}-{i}"), worker, "deploy");
                    match i % 3 {
                        0 => drop(place.ran_beside_others(&head, "prod", Some(0))),
                        1 => drop(place.ran_beside_others(&head, "prod", None)),
                        _ => place.left(&head, "prod", Some(1)),
                    }
                    place.list(&Filter::default());
                }
            });
        }
    });
    let all = place.runs().list(&Filter::default(), 1000).unwrap();
    let count = |ending| all.runs.iter().filter(|run| run.outcome == ending).count();
    assert_eq!([Ending::Done, Ending::Unfinished, Ending::Failed].map(count), [32, 24, 24]);
}

#[test]
fn each_filter_finds_its_runs_the_newest_first_and_all_of_them_together() {
    let place = Place::new();
    let ends = [Some(0), Some(1), None, Some(8)];
    for i in 0..24_u32 {
        let task = ["deploy", "proxy.flip"][i as usize % 2];
        let fleet = ["prod", "shop", "testing1"][i as usize % 3];
        place.ran(&head(&format!("r{i:02}"), i, task), fleet, ends[i as usize % 4]);
    }
    let at = |hour: u32| Some(head("", hour, "").since.parse::<jiff::Timestamp>().unwrap().as_millisecond());
    let found = |filter: Filter, most: usize| {
        let listed = place.runs().list(&filter, most).unwrap();
        let runs: Vec<String> = listed.runs.iter().map(|run| run.run.to_string()).collect();
        (runs.join(" "), listed.more)
    };
    let any = Filter::default;
    let name = |name: &str| Some(name.to_owned());
    for (filter, most, runs, more) in [
        (any(), 3, "r23 r22 r21", true),
        (Filter { fleet: name("shop"), ..any() }, 3, "r22 r19 r16", true),
        (Filter { fleet: name("shop"), ..any() }, 8, "r22 r19 r16 r13 r10 r07 r04 r01", false),
        (Filter { task: name("proxy-flip"), ..any() }, 2, "r23 r21", true),
        (Filter { task: name("deploy"), fleet: name("prod"), ..any() }, 9, "r18 r12 r06 r00", false),
        (Filter { since: at(20), ..any() }, 9, "r23 r22 r21 r20", false),
        (Filter { until: at(3), ..any() }, 9, "r02 r01 r00", false),
        (Filter { since: at(3), until: at(5), fleet: name("prod"), ..any() }, 9, "r03", false),
        (Filter { endings: vec![Ending::Done], since: at(10), ..any() }, 9, "r20 r16 r12", false),
        (Filter { endings: vec![Ending::Failed, Ending::LeftOut], ..any() }, 3, "r23 r21 r19", true),
        (Filter { endings: vec![Ending::Unfinished], fleet: name("prod"), ..any() }, 1, "r18", true),
        (Filter { endings: vec![Ending::Running], ..any() }, 9, "", false),
        (Filter { since: at(5), until: at(5), ..any() }, 9, "", false),
    ] {
        assert_eq!(found(filter.clone(), most), (runs.to_owned(), more), "{filter:?}");
    }
    let refused = |filter| {
        let failure = place.runs().list(&filter, 9).unwrap_err();
        (failure.message, failure.help.unwrap())
    };
    assert_eq!(
        refused(Filter { fleet: name("pord"), ..any() }),
        ("this machine has no run of a fleet `pord`".into(), "did you mean `prod`?".into())
    );
    assert_eq!(
        refused(Filter { task: name("restart"), ..any() }),
        ("this machine has no run of a task `restart`".into(), "`rfab --history` lists all runs".into())
    );
}

#[test]
fn a_run_is_named_by_the_beginning_of_its_id() {
    let place = Place::new();
    for run in ["0a1-x", "0a2-y", "0b-z"] {
        place.ran(&head(run, 1, "deploy"), "prod", Some(0));
    }
    let named = |run: &str| place.runs().texts(run).map(|texts| texts.len()).map_err(|f| f.message);
    assert_eq!([named("0a1"), named("0b-z")], [Ok(4), Ok(4)]);
    assert_eq!(named("0a"), Err("more than one run begins with `0a`".into()));
    assert_eq!(named("0%"), Err("there is no run `0%`".into()));
    // The index isn't believed if a run would start because of it.
    place.ran(&head("0c-f", 1, "deploy"), "prod", Some(1));
    write(&Journal::reopen(&place.journal("0c-f")).unwrap(), "prod", Some(0));
    for (run, whole) in [("0b", "0b-z"), ("0c", "0c-f")] {
        let refused = place.runs().resume(run).err().unwrap();
        assert_eq!(refused.message, format!("run `{whole}` is done"));
    }
}

/// Writes a change of a host, and how it ended; one that never came back has no end.
fn change(journal: &Journal, number: u32, fleet: &str, end: Option<serde_json::Value>) {
    record(
        journal,
        &serde_json::json!({ "effect": { "lane": "", "number": number, "name": "exec", "kind": "once", "host": "web1",
            "text": "x", "recorded": {}, "things": [format!("exec {fleet}/web1")] } }),
    );
    if let Some(end) = end {
        record(journal, &end);
    }
}

fn answered(number: u32) -> Option<serde_json::Value> {
    Some(serde_json::json!({ "answered": { "lane": "", "number": number, "took": 1, "outcome": null } }))
}

fn failed(number: u32, reason: &str) -> Option<serde_json::Value> {
    let failure = serde_json::json!({ "reason": reason, "message": "no", "help": null, "host": null, "status": null });
    Some(serde_json::json!({ "failed": { "lane": "", "number": number, "took": 1, "failure": failure } }))
}

/// The runs of fabfiles, one an hour.
struct Day {
    place: Place,
    hour: u32,
}

impl Day {
    /// Writes a run that did this, and ended like this.
    fn ran(&mut self, run: &str, fabfile: &Path, exit: Option<u8>, did: impl Fn(&Journal)) {
        self.line(run, "prod deploy", fabfile, exit, did);
    }

    fn line(&mut self, run: &str, line: &str, fabfile: &Path, exit: Option<u8>, did: impl Fn(&Journal)) {
        self.hour += 1;
        let head = Head { fabfile: fabfile.display().to_string(), line: line.into(), ..head(run, self.hour, "deploy") };
        let begun = self.place.runs().begin(&head).unwrap();
        did(&begun.journal);
        write(&begun.journal, "seen", exit);
    }

    /// Returns the open runs of a fabfile, those that are running, and those that were overtaken.
    fn meant(&self, fabfile: &Path) -> [String; 3] {
        let meant = self.place.runs().meant(fabfile).unwrap();
        let ids = |runs: Vec<RunEntry>| runs.iter().map(|run| run.run.to_string()).collect::<Vec<_>>().join(" ");
        [ids(meant.open), ids(meant.running), ids(meant.overtaken)]
    }
}

#[test]
fn only_runs_of_this_fabfile_that_changed_something_and_are_not_done_are_meant() {
    let mut day = Day { place: Place::new(), hour: 0 };
    let folder = day.place.0.path().join("shop");
    fs::create_dir(&folder).unwrap();
    let (mine, others) = (folder.join("fabfile.rhai"), day.place.0.path().join("fabfile.rhai"));
    for file in [&mine, &others] {
        fs::write(file, "").unwrap();
    }
    let made = |journal: &Journal| change(journal, 1, "prod", answered(1));
    day.ran("a-release", &mine, Some(1), made);
    assert_eq!(day.meant(&mine), ["a-release", "", ""]);
    // Later runs that aren't meant: they only read, nothing of them was done, or they belong to another fabfile.
    day.ran("b-read", &mine, Some(1), |_| ());
    day.ran("c-refused", &mine, Some(6), |journal| change(journal, 1, "prod", failed(1, "balancer")));
    day.ran("d-typed", &mine, Some(3), |_| ());
    day.ran("e-died", &mine, None, |_| ());
    day.ran("f-others", &others, Some(1), made);
    assert_eq!(day.meant(&mine), ["a-release", "", ""]);
    assert_eq!(day.meant(&others), ["f-others", "", ""]);
    // However its path is spelled.
    let link = day.place.0.path().join("link");
    std::os::unix::fs::symlink(&folder, &link).unwrap();
    for spelled in [folder.join("../shop/./fabfile.rhai"), link.join("fabfile.rhai")] {
        assert_eq!(day.meant(&spelled), ["a-release", "", ""], "{}", spelled.display());
    }
    // A change that may have been made counts: it never came back, or rfab can't tell how it ended.
    day.ran("g-lost", &mine, Some(9), |journal| change(journal, 1, "prod", failed(1, "unknown")));
    day.ran("h-died", &mine, None, |journal| change(journal, 1, "shop", None));
    assert_eq!(day.meant(&mine), ["h-died g-lost a-release", "", ""]);
    // A change on no host counts too; but a value that is only read, such as a release's number, isn't a change.
    let local = |name: &str| {
        serde_json::json!({ "effect": { "lane": "", "number": 2, "name": name, "kind": "once", "host": null, "text": "x",
            "recorded": {}, "things": [] } })
    };
    day.ran("i-number", &mine, Some(1), |journal| record(journal, &local("number")));
    day.ran("i-local", &mine, Some(1), |journal| record(journal, &local("local_run")));
    assert_eq!(day.meant(&mine), ["i-local h-died g-lost a-release", "", ""]);
    // A run that is done and changed the same fleet overtakes the earlier runs.
    day.ran("i-read", &mine, Some(0), |_| ());
    day.ran("j-others", &others, Some(0), made);
    assert_eq!(day.meant(&mine), ["i-local h-died g-lost a-release", "", ""]);
    day.ran("k-again", &mine, Some(0), made);
    assert_eq!(day.meant(&mine), ["h-died", "", "i-local g-lost a-release"]);
    // Once a run has begun to abort another, it is meant in place of that one.
    day.line("l-back", "--abort h-died", &mine, Some(1), |_| ());
    assert_eq!(day.meant(&mine)[0], "h-died");
    day.line("m-back", "--abort h-died", &mine, Some(1), |journal| change(journal, 1, "shop", answered(1)));
    assert_eq!(day.meant(&mine)[0], "m-back");
    let running = Journal::reopen(&day.place.journal("m-back")).unwrap();
    record(&running, &serde_json::json!({ "resumed": {} }));
    assert_eq!(day.meant(&mine)[..2], ["", "m-back"]);
}
