//! The screens in docs/screens, which docs/screens.md quotes: made again in the simulator, and compared.

use crate::made_up::Shop;
use lab::{alone, page};
use rfab::{
    event::{Event, EventKind, Stream},
    line,
    model::Model,
    report::{self, Palette},
    secret::DigestKey,
    session::Journaling,
    simulate::{Scenario, Simulation, simulate, simulate_attempt},
    store::{EarlierAttempts, JournalTail, Record, Runs},
};
use serde_json::json;
use std::{
    env, fs,
    path::Path,
    process::Command,
    sync::{Arc, Mutex},
};

/// The most rows that the end of a run needs.
const LONG: u16 = 400;
/// The commits of the two stable tags, as the screens show them.
const COMMITS: [&str; 2] = ["9ab0c1d2e3f49ab0c1d2e3f49ab0c1d2e3f49ab0", "c771e21f0a9bc771e21f0a9bc771e21f0a9bc771"];

#[derive(Clone)]
struct Glass(Arc<Mutex<vt100::Parser>>);

impl std::io::Write for Glass {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().process(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Returns a terminal of this size at a moment of a run.
fn screen(events: &[Event], until: u64, columns: u16, rows: u16) -> String {
    let glass = Glass(Arc::new(Mutex::new(vt100::Parser::new(rows, columns, 0))));
    report::play(glass.clone(), events, until, (columns.into(), rows.into()), Palette { color: false });
    let parser = glass.0.lock().unwrap();
    let lines: Vec<String> = parser.screen().rows(0, columns).map(|row| row.trim_end().to_owned()).collect();
    lines.join("\n").trim_end().to_owned() + "\n"
}

/// Adds the progress of each drain to a run's events, which only a real balancer reports: requests end one by one.
fn drained(events: &[Event]) -> Vec<Event> {
    let mut all = Vec::new();
    for event in events {
        all.push(event.clone());
        if let EventKind::EffectStarted { effect: "wait_drained", host: Some(host), .. } = &event.what {
            let total = 40 - host.len() as u64 - u64::from(*host.as_bytes().last().unwrap() % 7);
            for done in 1..total {
                let (host, what) = (host.clone(), "open requests ended".to_owned());
                let what = EventKind::Progressed { host: Some(host), what, done, total, unit: "requests" };
                all.push(Event { at: event.at + done * 150, what, ..event.clone() });
            }
        }
    }
    all.sort_by_key(|event| event.at);
    all
}

/// A shop with journals where the program looks for them.
struct Kept {
    shop: Shop,
    model: Model,
    first: String,
}

impl Kept {
    fn new() -> Kept {
        let shop = Shop::four("");
        let first = shop.git(&["rev-parse", "v3.0.0^{commit}"]);
        let model = Model { first: first.as_str().into(), ..Model::new() };
        Kept { shop, model, first }
    }

    fn home(&self) -> &Path {
        &self.shop.project.script.folder
    }

    /// Runs a line in the simulator, with a journal.
    fn run(&mut self, words: &str, at: &str) -> Simulation {
        let runs = Runs::new(self.home().join(".local/share/rfab/runs"));
        let number = self.model.runs + 1;
        let line =
            line::parse(&words.split(' ').map(str::to_owned).collect::<Vec<_>>(), None, &self.shop.project.tasks);
        let line = line.unwrap();
        let tasks: Vec<&str> = line.calls.iter().map(|call| call.task.as_str()).collect();
        let head = json!({ "v": 1, "run": format!("sim-{number}"), "line": words, "tasks": tasks, "flags": [], "argv": [],
            "who": "anna", "on_behalf_of": null, "from": "laptop", "since": at, "fabfile": "fabfile.rhai", "digest": "5e1f" });
        let journal = runs.begin(&serde_json::from_value(head).unwrap()).unwrap().journal;
        let keep = Journaling::new(journal, EarlierAttempts::default(), DigestKey::default());
        let (journal, model) = (keep.journal.clone(), Model { runs: number, ..self.model.clone() });
        let wish = Scenario { seed: 1, ..Scenario::default() };
        let ran = simulate_attempt(&self.shop.project, &line, model, wish, Some(keep));
        let took = ran.events.last().unwrap().at - self.model.now;
        let commit = Some(self.shop.stable.as_str().into());
        let commit = commit.filter(|_| words.contains("stable"));
        let name = commit.as_ref().map(|_| "v3.0.1".to_owned());
        let tail = JournalTail {
            exit: ran.ended.exit.code(),
            took,
            journal: 0,
            commit,
            name,
            typed_again: false,
            table: ran.ended.table.clone(),
        };
        journal.write(&Record::Ended(tail), true).unwrap();
        self.model = ran.model.clone();
        ran
    }

    /// Returns what the program prints for a line.
    fn says(&self, line: &[&str]) -> String {
        let mut program = Command::new(env!("CARGO_BIN_EXE_rfab"));
        alone::cleared(&mut program).args(line).current_dir(self.home()).env("HOME", self.home());
        let out = program.output().unwrap();
        let text = String::from_utf8([out.stdout, out.stderr].concat()).unwrap();
        text.replace(self.home().canonicalize().unwrap().to_str().unwrap(), "~/shop")
    }

    /// Returns a text with the commits that the screens always show.
    fn settled(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (commit, always) in [(&self.first, COMMITS[0]), (&self.shop.stable, COMMITS[1])] {
            for length in [40, 12, 7] {
                text = text.replace(&commit[..length], &always[..length]);
            }
        }
        text
    }
}

/// Returns each screen: its file's name, what was typed, what it shows, and its text.
fn screens() -> Vec<(&'static str, &'static str, &'static str, String)> {
    let mut kept = Kept::new();
    let whole = kept.run("prod release:stable", "2001-11-24T09:12:00Z");
    let end = screen(&whole.events, u64::MAX, 120, LONG);
    let status = screen(&kept.run("prod status", "2001-11-24T09:14:00Z").events, u64::MAX, 120, LONG);
    kept.run("prod proxy.group2", "2001-11-24T10:30:00Z");
    let mut sick = Kept::new();
    sick.model.sick.insert(sick.shop.stable.as_str().into());
    let failed = screen(&sick.run("prod release:stable", "2001-11-24T11:05:00Z").events, u64::MAX, 120, LONG);
    let failed = sick.settled(&failed);

    let large = Shop::new();
    let line = line::parse(&["prod".into(), "release:stable".into()], None, &large.project.tasks).unwrap();
    let events =
        drained(&simulate(&large.project, &line, Model::new(), Scenario { seed: 1, ..Scenario::default() }).events);
    let out = |event: &&Event| matches!(&event.what, EventKind::StepStarted { step, .. } if step == "group2 out");
    let moment = events.iter().find(out).unwrap().at + 3_500;
    let of_large = |text: String| text.replace(&large.stable[..12], &COMMITS[1][..12]);
    let of_kept = |text: &str| kept.settled(text);
    vec![
        ("alone", "rfab", "Type nothing, and rfab shows what you can type here.", of_kept(&kept.says(&[]))),
        ("list", "rfab --list", "The tasks of a fabfile.", of_kept(&kept.says(&["--list"]))),
        (
            "live",
            "rfab prod release:stable",
            "A release to 42 web hosts in progress: `group2` is out, and its requests end. Finished steps scroll by.\n\
             Below them are the groups, the hosts at work, and the run.",
            of_large(screen(&events, moment, 100, 24)),
        ),
        (
            "narrow",
            "rfab prod release:stable",
            "The same moment in a window of 40 columns and 12 rows.",
            of_large(screen(&events, moment, 40, 12)),
        ),
        ("end", "rfab prod release:stable", "A whole release to four hosts and a worker.", of_kept(&end)),
        (
            "failure",
            "rfab prod release:stable",
            "A release that doesn't become healthy: the first group stays out, and the other one serves the old\n\
             release.",
            failed,
        ),
        ("status", "rfab prod status", "What each host serves, and who deployed it.", of_kept(&status)),
        ("history", "rfab --history", "The runs on this machine.", of_kept(&kept.says(&["--history"]))),
        ("show", "rfab --show sim-3", "What one of these runs did.", of_kept(&kept.says(&["--show", "sim-3"]))),
        ("slip", "rfab prod depoly stable", "A typo.", of_kept(&kept.says(&["prod", "depoly", "stable"]))),
    ]
}

const HEAD: &str = "\
# Screens

<!-- Made by `scripts/pages`; don't edit. -->

This page shows what you see on a terminal. The screens come from the simulator, with the project's own
[fabfile](../fabfile.rhai), and a test compares them with what rfab shows. `scripts/screens` shows the screens of the
demo in a real terminal. Colors are left out here, because the words tell you everything that they do.
";

#[test]
fn the_screens_are_made_from_what_is_shown() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let mut screens_page = HEAD.to_owned();
    let mut files = Vec::new();
    for (name, typed, about, text) in screens() {
        screens_page += &format!("\n{about} [As text](screens/{name}.txt)\n\n```\n$ {typed}\n{text}```\n");
        files.push((format!("screens/{name}.txt"), text));
    }
    files.push(("screens.md".to_owned(), screens_page));
    files.iter().for_each(|(name, text)| page::check(name, text));
    let there = fs::read_dir(folder.join("screens")).unwrap().count();
    assert_eq!(there, files.len() - 1, "docs/screens has a screen that nobody makes");
}

#[test]
fn after_a_failed_release_a_window_of_thirty_rows_shows_the_whole_table_and_what_to_type_next() {
    let mut sick = Kept::new();
    sick.model.sick.insert(sick.shop.stable.as_str().into());
    let mut events = sick.run("prod release:stable", "2001-11-24T11:05:00Z").events;
    let printed = |n: u32| EventKind::Printed { host: "web1".into(), stream: Stream::Out, line: format!("line {n}") };
    let last = events.pop().unwrap();
    events.extend((1..=100).map(|n| Event { what: printed(n), ..last.clone() }));
    events.push(last);
    let shown = screen(&events, u64::MAX, 100, 30);
    let end = shown.split_once("\nhost ").unwrap_or_else(|| panic!("{shown}")).1;
    for host in ["web1", "web2", "web3", "web4", "jobs1"] {
        assert!(end.contains(&format!("\n{host} ")), "{host}: {shown}");
    }
    assert!(end.contains("\nnext: rfab --resume sim-1 ") && end.contains("\n      rfab --abort sim-1 "), "{shown}");
    assert!(shown.contains("error: host `web1` ") && shown.contains("(it gets no traffic)"), "{shown}");
    assert!(!shown.contains("std/deploy:89:9"), "{shown}");
}
