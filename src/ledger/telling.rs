//! Selects the lines of a ledger that still matter: the answers to all questions don't depend on the others.
use super::{Book, LedgerLine, Phase, WITHDRAWN, good::of_host, unfinished::thing};
use crate::host::Name;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// The number of newest runs that keep all their lines, so that they can be resumed or aborted. Lines before the last
/// `MOST` don't count.
const RUNS: usize = 3;
const MOST: usize = 20_000;

impl Book {
    /// Drops old lines that don't matter, and returns the earlier indexes of those that are kept.
    ///
    /// Every question about the ledger has the same answer before and after, even after more lines are added. The last
    /// `recent` lines stay, and so do those of the last runs.
    pub fn condense(&mut self, recent: usize) -> Vec<usize> {
        let mut runs = HashSet::new();
        let older = self.lines.iter().rposition(|line| {
            runs.insert(line.run.clone());
            runs.len() > RUNS
        });
        let (all, of_last_runs) = (self.lines.len(), older.map_or(0, |at| at + 1));
        let cut = all.saturating_sub(recent).min(of_last_runs).max(all.saturating_sub(MOST));
        let mut telling = Telling::of(&self.lines[..cut]);
        telling.admin(|_| true);
        telling.movers.extend(self.lines[cut..].iter().map(|line| &*line.run));
        telling.runs();
        telling.releases(|_| true);
        telling.marks();
        telling.things();
        let kept: Vec<usize> = telling.kept.into_iter().chain(cut..self.lines.len()).collect();
        let mut places = kept.iter().peekable();
        let mut at = 0;
        self.lines.retain(|_| {
            let stays = places.next_if_eq(&&at).is_some();
            at += 1;
            stays
        });
        kept
    }

    /// Returns the lines about the state of hosts, all if `None`, and about the ends of the runs that changed it.
    pub fn standing(&self, hosts: Option<&[Name]>) -> Book {
        self.saying(|telling| telling.admin(|host| hosts.is_none_or(|hosts| hosts.iter().any(|name| **name == *host))))
    }

    /// Returns those lines, and those about a commit and about the last deployed commit, with its results.
    pub fn releasing(&self, commit: &str) -> Book {
        let newest = self.newest().and_then(|line| line.commit.clone());
        self.saying(|telling| {
            telling.admin(|_| true);
            telling.releases(|of| of == commit || newest.as_deref() == Some(of));
            newest.as_deref().into_iter().for_each(|newest| telling.tried(newest));
        })
    }

    fn saying(&self, which: impl FnOnce(&mut Telling<'_>)) -> Book {
        let mut telling = Telling::of(&self.lines);
        which(&mut telling);
        telling.runs();
        telling.came_to();
        let lines = telling.kept.iter().map(|at| self.lines[*at].clone()).collect();
        Book { lines, unread: self.unread }
    }
}

struct Telling<'a> {
    lines: &'a [LedgerLine],
    /// The indexes of the lines that matter, in order.
    kept: BTreeSet<usize>,
    /// The runs that changed the kept hosts.
    movers: BTreeSet<&'a str>,
}

impl<'a> Telling<'a> {
    fn of(lines: &'a [LedgerLine]) -> Self {
        Self { lines, kept: BTreeSet::new(), movers: BTreeSet::new() }
    }

    /// Keeps the state of hosts: back to the last drain or ready with a known end, as later lines may revoke others.
    fn admin(&mut self, of: impl Fn(&str) -> bool) {
        let lines = self.lines;
        let mut hosts: HashMap<&str, (Vec<usize>, [Option<usize>; 2])> = HashMap::new();
        for (at, line) in lines.iter().enumerate().filter(|(_, l)| matches!(&*l.effect, "drain" | "ready")) {
            let Some(host) = line.host.as_deref().filter(|host| of(host)) else { continue };
            let (told, last) = hosts.entry(host).or_default();
            let unsays = |before: &mut usize| {
                let before = &lines[*before];
                before.phase == Phase::Intent && (&before.run, &before.effect) == (&line.run, &line.effect)
            };
            let unsaid = if line.phase == Phase::Failed { told.pop_if(unsays) } else { None };
            if line.phase != Phase::Failed {
                told.push(at);
            }
            *last = [Some(at), unsaid];
        }
        for (told, last) in hosts.into_values() {
            let open = told.iter().rev().take_while(|at| lines[**at].phase == Phase::Intent).count();
            let standing = told.iter().rev().take(open + 1).copied();
            for at in standing.chain(last.into_iter().flatten()) {
                self.kept.insert(at);
                self.movers.insert(&lines[at].run);
            }
        }
    }

    /// Keeps the names of commits, their numbers, and whether they were rolled back.
    fn releases(&mut self, of: impl Fn(&str) -> bool) {
        let mut known: HashMap<&str, BTreeSet<&str>> = HashMap::new();
        let (mut last, mut about, mut called) = (HashMap::new(), HashMap::new(), HashMap::new());
        let mut highest: Option<(u32, usize)> = None;
        for (at, line) in self.lines.iter().enumerate() {
            if let Some(number) = line.number.filter(|number| highest.is_none_or(|(most, _)| *number > most)) {
                highest = Some((number, at));
            }
            let Some(commit) = line.commit.as_deref().filter(|commit| of(commit)) else { continue };
            if matches!(&*line.effect, "release" | "activate") {
                let seen = known.contains_key(commit);
                let names = known.entry(commit).or_default();
                let before = names.len();
                names.extend(Book::names_in(line));
                if names.len() > before || !seen {
                    self.kept.insert(at);
                }
            }
            if line.effect == "release" {
                last.insert(commit, at);
                about.insert(commit, at);
                called.extend(Book::called_in(line).map(|_| (commit, at)));
            } else if line.effect == "mark" && line.reason.as_deref() == Some(WITHDRAWN) {
                about.insert(commit, at);
            }
        }
        self.kept.extend(
            called.into_values().chain(last.into_values()).chain(about.into_values()).chain(highest.map(|(_, at)| at)),
        );
    }

    /// Keeps the result of a commit's last try on each host.
    fn tried(&mut self, commit: &str) {
        let mut last = HashMap::new();
        for (at, line) in self.lines.iter().enumerate().filter(|(_, line)| line.effect == "mark") {
            let host = line.reason.as_deref().and_then(of_host).filter(|_| line.commit.as_deref() == Some(commit));
            last.extend(host.map(|host| (host, at)));
        }
        self.kept.extend(last.into_values());
    }

    /// Keeps all steps that are done once, each with its commit, and of a host's switches those that it can return to.
    fn marks(&mut self) {
        let (mut once, mut last) = (HashMap::new(), HashMap::new());
        // By host: its good commits, and their lines at its last switch with the bad marks after it.
        let mut hosts: HashMap<&str, (super::good::GoodCommits<usize>, Vec<usize>)> = HashMap::new();
        for (at, line) in self.lines.iter().enumerate().filter(|(_, line)| line.effect == "mark") {
            let Some(name) = line.reason.as_deref() else { continue };
            last.insert(name, at);
            match (of_host(name), &line.commit) {
                (Some(host), Some(commit)) => {
                    let (goods, kept) = hosts.entry(host).or_default();
                    goods.take(line, commit, at);
                    if super::good::is_bad(name) {
                        kept.push(at);
                    } else {
                        *kept = goods.places().collect();
                    }
                }
                (None, commit) => _ = once.insert((name, commit.as_deref()), at),
                (Some(_), None) => {}
            }
        }
        self.kept.extend(once.into_values().chain(last.into_values()));
        self.kept.extend(hosts.into_values().flat_map(|(_, kept)| kept));
    }

    /// Keeps the unfinished runs and those that changed the kept hosts: how they ended, and which runs ended them.
    fn runs(&mut self) {
        let mut lines: HashMap<&str, Vec<usize>> = HashMap::new();
        let mut undoing: HashMap<&str, Vec<&str>> = HashMap::new();
        for (at, line) in self.lines.iter().enumerate().filter(|(_, line)| line.effect == "run") {
            lines.entry(&line.run).or_default().push(at);
            let undone = line.reason.as_deref().and_then(|typed| typed.strip_prefix("--abort "));
            undone.into_iter().for_each(|run| undoing.entry(run).or_default().push(&line.run));
        }
        let (open, closed_by) = super::unfinished::open_runs(self.lines);
        let mut wanted: Vec<&str> = self.movers.iter().copied().chain(open.iter().map(|o| &*o.line.run)).collect();
        let mut known = BTreeSet::new();
        while let Some(run) = wanted.pop() {
            if !known.insert(run) {
                continue;
            }
            self.kept.extend(lines.get(run).into_iter().flatten());
            wanted.extend(undoing.get(run).into_iter().flatten());
            wanted.extend(closed_by.get(run).into_iter().flatten());
        }
    }

    /// Keeps the last step of each unfinished run, for people.
    fn came_to(&mut self) {
        for open in super::unfinished::open_runs(self.lines).0 {
            let last = self.lines.iter().rposition(|line| line.run == open.line.run && line.effect != "run");
            self.kept.extend(last);
        }
    }

    /// Keeps the last line of everything else, and the last line that it was done.
    fn things(&mut self) {
        let (mut last, mut done) = (BTreeMap::new(), BTreeMap::new());
        for (at, line) in self.lines.iter().enumerate() {
            let Some(thing) = thing(line).filter(|(what, _)| !matches!(*what, "admin" | "mark")) else { continue };
            last.insert(thing, at);
            if line.phase == Phase::Ok {
                done.insert(thing, at);
            }
        }
        self.kept.extend(last.into_values().chain(done.into_values()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{bad, switch};

    const HOSTS: [&str; 3] = ["web1", "web2", "web3"];
    const COMMITS: [&str; 5] = ["c0", "c1", "c2", "c3", "c4"];

    /// Random numbers that repeat with the same seed.
    struct Dice(u64);

    impl Dice {
        fn roll(&mut self, sides: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) as usize % sides
        }

        fn of<T: Copy>(&mut self, all: &[T]) -> T {
            all[self.roll(all.len())]
        }
    }

    fn line(run: &str, effect: &str, phase: Phase) -> LedgerLine {
        let line = format!(
            "{{\"v\":1,\"run\":\"{run}\",\"seq\":0,\"at\":\"\",\"who\":\"anna\",\"from\":\"mac\",\"effect\":\"{effect}\",\"phase\":\"ok\"}}"
        );
        LedgerLine { phase, ..serde_json::from_str(&line).expect("a line") }
    }

    /// Returns the lines of a run that has the lock: changes with or without an end, then the run's own end, or none.
    fn of_run(run: &str, dice: &mut Dice) -> Vec<LedgerLine> {
        use Phase::{Failed, Intent, Ok, Unknown};
        let typed = if dice.roll(6) == 0 { format!("--abort r{}", dice.roll(30)) } else { format!("prod {run}") };
        let says = |phase| LedgerLine { reason: Some(typed.clone()), ..line(run, "run", phase) };
        let mut lines = vec![says(Intent)];
        for _ in 0..dice.roll(8) {
            let (host, commit) = (dice.of(&HOSTS), dice.of(&COMMITS));
            let ends = dice.of(&[&[Intent][..], &[Intent, Ok], &[Intent, Ok], &[Intent, Failed]]);
            let of = |effect: &str, phase| LedgerLine { host: Some(host.into()), ..line(run, effect, phase) };
            let mark = |name: String, phase| LedgerLine {
                reason: Some(name),
                commit: Some(commit.into()),
                ..line(run, "mark", phase)
            };
            match dice.roll(8) {
                0 | 1 => {
                    let effect = dice.of(&["drain", "ready"]);
                    lines.extend(ends.iter().map(|phase| of(effect, *phase)));
                }
                2 => lines.push(LedgerLine {
                    commit: Some(commit.into()),
                    number: Some(dice.roll(50) as u32),
                    content: dice.of(&[None, Some("c1"), Some("c2")]).map(str::to_owned),
                    reason: Some(dice.of(&["v1.0", "main", "v2.0"]).into()),
                    names: dice.of(&[None, Some("v9.1")]).map(|name| vec![name.into()]),
                    ..line(run, "release", Ok)
                }),
                3 => lines.extend(ends.iter().map(|phase| mark("migrate".into(), *phase))),
                4 | 5 => lines.extend(ends.iter().map(|phase| mark(switch(host), *phase))),
                6 => lines.push(mark(dice.of(&[bad(host), WITHDRAWN.into()].each_ref()).clone(), Ok)),
                _ => lines.extend(ends.iter().map(|phase| of("activate", *phase))),
            }
        }
        lines.extend(dice.of(&[None, Some(Ok), Some(Ok), Some(Failed), Some(Unknown)]).map(says));
        lines
    }

    /// Returns a ledger of a number of runs, some of which are resumed.
    fn ledger(runs: usize, dice: &mut Dice) -> Vec<LedgerLine> {
        let run = |dice: &mut Dice, at: usize| if dice.roll(5) == 0 { dice.roll(at + 1) } else { at };
        (0..runs).flat_map(|at| of_run(&format!("r{}", run(dice, at)), dice)).collect()
    }

    /// Returns the answers to all questions about a ledger.
    fn answers(book: &Book) -> Vec<String> {
        let mut all = vec![
            format!("highest {}", book.highest()),
            format!("newest {:?}", book.newest()),
            format!("unfinished {:?}", book.unfinished()),
            format!("names {:?} {:?}", book.names(), book.called()),
            format!("released {:?} {:?}", book.released_as("c1"), book.released_as("c2")),
        ];
        all.extend(book.unfinished_runs().iter().map(|line| format!("open {line:?}")));
        for host in HOSTS {
            all.push(format!("good {host} {:?}", book.good(host)));
            all.push(format!("switched {host} {:?} {:?}", book.last_mark(&switch(host)), book.activated(host)));
            if let Some(line) = book.last_admin(host) {
                let ended = (book.ended_early(&line.run), book.changed_nothing(&line.run));
                all.push(format!("stands {host} {line:?} {ended:?}"));
            }
        }
        for commit in COMMITS {
            let (number, name) = (book.number_of(commit), book.name_of(commit));
            let (withdrawn, mark) = (book.withdrawn(commit), book.mark("migrate", commit));
            all.push(format!("{commit} {number:?} {name:?} {withdrawn:?} {mark:?}"));
        }
        all
    }

    #[test]
    fn what_is_left_of_a_ledger_answers_every_question_as_the_whole_one_also_once_it_goes_on() {
        let mut shorter = 0;
        for seed in 0..400 {
            let mut dice = Dice(seed);
            let before = ledger(30, &mut dice);
            let after = ledger(4, &mut dice);
            let mut short = Book { lines: before.clone(), unread: 0 };
            let kept = short.condense(0);
            assert_eq!(kept.iter().map(|at| &before[*at]).collect::<Vec<_>>(), short.lines.iter().collect::<Vec<_>>());
            shorter += usize::from(short.lines.len() < before.len() / 2);
            let mut whole = Book { lines: before, unread: 0 };
            for line in HOSTS.iter().filter_map(|host| whole.last_admin(host)) {
                let undoing = |book: &Book| book.undoing(&line.run).into_iter().cloned().collect::<BTreeSet<Name>>();
                assert_eq!(undoing(&short), undoing(&whole), "seed {seed}");
            }
            for line in [None].into_iter().chain(after.into_iter().map(Some)) {
                whole.lines.extend(line.clone());
                short.lines.extend(line);
                assert_eq!(answers(&short), answers(&whole), "seed {seed}");
            }
            let again = short.lines.clone();
            short.condense(0);
            assert!(short.lines.len() <= again.len());
        }
        assert!(shorter > 350, "{shorter}");
    }

    #[test]
    fn the_lines_that_say_how_hosts_stand_or_what_is_released_say_it_as_the_whole_ledger_does() {
        for seed in 0..400 {
            let mut dice = Dice(seed);
            let book = Book { lines: ledger(20, &mut dice), unread: 2 };
            let of = |answers: Vec<String>, words: &[&str]| -> Vec<String> {
                answers.into_iter().filter(|answer| words.iter().any(|word| answer.starts_with(word))).collect()
            };
            let all = answers(&book);
            let standing = answers(&book.standing(None));
            assert_eq!(of(standing, &["stands", "open"]), of(all.clone(), &["stands", "open"]), "seed {seed}");
            let one = answers(&book.standing(Some(&["web2".into()])));
            assert_eq!(of(one, &["stands web2"]), of(all.clone(), &["stands web2"]), "seed {seed}");
            let releasing = book.releasing("c2");
            let same = ["stands", "newest"];
            assert_eq!(of(answers(&releasing), &same), of(all, &same), "seed {seed}");
            assert_eq!(releasing.withdrawn("c2"), book.withdrawn("c2"), "seed {seed}");
            let newest = book.newest().and_then(|line| line.commit.clone()).unwrap_or_default();
            assert_eq!(releasing.names_of(&newest), book.names_of(&newest), "seed {seed}");
        }
    }

    #[test]
    fn a_ledger_grows_with_hosts_and_commits_and_not_with_what_was_done() {
        let mut book = Book::default();
        for run in 0..2_000 {
            let id = format!("r{run}");
            book.lines.extend(HOSTS.iter().flat_map(|host| {
                let of = |effect: &str, phase| LedgerLine { host: Some((*host).into()), ..line(&id, effect, phase) };
                let mark = |phase| LedgerLine {
                    reason: Some(switch(host)),
                    commit: Some(COMMITS[run % 5].into()),
                    ..line(&id, "mark", phase)
                };
                let all = ["drain", "ready"].map(|effect| [Phase::Intent, Phase::Ok].map(|phase| of(effect, phase)));
                [mark(Phase::Intent), mark(Phase::Ok)].into_iter().chain(all.into_iter().flatten())
            }));
            book.lines.push(line(&id, "run", Phase::Ok));
        }
        let before = book.lines.len();
        book.condense(0);
        assert!(before == 38_000 && book.lines.len() < 100, "{}", book.lines.len());
    }
}
