//! What lines cost, as far as that doesn't depend on the machine: logins, commands, processes and bytes.
//!
//! `cargo bench --bench peers` measures time.
use lab::{Host, HostPlan, Lab, Plan, needs_root};
use std::{
    env, fs,
    process::{Command, Stdio},
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

/// Set in the network of its own.
const APART: &str = "RFAB_COSTS_APART";

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
    /// How often the operator's machine waited until its disk had the journal.
    flushes: usize,
    /// The kilobytes between a host and the operator's machine, in both directions.
    kilobytes: u64,
}

/// Each line, whether its connections are open already, and the most that it may cost.
///
/// If a change makes a line cheaper, write its figures down here. Processes and kilobytes vary by a few percent, with
/// the number of polls and of packets, and have a tenth more than was counted. Lanes that flush at the same time share
/// it, so the flushes are those that a slow disk takes.
const LINES: [(&str, bool, Costs); 6] = [
    ("on -- true", false, Costs { logins: 3, commands: 7, processes: 74, programs: 6, flushes: 8, kilobytes: 28 }),
    ("on -- true", true, Costs { logins: 1, commands: 7, processes: 69, programs: 4, flushes: 8, kilobytes: 21 }),
    (
        "on --read -- true",
        true,
        Costs { logins: 0, commands: 4, processes: 18, programs: 2, flushes: 4, kilobytes: 10 },
    ),
    (
        "on send:v3.0.0",
        false,
        Costs { logins: 3, commands: 10, processes: 204, programs: 19, flushes: 10, kilobytes: 43 },
    ),
    (
        "on send:v3.0.1",
        false,
        Costs { logins: 3, commands: 10, processes: 280, programs: 17, flushes: 10, kilobytes: 43 },
    ),
    (
        "on send:my-branch",
        true,
        Costs { logins: 1, commands: 10, processes: 280, programs: 15, flushes: 10, kilobytes: 38 },
    ),
];

/// The channels that may wait on both hosts for commands to come: a busy machine takes its hosts for far ones.
const WAITING: usize = 4;

/// How often a line is run until its costs are what is written down.
const TIMES: usize = 6;

/// Returns how many processes a host has started since it booted, with those that this needs itself.
fn started(host: &Host) -> u32 {
    host.sh("echo $$").expect_ok().trim().parse().expect("the number of the newest process")
}

/// Returns how many bytes the network of this test has carried.
fn carried() -> u64 {
    let text = fs::read_to_string("/proc/self/net/dev").expect("the interfaces");
    let line = text.lines().find_map(|line| line.trim().strip_prefix("lo:")).expect("an interface");
    line.split_whitespace().next().and_then(|bytes| bytes.parse().ok()).expect("a number")
}

fn count(lab: &Lab, text: &str) -> usize {
    lab.hosts.iter().map(|host| host.sshd_log().matches(text).count()).sum()
}

/// Runs a line, and returns what it cost.
fn cost(lab: &Lab, line: &str, warm: bool) -> Costs {
    if warm {
        lab.rfab(&["on", "--read", "--", "true"]).output().expect_ok();
    } else {
        lab.rfab(&["--disconnect"]).output().expect_ok();
    }
    let before = (count(lab, "Accepted publickey"), count(lab, "Starting session: command"));
    let bytes = carried();
    let processes: Vec<u32> = lab.hosts.iter().map(|host| started(host)).collect();
    let trace = lab.folder.join("trace");
    // In the background, because connections that stay open are traced, too.
    let mut words = vec!["-D", "-f", "-qq", "-e", "trace=execve,fdatasync", "-o"];
    let file = trace.display().to_string();
    words.push(&file);
    words.push(env!("CARGO_BIN_EXE_rfab"));
    words.extend(line.split(' '));
    lab.program("strace", &words).output().expect_ok();
    let started = |(host, before): (&_, &u32)| started(host) - before - 1;
    let processes = lab.hosts.iter().map(|host| &**host).zip(&processes).map(started).max().unwrap_or_default();
    let logins = count(lab, "Accepted publickey") - before.0;
    let commands = count(lab, "Starting session: command") - before.1;
    let kilobytes = (carried() - bytes) / lab.hosts.len() as u64 / 1000;
    lab.rfab(&["--disconnect"]).output().expect_ok();
    let deadline = Instant::now() + Duration::from_secs(20);
    while lab.processes().iter().any(|process| process.name == "strace") {
        assert!(Instant::now() < deadline, "strace doesn't end");
        sleep(Duration::from_millis(10));
    }
    let trace = fs::read_to_string(&trace).expect("a trace");
    let programs = trace.lines().filter(|line| line.contains("execve") && line.ends_with(" = 0")).count();
    let flushes = trace.matches("fdatasync(").count();
    Costs { logins, commands, processes, programs, flushes, kilobytes }
}

impl Costs {
    fn is_above(self, most: Costs) -> bool {
        self.logins > most.logins
            || self.commands > most.commands + WAITING
            || self.processes > most.processes
            || self.programs > most.programs
            || self.flushes > most.flushes
            || self.kilobytes > most.kilobytes
    }
}

#[test]
fn no_line_costs_more_logins_commands_processes_or_bytes_than_is_written_down() {
    if !needs_root("no_line_costs_more_logins_commands_processes_or_bytes_than_is_written_down") {
        return;
    }
    // In a network of its own, where it alone sends.
    if env::var_os(APART).is_none() {
        let name = "costs::no_line_costs_more_logins_commands_processes_or_bytes_than_is_written_down";
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--", "unshare", "--net", "--"]);
        command
            .args(["sh", "-c", "ip link set lo up && exec \"$@\"", "sh"])
            .arg(env::current_exe().expect("this binary"));
        command.args([name, "--exact", "--nocapture"]).env(APART, "").stdin(Stdio::null());
        let output = command.output().expect("unshare");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        if env::var_os("RFAB_ALL").is_some() {
            eprintln!("{said}");
        }
        return;
    }
    // One way to exchange keys, because some take more bytes than others.
    let host = |name| HostPlan::new(name).fleet("testing1").role("web").sshd("KexAlgorithms curve25519-sha256");
    let lab = Lab::start(Plan::new().host(host("web1")).host(host("web2")));
    lab.edit("fabfile.rhai", |_| FABFILE.to_owned());
    let linked = "linked = [\"public/uploads\", \"config/database.yml\"]\n";
    lab.edit("fleets/testing1.toml", |text| text.replace(linked, ""));
    lab.hosts.iter().for_each(|host| drop(host.sh("mkdir -p /srv/shop && chown deploy /srv/shop").expect_ok()));
    lab.rfab(&["on", "setup"]).output().expect_ok();
    for (line, warm, most) in LINES {
        let mut counted = vec![cost(&lab, line, warm)];
        // A busy machine only adds: more polls, and more channels that nobody needs.
        while counted.len() < TIMES && counted[counted.len() - 1].is_above(most) {
            counted.push(cost(&lab, line, warm));
        }
        if env::var_os("RFAB_ALL").is_some() {
            eprintln!("`{line}`: {counted:?}");
        }
        let warm = if warm { ", warm" } else { "" };
        let last = counted[counted.len() - 1];
        assert!(!last.is_above(most), "`{line}`{warm} costs more than is written down, {most:?}: {counted:#?}");
    }
}
