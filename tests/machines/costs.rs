//! What lines cost, as far as that doesn't depend on the machine: logins, commands, processes and bytes.
//!
//! `cargo bench --bench peers` measures time.
use lab::{Host, HostPlan, Lab, Plan, needs_root};
use std::{
    fs,
    thread::sleep,
    time::{Duration, Instant},
};

const FABFILE: &str = r#"
fn on() { fleet("fleets/testing1.toml") }
fn setup() { targets().parallel(|host| release::set_up(host)); }
fn send(tag) {
    let release = release::number(release::resolve(tag));
    targets().parallel(|host| release::stage(host, release));
}
"#;

/// What a line costs.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Costs {
    logins: usize,
    /// The commands that hosts ran: a wait for the network each.
    commands: usize,
    /// The processes that a host started, at most.
    processes: u32,
    /// The programs that started on the operator's machine.
    programs: usize,
    /// The kilobytes between a host and the operator's machine, in both directions, at most.
    kilobytes: u64,
}

/// Each line, whether its connections are open already, and the most that it may cost.
///
/// If a change makes a line cheaper, write its figures down here.
const LINES: [(&str, bool, Costs); 6] = [
    ("on -- true", false, Costs { logins: 4, commands: 8, processes: 60, programs: 12, kilobytes: 40 }),
    ("on -- true", true, Costs { logins: 2, commands: 8, processes: 60, programs: 12, kilobytes: 40 }),
    ("on --read -- true", true, Costs { logins: 0, commands: 2, processes: 20, programs: 4, kilobytes: 10 }),
    ("on send:v3.0.0", false, Costs { logins: 4, commands: 8, processes: 200, programs: 40, kilobytes: 60 }),
    ("on send:v3.0.1", false, Costs { logins: 4, commands: 8, processes: 200, programs: 40, kilobytes: 60 }),
    ("on send:my-branch", true, Costs { logins: 2, commands: 8, processes: 200, programs: 40, kilobytes: 60 }),
];

/// Returns how many processes a host has started since it booted, with those that this needs itself.
fn started(host: &Host) -> u32 {
    host.sh("echo $$").expect_ok().trim().parse().expect("the number of the newest process")
}

/// Adds up the bytes of a host's connections that are closed.
fn carried(host: &Host) -> u64 {
    let log = host.sshd_log();
    let closed = log.lines().filter_map(|line| line.split_once("Transferred: sent ").map(|(_, rest)| rest));
    let numbers = closed.flat_map(|rest| rest.split([' ', ',']).filter_map(|word| word.parse::<u64>().ok()));
    numbers.sum()
}

fn count(lab: &Lab, text: &str) -> usize {
    lab.hosts.iter().map(|host| host.sshd_log().matches(text).count()).sum()
}

/// Closes the connections, and waits until the hosts have counted their bytes.
fn disconnect(lab: &Lab) {
    lab.rfab(&["--disconnect"]).output().expect_ok();
    let deadline = Instant::now() + Duration::from_secs(20);
    while count(lab, "Transferred: ") < count(lab, "Accepted publickey") {
        assert!(Instant::now() < deadline, "{}", lab.hosts[0].sshd_log());
        sleep(Duration::from_millis(10));
    }
}

/// Runs a line, and returns what it cost.
fn cost(lab: &Lab, line: &str, warm: bool) -> Costs {
    if warm {
        lab.rfab(&["on", "--read", "--", "true"]).output().expect_ok();
    } else {
        disconnect(lab);
    }
    let before = (count(lab, "Accepted publickey"), count(lab, "Starting session: command"));
    let bytes: Vec<u64> = lab.hosts.iter().map(|host| carried(host)).collect();
    let processes: Vec<u32> = lab.hosts.iter().map(|host| started(host)).collect();
    let trace = lab.folder.join("trace");
    let mut words = vec!["-f", "-qq", "-e", "trace=execve", "-o"];
    let file = trace.display().to_string();
    words.push(&file);
    words.push(env!("CARGO_BIN_EXE_rfab"));
    words.extend(line.split(' '));
    lab.program("strace", &words).output().expect_ok();
    let started = |(host, before): (&_, &u32)| started(host) - before - 1;
    let processes = lab.hosts.iter().map(|host| &**host).zip(&processes).map(started).max().unwrap_or_default();
    let logins = count(lab, "Accepted publickey") - before.0;
    let commands = count(lab, "Starting session: command") - before.1;
    disconnect(lab);
    let carried = lab.hosts.iter().zip(&bytes).map(|(host, before)| carried(host) - before).max();
    let programs = fs::read_to_string(&trace).expect("a trace").lines().filter(|line| line.ends_with(" = 0")).count();
    Costs { logins, commands, processes, programs, kilobytes: carried.unwrap_or_default().div_ceil(1000) }
}

#[test]
fn no_line_costs_more_logins_commands_processes_or_bytes_than_is_written_down() {
    if !needs_root("no_line_costs_more_logins_commands_processes_or_bytes_than_is_written_down") {
        return;
    }
    // One way to exchange keys, because some take more bytes than others.
    let host = |name| HostPlan::new(name).fleet("testing1").role("web").sshd("KexAlgorithms curve25519-sha256");
    let lab = Lab::start(Plan::new().host(host("web1")).host(host("web2")));
    lab.edit("fabfile.rhai", |_| FABFILE.to_owned());
    lab.hosts.iter().for_each(|host| drop(host.sh("mkdir -p /srv/shop && chown deploy /srv/shop").expect_ok()));
    lab.rfab(&["on", "setup"]).output().expect_ok();
    let costs = LINES.map(|(line, warm, most)| (line, warm, most, cost(&lab, line, warm)));
    for (line, warm, most, cost) in costs {
        let dearer = cost.logins > most.logins
            || cost.commands > most.commands
            || cost.processes > most.processes
            || cost.programs > most.programs
            || cost.kilobytes > most.kilobytes;
        assert!(!dearer, "`{line}`{} costs more than is written down: {costs:#?}", if warm { ", warm" } else { "" });
    }
    if std::env::var_os("RFAB_ALL").is_some() {
        eprintln!("{costs:#?}");
    }
}
