//! Processes that the program runs on this machine: what it prints of them, what stops them, and how it resumes after
//! them.
use super::{fabfile, ran, ran_in};
use std::{fs, path::Path, thread, time::Duration};

const BUILD: &str = r#"
fn build() {
    local::run("echo one 'two words'");
    ui::note(local::cd("fleets").env(#{ A: "x $y" }).capture(sh("printf '%s in %s' \"$A\" \"${PWD##*/}\"")));
    ui::note(`${local::test("test -e fabfile.rhai")} ${local::test("test -e none")} ${local::exists("fleets")} ${local::exists("none")}`);
    ui::note(local::read("fleets/note.txt"));
    local::stdin("given\n").run("cat");
    local::run(sh("echo bad >&2; exit 3"));
}
fn caught() { try { local::run("false"); } catch (failure) { ui::note(`${failure.kind} ${failure.status}`); } }
fn out() { local::read("../secret") }
fn long() { local::timeout("200ms").run("sleep 60"); }
fn wait() {
    defer(|| local::run("echo deferred"));
    local::run(sh("echo $$ > pid; sleep 60 & echo $! >> pid; wait"));
}
fn once() {
    local::run(sh("echo first >> done"));
    local::run(sh("echo second >> done; sleep 0.6"));
    local::run(sh("echo third >> done"));
}
"#;

fn project() -> tempfile::TempDir {
    let folder = fabfile(BUILD);
    fs::write(folder.path().join("fleets/note.txt"), "of the project").unwrap();
    folder
}

fn done(folder: &Path) -> String {
    fs::read_to_string(folder.join("done")).unwrap().replace('\n', " ")
}

#[test]
fn what_a_process_prints_is_shown_as_it_comes_and_a_status_is_a_failure() {
    let folder = project();
    let (out, err, code) = ran(folder.path(), &["build"]);
    assert_eq!((err.as_str(), code), ("", 1));
    let runs = folder.path().join(".local/share/rfab/runs");
    let files = fs::read_dir(&runs).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let known: Vec<_> = files.filter_map(|file| Some(file.strip_suffix(".journal")?.to_owned())).collect();
    let [run] = &known[..] else { panic!("{known:?}") };
    assert_eq!(
        out.replace(run, "RUN"),
        r#"rfab build
here  | one two words
run `echo one 'two words'` here
x $y in fleets
true false true false
of the project
here  | given
run `cat` here
here  ! bad
run `echo bad >&2; exit 3` here failed: `echo bad >&2; exit 3` ended with status 3

error: `echo bad >&2; exit 3` ended with status 3
   ╭─[fabfile.rhai:8:12]
 7 │     local::stdin("given\n").run("cat");
 8 │     local::run(sh("echo bad >&2; exit 3"));
   ·            ───
 9 │ }
   ╰────
  help: its last line was: bad

next: rfab --resume RUN   continues where it stopped; what is done isn't repeated
"#
    );
    assert_eq!(
        ran(folder.path(), &["caught"]).0,
        "rfab caught\nrun `false` here failed: `false` ended with status 1\nfailed 1\n"
    );
    let (out, _, code) = ran(folder.path(), &["out"]);
    assert!(code == 3 && out.contains("error: `../secret` isn't inside the fabfile's folder\n"), "{out}");
    // Their output is kept, like a host's.
    let logs: Vec<String> = fs::read_dir(runs)
        .unwrap()
        .filter_map(|entry| fs::read_to_string(entry.unwrap().path().join("here.log")).ok())
        .collect();
    let said: Vec<&str> =
        logs.iter().flat_map(|log| log.lines()).filter_map(|line| line.split_once(' ')).map(|(_, said)| said).collect();
    assert_eq!(said, ["| one two words", "| given", "! bad"]);
}

#[test]
fn a_time_limit_stops_a_process() {
    let (out, _, code) = ran(project().path(), &["long"]);
    assert!(out.contains("error: `sleep 60` took longer than 0.2 s and was stopped\n"), "{out}");
    assert_eq!(code, 1);
}

#[test]
fn a_second_interrupt_stops_a_process_with_all_that_it_started_and_what_was_deferred_is_done() {
    let folder = project();
    let (out, _, code) = ran_in(folder.path(), &[("RFAB_DRILL", "int2:amid:0.wait#0")], &["wait"]);
    assert_eq!(code, Some(130), "{out}");
    let told = "run `echo $$ > pid; sleep 60 & echo $! >> pid; wait` here failed: \
                `echo $$ > pid; sleep 60 & echo $! >> pid; wait` was interrupted and was stopped\n\
                here  | deferred\nrun `echo deferred` here\n";
    assert!(out.contains(told), "{out}");
    assert!(out.contains("warning: interrupted again: stopping the commands that are still running\n"), "{out}");
    for pid in fs::read_to_string(folder.path().join("pid")).unwrap().lines() {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        assert!(stat.is_empty() || stat.contains(") Z "), "{stat}");
    }
}

#[test]
fn after_a_run_that_died_what_was_done_is_not_done_again_and_of_what_was_under_way_the_person_is_asked() {
    let folder = project();
    let died = || {
        let _ = fs::remove_file(folder.path().join("done"));
        let (_, _, code) = ran_in(folder.path(), &[("RFAB_DRILL", "kill:amid:0.once#1")], &["once"]);
        assert_eq!((code, done(folder.path())), (None, "first second ".into()));
        // The process continues without rfab.
        thread::sleep(Duration::from_millis(700));
    };
    died();
    let (out, err, code) = ran(folder.path(), &["--resume"]);
    assert_eq!((code, done(folder.path())), (9, "first second ".into()), "{out}{err}");
    let asked = "error: rfab can't tell whether this was done: run `echo second >> done; sleep 0.6` here\n";
    assert!(out.contains(asked), "{out}");
    let (out, _, code) = ran(folder.path(), &["--resume", "--skip"]);
    assert_eq!((code, done(folder.path())), (0, "first second third ".into()), "{out}");
    died();
    let (out, _, code) = ran(folder.path(), &["--resume", "--retry"]);
    assert_eq!((code, done(folder.path())), (0, "first second second third ".into()), "{out}");
}
