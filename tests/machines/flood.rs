//! A host that prints a gigabyte: memory stays bounded, and neither the journal nor the log keeps all of it.

use lab::{HostPlan, Lab, Output, Plan, Running, Sudo, needs_lab};
use std::{
    fs,
    path::{Path, PathBuf},
    thread::sleep,
    time::Duration,
};

/// Tasks that print a gigabyte, with and without line ends, on both streams; and one that a script reads.
const TASKS: &str = r#"
fn flood() { targets().each(|host| host.run(sh("line=$(printf '%0999d' 7); \
    head -c 400000000 /dev/zero | tr '\\0' x; echo; yes \"$line\" | head -c 100000000; \
    head -c 400000000 /dev/zero | tr '\\0' y >&2; echo >&2; yes \"$line\" | head -c 100000000 >&2; \
    sleep 0.2; echo the end"))); }
fn load() { targets().each(|host| { let text = host.capture(sh("head -c 1000000000 /dev/zero | tr '\\0' x")); ui::note(`${text.len()}`); }); }
fn idle() { targets().each(|host| host.run("true")); }
"#;

/// Runs a task with its output in a pipe; returns how it ended, and the most memory that it ever had, in MiB.
fn run(lab: &Lab, task: &str) -> (Output, u64) {
    let line = "set -o pipefail; \"$0\" prod \"$1\" | tail -c 600";
    let run = lab.program("bash", &["-c", line, env!("CARGO_BIN_EXE_rfab"), task]).start();
    let mut most = 0;
    while !run.is_over() {
        most = most.max(memory(&run));
        sleep(Duration::from_millis(20));
    }
    let output = run.output();
    println!("{task}: {most} MiB\n{}{}", output.stdout, output.stderr);
    assert!(output.ok() && most > 0, "{task}: {output:?}");
    (output, most)
}

/// Returns the most memory that the program has had so far, in MiB.
fn memory(run: &Running<'_>) -> u64 {
    let Some(rfab) = run.processes().into_iter().find(|process| process.name == "rfab") else { return 0 };
    let status = fs::read_to_string(format!("/proc/{}/status", rfab.pid)).unwrap_or_default();
    let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
    most.unwrap_or(0) >> 10
}

/// Returns the newest run's file with that extension.
fn newest(lab: &Lab, ending: &str) -> PathBuf {
    let files = fs::read_dir(lab.home().join(".local/share/rfab/runs")).expect("runs").flatten().map(|e| e.path());
    files.filter(|path| path.extension().is_some_and(|e| e == ending)).max().expect("a run")
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).expect("a file").len()
}

#[test]
pub(super) fn a_gigabyte_of_a_hosts_output_passes_in_bounded_memory() {
    if !needs_lab("a_gigabyte_of_a_hosts_output_passes_in_bounded_memory") {
        return;
    }
    let lab = Lab::start(Plan::new().host(HostPlan::new("web1").fleet("prod").role("web").sudo(Sudo::Free)));
    lab.edit("fabfile.rhai", |text| text + TASKS);
    let (_, idle) = run(&lab, "idle");
    let (_, flooded) = run(&lab, "flood");
    assert!(flooded < idle + 64, "{idle} MiB before, {flooded} MiB after");
    assert!(size(&newest(&lab, "journal")) < 4 << 20, "the journal has the two ends of each stream");
    let log = newest(&lab, "logs").join("prod.web1.log");
    assert!((48 << 20..=65 << 20).contains(&size(&log)), "{}", size(&log));
    let text = fs::read_to_string(&log).expect("a log");
    let (first, last) = text.split_once(" bytes were left out here]\n").expect("a line that says so");
    let left_out: u64 = first.rsplit('[').next().and_then(|n| n.trim().parse().ok()).expect("a number");
    let written = size(&log) + left_out;
    assert!((200_000_000..220_000_000).contains(&written), "every line once: {written}");
    assert!(last.contains("Z | the end\n") && last.contains("  done after "), "{}", &last[last.len() - 300..]);

    let (read, captured) = run(&lab, "load");
    assert!(captured < idle + 64, "{idle} MiB before, {captured} MiB after");
    let told: u64 =
        read.stdout.lines().find_map(|l| l.strip_prefix("web1  ")?.parse().ok()).expect("how much was kept");
    assert!((1 << 20..2 << 20).contains(&told), "{told}");
}
