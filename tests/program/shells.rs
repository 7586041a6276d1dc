//! Completion in real shells on a terminal: the test presses keys, and the shell runs the line that they make.

use lab::alone;
use lab::runnable;
use std::{
    fs,
    io::{Read, Write},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

const WITHIN: Duration = Duration::from_secs(60);

/// A shell on a terminal, in a folder with the shop. Its `rfab` completes for real, and otherwise writes down its
/// words.
struct Shell {
    folder: tempfile::TempDir,
    child: Child,
    keys: ChildStdin,
    seen: Arc<Mutex<String>>,
}

impl Shell {
    /// Starts a shell with a line of sh, and types `begin` into it first.
    fn start(line: &str, name: &str, begin: &[&str]) -> Shell {
        let (folder, here) = (tempfile::tempdir().unwrap(), Path::new(env!("CARGO_MANIFEST_DIR")));
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("fleets")).unwrap();
        for file in ["fabfile.rhai", "fleets/prod.toml", "fleets/testing1.toml"] {
            fs::copy(here.join(file), at(file)).unwrap();
        }
        fs::write(at("a file"), "").unwrap();
        fs::create_dir(at("bin")).unwrap();
        let real = env!("CARGO_BIN_EXE_rfab");
        let rfab = format!(
            "#!/bin/sh\ncase $1 in --complete | --completions) exec '{real}' \"$@\" ;; esac\nprintf '<%s>' \"$@\" >> ran; echo >> ran\n"
        );
        runnable::write(&at("bin/rfab"), &rfab);
        let path = format!("{}:{}", at("bin").display(), std::env::var("PATH").unwrap());
        let mut script = Command::new("script");
        alone::cleared(script.args(["-qfec", line, "/dev/null"]).current_dir(folder.path()));
        script.env("HOME", folder.path()).env("PATH", path).env("TERM", "dumb").env("SHELL", "/bin/sh");
        let child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut child = child.expect("`script` can be started: tests/install-needs");
        let (keys, mut out) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let seen = Arc::new(Mutex::new(String::new()));
        let hear = seen.clone();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = out.read(&mut bytes) {
                hear.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..count]));
            }
        });
        let mut shell = Shell { folder, child, keys, seen };
        for line in begin {
            shell.press(&format!("{line}\n"));
        }
        shell.press("echo be''gun\n");
        shell.until(name, |shell| shell.seen.lock().unwrap().contains("begun"));
        shell
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    fn ran(&self) -> Vec<String> {
        let text = fs::read_to_string(self.folder.path().join("ran")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    #[track_caller]
    fn until(&self, what: &str, done: impl Fn(&Shell) -> bool) {
        let began = Instant::now();
        while !done(self) {
            assert!(began.elapsed() < WITHIN, "{what}: {}", self.seen.lock().unwrap());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Presses keys, and checks the words that `rfab` then gets.
    #[track_caller]
    fn makes(&mut self, keys: &str, words: &str) {
        let before = self.ran().len();
        self.press(&format!("{keys}\n"));
        self.until(keys, |shell| shell.ran().len() > before);
        assert_eq!(self.ran()[before], words, "{keys}\n{}", self.seen.lock().unwrap());
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let _ = self.keys.write_all(b"exit\n");
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn complete_the_day(mut shell: Shell) {
    shell.makes("rfab prod dep\tsta\t", "<prod><deploy><stable>");
    shell.makes("rfab prod:ou\tproxy.fl\t", "<prod:out><proxy.flip>");
    shell.makes("rfab prod:web07,^jo\tstat\t", "<prod:web07,^jobs1><status>");
    shell.makes("rfab testing:\tdeploy:reference=sta\t", "<testing:1><deploy:reference=stable>");
    shell.makes("rfab --hist\t--outcome=left\t", "<--history><--outcome=left-out>");
    shell.makes("rfab prod --limit group1+web08\t--color ne\t", "<prod><--limit><group1+web08><--color><never>");
    // If rfab has no answer, the word can be a file, in quotes or not.
    shell.makes("rfab -f fabf\t--lis\t", "<-f><fabfile.rhai><--list>");
}

#[test]
fn bash_completes_lines_also_behind_a_colon() {
    let begin = ["source <(rfab --completions bash)"];
    complete_the_day(Shell::start("bash --norc --noprofile -i", "bash", &begin));
}

#[test]
fn zsh_completes_lines_also_behind_a_colon() {
    let begin = ["autoload -U compinit; compinit -u -D", "source <(rfab --completions zsh)"];
    complete_the_day(Shell::start("zsh -f -i", "zsh", &begin));
}

#[test]
fn fish_completes_lines_also_behind_a_colon() {
    complete_the_day(Shell::start("fish --no-config -i", "fish", &["rfab --completions fish | source"]));
}
