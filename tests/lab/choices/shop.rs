//! A shop for a row: its hosts, its customers, its releases, and the lines that are typed.
use crate::{
    Account, Balancer, Lab, Load, Output, PASSWORD, Relay, Run, Running, Sudo,
    choices::{
        making::{First, LabChoices, Made, Reference},
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
    // Dropped before the lab, because it sends requests there.
    load: Option<Load>,
    pub lab: Lab,
    _relays: Vec<Relay>,
    pub making: LabChoices,
    made: u32,
    /// The file with every line that was typed, what it printed, and when it ended.
    transcript: PathBuf,
    began: Instant,
}

/// A release that a line can name.
#[derive(Clone)]
pub struct Release {
    /// What follows `release`, `deploy` or `install` in the line: `:v4.0.1`, `.built:v4.0.1`.
    pub word: String,
    /// The version, if it is a package.
    pub version: Option<String>,
    pub commit: String,
    /// The text of `index.txt`.
    pub page: String,
}

impl Release {
    /// Returns the word of the line that brings this release by a task.
    pub fn to(&self, task: &str) -> String {
        format!("{}{}", if self.version.is_some() { "install" } else { task }, self.word)
    }
}

/// Returns whether a request is answered with status 200.
fn answers(address: SocketAddr) -> bool {
    let second = Duration::from_secs(1);
    let Ok(mut stream) = TcpStream::connect_timeout(&address, second) else { return false };
    let asked = stream
        .set_read_timeout(Some(second))
        .and_then(|()| stream.write_all(b"GET / HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n"));
    let mut text = String::new();
    asked.is_ok() && stream.read_to_string(&mut text).is_ok() && text.starts_with("HTTP/1.1 200 ")
}

/// The longest that a line may take.
const LONGEST: Duration = Duration::from_secs(480);

impl Shop {
    /// Makes the shop that the values of a row describe; a transcript of that name gets `text` and all lines that are
    /// typed.
    pub fn open(making: LabChoices, text: &str, transcript: &str) -> Shop {
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

    /// Types a setup that fails because root owns `/srv`, then the line that its help names, which makes the app's
    /// folder.
    fn typed_as_helped(&self) {
        let told = self.typed(&["prod", self.setup()], 1);
        let line = told.split("`rfab ").nth(1).and_then(|rest| rest.split('`').next());
        let words: Vec<&str> = line.unwrap_or_else(|| panic!("no help: {told}")).split(' ').collect();
        assert!(words.ends_with(&[self.making.path()]), "{told}");
        if self.asks() {
            // Nobody could type a password for such a command, but a task can ask for one.
            let task = format!("`host.sudo(\"{}\")`", words[words.len() - 5..].join(" "));
            assert!(told.contains(&task), "{told}");
            self.typed(&["prod", "made"], 0);
        } else {
            self.typed(&words, 0);
        }
    }

    /// Returns the words that resume or abort a run. On a slow line, a host learns late that the run before is dead, so
    /// they wait.
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

    /// Creates the shared file that a fresh host lacks.
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

    /// Starts the customers, unless there is nothing yet to serve them.
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

    /// Waits until 20 requests in a row are answered: the line before may have restarted the apps.
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

    /// Returns how many requests were sent, answered well, and failed; zeros before there are customers.
    pub fn so_far(&self) -> (u64, u64, u64) {
        self.load.as_ref().map_or((0, 0, 0), Load::so_far)
    }

    /// Waits until this many more requests are answered.
    pub fn wait_for(&self, requests: u64) {
        self.load.as_ref().expect("customers").wait_for(requests);
    }

    /// Stops the customers, and returns what became of their requests.
    pub fn stop(&mut self) -> Account {
        self.load.take().expect("customers").stop()
    }

    /// Stops the customers, and panics if one of their requests failed.
    pub fn close(&mut self) {
        if let Some(load) = self.load.take() {
            load.wait_for(20);
            load.stop().expect_none_failed();
        }
    }

    /// Makes another release; a broken one starts but is never healthy, or dies later.
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

    /// Packs a commit beside the fabfile, as a CI job does, and returns the archive's sha256.
    fn archive(&self, commit: &str) -> String {
        let project = &self.lab.project;
        project.git(&["archive", "-o", "shop.tar", commit]).expect_ok();
        let mut command = Command::new("sha256sum");
        let sum = Output::of(command.arg(project.folder.join("shop.tar"))).expect_ok();
        sum.split(' ').next().unwrap_or_default().to_owned()
    }

    /// Types a line, panics unless it ends with that code, and returns what it printed.
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

    /// Returns a line that can be typed.
    pub fn line(&self, words: &[&str]) -> Run<'_> {
        let run = self.lab.rfab(words).timeout(LONGEST);
        if self.asks() { run.on_terminal() } else { run }
    }

    /// Returns whether sudo asks for a password.
    pub fn asks(&self) -> bool {
        matches!(self.making.sudo, Sudo::Password | Sudo::EachTime)
    }

    /// Types the password whenever a run asks for it, until a condition on the run's output holds or the run ends.
    /// Returns whether the run ended.
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
                // The prompt appears before rfab reads the answer.
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
