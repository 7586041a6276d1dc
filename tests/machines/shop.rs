//! The day that rfab was made for: real sshd, real HAProxy, and an account of every customer's request.

use lab::{HostPlan, Lab, Output, Plan, Sudo, needs_lab};
use serde_json::Value;
use std::{
    io::Write,
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

const WEB: [&str; 6] = ["web1", "web2", "web3", "web4", "web5", "web6"];

/// The five commands of a hotfix day.
const FIVE: [&[&str]; 5] = [
    &["prod", "proxy.group2"],
    &["prod:out", "deploy:stable"],
    &["prod", "proxy.flip"],
    &["prod:out", "deploy:stable"],
    &["prod", "proxy.all"],
];

/// Runs a line that must succeed, and returns what it printed.
#[track_caller]
pub fn done(lab: &Lab, words: &[&str]) -> String {
    let Output { stdout, stderr, code } = lab.rfab(words).output();
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "rfab {}\n{stdout}", words.join(" "));
    stdout
}

/// Panics unless every web host serves that tag, and is ready and up in the balancer.
#[track_caller]
pub fn all_serve(lab: &Lab, tag: &str) {
    all_serve_commit(lab, &lab.project.resolve(tag));
}

#[track_caller]
fn all_serve_commit(lab: &Lab, commit: &str) {
    for name in WEB {
        assert_eq!(lab.host(name).serves().as_deref(), Some(&commit[..12]), "{name}");
        assert_eq!(lab.balancer("lb1").column("bk_web", "status")[name], "UP", "{name}");
    }
}

/// Starts the lab of `Plan::shop`, and sets up the app's folders.
pub fn shop() -> Lab {
    let lab = Lab::start(Plan::shop());
    done(&lab, &["prod", "setup"]);
    lab
}

/// Returns a ledger's lines, each as `effect host phase reason`.
fn told(lines: &[Value]) -> Vec<String> {
    let text = |line: &Value, key: &str| line[key].as_str().unwrap_or("-").to_owned();
    let line =
        |l: &Value| format!("{} {} {} {}", text(l, "effect"), text(l, "host"), text(l, "phase"), text(l, "reason"));
    lines.iter().map(line).collect()
}

/// Returns the ledger in a file on a host.
#[track_caller]
fn ledger(lab: &Lab, host: &str, file: &str) -> Vec<Value> {
    let text = lab.host(host).sh(&format!("cat {file}")).expect_ok();
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}"))).collect()
}

#[test]
pub(super) fn the_five_commands_release_a_hotfix_and_no_request_fails_and_the_ledgers_tell_it() {
    if !needs_lab("the_five_commands_release_a_hotfix_and_no_request_fails_and_the_ledgers_tell_it") {
        return;
    }
    let lab = shop();
    let load = lab.load(120);
    load.wait_for(50);
    for line in FIVE {
        done(&lab, line);
    }
    load.wait_for(50);
    let account = load.stop();
    account.expect_none_failed();
    assert!(account.slow > 30 && account.kept > 500, "{account:?}");
    all_serve(&lab, "v3.0.1");

    let state = format!("{}/.local/state/rfab/prod/ledger", lab.host("lb1").home());
    let lines = ledger(&lab, "lb1", &state);
    let drains = |hosts: [&str; 3], reason: &str| {
        ["intent", "ok"].map(|phase| hosts.map(|host| format!("drain {host} {phase} {reason}"))).concat()
    };
    let of_drains: Vec<String> = told(&lines).into_iter().filter(|line| line.starts_with("drain")).collect();
    assert_eq!(
        of_drains,
        [drains(["web1", "web2", "web3"], "only"), drains(["web4", "web5", "web6"], "flip")].concat()
    );
    for host in WEB {
        let readies: Vec<String> =
            told(&lines).into_iter().filter(|line| line.starts_with(&format!("ready {host} "))).collect();
        assert_eq!(readies, ["intent", "ok"].map(|phase| format!("ready {host} {phase} ready")));
    }
    let marks: Vec<String> = told(&lines).into_iter().filter(|line| line.ends_with("migrate")).collect();
    assert_eq!(marks, ["mark web1 intent migrate", "mark web1 ok migrate"], "once, for two commands and groups");
    let commit = lab.project.resolve("v3.0.1");
    for line in &lines {
        assert_eq!((line["v"].as_u64(), line["who"].as_str()), (Some(1), Some("operator")), "{line}");
        assert!(line["from"].is_string() && line["run"].is_string() && line["at"].is_string(), "{line}");
        let effect = line["effect"].as_str().unwrap_or_default();
        assert!(!matches!(effect, "drain" | "ready") || line["epoch"].is_string(), "{line}");
    }
    for host in WEB {
        let lines = ledger(&lab, host, "/srv/shop/.rfab/ledger");
        let expected = ["activate", "restart"].map(|effect| ["intent", "ok"].map(|phase| (effect, phase))).concat();
        let found: Vec<_> =
            lines.iter().map(|l| (l["effect"].as_str().unwrap(), l["phase"].as_str().unwrap())).collect();
        assert_eq!(found, expected, "{host}");
        assert_eq!((lines[0]["commit"].as_str(), lines[0]["host"].as_str()), (Some(&*commit), Some(host)));
        let seqs: Vec<u64> = lines.iter().map(|l| l["seq"].as_u64().unwrap()).collect();
        assert!(seqs.is_sorted() && lines.iter().all(|l| l["run"] == lines[0]["run"]), "{lines:?}");
    }
    for host in ["web1", "web4"] {
        let migrated = lab.host(host).sh("cat /srv/shop/shared/migrated || true").stdout;
        let expected = if host == "web1" { format!("0002-{}\n", &commit[..12]) } else { String::new() };
        assert_eq!(migrated, expected, "{host}");
    }
}

#[test]
fn plain_words_and_one_word_do_the_same_and_the_status_says_who_took_out_what() {
    if !needs_lab("plain_words_and_one_word_do_the_same_and_the_status_says_who_took_out_what") {
        return;
    }
    let lab = shop();
    let load = lab.load(120);
    load.wait_for(20);
    done(&lab, &["prod", "proxy.group2"]);
    let status = done(&lab, &["prod", "proxy_status"]);
    let of = |host: &str| status.lines().find(|l| l.starts_with(host)).map(str::to_owned).unwrap_or_default();
    assert!(of("web1").contains("out ") && of("web1").contains("taken out by operator"), "{status}");
    assert!(of("web4").starts_with("web4  live") && !of("web4").contains("taken out"), "{status}");
    for line in [
        &["prod", "out", "deploy", "stable"][..],
        &["prod", "proxy-flip"],
        &["prod", "out", "deploy", "stable"],
        &["prod", "proxy_all"],
    ] {
        done(&lab, line);
    }
    all_serve(&lab, "v3.0.1");
    let commit = lab.colleague("berta").release("v3.0.2");
    let printed = done(&lab, &["prod", "release:stable"]);
    all_serve_commit(&lab, &commit);
    let table: Vec<&str> = printed.lines().rev().take_while(|l| !l.starts_with("host")).collect();
    assert_eq!(table.iter().filter(|l| l.ends_with("live      ok")).count(), 6, "{printed}");
    load.wait_for(20);
    load.stop().expect_none_failed();
    // Nothing is left to do, and rfab reports that.
    let again = done(&lab, &["prod", "release:stable"]);
    assert_eq!(again.lines().filter(|l| l.ends_with("live      unchanged")).count(), 6, "{again}");
}

#[test]
fn the_default_fleet_takes_deploys_while_it_is_live() {
    if !needs_lab("the_default_fleet_takes_deploys_while_it_is_live") {
        return;
    }
    let lab = Lab::start(
        Plan::new()
            .serving("v3.0.0")
            .host(HostPlan::new("test1").fleet("testing1").role("web").sudo(Sudo::Free))
            .host(HostPlan::new("test2").fleet("testing1").role("web").sudo(Sudo::Free)),
    );
    done(&lab, &["testing", "setup"]);
    done(&lab, &["deploy", "stable"]);
    let commit = lab.project.resolve("v3.0.1")[..12].to_owned();
    assert_eq!(["test1", "test2"].map(|h| lab.host(h).serves()), [Some(commit.clone()), Some(commit)]);
    done(&lab, &["testing", "deploy", "my-branch"]);
    let commit = lab.project.resolve("origin/my-branch")[..12].to_owned();
    assert_eq!(["test1", "test2"].map(|h| lab.host(h).serves()), [Some(commit.clone()), Some(commit)]);
}

#[test]
fn of_two_operators_at_once_one_works_and_the_other_is_told() {
    if !needs_lab("of_two_operators_at_once_one_works_and_the_other_is_told") {
        return;
    }
    let lab = shop();
    // A run holds the lock to its end, so a run that starts a little later still meets it.
    lab.edit("fabfile.rhai", |text| text + "fn linger() { clock::wait(\"1500ms\"); }\n");
    for round in 0..20 {
        let line = if round % 2 == 0 { "proxy.group2" } else { "proxy.group1" };
        let start = || lab.rfab(&["prod", line, "linger"]).start();
        let (first, second) = (start(), start());
        let mut ended = [first.output(), second.output()];
        ended.sort_by_key(|output| output.code);
        let [won, told] = ended;
        assert_eq!(won.code, Some(0), "{won:?}");
        assert_eq!(told.code, Some(5), "round {round}: {told:?}");
        assert!(told.stdout.contains("error: fleet `prod` is locked by operator@"), "{told:?}");
        let out = |host: &str| lab.balancer("lb1").column("bk_web", "status")[host].starts_with("DRAIN");
        let expected = if round % 2 == 0 { ["web1", "web2", "web3"] } else { ["web4", "web5", "web6"] };
        assert_eq!(WEB.into_iter().filter(|host| out(host)).collect::<Vec<_>>(), expected);
    }
    let wait = lab.rfab(&["prod", "proxy.group2", "--wait"]).start();
    let all = lab.rfab(&["prod", "proxy.all", "--wait"]).start();
    assert_eq!((wait.output().code, all.output().code), (Some(0), Some(0)));
}

#[test]
pub(super) fn an_operator_who_slept_longer_than_the_keeper_waits_changes_nothing_on_waking() {
    if !needs_lab("an_operator_who_slept_longer_than_the_keeper_waits_changes_nothing_on_waking") {
        return;
    }
    let lab = shop();
    let load = lab.load(100);
    // The drain waits while slow requests are open on its hosts.
    let address = lab.balancer("lb1").frontend("bk_web");
    let open = || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(b"GET /slow?ms=8000 HTTP/1.1\r\nHost: shop\r\n\r\n").unwrap();
        stream
    };
    let _open: Vec<TcpStream> = (0..12).map(|_| open()).collect();
    let first = lab.rfab(&["prod", "proxy.group2"]).start();
    first.wait_for("drain web1, web2, web3");
    first.freeze();
    let begun = Instant::now();
    let told = lab.rfab(&["prod", "proxy.status"]).output();
    assert_eq!(told.code, Some(0));
    let held = lab.rfab(&["prod", "proxy.all"]).output();
    assert_eq!(held.code, Some(5), "{held:?}");
    while lab.rfab(&["prod", "proxy.all"]).output().code == Some(5) {
        assert!(begun.elapsed() < Duration::from_secs(60), "the lock is never free");
        thread::sleep(Duration::from_secs(1));
    }
    assert!(begun.elapsed() > Duration::from_secs(20));
    let before = ledger(&lab, "lb1", &format!("{}/.local/state/rfab/prod/ledger", lab.host("lb1").home()));
    first.thaw();
    let woken = first.output();
    let after = ledger(&lab, "lb1", &format!("{}/.local/state/rfab/prod/ledger", lab.host("lb1").home()));
    assert_eq!(before, after, "{woken:?}");
    all_serve(&lab, "v3.0.0");
    load.stop().expect_none_failed();
}

/// Isn't a test: runs the shell line in `RFAB_LAB_LINE` as a shop's operator, for a person to look at.
#[test]
#[ignore = "for a person to look at"]
fn by_hand() {
    let line = std::env::var("RFAB_LAB_LINE").unwrap_or_else(|_| "rfab --list".into());
    let lab = shop();
    let bin = std::path::Path::new(env!("CARGO_BIN_EXE_rfab")).parent().expect("a folder").display().to_string();
    let path = format!("{bin}:{}", std::env::var("PATH").expect("a path"));
    let run = lab.program("sh", &["-c", &line]).env("PATH", &path).env("TERM", "xterm").on_terminal();
    println!("{}", run.output().stdout);
}
