//! A shop under load in which releases are killed or interrupted, one after another.
use crate::effects::{Effect, Known};
use lab::{
    Output,
    choices::{
        end,
        making::{LabChoices, Made},
        shop::{Release, Shop},
    },
    natively_but_for,
};
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    thread::sleep,
    time::{Duration, Instant},
};

/// One trial: what happens at an effect, and what is typed afterwards.
pub struct Round {
    pub drill: String,
    /// The effect's text.
    pub text: String,
    pub then: Then,
    pub reach: Reach,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Then {
    Resume,
    Abort,
}

/// What reaches the hosts in a round.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    /// OpenSSH's client, over connections that earlier lines left open.
    Warm,
    /// The client in rfab.
    Native,
    /// OpenSSH's client, with connections that end with each run.
    Cold,
}

impl Reach {
    /// Returns that of a round, by its number; every few rounds, also of a day's tenth, have all of them.
    pub fn of(round: usize) -> Reach {
        [Reach::Warm, Reach::Native, Reach::Cold][round % 3]
    }

    /// Returns what the fleet file has for it.
    fn line(self) -> &'static str {
        match self {
            Reach::Warm => "",
            Reach::Native => "transport = \"native\"\n",
            Reach::Cold => "persist = \"0s\"\n",
        }
    }
}

/// The shop, and the state that it should be in.
pub struct Trial {
    shop: Shop,
    /// The release that every host serves.
    stands: Release,
    /// What a release without a fault leaves on each host.
    calm: BTreeMap<String, String>,
    /// Whether the last round aborted its release.
    aborted: bool,
}

/// The hooks that each release runs once: the first on every host, the second on one.
const HOOKS: [&str; 2] = ["install-dependencies", "migrate"];

/// Writes the hooks of the releases to come, each of which takes so many seconds.
fn write_hooks(shop: &Shop, seconds: &str) {
    for hook in HOOKS {
        // Each hook writes down its beginning and its end, by the release's name.
        let script = format!(
            "#!/bin/sh\nset -eu\nname=${{PWD##*/}}\necho \"$name\" >> ../../shared/{hook}.begun\nsleep {seconds}\n\
             echo \"$name\" >> ../../shared/{hook}.ended\n"
        );
        shop.lab.project.write(&format!("bin/{hook}"), &script);
    }
}

impl Trial {
    pub fn open(making: LabChoices, text: &str) -> Trial {
        static OPENED: AtomicU32 = AtomicU32::new(0);
        let transcript = format!("killed-{}-{}.log", std::process::id(), OPENED.fetch_add(1, Relaxed));
        let mut shop = Shop::open(making, text, &transcript);
        // Long enough to be seen on a busy machine.
        write_hooks(&shop, "1.5");
        shop.set_up();
        let stands = shop.next(false);
        let left_out = if shop.making.disabled && stands.version.is_none() { 8 } else { 0 };
        shop.typed(&["prod", &stands.to("release")], left_out);
        if shop.making.disabled {
            shop.typed(&["prod", "proxy.all:web1"], 0);
        }
        shop.customers();
        let mut trial = Trial { shop, stands, calm: BTreeMap::new(), aborted: false };
        // From the third release on, each leaves as many releases on a host as rfab keeps.
        trial.undisturbed();
        write_hooks(&trial.shop, "0.3");
        for _ in 0..2 {
            trial.undisturbed();
        }
        trial
    }

    /// Releases without a fault, and remembers what that leaves on the hosts.
    fn undisturbed(&mut self) {
        let release = self.shop.next(false);
        let words = ["prod", &release.to("release")];
        let run = self.shop.start(&words);
        // Shows once that `commands` sees a running hook, because later trials expect that it sees none.
        if self.calm.is_empty() && self.has_hooks() {
            let hook = |_: &str| !self.commands().is_empty();
            let over = self.shop.attend(&run, Some(&hook));
            assert!(!over, "no hook was ever seen: {:?}", run.so_far());
        }
        self.shop.attend(&run, None);
        let out = run.output();
        self.shop.note(&words, &out);
        out.expect_ok();
        end::all_serve(&self.shop, &release);
        self.calm = self.left(&release);
        self.stands = release;
    }

    fn has_hooks(&self) -> bool {
        self.shop.making.made != Made::Package
    }

    /// Returns the effects of the newest run.
    pub fn effects(&self) -> Vec<Effect> {
        Known::newest(&self.shop.lab).effects(&self.shop.lab)
    }

    /// Kills or interrupts a release at an effect, then completes or aborts it. The error tells what is wrong then.
    ///
    /// Returns whether a run had the effect.
    pub fn round(&mut self, round: &Round) -> Result<bool, String> {
        self.reached(round.reach);
        if round.reach != Reach::Native {
            return self.tried(round);
        }
        // What a row asks for may need OpenSSH's client.
        let reasons: &[&str] = if std::env::var_os("RFAB_ROW").is_some() { &[""] } else { &[] };
        let mut ended = Ok(false);
        natively_but_for(reasons, || ended = self.tried(round));
        ended
    }

    /// Writes into the fleet file what reaches the hosts.
    fn reached(&self, reach: Reach) {
        self.shop.lab.edit("fleets/prod.toml", |text| {
            let other = |line: &&str| !["transport = ", "persist = "].iter().any(|key| line.starts_with(key));
            let rest: String = text.lines().filter(other).map(|line| format!("{line}\n")).collect();
            format!("{}{rest}", reach.line())
        });
    }

    fn tried(&mut self, round: &Round) -> Result<bool, String> {
        // After two aborted releases, a host keeps one release more: the one that it serves is older than the newest.
        if self.aborted && round.then == Then::Abort {
            self.undisturbed();
        }
        self.aborted = round.then == Then::Abort;
        let Some((before, release, met)) = self.struck(round) else { return Ok(false) };
        let words = ["prod", &release.to("release")];
        let mut told = String::new();
        let mut typed = |words: &[&str], out: &Output| {
            let _ = write!(told, "===== rfab {}: {:?}\n{}{}", words.join(" "), out.code, out.stdout, out.stderr);
        };
        typed(&words, &met);
        let run = Known::newest(&self.shop.lab);
        let twice = round.drill.starts_with("int2:");
        let mut wrong = if round.drill.starts_with("kill:") {
            // `script`, which provides the terminal, reports a killed child by its code.
            let killed = met.code.is_none() || self.shop.asks() && met.code == Some(137);
            claim(killed && run.outcome == "unfinished", format!("it wasn't killed: {}", run.outcome))
        } else {
            self.stands_as_told(&met)
        };
        let install = self.stands.to("install");
        let then = match round.then {
            Then::Resume => self.shop.at_last("--resume"),
            // To abort a package's release, install the version before.
            Then::Abort if !self.has_hooks() => &["prod", &install],
            Then::Abort => self.shop.at_last("--abort"),
        };
        let mut out = self.shop.run(then);
        typed(then, &out);
        // A run that changed nothing can't be resumed: rfab says to type its line again.
        let nothing = format!("run `{}` isn't done, and changed nothing", run.id);
        let anew = out.code == Some(1) && format!("{}{}", out.stdout, out.stderr).contains(&nothing);
        if anew {
            out = self.shop.run(&words);
            typed(&words, &out);
        }
        wrong.extend(claim(out.code == Some(0), format!("rfab {} ends with {:?}", then.join(" "), out.code)));
        if round.then == Then::Resume || anew {
            wrong.extend(self.completed(&release, twice));
            self.stands = release;
        } else {
            wrong.extend(self.taken_back(&before, &run.id));
        }
        let (_, _, failed) = self.shop.so_far();
        wrong.extend(claim(failed == 0, format!("{failed} requests failed")));
        if wrong.is_empty() {
            return Ok(true);
        }
        let Round { drill, text, reach, .. } = round;
        Err(format!("{drill} ({text}), {reach:?}, then {}:\n{}\n{told}", then.join(" "), wrong.join("\n")))
    }

    /// Types a release until its drill takes place. Returns the releases before it, the release, and what it printed.
    ///
    /// `None` if three runs lacked the effect: it may be a question whose answer later runs know.
    fn struck(&mut self, round: &Round) -> Option<(Vec<Option<String>>, Release, Output)> {
        for _ in 0..3 {
            let before = self.current();
            let release = self.shop.next(false);
            let met = self.type_with_drill(&["prod", &release.to("release")], &round.drill);
            let is_missed = met.code == Some(0) && format!("{}{}", met.stdout, met.stderr).contains("no such effect");
            if !is_missed {
                return Some((before, release, met));
            }
            self.stands = release;
        }
        None
    }

    /// Returns what is wrong with a release that was completed.
    fn completed(&self, release: &Release, twice: bool) -> Vec<String> {
        let mut wrong = Vec::new();
        wrong.extend(differences(&self.calm, &self.left(release)));
        wrong.extend(self.once(release, twice));
        wrong.extend(end::differences(&self.shop, release));
        wrong
    }

    /// Returns what is wrong with a run that was aborted, compared with the current releases `before` it.
    fn taken_back(&self, before: &[Option<String>], id: &str) -> Vec<String> {
        let mut wrong = Vec::new();
        let after = self.current();
        wrong.extend(claim(*before == after, format!("{after:?} is current, and {before:?} was")));
        wrong.extend(end::differences(&self.shop, &self.stands));
        if self.has_hooks() {
            let refused = self.shop.run(&["--resume", id]);
            let says = format!("{}{}", refused.stdout, refused.stderr);
            let good = refused.code == Some(1) && says.contains("was aborted");
            wrong.extend(claim(good, format!("it can be resumed: {refused:?}")));
        }
        wrong
    }

    fn type_with_drill(&self, words: &[&str], drill: &str) -> Output {
        let run = self.shop.line(words).env("RFAB_DRILL", drill).start();
        self.shop.attend(&run, None);
        let out = run.output();
        self.shop.note(words, &out);
        out
    }

    fn current(&self) -> Vec<Option<String>> {
        self.shop.making.web().iter().map(|name| self.shop.lab.host(name).current()).collect()
    }

    /// Returns what each host has in its folders, with `NEW` for the release's name.
    fn left(&self, release: &Release) -> BTreeMap<String, String> {
        let path = self.shop.making.path();
        let of = |name: &str| {
            let host = self.shop.lab.host(name);
            let commit = &release.commit[..12];
            let line = format!(
                "cd {path}; ls -A . .rfab; [ -d releases ] || exit 0; ls -A shared releases/*-$0; ls releases | wc -l"
            );
            let list = host.exec(&["sh", "-c", &line, commit]).expect_ok();
            let current = host.current().unwrap_or_default();
            list.replace(&current, "NEW")
        };
        self.shop.making.web().into_iter().map(|name| (name.to_owned(), of(name))).collect()
    }

    /// Returns what is wrong with an interrupted run: its code, its last words, and what it left on the hosts.
    fn stands_as_told(&self, met: &Output) -> Vec<String> {
        let mut wrong = claim(met.code == Some(130), format!("interrupted, it ends with {:?}", met.code));
        let named = met.stdout.contains("\nnext: rfab ");
        wrong.extend(claim(named, "it doesn't say what to type next".to_owned()));
        for name in self.shop.making.web() {
            let row = met.stdout.lines().rev().find(|line| line.starts_with(name) && line.contains("-")).unwrap_or("");
            let live = end::is_live(&self.shop, name);
            let says = row.split("  ").any(|cell| matches!(cell.trim(), "out" | "draining"));
            wrong.extend(claim(live != says, format!("{name} is live: {live}, and its row is `{row}`")));
        }
        let until = Instant::now() + Duration::from_secs(5);
        loop {
            let left = self.commands();
            if left.is_empty() || Instant::now() > until {
                wrong.extend(claim(left.is_empty(), format!("it left commands: {left:?}")));
                return wrong;
            }
            sleep(Duration::from_millis(50));
        }
    }

    /// Returns the hooks that now run on the hosts.
    fn commands(&self) -> Vec<String> {
        let of = |name: &&str| {
            let line = |pid: i32| std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let lines = self.shop.lab.host(name).processes().into_iter().map(move |process| line(process.pid));
            let hooks = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
            hooks.filter(|line| line.contains("bin/") && line.contains("sh ")).collect::<Vec<_>>()
        };
        self.shop.making.web().iter().flat_map(of).collect()
    }

    /// Returns what a release didn't do exactly once; a hook that was `stopped` on purpose may begin twice.
    fn once(&self, release: &Release, stopped: bool) -> Vec<String> {
        let mut wrong = Vec::new();
        let commit = &release.commit[..12];
        let count = |name: &str, line: &str| {
            let counted = self.shop.lab.host(name).exec(&["sh", "-c", line, commit]).stdout;
            counted.trim().parse::<u32>().unwrap_or(u32::MAX)
        };
        if !self.has_hooks() {
            return wrong;
        }
        for name in self.shop.making.web() {
            for (hook, times) in [(HOOKS[0], 1), (HOOKS[1], u32::from(name == "web1"))] {
                for end in ["begun", "ended"] {
                    let file = format!("/srv/shop/shared/{hook}.{end}");
                    let counted = count(name, &format!("cat {file} 2>/dev/null | grep -c -- \"-$0\""));
                    let good = counted == times || stopped && end == "begun" && times == 1 && counted == 2;
                    wrong.extend(claim(good, format!("{hook} {end} {counted} times on {name}")));
                }
            }
            let activated =
                "grep '\"effect\":\"activate\"' /srv/shop/.rfab/ledger | grep '\"phase\":\"ok\"' | grep -c \"$0\"";
            let counted = count(name, activated);
            wrong.extend(claim(counted == 1, format!("{name}'s ledger has {counted} activations")));
        }
        wrong
    }

    /// Ends the load and returns the number of requests; if one failed, the error tells which.
    pub fn close(mut self) -> Result<u64, String> {
        let account = self.shop.stop();
        let first = &account.failed[..account.failed.len().min(10)];
        if account.failed.is_empty() && account.ok == account.sent {
            return Ok(account.sent);
        }
        Err(format!("{} of {} requests failed, first {first:#?}", account.failed.len(), account.sent))
    }
}

fn claim(good: bool, wrong: String) -> Vec<String> {
    if good { Vec::new() } else { vec![wrong] }
}

fn differences(calm: &BTreeMap<String, String>, end: &BTreeMap<String, String>) -> Vec<String> {
    let differs = |(name, calm): (&String, &String)| {
        (end[name] != *calm).then(|| format!("{name} is\n{}\nand not\n{calm}", end[name]))
    };
    calm.iter().filter_map(differs).collect()
}
