//! A whole day under load: the first release, the five commands, a broken release, one that dies and is completed, one
//! that dies and is taken back, and a rollback.
use crate::{
    cover::{Numbers, Row},
    end,
    lab::{Lab, Load, Output, PASSWORD, Relay, Running, Sudo, Unit},
    making::{First, Made, Making, Reference},
    packaged,
    rows::Rows,
    table::Refusal,
};
use std::{
    fs,
    io::Write as _,
    path::PathBuf,
    process::Command,
    thread::sleep,
    time::{Duration, Instant},
};

pub struct Day {
    // Before the lab, which it sends to.
    load: Option<Load>,
    pub lab: Lab,
    _relays: Vec<Relay>,
    pub making: Making,
    made: u32,
    numbers: Numbers,
    /// Where all that is typed is written down, with what it printed and when it ended.
    transcript: PathBuf,
    began: Instant,
}

/// Something that can be released.
#[derive(Clone)]
pub struct Release {
    /// What stands behind `release`, `deploy` or `install` as it is typed: `:v4.0.1`, `.built:v4.0.1`.
    pub word: String,
    /// That of a package.
    pub version: Option<String>,
    pub commit: String,
    /// What is in `index.txt`.
    pub page: String,
}

impl Release {
    /// As it is typed.
    fn to(&self, task: &str) -> String {
        format!("{}{}", if self.version.is_some() { "install" } else { task }, self.word)
    }
}

/// What a release has printed when it is killed.
const MOMENTS: [&str; 3] = ["  stage ", "  activate ", "  restart "];
/// The same of a package.
const MOMENTS_OF_A_PACKAGE: [&str; 2] = ["  install ", "  restart "];

/// How long a line may take.
const LONGEST: Duration = Duration::from_secs(480);

/// Lives the day of a row, and panics if something is not as it should be.
pub fn live(rows: &Rows, row: &Row, at: usize) {
    let mut making = Making::new();
    for value in rows.values(row) {
        (value.make)(&mut making);
    }
    let transcript = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("varied/{}-{at}.log", rows.seed));
    fs::write(&transcript, rows.text(row) + "\n").expect("a transcript");
    let numbers = Numbers::of(rows.seed.wrapping_mul(1000) + at as u64);
    let (lab, relays) = making.lab();
    let mut day = Day { load: None, lab, _relays: relays, making, made: 0, numbers, transcript, began: Instant::now() };
    match rows.refusal(row) {
        Some(refusal) => day.refused(refusal),
        None => day.whole(),
    }
}

impl Day {
    fn whole(&mut self) {
        self.set_up();
        let mut release = self.next(false);
        // Who was out before stays out, until somebody names them.
        let left_out = if self.making.disabled && release.version.is_none() { 8 } else { 0 };
        self.typed(&["prod", &release.to("release")], left_out);
        if self.making.disabled {
            self.typed(&["prod", "proxy.all:web1"], 0);
        }
        self.customers();
        end::all_serve(self, &release);
        if self.making.weightless {
            let told = self.typed(&["prod", "alone"], 7);
            assert!(told.contains(" has weight 0"), "{told}");
        }
        release = self.five_commands();

        if self.making.reloaded {
            release = self.reloaded();
        }
        self.broken(&release);
        let before = self.next(false);
        self.typed(&["prod", &before.to("release")], 0);
        end::all_serve(self, &before);

        release = self.next(false);
        self.killed(&release);
        self.typed(self.at_last("--resume"), 0);
        end::all_serve(self, &release);
        let never = self.next(false);
        self.killed(&never);
        self.back_to(&release, self.at_last("--abort"));
        self.back_to(&before, &["prod", "rollback"]);

        let status = self.typed(&["prod", "status"], 0);
        let known = if before.version.is_some() { "live" } else { &before.commit[..12] };
        for name in self.making.web() {
            assert!(status.contains(name) && status.contains(known), "{status}");
        }
        self.close();
        end::is_tidy(self);
    }

    /// Goes back to a release by a line; of a package the old version is installed instead.
    fn back_to(&self, release: &Release, line: &[&str]) {
        match &release.version {
            None => self.typed(line, 0),
            Some(_) => self.typed(&["prod", &release.to("install")], 0),
        };
        end::all_serve(self, release);
    }

    /// One group after the other goes out, and is deployed to.
    fn five_commands(&mut self) -> Release {
        let release = self.next(false);
        let deploy = release.to("deploy");
        self.typed(&["prod", "proxy.group2"], 0);
        self.typed(&["prod:out", &deploy], 0);
        if self.making.groups == 2 {
            self.typed(&["prod", "proxy.flip"], 0);
        } else {
            let told = self.typed(&["prod", "proxy.flip"], 7);
            assert!(told.contains("a flip needs exactly one group that is out"), "{told}");
            self.typed(&["prod", "proxy.group1"], 0);
        }
        self.typed(&["prod:out", &deploy], 0);
        self.typed(&["prod", "proxy.all"], 0);
        end::all_serve(self, &release);
        release
    }

    /// Reloads a balancer while the first hosts are out and their services stopped: they are taken out again, and the run
    /// says so and does not go on. Typed anew, it does.
    fn reloaded(&mut self) -> Release {
        let release = self.next(false);
        let words = ["prod", &release.to("release")];
        self.units(|unit| unit.slow_restart(3));
        let run = self.start(&words);
        let stopped = |_: &str| self.lab.host("web1").serves().is_none();
        assert!(!self.attend(&run, Some(&stopped)), "it was over before a restart: {:?}", run.so_far());
        let balancer = &self.lab.balancers[0];
        balancer.reload();
        self.attend(&run, None);
        let out = run.output();
        self.note(&words, &out);
        self.units(|unit| unit.quick_restart());
        let told = format!("{}{}", out.stdout, out.stderr);
        let name = balancer.plan.name;
        assert!(told.contains(&format!("`{name}` was reloaded or restarted while `web1` was out")), "{told}");
        assert!(told.contains("it is out again"), "{told}");
        assert!(matches!(out.code, Some(1 | 6)), "{told}");
        end::is_out(self, "web1");
        self.typed(&words, 0);
        end::all_serve(self, &release);
        release
    }

    /// A release that is never well, or does not stay it, ends at the first group; the others go on serving.
    fn broken(&mut self, release: &Release) {
        let broken = self.next(true);
        let words = ["prod", &broken.to("release")];
        let first = &self.making.web()[..self.making.size];
        if !self.making.dies_late {
            let run = self.start(&words);
            if self.making.reloaded {
                // While it is to prove itself.
                let over = self.attend(&run, Some(&|printed| printed.contains("  restart ")));
                assert!(!over, "it was over before a restart: {:?}", run.so_far());
                self.lab.balancers[0].reload();
            }
            self.attend(&run, None);
            let out = run.output();
            self.note(&words, &out);
            // What a balancer forgot counts more than what a host doesn't say.
            let forgotten = self.making.reloaded && out.stdout.contains("was reloaded or restarted while");
            assert_eq!(out.code, Some(if forgotten { 6 } else { 1 }), "{out:?}");
            first.iter().for_each(|name| end::is_out(self, name));
            return end::half_serve(self, release);
        }
        // Who is at the shop when it dies meets that, whoever deploys it.
        self.close();
        let told = self.typed(&words, 1);
        for name in first {
            let told_of = |line: &&str| line.starts_with(&format!("{name} ")) && line.contains(" failed ");
            assert!(told.lines().any(|line| told_of(&line)), "{name} died and is not said to have failed: {told}");
        }
        end::half_serve(self, release);
        end::wait_until_down(self, "web1");
        self.customers();
        self.load.as_ref().expect("customers").wait_for(40);
    }

    fn units(&self, tell: impl Fn(Unit<'_>)) {
        self.making.web().iter().for_each(|name| tell(self.lab.host(name).unit("shop")));
    }

    /// A setup or else a release that has to be refused, before anything is changed.
    fn refused(&mut self, refusal: Refusal) {
        self.customers();
        let before = end::everything(self);
        let mut out = self.run(&["prod", self.setup()]);
        let mut after = end::everything(self);
        if !out.stdout.contains(refusal.says) {
            self.set_up();
            after = end::everything(self);
            let release = self.next(false);
            out = self.run(&["prod", &release.to("release")]);
        }
        let told = format!("{}{}", out.stdout, out.stderr);
        assert!(told.contains(refusal.says), "it is refused for another reason than `{}`: {told}", refusal.says);
        assert_eq!(out.code, Some(refusal.code), "{told}");
        let seen = end::everything(self);
        assert!(seen == after || seen == before, "something was changed:\n{after:#?}\n{seen:#?}");
        self.close();
    }

    fn set_up(&mut self) {
        if self.making.first != First::Nothing {
            self.customers();
        } else if self.making.sudo != Sudo::None && self.making.owner != "root" {
            self.typed_as_helped();
        }
        self.typed(&["prod", self.setup()], 0);
        self.fill_shared();
    }

    /// On hosts whose `/srv` is root's a setup fails, and says what makes the app's folder.
    fn typed_as_helped(&self) {
        let told = self.typed(&["prod", self.setup()], 1);
        let line = told.split("`rfab ").nth(1).and_then(|rest| rest.split('`').next());
        let words: Vec<&str> = line.unwrap_or_else(|| panic!("no help: {told}")).split(' ').collect();
        assert!(words.ends_with(&[self.making.path()]), "{told}");
        if self.asks() {
            // Such a command has nobody who could type; a task has.
            let task = format!("`host.sudo(\"{}\")`", words[words.len() - 5..].join(" "));
            assert!(told.contains(&task), "{told}");
            self.typed(&["prod", "made"], 0);
        } else {
            self.typed(&words, 0);
        }
    }

    /// Over a slow line a host hears only later that the run before is dead.
    fn at_last(&self, flag: &'static str) -> &'static [&'static str] {
        match (self.making.line, flag) {
            (None, "--abort") => &["--abort"],
            (None, _) => &["--resume"],
            (_, "--abort") => &["--abort", "--wait"],
            _ => &["--resume", "--wait"],
        }
    }

    fn setup(&self) -> &'static str {
        if self.making.first == First::AnotherTool { "setup:adopt" } else { "setup" }
    }

    /// Puts the file there that a fresh host lacks.
    fn fill_shared(&self) {
        if self.making.first != First::Nothing {
            return;
        }
        for name in self.making.web() {
            let line = "cd /srv/shop/shared || exit 0; mkdir -p config; echo 'host: localhost' > config/database.yml
                chown -R $(stat -c %u:%g .) config";
            self.lab.host(name).sh(line).expect_ok();
        }
    }

    /// From now on there are customers, if there is anything to serve them.
    fn customers(&mut self) {
        if self.load.is_some() || self.making.first == First::Nothing && self.made == 0 {
            return;
        }
        let load = match self.making.people {
            _ if self.making.shape.tcp => self.lab.load_apart(40),
            0 => self.lab.load(40),
            people => self.lab.load_of(people, 40),
        };
        self.write("there are customers");
        load.wait_for(10);
        self.load = Some(load);
    }

    /// No customer has met a failure.
    fn close(&mut self) {
        if let Some(load) = self.load.take() {
            load.wait_for(20);
            load.stop().expect_none_failed();
        }
    }

    /// Makes something that can be released; a broken one starts and is never healthy, or dies later.
    fn next(&mut self, broken: bool) -> Release {
        self.made += 1;
        let project = &self.lab.project;
        let tag = format!("v4.0.{}", self.made);
        let (name, text) = if self.making.dies_late { ("crash_after", "3300") } else { ("sick", "") };
        let fault = project.folder.join(name);
        if broken {
            fs::write(&fault, text).expect("a file of the project");
        } else {
            let _ = fs::remove_file(&fault);
        }
        let (commit, page) = if self.making.reference == Reference::Branch {
            let page = format!("shop number {}\n", self.made);
            let commit = project.commit(&[("index.txt", &page)]);
            project.git(&["push", "-q", "origin", "HEAD"]).expect_ok();
            (commit, page)
        } else {
            (project.release(&tag), format!("shop {tag}\n"))
        };
        let reference = match self.making.reference {
            Reference::Tag => &tag,
            Reference::Stable => "stable",
            Reference::Digits => &commit,
            Reference::Branch => "main",
        };
        let version = (self.making.made == Made::Package).then(|| format!("4.0.{}-1", self.made));
        let word = match self.making.made {
            Made::Package => {
                let version = version.clone().unwrap_or_default();
                packaged::pack(&self.lab, &commit, &version);
                format!(":{version}")
            }
            Made::Tree => format!(":{reference}"),
            Made::Build => format!(".built:{reference}"),
            Made::Archive => format!(".archive:{reference},{}", self.archive(&commit)),
        };
        Release { word, version, commit, page }
    }

    /// Packs a commit as a CI does, beside the fabfile, and gives the archive's sha256.
    fn archive(&self, commit: &str) -> String {
        let project = &self.lab.project;
        project.git(&["archive", "-o", "shop.tar", commit]).expect_ok();
        let mut command = Command::new("sha256sum");
        let sum = Output::of(command.arg(project.folder.join("shop.tar"))).expect_ok();
        sum.split(' ').next().unwrap_or_default().to_owned()
    }

    /// Types a release, and cuts its power at a moment that the seed says.
    fn killed(&mut self, release: &Release) {
        let moments = if release.version.is_some() { &MOMENTS_OF_A_PACKAGE[..] } else { &MOMENTS };
        let moment = moments[self.numbers.below(moments.len())];
        let words = ["prod", &release.to("release")];
        let run = self.start(&words);
        let over = self.attend(&run, Some(&|printed| printed.contains(moment)));
        assert!(!over, "it was over before it printed `{moment}`: {:?}", run.so_far());
        run.kill();
        let out = run.output();
        self.note(&words, &out);
        assert_eq!(out.code, None, "it was not killed at `{moment}`: {out:?}");
    }

    /// Types a line that must end with that code, and gives what it printed.
    #[track_caller]
    pub fn typed(&self, words: &[&str], code: i32) -> String {
        let out = self.run(words);
        assert_eq!(out.code, Some(code), "rfab {}\n{}{}", words.join(" "), out.stdout, out.stderr);
        out.stdout
    }

    fn run(&self, words: &[&str]) -> Output {
        let run = self.start(words);
        self.attend(&run, None);
        let out = run.output();
        self.note(words, &out);
        out
    }

    fn start(&self, words: &[&str]) -> Running<'_> {
        let run = self.lab.rfab(words).timeout(LONGEST);
        if self.asks() { run.on_terminal().start() } else { run.start() }
    }

    /// Whether sudo asks for a password.
    fn asks(&self) -> bool {
        matches!(self.making.sudo, Sudo::Password | Sudo::EachTime)
    }

    /// Stays with a run, and types the password when it asks; until something is so, by what it has printed or by the lab, or it
    /// is over, which is told.
    fn attend(&self, run: &Running<'_>, until: Option<&dyn Fn(&str) -> bool>) -> bool {
        let (mut answered, began) = (0, Instant::now());
        loop {
            let over = run.is_over() || began.elapsed() > LONGEST;
            let (stdout, stderr) = run.so_far();
            if until.is_some_and(|until| until(&stdout) || until(&stderr)) {
                return false;
            }
            if over {
                return true;
            }
            if self.asks() && stdout.matches("sudo password on ").count() > answered {
                answered += 1;
                // The prompt comes before the question is read.
                sleep(Duration::from_millis(100));
                run.types(&format!("{PASSWORD}\n"));
            }
            sleep(Duration::from_millis(10));
        }
    }

    fn note(&self, words: &[&str], out: &Output) {
        self.write(&format!("rfab {}: {:?}\n{}{}", words.join(" "), out.code, out.stdout, out.stderr));
    }

    fn write(&self, text: &str) {
        let file = fs::OpenOptions::new().append(true).open(&self.transcript);
        let text = format!("===== after {:.1} s: {text}\n", self.began.elapsed().as_secs_f64());
        file.and_then(|mut file| file.write_all(text.as_bytes())).expect("a transcript");
    }
}
