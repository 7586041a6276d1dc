//! Counts what a deploy waits for over a slow line: `cargo bench --bench turns`. It needs root.
use lab::{HostPlan, Lab, Line, Plan, Relay};
use std::{
    net::SocketAddr,
    process::Command,
    time::{Duration, Instant, SystemTime},
};

lab::before_main!(lab::begin(env!("CARGO_BIN_EXE_rfab"), env!("CARGO_MANIFEST_DIR"), env!("CARGO_TARGET_TMPDIR")));

/// Puts a relay in front of every host of a lab.
fn slow_down(lab: &Lab, round_trip: Duration) -> Vec<(&'static str, Relay)> {
    let line = Line { round_trip, lossy: false };
    let mut relays = Vec::new();
    for host in &lab.hosts {
        let (ip, port, slow) = (host.address, host.port, host.port + 1000);
        let relay = Relay::start(SocketAddr::new(ip.into(), slow), SocketAddr::new(ip.into(), port), line);
        lab.edit("fleets/ssh_config", |text| text.replace(&format!("Port {port}\n"), &format!("Port {slow}\n")));
        lab.edit("known_hosts", |text| text.replace(&format!("[{ip}]:{port} "), &format!("[{ip}]:{slow} ")));
        relays.push((host.plan.name, relay));
    }
    relays
}

fn main() {
    lab::part::begin();
    let rfab = std::env::var("RFAB").unwrap_or(env!("CARGO_BIN_EXE_rfab").to_owned());
    let host = |name| HostPlan::new(name).fleet("prod").role("web");
    let plan = Plan::new().host(HostPlan::new("lb1").fleet("prod")).host(host("web1").group("group1"));
    let plan = plan.host(host("web2").group("group2")).balancer("lb1", &[("bk_web", "web")]).serving("v3.0.0");
    let lab = Lab::start(plan);
    if let Ok(line) = std::env::var("SHELL_LINE") {
        let _ = Command::new("sh").arg("-c").arg(line).current_dir(&lab.project.folder).status();
    }
    let rtt = std::env::args().find_map(|word| word.parse().ok()).unwrap_or(100);
    let relays = slow_down(&lab, Duration::from_millis(rtt));
    let go = |words: &[&str]| {
        let before = Instant::now();
        let out = lab.program(&rfab, words).output();
        println!("== {} {:?} {:?}", words.join(" "), before.elapsed(), out.code);
        if !out.ok() {
            println!("{}{}", out.stdout, out.stderr);
        }
    };
    let say = |switched: bool| {
        for (name, relay) in &relays {
            let carried = relay.carried();
            let at = lab.host(name).folder.join("srv/shop/current");
            let at = std::fs::symlink_metadata(at).and_then(|at| at.modified()).unwrap_or(SystemTime::now());
            let before = carried.turns.iter().filter(|turn| **turn < at).count();
            println!(
                "   {name}: {} logins, {} bytes, {} turns{}",
                carried.connections,
                carried.bytes,
                carried.turns.len(),
                if switched { format!(", {before} before the switch") } else { String::new() }
            );
        }
    };
    go(&["prod", "setup"]);
    say(false);
    go(&["prod", "--read", "--", "true"]);
    say(false);
    go(&["prod", "--", "true"]);
    say(false);
    lab.project.write("a", "1");
    lab.project.release("v3.0.2");
    go(&["prod:group2", &format!("deploy:{}", lab.project.git(&["describe", "--tags", "--abbrev=0"]).expect_ok().trim())]);
    say(true);
    lab.project.write("a", "2");
    lab.project.release("v3.0.3");
    go(&["prod:group2", &format!("deploy:{}", lab.project.git(&["describe", "--tags", "--abbrev=0"]).expect_ok().trim())]);
    say(true);
    let history = lab.rfab(&["--history"]).output().expect_ok();
    let run = history.lines().nth(1).and_then(|line| line.split(' ').next()).expect("a run");
    let shown = lab.rfab(&["--show", run]).output().expect_ok();
    println!("{shown}");
    let json = lab.rfab(&["--show", run, "--json"]).output().expect_ok();
    std::fs::write("/tmp/quick-show.json", json).unwrap();
}
