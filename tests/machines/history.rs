//! A machine's record of its runs: each has a journal, which it writes as it runs.

use lab::{HostPlan, Lab, Plan, Sudo, needs_lab, needs_root, timeless};
use std::{fs, os::unix::fs::PermissionsExt, thread::sleep, time::Duration};

fn one() -> Lab {
    let lab = Lab::start(
        Plan::new().serving("v3.0.0").host(HostPlan::new("test1").fleet("testing1").role("web").sudo(Sudo::Free)),
    );
    lab.edit("fabfile.rhai", |text| {
        text + "fn linger() { targets().each(|host| host.run(\"sleep 60\")); }\nfn hello(word) { step(\"greet\", || targets().each(|host| host.run(\"echo {w}\", #{ w: word }))); }\n"
    });
    lab
}

/// Starts two groups of two behind `lb1`.
fn four() -> Lab {
    let web = |name, group| HostPlan::new(name).fleet("prod").group(group).role("web").sudo(Sudo::Free);
    let hosts = [("web1", "group1"), ("web2", "group1"), ("web3", "group2"), ("web4", "group2")];
    let plan = hosts.into_iter().fold(Plan::new().serving("v3.0.0"), |plan, (name, group)| plan.host(web(name, group)));
    Lab::start(plan.balancer("lb1", &[("bk_web", "web")]))
}

fn a_journal_is_its_owners_alone_and_what_was_torn_is_cut_off(lab: &Lab, run: &str) {
    let folder = lab.home().join(".local/share/rfab/runs");
    let path = folder.join(format!("{run}.journal"));
    assert_eq!(fs::metadata(&path).expect("a journal").permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(&folder).expect("a folder").permissions().mode() & 0o777, 0o700);
    let whole = fs::read(&path).expect("a journal");
    fs::write(&path, &whole[..whole.len() - 3]).expect("a journal");
    assert!(lab.rfab(&["--history"]).output().expect_ok().lines().last().expect("a line").contains("  unfinished  "));
}

fn kill_amid_a_command(lab: &Lab) {
    let killed = lab.rfab(&["testing", "linger"]).start();
    killed.wait_for("targets:");
    while !lab
        .host("test1")
        .processes()
        .iter()
        .any(|p| fs::read(format!("/proc/{}/cmdline", p.pid)).is_ok_and(|l| l == b"sleep\x0060\0"))
    {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    killed.kill();
}

#[test]
fn a_run_is_known_by_what_it_did_and_how_it_ended_also_if_it_was_killed() {
    if !needs_lab("a_run_is_known_by_what_it_did_and_how_it_ended_also_if_it_was_killed") {
        return;
    }
    let lab = one();
    assert_eq!(lab.rfab(&["--history"]).output().expect_ok(), "there are no runs on this machine\n");
    lab.rfab(&["testing", "hello:you"]).env("RFAB_ON_BEHALF_OF", "berta").output().expect_ok();
    assert_eq!(lab.rfab(&["testing", "--", "false"]).output().code, Some(1));
    kill_amid_a_command(&lab);

    let history = lab.rfab(&["--history"]).output().expect_ok();
    let lines: Vec<Vec<&str>> =
        history.lines().map(|l| l.split("  ").map(str::trim).filter(|c| !c.is_empty()).collect()).collect();
    let told: Vec<String> = lines.iter().map(|l| [l[2], l[4], l[6]].join(", ")).collect();
    assert_eq!(
        told,
        [
            "outcome, by, line",
            "unfinished, operator, testing linger",
            "failed 1, operator, testing -- false",
            "done, operator for berta, testing hello:you"
        ]
    );
    let lines = &lines[1..];
    let failed = lab.rfab(&["--history", "--outcome", "failed"]).output().expect_ok();
    assert_eq!(failed.lines().skip(1).map(|l| &l[..11]).collect::<Vec<_>>(), [lines[1][0]]);
    let no_such = lab.rfab(&["--history", "--task", "helo"]).output();
    assert_eq!((no_such.code, no_such.stdout.as_str()), (Some(1), ""));
    assert_eq!(no_such.stderr, "error: this machine has no run of a task `helo`\n  help: did you mean `hello`?\n");
    let shown = lab.rfab(&["--show", lines[2][0]]).output().expect_ok();
    assert!(shown.contains("line     rfab testing hello:you\nby       operator on behalf of berta, from "), "{shown}");
    assert!(shown.contains("test1         run `echo you`\n"), "{shown}");
    assert!(shown.contains("\nsteps\n") && shown.contains("                greet\n"), "{shown}");
    assert!(shown.contains("\nended with exit code 0 after ") && shown.contains("\n1 host: 1 ok\n"), "{shown}");
    let shown = lab.rfab(&["--show", lines[0][0]]).output().expect_ok();
    assert!(shown.contains("\nit hasn't ended\n\nlogs  "), "{shown}");
    let none = lab.rfab(&["--show", "nosuch"]).output();
    assert_eq!((none.code, none.stdout.as_str()), (Some(1), ""), "{none:?}");
    let json = lab.rfab(&["--history", "--json"]).output().expect_ok();
    let last: serde_json::Value = serde_json::from_str(json.lines().last().expect("a line")).expect("JSON");
    assert_eq!((last["line"].as_str(), last["exit"].as_u64()), (Some("testing hello:you"), Some(0)));
    let run = last["run"].as_str().expect("an id");
    let records = lab.rfab(&["--show", run, "--json"]).output().expect_ok();
    let kinds: Vec<String> = records
        .lines()
        .map(|l| serde_json::from_str::<serde_json::Map<_, _>>(l).expect("JSON").keys().cloned().collect())
        .collect();
    assert_eq!([&kinds[0], kinds.last().expect("a record")], ["begun", "ended"], "{kinds:?}");

    a_journal_is_its_owners_alone_and_what_was_torn_is_cut_off(&lab, run);
}

#[test]
fn a_run_whose_journal_cannot_be_written_does_not_begin() {
    if !needs_lab("a_run_whose_journal_cannot_be_written_does_not_begin") {
        return;
    }
    let lab = one();
    fs::create_dir_all(lab.home().join(".local/share")).expect("a folder");
    fs::write(lab.home().join(".local/share/rfab"), "in the way").expect("a file");
    let refused = lab.rfab(&["testing", "hello:you"]).output();
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(1), ""), "{refused:?}");
    assert!(refused.stderr.starts_with("error: the journal can't be written to `"), "{refused:?}");
    assert!(refused.stderr.contains("help: nothing was started"), "{refused:?}");
}

#[test]
fn a_release_whose_operator_was_killed_goes_on_by_one_word_and_no_request_fails() {
    if !needs_lab("a_release_whose_operator_was_killed_goes_on_by_one_word_and_no_request_fails") {
        return;
    }
    let lab = four();
    lab.rfab(&["prod", "setup"]).output().expect_ok();
    let load = lab.load(100);
    load.wait_for(20);
    let killed = lab.rfab(&["prod", "release:stable"]).start();
    killed.wait_for("restart shop");
    killed.kill();
    assert_eq!(killed.output().code, None);
    // The connection to the lock's host died with the run; the lock is free in a moment.
    sleep(Duration::from_secs(1));
    let resumed = lab.rfab(&["--resume"]).output();
    println!("{}{}", resumed.stdout, resumed.stderr);
    assert_eq!(resumed.code, Some(0), "{resumed:?}");
    let commit = lab.project.resolve("v3.0.1");
    for host in ["web1", "web2", "web3", "web4"] {
        assert_eq!(lab.host(host).serves().as_deref(), Some(&commit[..12]), "{host}");
        assert_eq!(lab.balancer("lb1").column("bk_web", "status")[host], "UP", "{host}");
    }
    let migrated = lab.host("web1").sh("cat /srv/shop/shared/migrated").expect_ok();
    assert_eq!(migrated, format!("0002-{}\n", &commit[..12]), "once");
    load.wait_for(20);
    load.stop().expect_none_failed();
    let done = lab.rfab(&["--resume"]).output();
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(done.stderr.contains("that changed something and isn't done"), "{done:?}");
}

/// Fills a separate disk, makes room, and makes it read-only; the disk exists while this shell runs.
const FILLED: &str = r#"
        data=$HOME/.local/share/rfab
        mkdir -p "$data" && mount -t tmpfs -o size=320k,mode=700 tmpfs "$data"
        said() { said=$("$rfab" "$@" 2>&1); echo "== $*: $?"; echo "$said"; }
        said testing fill
        said --history
        head -c 1000000 /dev/zero > "$data/filler" 2> /dev/null
        said testing note:three
        said --history
        rm "$data/filler" && mount -o remount,size=2m "$data"
        said --resume
        said --history
        mount -o remount,ro "$data"
        said testing note:four
        said --history
    "#;

/// What this prints.
const FILLED_TOLD: &str = "\
== testing fill: 1
rfab testing fill
targets: testing1, 1 of 1 host
test1  run `sh -c 'echo one >> noted'`
test1  run `sh -c 'echo two >> noted'` failed: this run's journal can't be written any more: No space left on device (os error 28)
log: HOME/.local/share/rfab/runs/ID.logs/testing1.test1.log
error: this run's journal can't be written any more: No space left on device (os error 28)
  help: nothing more is changed; free some space for it, then continue with `rfab --resume`
host   old                new   balancer  result
test1  RELEASE  same  -         failed  this run's journal can't be written any more: No space left on device (os error 28)
1 host: 1 failed
next: rfab --resume ID   continues where it stopped; what is done isn't repeated
      rfab --abort ID    undoes it: hosts are put back as they were before
== --history: 0
RUN unfinished  -        operator  testing1  testing fill
== testing note:three: 1
error: the journal can't be written to `HOME/.local/share/rfab/runs`: No space left on device (os error 28)
  help: nothing was started; free some space there, or make it writable
== --history: 0
RUN unfinished  -        operator  testing1  testing fill
== --resume: 0
rfab testing fill
targets: testing1, 1 of 1 host
test1  run `sh -c 'echo one >> noted'`
test1  run `sh -c 'echo two >> noted'`
host   old                new   balancer  result
test1  RELEASE  same  -         ok
1 host: 1 ok
== --history: 0
RUN done     -        operator  testing1  testing fill
== testing note:four: 1
error: the journal can't be written to `HOME/.local/share/rfab/runs`: Read-only file system (os error 30)
  help: nothing was started; free some space there, or make it writable
== --history: 0
RUN done     -        operator  testing1  testing fill";

/// Returns a line without the ids and times of runs.
fn nameless(line: &str) -> String {
    let id = |line: &str| line.find("  ") == Some(11) && line.bytes().take(11).all(|b| b.is_ascii_hexdigit());
    match line.split_once("/runs/").filter(|_| line.starts_with("log: ")) {
        Some((home, log)) => format!("{home}/runs/ID{}", &log[log.find(".logs").unwrap_or(0)..]),
        None if line.contains("rfab --resume ") || line.contains("rfab --abort ") => line
            .split(' ')
            .map(|word| if word.contains('-') && !word.starts_with('-') { "ID" } else { word })
            .collect::<Vec<_>>()
            .join(" "),
        None if id(line) => format!("RUN {}", &line[27..]),
        None => timeless(line).to_owned(),
    }
}

#[test]
fn a_run_whose_disk_fills_changes_nothing_more_says_so_and_goes_on_when_there_is_room() {
    if !needs_root("a_run_whose_disk_fills_changes_nothing_more_says_so_and_goes_on_when_there_is_room") {
        return;
    }
    let lab = one();
    lab.edit("fabfile.rhai", |text| {
        text + "fn note(word) { targets().each(|host| host.run(\"sh -c {w}\", #{ w: `echo ${word} >> noted` })); }\n\
                fn fill() {\n    note(\"one\");\n    \
                targets().each(|host| host.capture(\"seq 60000\").len());\n    note(\"two\");\n}\n"
    });
    let told = lab.program("sh", &["-c", FILLED]).env("rfab", env!("CARGO_BIN_EXE_rfab")).output().expect_ok();
    let release = lab.host("test1").sh("basename $(readlink /srv/shop/current)").expect_ok();
    let told = told.replace(&lab.home().display().to_string(), "HOME").replace(release.trim(), "RELEASE");
    let shown = |line: &&str| !line.contains(['│', '╭', '╰', '·']) && !line.starts_with("run  ") && !line.is_empty();
    let told: Vec<String> = told.lines().filter(shown).map(nameless).collect();
    assert_eq!(told.join("\n"), FILLED_TOLD);
    assert_eq!(lab.ssh("test1", "cat noted").expect_ok(), "one\ntwo\n");
}

#[test]
fn what_was_changed_since_a_run_began_is_named_and_only_a_flag_goes_on_with_it() {
    if !needs_lab("what_was_changed_since_a_run_began_is_named_and_only_a_flag_goes_on_with_it") {
        return;
    }
    let lab = one();
    let slow = "echo one >> noted; sleep 6; echo two >> noted";
    lab.edit("fabfile.rhai", |text| {
        format!("{text}import \"extra\" as extra;\nfn slow() {{ targets().each(|host| host.run(\"sh -c {{w}}\", #{{ w: \"{slow}\" }})); }}\n")
    });
    lab.edit("extra.rhai", |_| "fn nothing() { () }\n".to_owned());
    let killed = lab.rfab(&["testing", "slow"]).start();
    killed.wait_for("targets:");
    let begun = (0..200).any(|_| {
        sleep(Duration::from_millis(50));
        lab.ssh("test1", "cat noted 2> /dev/null; true").expect_ok() == "one\n"
    });
    assert!(begun, "it doesn't begin");
    killed.kill();

    let refused = |help: &str| {
        let refused = lab.rfab(&["--resume"]).output();
        let text = format!("{}{}", refused.stdout, refused.stderr);
        assert_eq!((refused.code, text.contains(help)), (Some(3), true), "{refused:?}");
        let error = text.lines().find(|line| line.starts_with("error: "));
        let error = error.expect("an error").to_owned();
        let id = error.split('`').nth(1).filter(|id| id.len() == 18).unwrap_or("none").to_owned();
        error.replace(&id, "ID").replace(&lab.project.folder.display().to_string(), "PROJECT")
    };
    let (by_hand, back) = ("; or continue anyway: `rfab --resume ", "continue with the new one: `--force-changed`");
    lab.edit("fabfile.rhai", |text| text + "// another line\n");
    assert_eq!(refused(by_hand), "error: run `ID` can't be resumed: `PROJECT/fabfile.rhai` has changed since");
    lab.edit("fabfile.rhai", |text| text.replace("// another line\n", ""));
    lab.edit("extra.rhai", |text| text + "fn more() { () }\n");
    assert_eq!(refused(by_hand), "error: run `ID` can't be resumed: module `extra` has changed since");
    lab.edit("extra.rhai", |text| text.replace("fn more() { () }\n", ""));
    lab.edit("fleets/testing1.toml", |text| text.replace("keep = ", "keep = 1"));
    assert!(refused(back).starts_with("error: fleet `testing1` has changed since the run started: `app.keep` was "));

    // The command still ran on the host: the new attempt waited for its end, and didn't start it again.
    let resumed = lab.rfab(&["--resume", "--force-changed"]).output();
    println!("{}{}", resumed.stdout, resumed.stderr);
    assert_eq!(resumed.code, Some(0), "{resumed:?}");
    assert_eq!(lab.ssh("test1", "cat noted").expect_ok(), "one\ntwo\n");
}
