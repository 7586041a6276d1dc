//! The program finds the journals of rfab 0.1.0, shows them, and says what to type where it doesn't resume one.
use super::{Old, RUN, Run};
use rfab::store::{Journal, read, records};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

const HELLO: &[u8] = include_bytes!("0.1.0/hello.journal");

/// A home with one journal in it.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Home {
        let home = Home(tempfile::tempdir().unwrap());
        fs::create_dir_all(home.file("none").parent().unwrap()).unwrap();
        home
    }

    fn file(&self, run: &str) -> PathBuf {
        self.0.path().join(format!(".local/share/rfab/runs/{run}.journal"))
    }

    fn of(old: &Old, run: &Run, id: &str) -> Home {
        let home = Home::new();
        run.journal(&old.shop, &home.file(id));
        home
    }

    /// What a line prints, and its exit code.
    fn prints(&self, line: &[&str]) -> (String, Option<i32>) {
        let mut rfab = Command::new(env!("CARGO_BIN_EXE_rfab"));
        let rfab = lab::alone::cleared(&mut rfab).args(line).current_dir(self.0.path()).env("HOME", self.0.path());
        let out = rfab.stdin(Stdio::null()).output().unwrap();
        let texts = [out.stdout, out.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        (texts.concat(), out.status.code())
    }
}

/// How `--history` says that a run ended.
fn outcome(run: &Run) -> &'static str {
    match run.name {
        "whole" => "done",
        "unhealthy" => "failed",
        "interrupted-79" => "interrupted",
        _ => "unfinished",
    }
}

#[test]
fn history_and_show_know_a_run_of_0_1_0() {
    let old = Old::read();
    for run in &old.recorded.runs {
        let (id, line) = match run.name {
            "aborted" => ("sim-4", "--abort sim-3"),
            _ => (RUN, "prod release:stable"),
        };
        let home = Home::of(&old, run, id);
        let (listed, code) = home.prints(&["--history", "--json"]);
        let listed: serde_json::Value = serde_json::from_str(&listed).unwrap_or_else(|e| panic!("{listed}: {e}"));
        let said = [&listed["run"], &listed["line"], &listed["outcome"]].map(|text| text.as_str().unwrap());
        assert_eq!((said, code), ([id, line, outcome(run)], Some(0)), "{}", run.name);
        // A number that is written down changes no host.
        let changed = listed["changed"]["fleets"].as_array().unwrap();
        assert_eq!(changed.is_empty(), run.name == "after-39", "{}: {listed}", run.name);

        let (shown, code) = home.prints(&["--show", id]);
        assert_eq!(code, Some(0), "{shown}");
        assert!(shown.contains(&format!("rfab {line}\n")) && shown.contains("claim prod"), "{}: {shown}", run.name);
        let (json, code) = home.prints(&["--show", id, "--json"]);
        assert_eq!((json.lines().count(), code), (run.texts(&old.shop).len(), Some(0)), "{}", run.name);
    }
}

#[test]
fn a_run_of_another_version_is_refused_with_the_lines_that_can_be_typed() {
    let old = Old::read();
    let home = Home::new();
    let journal = Journal::create(&home.file(RUN)).unwrap();
    for text in old.recorded.named("amid-65").texts(&old.shop) {
        let text = text.replace(r#""rfab":"0.1.0""#, r#""rfab":"0.0.9""#);
        journal.append(text.as_bytes(), false).unwrap();
    }
    drop(journal);
    let refused = format!(
        "error: run `sim-3` can't be resumed: it was started by rfab 0.0.9, and this is rfab {}\n  \
         help: type the line again, `rfab prod release:stable`: it skips what is already done; or continue anyway: `rfab --resume sim-3 --force-changed`\n",
        env!("CARGO_PKG_VERSION")
    );
    assert_eq!(home.prints(&["--resume", RUN]), (refused, Some(3)));
}

/// The journal of a run without hosts, with its fabfile in a folder.
fn hello(home: &Home) -> String {
    let raw = home.0.path().join("raw");
    fs::write(&raw, HELLO).unwrap();
    let fabfile = home.0.path().join("fabfile.rhai");
    fs::write(&fabfile, include_str!("0.1.0/hello.rhai")).unwrap();
    let id = "1a2298ceb26-f98f3a";
    let journal = Journal::create(&home.file(id)).unwrap();
    for record in read(&raw).unwrap().records {
        let text = String::from_utf8(record).unwrap().replace("/tmp/shop/fabfile.rhai", &fabfile.display().to_string());
        journal.append(text.as_bytes(), false).unwrap();
    }
    id.to_owned()
}

#[test]
fn a_journal_is_read_to_its_last_byte() {
    let home = Home::new();
    let file: &Path = &home.0.path().join("hello");
    fs::write(file, HELLO).unwrap();
    assert_eq!((records(file).unwrap().len(), read(file).unwrap().torn), (4, 0));
}

#[test]
fn a_command_that_may_have_been_done_by_0_1_0_is_repeated_only_if_somebody_says_so() {
    let home = Home::new();
    let id = hello(&home);
    let (refused, code) = home.prints(&["--resume", &id]);
    assert_eq!(code, Some(3), "{refused}");
    assert!(refused.contains(&format!("`rfab --resume {id} --force-changed`")), "{refused}");
    let (asked, code) = home.prints(&["--resume", &id, "--force-changed"]);
    assert_eq!(code, Some(9), "{asked}");
    assert!(asked.contains("`--retry`") && asked.contains("`--skip`"), "{asked}");
    let (done, code) = home.prints(&["--resume", &id, "--force-changed", "--retry"]);
    assert_eq!(code, Some(0), "{done}");
}
