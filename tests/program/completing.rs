//! The complete answers behind the shells' completion.
use super::{fabfile, history::died, ran, says, shop};
use std::{fs, path::Path, process::Command};

/// Returns what the last word can become.
fn choices(folder: &Path, words: &[&str]) -> Vec<String> {
    let line = [&["--complete", "bash", "--"], words].concat();
    let (out, err, code) = ran(folder, &line);
    assert_eq!((err.as_str(), code), ("", 0), "{words:?}");
    out.lines().map(str::to_owned).collect()
}

/// Makes a small fleet in its own repository, which has tags and branches.
fn small() -> tempfile::TempDir {
    let folder = fabfile(
        "
const default_targets = \"small\";
/// A small fleet.
fn small(which) { fleet(\"fleets/small.toml\").select(which) }
fn small()      { small(\"all\") }
/// One that takes branches only by its number.
fn stage(number) { fleet(`fleets/stage${number}.toml`) }
/// Deploys.
fn deploy(reference) { }
/// Copies.
fn copy(from_host, branch) { }
/// Drains a pool.
fn pool_drain(pool, host) { }
/// Starts it anew.
fn restart() { }
",
    );
    let fleet = "guarded = true
[app]
path = \"/srv/a\"
[hosts]
\"web[1..2]\" = { group = \"group1\", roles = [\"web\"] }
db = { roles = [\"store\"] }
[balancer.lb]
driver = \"haproxy\"
host = \"lb.example.org\"
socket = \"/s\"
pools = { bk = \"web\" }
";
    let write = |name: &str, text: &str| fs::write(folder.path().join("fleets").join(name), text).unwrap();
    write("small.toml", fleet);
    write("stage7.toml", &fleet.replace("guarded = true", "").replace("web[1..2]", "s[1..2]"));
    fs::remove_file(folder.path().join("fleets/prod.toml")).unwrap();
    let git = |args: &str| {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main"]);
        git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
        assert!(git.args(args.split(' ')).current_dir(folder.path()).status().unwrap().success(), "git {args}");
    };
    for args in
        ["init -q", "commit -q --allow-empty -m one", "tag v1.9.0", "tag v1.10.0", "tag v2.0.0-rc1", "tag nightly"]
    {
        git(args);
    }
    // Completion doesn't offer names that a shell would run.
    git("branch $(reboot)");
    git("branch a;b");
    git("branch hot/fix");
    folder
}

#[test]
fn tasks_come_with_their_docs_and_arguments_by_the_name_of_their_parameter() {
    let folder = small();
    let tasks = ["small", "stage", "copy", "deploy", "pool_drain", "restart"];
    let selections = ["all", "live", "out", "group1", "store", "web", "web1", "web2", "db"];
    let of = |words: &[&str]| choices(folder.path(), words);
    assert_eq!(of(&[""]), tasks);
    assert_eq!(of(&["small", ""]), [&tasks[..], &selections].concat());
    assert_eq!(of(&["small", "w"]), ["web", "web1", "web2"]);
    assert_eq!(of(&["small", "out", ""]), tasks);
    assert_eq!(of(&["small:out", "r"]), ["restart"]);
    assert_eq!(of(&["small:"]), selections.map(|s| format!("small:{s}")));
    assert_eq!(of(&["small:web1,^d"]), ["small:web1,^db"]);
    assert_eq!(of(&["small:which=web+g"]), ["small:which=web+group1"]);
    // A guarded fleet accepts no branch; `stage` does.
    assert_eq!(of(&["deploy", ""]), ["stable", "v2.0.0-rc1", "v1.10.0", "v1.9.0", "nightly"]);
    assert_eq!(of(&["small:out", "deploy:v1.1"]), ["deploy:v1.10.0"]);
    let all = ["stable", "v2.0.0-rc1", "v1.10.0", "v1.9.0", "nightly", "hot/fix", "main"];
    assert_eq!(of(&["stage:7", "deploy", ""]), all);
    assert_eq!(of(&["stage", "7", "deploy:reference=ho"]), ["deploy:reference=hot/fix"]);
    // The fleet files with names that begin like the task.
    assert_eq!((of(&["stage", ""]), of(&["stage:"])), (vec!["7".to_owned()], vec!["stage:7".to_owned()]));
    assert_eq!(of(&["stage", "7", "copy", "s1", "m"]), ["main"]);
    assert_eq!(of(&["pool_drain", ""]), ["bk"]);
    assert_eq!(of(&["pool-dr"]), ["pool-drain"]);
    assert_eq!(of(&["pool.drain:bk,web"]), ["pool.drain:bk,web", "pool.drain:bk,web1", "pool.drain:bk,web2"]);
    assert_eq!((of(&["small", "--", "r"]), of(&["nothing:"]), of(&["restart:"])), (vec![], vec![], vec![]));
}

#[test]
fn flags_and_their_values_are_completed_where_they_may_stand() {
    let folder = small();
    let of = |words: &[&str]| choices(folder.path(), words);
    assert_eq!(of(&["--re"]), ["--read", "--resume", "--retry"]);
    assert_eq!(of(&["small", "--limit", "group1+w"]), ["group1+web", "group1+web1", "group1+web2"]);
    assert_eq!(of(&["--exclude=^d"]), ["--exclude=^db"]);
    assert_eq!(of(&["--allow-outage", ""]), ["bk"]);
    assert_eq!(of(&["--trust", ""]), ["web1", "web2", "db", "lb.example.org", "all"]);
    assert_eq!(of(&["stage:7", "--trust", "s"]), ["s1", "s2"]);
    assert_eq!(of(&["--history", "--fleet", ""]), ["small", "stage7", "testing1"]);
    assert_eq!(of(&["--yes=s"]), ["--yes=small", "--yes=stage7"]);
    assert_eq!(of(&["--task", "d"]), ["deploy"]);
    assert_eq!(of(&["--outcome", "un"]), ["unfinished"]);
    assert_eq!(of(&["--completions", ""]), ["bash", "zsh", "fish"]);
    assert_eq!(of(&["--docs", "release::st"]), ["release::stage"]);
    assert_eq!(of(&["--docs", "std/main"])[0], "std/maintenance");
    assert_eq!((of(&["--list", ""]), of(&["--set", ""]), of(&["--show", ""])), (vec![], vec![], vec![]));
    assert_eq!(of(&["-q", "--color", "never", "r"]), ["restart"]);
    // A search for runs creates nothing.
    assert!(!folder.path().join(".local").exists());
}

#[test]
fn runs_are_completed_the_newest_first_with_their_lines() {
    let folder = shop();
    died(folder.path(), 2);
    let said = "019ab5a1001-0a1b2c\tunfinished: prod:out deploy:stable\n019ab5a1000-0a1b2c\tunfinished: prod:out deploy:stable\n";
    for flag in ["--show", "--resume", "--abort"] {
        says(folder.path(), &["--complete", "fish", "--", flag, "019"], 0, said, "");
        assert_eq!(choices(folder.path(), &[&format!("{flag}=019ab5a1001")]), [format!("{flag}=019ab5a1001-0a1b2c")]);
    }
    assert_eq!(choices(folder.path(), &["--show", "x"]), [] as [&str; 0]);
}

#[test]
fn the_fabfile_that_the_line_names_is_the_one_that_is_asked() {
    let folder = small();
    let here = tempfile::tempdir().unwrap();
    let file = folder.path().join("fabfile.rhai");
    assert_eq!(choices(here.path(), &["-f", file.to_str().unwrap(), "res"]), ["restart"]);
    assert_eq!(choices(here.path(), &[&format!("--fabfile={}", file.display()), "res"]), ["restart"]);
    assert_eq!(choices(here.path(), &[""]), ["--init", "--demo"]);
    assert_eq!(choices(here.path(), &["res"]), [] as [&str; 0]);
    // A fabfile that doesn't compile is reported when it runs.
    fs::write(&file, "fn (").unwrap();
    assert_eq!(choices(folder.path(), &["res"]), [] as [&str; 0]);
}

#[test]
fn each_shell_gets_answers_as_it_reads_them() {
    let folder = shop();
    let line = |shell| ["--complete", shell, "--", "prod:gr"];
    says(folder.path(), &line("bash"), 0, "prod:group1\nprod:group2\n", "");
    says(folder.path(), &line("zsh"), 0, "prod\\:group1:group, 21 hosts\nprod\\:group2:group, 21 hosts\n", "");
    says(folder.path(), &line("fish"), 0, "prod:group1\tgroup, 21 hosts\nprod:group2\tgroup, 21 hosts\n", "");
    for shell in ["bash", "zsh", "fish"] {
        let script = fs::read_to_string(
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/cli/completing/scripts/rfab.{shell}")),
        );
        says(folder.path(), &["--completions", shell], 0, &script.unwrap(), "");
    }
    let (_, err, code) = ran(folder.path(), &["--completions", "tcsh"]);
    assert!(code == 2 && err.starts_with("error: invalid value 'tcsh' for '--completions <SHELL>'\n"), "{err}");
}
