//! Measures how a release reaches ten hosts, beside rsync: `cargo bench --bench sending`. It needs root, rsync and ip.
//!
//! An app of 51 MB in 3,000 files is sent for the first time, and then with two small files changed. Each figure is the
//! median of the rounds (3, or a number after `--`); compare figures of one run only. It runs in a network namespace of
//! its own, so the bytes are all that went over the network, in both directions.
use lab::{HostPlan, Lab, Plan};
use std::{
    fs,
    os::unix::process::CommandExt,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

lab::before_main!(lab::begin(env!("CARGO_BIN_EXE_rfab"), env!("CARGO_MANIFEST_DIR"), env!("CARGO_TARGET_TMPDIR")));

const HOSTS: [&str; 10] = ["web1", "web2", "web3", "web4", "web5", "web6", "web7", "web8", "web9", "web10"];

const FABFILE: &str = r#"
fn prod() { fleet("fleets/prod.toml") }
fn setup() { targets().parallel(|host| release::set_up(host)); }
fn send(tag) {
    let release = release::number(release::resolve(tag));
    targets().parallel(|host| release::stage(host, release));
}
"#;

/// A generator of numbers that are the same in each run (Knuth's constants for 64 bits).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }
}

/// Writes 3,000 files of words, 35 MB in all, and eight of 2 MB that can't be compressed.
fn write_app(folder: &Path) {
    let mut numbers = Numbers(7);
    let word = |numbers: &mut Numbers| -> String {
        (0..2 + numbers.next() % 8).map(|_| char::from(b'a' + (numbers.next() % 26) as u8)).collect()
    };
    let words: Vec<String> = (0..4000).map(|_| word(&mut numbers)).collect();
    for file in 0..3000 {
        let at = folder.join(format!("src/m{}/p{}", file % 60, file % 7));
        fs::create_dir_all(&at).expect("a folder");
        let size = if file % 10 == 0 { 60_000 } else { 6_500 } as usize;
        let mut text = String::with_capacity(size);
        while text.len() < size {
            text += &words[numbers.next() as usize % words.len()];
            text.push(if numbers.next().is_multiple_of(9) { '\n' } else { ' ' });
        }
        fs::write(at.join(format!("f{file}.py")), text).expect("a file");
    }
    for asset in 0..8 {
        let bytes: Vec<u8> = (0..250_000).flat_map(|_| (numbers.next() ^ numbers.next() << 32).to_le_bytes()).collect();
        fs::write(folder.join(format!("asset{asset}.bin")), bytes).expect("a file");
    }
}

/// Returns how many bytes the network of the lab has carried.
fn bytes(lab: &Lab) -> u64 {
    let text = lab.program("cat", &["/proc/net/dev"]).output().expect_ok();
    let line = text.lines().find_map(|line| line.trim().strip_prefix("lo:")).expect("an interface");
    line.split_whitespace().next().and_then(|bytes| bytes.parse().ok()).expect("a number")
}

/// Runs a line of sh with the lab's ssh; returns how long it took, and the bytes.
fn took(lab: &Lab, line: &str) -> (Duration, u64) {
    let (begun, before) = (Instant::now(), bytes(lab));
    let config = lab.folder.join("operator/ssh_config").display().to_string();
    let run = lab.program("sh", &["-c", line, "sh", &config, env!("CARGO_BIN_EXE_rfab")]);
    let output = run.timeout(Duration::from_secs(900)).output();
    assert!(output.ok(), "{line}: {output:?}");
    (begun.elapsed(), bytes(lab) - before)
}

/// Sends a tag by rsync to all hosts at the same time.
fn rsync(tag: &str, earlier: Option<&str>) -> String {
    let link = earlier.map(|tag| format!("--link-dest=/srv/rsync/{tag}")).unwrap_or_default();
    format!(
        "rm -rf ../tree && mkdir ../tree && git archive {tag} | tar x -C ../tree && for host in {}; do
         rsync -az --checksum {link} --mkpath -e \"ssh -F $1\" ../tree/ $host:/srv/rsync/{tag}/ & done; wait",
        HOSTS.join(" ")
    )
}

/// Sends a tag by rfab with new connections.
fn rfab(tag: &str) -> String {
    format!("\"$2\" prod send:{tag} < /dev/null")
}

/// Starts this program again in a network namespace of its own, unless it runs in one.
fn apart() {
    if std::env::var_os("APART").is_none() {
        let own = std::env::current_exe().expect("this program");
        let line = "ip link set lo up && exec \"$@\"";
        let error = Command::new("unshare")
            .args(["-n", "sh", "-c", line, "sh"])
            .arg(own)
            .args(std::env::args().skip(1))
            .env("APART", "")
            .exec();
        panic!("unshare: {error}");
    }
}

fn main() {
    // The lab starts this program again for its parts.
    lab::part::begin();
    apart();
    let rounds: usize = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(3);
    let hosts = HOSTS.into_iter().map(|name| HostPlan::new(name).fleet("prod").role("web"));
    let lab = Lab::start(hosts.fold(Plan::new(), Plan::host));
    lab.edit("fleets/prod.toml", |text| text.replace("linked = [\"public/uploads\", \"config/database.yml\"]", ""));
    lab.edit("fabfile.rhai", |_| FABFILE.to_owned());
    write_app(&lab.project.folder);
    lab.project.release("v4.0.0");
    for host in &lab.hosts {
        host.sh("mkdir -p /srv/shop /srv/rsync && chown deploy /srv/shop /srv/rsync").expect_ok();
    }
    lab.rfab(&["prod", "setup"]).output().expect_ok();
    println!("round by round: the first send by rsync and by rfab, then two changed files by rsync and by rfab");
    let mut all: Vec<Vec<(Duration, u64)>> = vec![Vec::new(); 4];
    for round in 1..=rounds {
        let earlier = format!("v4.{}.0", round - 1);
        let tag = format!("v4.{round}.0");
        lab.edit("src/m1/p1/f1.py", |text| format!("{text}fixed {round}\n"));
        lab.project.release(&tag);
        for host in &lab.hosts {
            host.sh("rm -rf /srv/rsync/* /srv/shop/releases/* /srv/shop/.rfab/records").expect_ok();
        }
        took(&lab, "rm -rf \"$HOME/.cache/rfab\"");
        let lines = [rsync(&earlier, None), rfab(&earlier), rsync(&tag, Some(&earlier)), rfab(&tag)];
        for (line, all) in lines.iter().zip(&mut all) {
            let (time, bytes) = took(&lab, line);
            println!("{:>6.2} s {:>9} kB", time.as_secs_f64(), bytes / 1000);
            all.push((time, bytes));
        }
    }
    let median = |values: &mut Vec<(Duration, u64)>| {
        values.sort();
        values[values.len() / 2]
    };
    let figures: Vec<(Duration, u64)> = all.iter_mut().map(median).collect();
    let build = if cfg!(debug_assertions) { "debug" } else { "release" };
    println!("{} hosts, {build} build, {rounds} rounds", HOSTS.len());
    for (what, rsync, rfab) in [("first send", figures[0], figures[1]), ("two files changed", figures[2], figures[3])] {
        println!(
            "{what:<18} rsync {:>6.2} s {:>9} kB   rfab {:>6.2} s {:>9} kB   ratios {:.2} and {:.3}",
            rsync.0.as_secs_f64(),
            rsync.1 / 1000,
            rfab.0.as_secs_f64(),
            rfab.1 / 1000,
            rfab.0.as_secs_f64() / rsync.0.as_secs_f64(),
            rfab.1 as f64 / rsync.1 as f64
        );
    }
}
