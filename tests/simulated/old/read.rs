//! What ledgers of rfab 0.1.0 say, as 0.1.0 itself read them.
use super::Old;
use rfab::ledger::Book;
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
