//! Secrets of this machine: read from their places, and visible nowhere.
use super::{fabfile, ran, ran_in};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

const TASKS: &str = r#"
fn variable() { ui::note(`${secret::env("SHOP_DB")}`); }
fn file() { ui::note(`${secret::file("key")}`); }
fn program() { ui::note(`${secret::command(["sh", "show"])}`); }
fn words() { ui::note(`${secret::command("sh 'show'")}`); }
fn absent() { secret::command("no-such-program x"); }
fn ask() { secret::ask("the database password"); }
fn literal() { secret::env("SHOP_DB"); throw `no s3cret ${1}`; }
fn show() {
    let s = secret::env("SHOP_DB");
    secret::command("sh show");
    step("after", || ui::warn("is it over?"));
    throw "stopped";
}
"#;

/// Returns every file below a folder.
fn below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { below(&path) } else { vec![path] }).collect()
}

#[test]
fn a_secret_that_is_not_there_is_a_failure_that_says_what_to_do() {
    let folder = fabfile(TASKS);
    let (here, key) = (folder.path(), folder.path().join("key"));
    let said = |variables: &[(&str, &str)], task: &str| {
        let (out, err, code) = ran_in(here, variables, &[task]);
        assert_eq!(err, "");
        let (_, report) = out.split_once("error: ").unwrap_or_else(|| panic!("{out}"));
        let lines: Vec<&str> = report.lines().filter(|line| !line.contains(['│', '╭', '╰', '·'])).collect();
        (lines.join("\n").trim_end().to_owned(), code.unwrap())
    };
    let help = "\n  help: set it where rfab is started, such as `SHOP_DB=\"$(pass show …)\" rfab …`; or take the secret from `secret::file`, `secret::command` or `secret::ask`";
    let variable = "the variable `SHOP_DB`, which holds a secret";
    let unset = said(&[], "variable");
    assert!(unset.0.starts_with(&format!("{variable}, isn't set")) && unset.0.contains(help), "{}", unset.0);
    assert!(said(&[("SHOP_DB", "")], "variable").0.starts_with(&format!("{variable}, is empty")));
    let (missing, code) = said(&[], "file");
    assert!(missing.starts_with("the file `key`, which holds a secret, can't be read: No such file"), "{missing}");
    assert_eq!(code, 1);
    fs::write(&key, "s3cret\n").unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let (open, code) = said(&[], "file");
    assert!(
        open.starts_with("the file `key`, which holds a secret, can be read or written by every user of this machine"),
        "{open}"
    );
    assert!(open.contains("\n  help: remove that permission: `chmod o-rw key`") && code == 7, "{open} {code}");
    fs::write(here.join("show"), "echo no key >&2; exit 3\n").unwrap();
    let (failed, _) = said(&[], "program");
    assert!(failed.starts_with("`sh show`, which prints a secret, ended with status 3"), "{failed}");
    fs::write(here.join("show"), "echo\n").unwrap();
    assert!(said(&[], "program").0.starts_with("`sh show`, which prints a secret, printed nothing"));
    assert!(said(&[], "absent").0.starts_with(
        "`no-such-program x`, which prints a secret, failed: there is no program `no-such-program` on this machine"
    ));
    let (nobody, code) = said(&[], "ask");
    assert!(
        nobody.starts_with("typing the database password requires a terminal, and rfab isn't running in one"),
        "{nobody}"
    );
    assert!(nobody.contains("help: use `secret::env`, `secret::file` or `secret::command`") && code == 7, "{nobody}");
}

#[test]
fn a_secret_that_is_there_is_taken_and_is_stars() {
    let folder = fabfile(TASKS);
    let here = folder.path();
    fs::write(here.join("key"), "s3cret\n").unwrap();
    fs::set_permissions(here.join("key"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(here.join("show"), "printf 's3cret\\n'\n").unwrap();
    for task in ["variable", "file", "program", "words"] {
        let (out, err, code) = ran_in(here, &[("SHOP_DB", "s3cret")], &[task]);
        assert_eq!((out, err, code), (format!("rfab {task}\n***\n"), String::new(), Some(0)));
    }
    let (out, _, _) = ran_in(here, &[("SHOP_DB", "s3cret")], &["literal"]);
    assert!(out.contains("error: no *** 1\n") && out.contains("throw `no ****** ${1}`;"), "{out}");
    let (out, _, _) = ran_in(here, &[("SHOP_DB", "abc")], &["variable"]);
    let short = "take a secret from the variable `SHOP_DB`: it has fewer than 4 characters, so it isn't masked where it is shown or kept";
    assert_eq!(out, format!("rfab variable\nwarning: {short}\n***\n"));
}

#[test]
fn what_a_program_says_is_shown_and_kept_without_the_secret_in_any_form() {
    let secret = "p\"a'ss wörd/with?signs&1234";
    let shown = r#"
printf '%s' "$SHOP_DB" | base64 -w0 >&2; echo >&2
printf 'user:%s' "$SHOP_DB" | base64 -w0 | tr '+/' '-_' >&2; echo >&2
echo "plain $SHOP_DB" >&2
echo 'p%22a%27ss%20w%C3%B6rd%2Fwith%3Fsigns%261234 p%22a%27ss+w%c3%b6rd%2fwith%3fsigns%261234' >&2
echo '{"x":"p\"a'"'"'ss w\u00f6rd\/with?signs&1234"}' >&2
echo other
"#;
    let parts = ["wörd", "w%C3", "w%c3", "w\\u00f6rd", "signs", "InNzIHc", "cGEic3M", "J3NzIHfDtnJk", "with?signs"];
    for line in [&["show"][..], &["--json", "show"], &["--verbose", "show"], &["--color=always", "show"]] {
        let folder = fabfile(TASKS);
        let here = folder.path();
        fs::write(here.join("show"), shown).unwrap();
        let (out, err, code) = ran_in(here, &[("SHOP_DB", secret)], line);
        assert_eq!(code, Some(1), "{out}{err}");
        assert!(out.contains("***") && out.contains("plain ***"), "{out}");
        let run = ran(here, &["--history", "--json"]).0;
        let id = run.split("\"run\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let show = [ran(here, &["--show", &id]).0, ran(here, &["--show", &id, "--json"]).0].concat();
        let kept = below(&here.join(".local"));
        assert!(kept.len() >= 2, "{kept:?}");
        let kept = kept.iter().map(|file| String::from_utf8_lossy(&fs::read(file).unwrap()).into_owned());
        for text in [out, err, run, show].into_iter().chain(kept) {
            for part in parts {
                assert!(!text.contains(part), "{part} is in {text}");
            }
        }
    }
}
