//! Measures one command on twenty hosts, and a hotfix over slow lines: `cargo bench --bench commands`. It needs root.
//!
//! The command runs over connections that are open, by plain ssh and by rfab in turn. The hotfix goes by `std/deploy` to
//! ten hosts behind a balancer, over lines of 100 ms. Compare only figures of one run. After `--`, a number sets the
//! rounds (5), and `far` leaves the command out.
use lab::{HostPlan, Lab, Plan, Relay};
use std::{
    fs,
    time::{Duration, Instant},
};

lab::before_main!(lab::begin(env!("CARGO_BIN_EXE_rfab"), env!("CARGO_MANIFEST_DIR"), env!("CARGO_TARGET_TMPDIR")));

const HOSTS: [&str; 20] = [
    "web1", "web2", "web3", "web4", "web5", "web6", "web7", "web8", "web9", "web10", "web11", "web12", "web13",
    "web14", "web15", "web16", "web17", "web18", "web19", "web20",
];

/// Runs a line of sh that must succeed; returns how long it took.
fn took(lab: &Lab, line: &str) -> Duration {
    let begun = Instant::now();
    let config = lab.folder.join("operator/ssh_config").display().to_string();
    let sockets = lab.folder.join("run").display().to_string();
    let run = lab.program("sh", &["-c", line, "sh", &config, env!("CARGO_BIN_EXE_rfab"), &sockets]);
    let output = run.timeout(Duration::from_secs(300)).output();
    assert!(output.ok(), "{line}: {output:?}");
    begun.elapsed()
}

/// Returns a line that does something with ssh on all hosts at the same time.
fn by_ssh(options: &str, command: &str) -> String {
    format!("for host in {}; do ssh -F \"$1\" {options} $host {command} & done; wait", HOSTS.join(" "))
}

fn median(mut all: Vec<Duration>) -> f64 {
    all.sort();
    all[all.len() / 2].as_secs_f64()
}

/// Measures `true` on twenty hosts over open connections.
fn commands(rounds: usize) {
    let hosts = HOSTS.into_iter().map(|name| HostPlan::new(name).fleet("testing1"));
    let lab = Lab::start(hosts.fold(Plan::new(), Plan::host));
    lab.edit("fleets/testing1.toml", |text| {
        let app = text.find("[app]").expect("an app");
        let hosts = text.find("[hosts]").expect("hosts");
        format!("{}{}", &text[..app], &text[hosts..])
    });
    lab.edit("fabfile.rhai", |_| "fn on() { fleet(\"fleets/testing1.toml\") }\n".into());
    // A persistent connection of each host, for the first of the two.
    let master = by_ssh("-o ControlPath=\"$3/%h\" -o ControlMaster=yes -o ControlPersist=600", "true");
    took(&lab, &master);
    let warm = by_ssh("-o ControlPath=\"$3/%h\" -o ControlMaster=no", "true");
    let lines = [&*warm, "\"$2\" on --read -- true < /dev/null", "\"$2\" on -- true < /dev/null"];
    took(&lab, lines[1]);
    let mut all = vec![Vec::new(); lines.len()];
    for _ in 0..rounds {
        lines.iter().zip(&mut all).for_each(|(line, all)| all.push(took(&lab, line)));
    }
    let figures: Vec<f64> = all.into_iter().map(median).collect();
    println!("`true` on {} hosts over open connections, median of {rounds} rounds", HOSTS.len());
    for (what, figure) in ["plain ssh", "rfab --read", "rfab, as a change"].iter().zip(&figures) {
        println!("{what:<18} {figure:>6.2} s   ratio {:.2}", figure / figures[0]);
    }
}

/// Returns the milliseconds of the steps of the newest run that begin with one of these words.
fn spent(lab: &Lab, words: &[&str]) -> u64 {
    let history = lab.rfab(&["--history"]).output().expect_ok();
    let run = history.lines().nth(1).and_then(|line| line.split(' ').next()).expect("a run");
    let shown = lab.rfab(&["--show", run]).output().expect_ok();
    let steps = shown.lines().take_while(|line| *line != "steps");
    let step = |line: &str| {
        let (time, what) = line.trim().split_once(" ms ")?;
        words.iter().any(|word| what.trim().contains(word)).then(|| time.parse::<u64>().ok())?
    };
    fs::write(lab.folder.join("shown"), &shown).expect("a file");
    steps.filter_map(step).max().unwrap_or(0)
}

/// Measures a hotfix over slow lines, with open connections.
fn far() {
    let group = |at: usize| if at.is_multiple_of(2) { "group1" } else { "group2" };
    let web =
        HOSTS[..10].iter().enumerate().map(|(at, name)| HostPlan::new(name).fleet("prod").role("web").group(group(at)));
    let plan =
        Plan::new().host(HostPlan::new("lb1").fleet("prod")).balancer("lb1", &[("bk_web", "web")]).serving("v3.0.0");
    let lab = Lab::start(web.fold(plan, Plan::host));
    for group in ["group1", "group2"] {
        took(&lab, &format!("\"$2\" prod:{group} setup < /dev/null"));
    }
    let slow = |host: &std::sync::Arc<lab::Host>| lab.slow_down(host.plan.name, Duration::from_millis(100));
    let relays: Vec<Relay> = lab.hosts.iter().map(slow).collect();
    for tag in ["v3.0.2", "v3.0.3"] {
        lab.project.write("public/style.css", tag);
        lab.project.write("public/shop.css", tag);
        lab.project.release(tag);
        relays.iter().for_each(|relay| drop(relay.carried()));
        let time = took(&lab, &format!("\"$2\" prod:group2 deploy:{tag} < /dev/null")).as_secs_f64();
        let carried: Vec<_> = relays[1..].iter().map(Relay::carried).collect();
        let most = carried.iter().map(|host| host.bytes).max().unwrap_or(0);
        let demanded: u64 = [["drain "], ["wait until no"], ["restart "], ["probe "], ["wait until web"]]
            .iter()
            .map(|words| spent(&lab, words))
            .sum();
        println!(
            "`deploy:{tag}` to 5 hosts over 100 ms: {time:.2} s, {:.2} s of it drain, restart and health; at most {} kB a host",
            demanded as f64 / 1000.0,
            most / 1000
        );
    }
    println!("{}", fs::read_to_string(lab.folder.join("shown")).unwrap_or_default());
}

fn main() {
    // The lab starts this program again for its parts.
    lab::part::begin();
    let words: Vec<String> = std::env::args().collect();
    let rounds = words.iter().find_map(|word| word.parse().ok()).unwrap_or(5);
    println!("{} build", if cfg!(debug_assertions) { "debug" } else { "release" });
    if !words.iter().any(|word| word == "far") {
        commands(rounds);
    }
    if !words.iter().any(|word| word == "near") {
        far();
    }
}
