//! Which run `--resume` and `--abort` take if the line names none.
use super::{fabfile, ran};
use rfab::store::{Head, Runs};
use serde_json::Value;
use std::{fs, path::Path};

const TWO: &str = r#"
fn one() { local::run(sh("echo one >> done")); local::run("test -e mended"); }
fn two() { local::run(sh("echo two >> done")); local::run("test -e mended"); }
fn look() { local::capture("cat mended"); }
"#;

#[test]
fn of_several_runs_none_is_guessed_and_each_line_that_is_shown_works() {
    let folder = fabfile(TWO);
    for line in ["one", "two", "look", "nonsense"] {
        assert_ne!(ran(folder.path(), &[line]).2, 0, "{line}");
    }
    for flag in ["--resume", "--abort"] {
        let (out, err, code) = ran(folder.path(), &[flag]);
        assert_eq!((out.as_str(), code), ("", 7), "{err}");
        let says = "error: 2 runs of this fabfile changed something and aren't done; choosing one requires a terminal, and rfab isn't running in one\n";
        assert!(err.starts_with(says), "{err}");
        assert_eq!(err.matches(&format!("  rfab {flag} ")).count(), 2, "{err}");
    }
    let (_, err, _) = ran(folder.path(), &["--resume"]);
    let lines: Vec<String> =
        err.lines().filter_map(|line| line.trim_start().strip_prefix("rfab ")).map(str::to_owned).collect();
    let said: Vec<&str> =
        lines.iter().map(|line| &line[line.find('`').unwrap()..line.find(", failed 1, ").unwrap()]).collect();
    assert_eq!(said, ["`rfab two`", "`rfab one`"]);
    fs::write(folder.path().join("mended"), "").unwrap();
    let typed = |line: &str| ran(folder.path(), &line.split(' ').take(2).collect::<Vec<_>>());
    let (out, err, code) = typed(&lines[1]);
    assert_eq!(code, 0, "{out}{err}");
    // Only one is left, so the line needn't name it.
    let (out, err, code) = ran(folder.path(), &["--resume"]);
    assert_eq!((out.lines().next(), code), (Some("rfab two"), 0), "{out}{err}");
    assert_eq!(fs::read_to_string(folder.path().join("done")).unwrap(), "one\ntwo\n");
    let (_, err, code) = ran(folder.path(), &["--resume"]);
    assert_eq!(code, 1, "{err}");
    assert!(
        err.starts_with("error: there is no run of `HERE/fabfile.rhai` that changed something and isn't done\n"),
        "{err}"
    );
    assert!(err.contains(" isn't done, and changed nothing (") && err.contains("type it again, `rfab look`"), "{err}");
}

/// The newest run, as its journal begins, and its id.
fn newest(folder: &Path) -> (Head, String) {
    let entry: Value = serde_json::from_str(&ran(folder, &["--history", "--json", "--newest", "1"]).0).unwrap();
    let run = entry["run"].as_str().unwrap().to_owned();
    let shown = ran(folder, &["--show", &run, "--json"]).0;
    let first: Value = serde_json::from_str(shown.lines().next().unwrap()).unwrap();
    (serde_json::from_value(first["begun"].clone()).unwrap(), run)
}

#[test]
fn an_abort_records_the_flags_that_were_typed_and_the_whole_run_whatever_its_words_are_like() {
    let folder = fabfile(TWO);
    let ran = |line: &[&str]| ran(folder.path(), line);
    ran(&["one"]);
    let run = newest(folder.path()).1;
    let begins = &run[..3];
    // The selection is what the run's id begins with, and only the flag before it tells them apart.
    let (out, err, code) = ran(&["--abort", &run, "--limit", begins, "--parallel", "4", "--wait"]);
    assert_eq!(code, 0, "{out}{err}");
    let (aborted, abort) = newest(folder.path());
    let expected = ["--limit", begins, "--parallel=4", "--wait", &format!("--abort={run}")];
    assert!(aborted.argv.ends_with(&expected.map(str::to_owned)), "{aborted:?}");

    ran(&["two"]);
    let run = newest(folder.path()).1;
    let died = Head { run: format!("{abort}-died").into(), line: format!("--abort {run}"), ..aborted };
    let runs = Runs::new(folder.path().join(".local/share/rfab/runs"));
    drop(runs.begin(&died).unwrap());
    let (out, err, code) = ran(&["--abort", &died.run]);
    assert_eq!(code, 0, "{out}{err}");
    let (completed, _) = newest(folder.path());
    assert_eq!(completed.line, format!("--abort {run}"));
    assert_eq!(completed.argv[2..], ["--parallel=32".to_owned(), format!("--abort={run}")]);
}

#[test]
fn a_run_of_another_fabfile_is_never_meant_and_may_be_named_from_anywhere() {
    let folder = fabfile(TWO);
    fs::create_dir(folder.path().join("other")).unwrap();
    fs::write(folder.path().join("other/fabfile.rhai"), TWO).unwrap();
    ran(folder.path(), &["one"]);
    let known: serde_json::Value = serde_json::from_str(&ran(folder.path(), &["--history", "--json"]).0).unwrap();
    let run = known["run"].as_str().unwrap();
    for flag in ["--resume", "--abort"] {
        let (out, err, code) = ran(folder.path(), &["-f", "other/fabfile.rhai", flag]);
        assert_eq!((out.as_str(), code), ("", 1), "{err}");
        assert!(err.starts_with("error: there is no run of `other/fabfile.rhai` that changed something"), "{err}");
    }
    let nowhere = folder.path().join("nowhere");
    fs::create_dir_all(nowhere.join(".git")).unwrap();
    let run_in_nowhere = |line: &[&str]| {
        let rfab = lab::alone::cleared(&mut std::process::Command::new(env!("CARGO_BIN_EXE_rfab")))
            .args(line)
            .current_dir(&nowhere)
            .env("HOME", folder.path())
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap();
        (rfab.status.code(), String::from_utf8_lossy(&rfab.stderr).into_owned())
    };
    let (code, err) = run_in_nowhere(&["--resume"]);
    assert_eq!(code, Some(3), "{err}");
    assert!(err.contains("there is no `fabfile.rhai`") && err.contains("`rfab --resume RUN`"), "{err}");
    fs::write(folder.path().join("mended"), "").unwrap();
    let (code, err) = run_in_nowhere(&["--resume", run]);
    assert_eq!(code, Some(0), "{err}");
}
