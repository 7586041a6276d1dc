//! The day that rfab was made for: real sshd, real HAProxy, and customers whose every request is accounted for.
mod lab;

use lab::{Lab, Output, Plan, needs_lab};

const WEB: [&str; 6] = ["web1", "web2", "web3", "web4", "web5", "web6"];

/// The five commands of a hotfix's day.
const FIVE: [&[&str]; 5] = [
    &["prod", "proxy.group2"],
    &["prod:out", "deploy:stable"],
    &["prod", "proxy.flip"],
    &["prod:out", "deploy:stable"],
    &["prod", "proxy.all"],
];

/// Runs a line that must succeed, and gives what it printed.
#[track_caller]
fn done(lab: &Lab, words: &[&str]) -> String {
    let Output { stdout, stderr, code } = lab.rfab(words).output();
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "rfab {}\n{stdout}", words.join(" "));
    stdout
}

/// Every web host serves that tag and is ready and up in the balancer.
#[track_caller]
fn all_serve(lab: &Lab, tag: &str) {
    let commit = lab.project.resolve(tag)[..12].to_owned();
    for name in WEB {
        assert_eq!(lab.host(name).serves(), Some(commit.clone()), "{name}");
        assert_eq!(lab.balancer("lb1").column("bk_web", "status")[name], "UP", "{name}");
    }
}

#[test]
fn the_five_commands_release_a_hotfix_and_no_request_fails() {
    if !needs_lab("the_five_commands_release_a_hotfix_and_no_request_fails") {
        return;
    }
    let lab = Lab::start(Plan::shop());
    println!("{}", done(&lab, &["prod", "setup"]));
    let load = lab.load(120);
    load.wait_for(50);
    for line in FIVE {
        println!("{}", done(&lab, line));
    }
    load.wait_for(50);
    let account = load.stop();
    account.expect_none_failed();
    assert!(account.slow > 50 && account.kept > 500, "{account:?}");
    all_serve(&lab, "v3.0.1");
    let status = done(&lab, &["prod", "proxy.status"]);
    println!("{status}");
    for name in WEB {
        println!("{}", lab.host(name).sh("cat /srv/shop/.rfab/ledger").stdout);
    }
    println!(
        "{}",
        lab.host("lb1").sh("cat ~deploy/.local/state/rfab/*/ledger ~deploy/.local/state/rfab/ledger").stdout
    );
}
