//! What ledgers and journals of rfab 0.1.0 say of commits, hosts and fleets, as 0.1.0 itself read it.
use super::{
    Old,
    recorded::{FABFILE, folder},
};
use crate::made_up::{Shop, failures};
use rfab::{fleet::Fleet, ledger::Book, model::Model};
use std::fmt::Write as _;

/// `@@ RUN`, and then what 0.1.0 read in the ledger that the run left on the balancer's machine.
const READ: &str = include_str!("0.1.0/ledgers.txt");

/// What a ledger says of what comes next, of each commit, and of hosts.
fn read(text: &str, hosts: &[&str]) -> String {
    let book = Book::read(text);
    let mut out = format!("next {}\n", book.highest() + 1);
    for commit in book.names().keys() {
        let mark = book.mark("migrate", commit).map(|line| format!("{:?} by {}", line.phase, line.run));
        let (number, name) = (book.number_of(commit), book.name_of(commit));
        let _ = writeln!(out, "commit {commit} number {number:?} name {name:?} migrate {mark:?}");
    }
    for host in hosts {
        let admin = book
            .last_admin(host)
            .map(|line| format!("{} {:?} for {} by {} of {}", line.effect, line.phase, line.why(), line.who, line.run));
        let _ = writeln!(out, "host {host} good {:?} last {admin:?}", book.good(host));
    }
    for line in book.unfinished() {
        let _ = writeln!(out, "unfinished {} {:?} {:?}", line.effect, line.host, line.reason);
    }
    for line in book.unfinished_runs() {
        let _ = writeln!(out, "unfinished run {} {}", line.run, line.why());
    }
    out
}

#[test]
fn a_ledger_says_the_same_as_in_0_1_0() {
    let old = Old::read();
    let expected: Vec<(&str, &str)> = READ.split("@@ ").filter_map(|part| part.split_once('\n')).collect();
    assert_eq!(expected.len(), 6);
    for (name, said) in expected {
        let model = match name {
            "before" => old.recorded.before(&old.shop),
            name => old.recorded.after(&old.shop, old.recorded.named(name)),
        };
        let ledger = model.states["prod"].ledgers["lb1"].join("\n");
        assert_eq!(read(&ledger, &["web1", "web2", "web3", "web4", "jobs1"]), said, "{name}");
    }
}

#[test]
fn the_ledger_of_a_real_balancer_says_the_same_as_in_0_1_0() {
    let ledger = include_str!("../../machines/old/0.1.0/lb1-ledger");
    assert_eq!(read(ledger, &["web1", "web2"]), include_str!("../../machines/old/0.1.0/lb1-ledger.read"));
}

/// Fleet files with most keys that 0.1.0 knew, and what it wrote of each into a journal.
const FLEETS: [(&str, &str); 2] = [
    (include_str!("0.1.0/fleet1.toml"), include_str!("0.1.0/fleet1.json")),
    (include_str!("0.1.0/fleet2.toml"), include_str!("0.1.0/fleet2.json")),
];

#[test]
fn a_fleet_in_a_journal_is_the_one_that_its_file_still_says() {
    for (file, written) in FLEETS {
        let shop = Shop::dated(FABFILE, &[("prod", file)], &[]);
        let ran = shop.run("prod proxy.status", Model::new());
        let fleet = ran.model.fleets.get("prod").unwrap_or_else(|| panic!("{:?}", failures(&ran)));
        let written: Fleet = serde_json::from_str(&written.replace("@PROJECT@", &folder(&shop))).unwrap();
        assert_eq!(**fleet, written);
    }
}
