//! A shop of a row: its hosts, its customers, what is released to it, and what is typed.
use crate::{
    Account, Balancer, Lab, Load, Output, PASSWORD, Relay, Run, Running, Sudo,
    choices::{
        making::{First, Made, Making, Reference},
        packaged,
    },
};
use std::{
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    process::Command,
    thread::sleep,
    time::{Duration, Instant},
};

pub struct Shop {
    // Before the lab, which it sends to.
    load: Option<Load>,
    pub lab: Lab,
    _relays: Vec<Relay>,
    pub making: Making,
    made: u32,
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
    pub fn to(&self, task: &str) -> String {
        format!("{}{}", if self.version.is_some() { "install" } else { task }, self.word)
    }
}

/// Whether a request is answered well.
fn answers(address: SocketAddr) -> bool {
    let second = Duration::from_secs(1);
    let Ok(mut stream) = TcpStream::connect_timeout(&address, second) else { return false };
    let asked = stream
        .set_read_timeout(Some(second))
        .and_then(|()| stream.write_all(b"GET / HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n"));
    let mut text = String::new();
    asked.is_ok() && stream.read_to_string(&mut text).is_ok() && text.starts_with("HTTP/1.1 200 ")
}

/// How long a line may take.
const LONGEST: Duration = Duration::from_secs(480);

impl Shop {
    /// Makes it as the values of a row have it; `text` and what is typed go into a file of that name.
    pub fn open(making: Making, text: &str, transcript: &str) -> Shop {
        let folder = crate::suite::here().kept.join("varied");
        fs::create_dir_all(&folder).expect("a folder of transcripts");
        let transcript = folder.join(transcript);
        fs::write(&transcript, format!("{text}\n")).expect("a transcript");
        let (lab, relays) = making.lab();
        Shop { load: None, lab, _relays: relays, making, made: 0, transcript, began: Instant::now() }
    }

    pub fn set_up(&mut self) {
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
    pub fn at_last(&self, flag: &'static str) -> &'static [&'static str] {
        match (self.making.line, flag) {
            (None, "--abort") => &["--abort"],
            (None, _) => &["--resume"],
            (_, "--abort") => &["--abort", "--wait"],
            _ => &["--resume", "--wait"],
        }
    }

    pub fn setup(&self) -> &'static str {
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
    pub fn customers(&mut self) {
        if self.load.is_some() || self.making.first == First::Nothing && self.made == 0 {
            return;
        }
        self.wait_until_open();
        let load = match self.making.people {
            _ if self.making.shape.tcp => self.lab.load_apart(40),
            0 => self.lab.load(40),
            people => self.lab.load_of(people, 40),
        };
        self.write("there are customers");
        load.wait_for(10);
        self.load = Some(load);
    }

    /// Waits until requests are answered, one after another: what came last may have restarted the apps.
    fn wait_until_open(&self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        for address in self.lab.balancers.iter().flat_map(Balancer::frontends) {
            let mut answered = 0;
            while answered < 20 {
                assert!(Instant::now() < deadline, "the shop doesn't open: {address}");
                answered = if answers(address) { answered + 1 } else { 0 };
                sleep(Duration::from_millis(20));
            }
        }
    }

    /// How many requests were sent, went well, and failed; none before there are customers.
    pub fn so_far(&self) -> (u64, u64, u64) {
        self.load.as_ref().map_or((0, 0, 0), Load::so_far)
    }

    /// Waits until so many more requests were answered.
    pub fn wait_for(&self, requests: u64) {
        self.load.as_ref().expect("customers").wait_for(requests);
    }

    /// Sends the customers home, and tells how they fared.
    pub fn stop(&mut self) -> Account {
        self.load.take().expect("customers").stop()
    }

    /// No customer has met a failure.
    pub fn close(&mut self) {
        if let Some(load) = self.load.take() {
            load.wait_for(20);
            load.stop().expect_none_failed();
        }
    }

    /// Makes something that can be released; a broken one starts and is never healthy, or dies later.
    pub fn next(&mut self, broken: bool) -> Release {
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

    /// Types a line that must end with that code, and gives what it printed.
    #[track_caller]
    pub fn typed(&self, words: &[&str], code: i32) -> String {
        let out = self.run(words);
        assert_eq!(out.code, Some(code), "rfab {}\n{}{}", words.join(" "), out.stdout, out.stderr);
        out.stdout
    }

    pub fn run(&self, words: &[&str]) -> Output {
        let run = self.start(words);
        self.attend(&run, None);
        let out = run.output();
        self.note(words, &out);
        out
    }

    pub fn start(&self, words: &[&str]) -> Running<'_> {
        self.line(words).start()
    }

    /// A line that is about to be typed.
    pub fn line(&self, words: &[&str]) -> Run<'_> {
        let run = self.lab.rfab(words).timeout(LONGEST);
        if self.asks() { run.on_terminal() } else { run }
    }

    /// Whether sudo asks for a password.
    pub fn asks(&self) -> bool {
        matches!(self.making.sudo, Sudo::Password | Sudo::EachTime)
    }

    /// Stays with a run, and types the password when it asks; until something is so, by what it has printed or by the lab, or it
    /// is over, which is told.
    pub fn attend(&self, run: &Running<'_>, until: Option<&dyn Fn(&str) -> bool>) -> bool {
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

    pub fn note(&self, words: &[&str], out: &Output) {
        self.write(&format!("rfab {}: {:?}\n{}{}", words.join(" "), out.code, out.stdout, out.stderr));
    }

    pub fn write(&self, text: &str) {
        let file = fs::OpenOptions::new().append(true).open(&self.transcript);
        let text = format!("===== after {:.1} s: {text}\n", self.began.elapsed().as_secs_f64());
        file.and_then(|mut file| file.write_all(text.as_bytes())).expect("a transcript");
    }
}
