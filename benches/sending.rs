//! Measures how a release reaches ten hosts, beside rsync: `cargo bench --bench sending`. It needs root, rsync and ip.
//!
//! An app of 51 MB in 3,000 files is sent for the first time, and then twice with two small files changed: over new
//! connections, and over those that are open. `stage` is the slowest host's part of the line. Each figure is the median
//! of the rounds (3, or a number after `--`); compare figures of one run only. It runs in a network namespace of its
//! own, so the bytes are all that went over the network, in both directions. At the end, a slow line before one more host
//! counts what that costs it.
use lab::{HostPlan, Lab, Plan};
use std::{
    collections::BTreeMap,
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
fn look() { targets().parallel(|host| release::list(host)); }
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

/// Sends a tag by rfab, over connections that are open.
fn rfab(tag: &str) -> String {
    format!("\"$2\" prod send:{tag} < /dev/null")
}

/// Does the same over new connections.
fn rfab_cold(tag: &str) -> String {
    format!("\"$2\" --disconnect > /dev/null; {}", rfab(tag))
}

/// Returns how long the slowest host took to be staged in the newest run.
fn staged(lab: &Lab) -> Duration {
    let history = lab.rfab(&["--history"]).output().expect_ok();
    let run = history.lines().nth(1).and_then(|line| line.split(' ').next()).expect("a run");
    let shown = lab.rfab(&["--show", run]).output().expect_ok();
    let steps = shown.lines().filter(|line| line.contains("  stage v"));
    let times = steps.filter_map(|line| line.trim().split_once(" ms ")?.0.parse().ok());
    Duration::from_millis(times.max().unwrap_or(0))
}

/// Prints what a hotfix costs one host, beside a login: bytes, and the round trips in which it is asked for something.
fn count(lab: &Lab, release: &dyn Fn(&str)) {
    let relay = lab.slow_down("web10", Duration::from_millis(300));
    let run = |words: &[&str]| {
        drop(relay.carried());
        lab.rfab(&[&["prod", "--limit", "web10"], words].concat())
            .timeout(Duration::from_secs(300))
            .output()
            .expect_ok();
        relay.carried()
    };
    run(&["look"]);
    let listing = run(&["look"]).bytes / 2;
    release("v9.0.0");
    let carried = run(&["send:v9.0.0"]);
    // What opens and closes channels is shorter, and goes beside the commands. The last command is the table's.
    let asked = carried.turns.iter().filter(|(_, sent)| *sent > 1000).count() - 1;
    println!(
        "two files changed, warm, one host: {} bytes without the table's; asked {asked} times, after {} round trips for the first channel",
        carried.bytes - listing,
        carried.turns.iter().take_while(|(_, sent)| *sent <= 1000).count(),
    );
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

/// The figures of each round, by what they are of: the time, and the bytes.
type Figures = BTreeMap<&'static str, Vec<(Duration, u64)>>;

/// Sends an app for the first time, and then two changed files.
fn round(lab: &Lab, tags: [String; 3], all: &mut Figures) {
    let [earlier, tag, next] = tags;
    for host in &lab.hosts {
        host.sh("rm -rf /srv/rsync/* /srv/shop/releases/* /srv/shop/.rfab/records").expect_ok();
    }
    took(lab, "rm -rf \"$HOME/.cache/rfab\"");
    for (what, line, stage) in [
        ("1 first send, rsync -az", rsync(&earlier, None), None),
        ("1 first send, rfab, cold", rfab_cold(&earlier), Some("1 first send, stage alone")),
        ("2 two files, rsync --link-dest", rsync(&tag, Some(&earlier)), None),
        ("2 two files, rfab, cold", rfab_cold(&tag), Some("2 two files, stage alone, cold")),
        ("2 two files, rfab, warm", rfab(&next), Some("2 two files, stage alone, warm")),
    ] {
        let (time, bytes) = took(lab, &line);
        println!("{:>6.2} s {:>9} kB  {what}", time.as_secs_f64(), bytes / 1000);
        all.entry(what).or_default().push((time, bytes));
        if let Some(stage) = stage {
            all.entry(stage).or_default().push((staged(lab), 0));
        }
    }
}

/// Prints the medians, and their ratios to those of rsync for the same.
fn tell(rounds: usize, mut all: Figures) {
    let median = |values: &mut Vec<(Duration, u64)>| {
        values.sort();
        values[values.len() / 2]
    };
    let figures: BTreeMap<&str, (Duration, u64)> = all.iter_mut().map(|(what, all)| (*what, median(all))).collect();
    let build = if cfg!(debug_assertions) { "debug" } else { "release" };
    println!("{} hosts, {build} build, median of {rounds} rounds; ratios to rsync of the same kind", HOSTS.len());
    for (what, (time, bytes)) in &figures {
        let peer = |(other, _): &(&&str, &(Duration, u64))| other[..1] == what[..1] && other.contains("rsync");
        let (_, (beside, _)) = figures.iter().find(peer).expect("a peer");
        let ratio = time.as_secs_f64() / beside.as_secs_f64();
        println!("{what:<32} {:>6.2} s {:>9} kB   {ratio:.2}", time.as_secs_f64(), bytes / 1000);
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
    for host in &lab.hosts {
        host.sh("mkdir -p /srv/shop /srv/rsync && chown deploy /srv/shop /srv/rsync").expect_ok();
    }
    lab.rfab(&["prod", "setup"]).output().expect_ok();
    let release = |tag: &str| {
        for file in ["src/m1/p1/f1.py", "src/m2/p2/f2.py"] {
            lab.edit(file, |text| format!("{text}fixed for {tag}\n"));
        }
        lab.project.release(tag);
    };
    println!("round by round: the first send and two changed files, by rsync and by rfab");
    let mut all = Figures::new();
    for number in 1..=rounds {
        let tags = [0, 1, 2].map(|n| format!("v4.{number}.{n}"));
        tags.iter().for_each(|tag| release(tag));
        round(&lab, tags, &mut all);
    }
    tell(rounds, all);
    count(&lab, &release);
}
