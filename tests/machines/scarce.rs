//! A system that gives no more: memory, threads, or room for a ledger on a balancer's machine.

use lab::{Host, HostPlan, Lab, Output, Plan, Sudo, needs_lab, needs_root};
use std::{fs, path::PathBuf, thread::sleep, time::Duration};

/// Starts two groups of two behind `lb1`, and sets them up.
fn four() -> Lab {
    let web = |name, group| HostPlan::new(name).fleet("prod").group(group).role("web").sudo(Sudo::Free);
    let hosts = [("web1", "group1"), ("web2", "group1"), ("web3", "group2"), ("web4", "group2")];
    let plan = hosts.into_iter().fold(Plan::new().serving("v3.0.0"), |plan, (name, group)| plan.host(web(name, group)));
    let lab = Lab::start(plan.balancer("lb1", &[("bk_web", "web")]));
    lab.rfab(&["prod", "setup"]).output().expect_ok();
    lab
}

/// Runs rfab from a line of sh, in which it is `"$@"`.
fn within(lab: &Lab, line: &str, words: &[&str]) -> Output {
    let words = [&["-c", line, "sh", env!("CARGO_BIN_EXE_rfab")], words].concat();
    lab.program("sh", &words).output()
}

fn statuses(lab: &Lab) -> Vec<String> {
    lab.balancer("lb1").column("bk_web", "status").into_values().collect()
}

/// Checks that it reported how it ended, and didn't die of what it lacked.
#[track_caller]
fn told(what: &str, out: &Output) {
    let said = format!("{}{}", out.stdout, out.stderr);
    println!("{what}: {:?}\n{said}", out.code);
    assert!(out.code.is_some(), "{what}: {out:?}");
    assert!(!said.contains("panicked") && !said.contains("internal error"), "{what}: {said}");
}

#[test]
fn with_little_memory_there_are_fewer_threads_and_a_run_goes_on() {
    if !needs_lab("with_little_memory_there_are_fewer_threads_and_a_run_goes_on") {
        return;
    }
    let lab = four();
    for words in [["prod", "proxy.group2"], ["prod:out", "deploy:v3.0.1"], ["prod", "proxy.all"]] {
        let out = within(&lab, "ulimit -v 700000; exec \"$@\"", &words);
        told(&words.join(" "), &out);
        assert_eq!(out.code, Some(0), "{out:?}");
    }
    assert_eq!(statuses(&lab), ["UP"; 4]);
    // A limit that is too low for any run is reported before the first change.
    for kib in [500_000, 400_000, 300_000, 250_000, 200_000] {
        let out = within(&lab, &format!("ulimit -v {kib}; exec \"$@\""), &["prod", "proxy.group2"]);
        told(&format!("{kib} KiB"), &out);
        if kib == 200_000 {
            assert!(out.stderr.contains("error: the memory limit is 195 MB, and a run needs "), "{out:?}");
        }
        assert!(out.ok() || statuses(&lab) == ["UP"; 4], "{kib} KiB: {out:?}");
        lab.rfab(&["prod", "proxy.all"]).output().expect_ok();
    }
}

/// A cgroup that limits its number of processes.
struct Few(PathBuf);

impl Few {
    fn make() -> Option<Few> {
        let parent = ["/sys/fs/cgroup/pids", "/sys/fs/cgroup"].map(PathBuf::from);
        let name = format!("rfab-{}", std::process::id());
        let made = |parent: &PathBuf| {
            let folder = parent.join(&name);
            fs::create_dir(&folder).ok()?;
            let few = Few(folder);
            few.0.join("pids.max").exists().then_some(few)
        };
        parent.iter().find_map(made)
    }
}

impl Few {
    /// Returns how often a process or thread was refused so far.
    fn refused(&self) -> u64 {
        let events = fs::read_to_string(self.0.join("pids.events")).expect("what was refused");
        events.trim().rsplit(' ').next().and_then(|count| count.parse().ok()).expect("a number")
    }
}

impl Drop for Few {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

#[test]
fn with_few_processes_nothing_is_left_out_without_a_word() {
    let name = "with_few_processes_nothing_is_left_out_without_a_word";
    if !needs_root(name) {
        return;
    }
    let Some(few) = Few::make() else {
        lab::not_run(name, "needs a cgroup that limits processes");
        return;
    };
    let lab = four();
    let into = few.0.display();
    let mut with_less = 0;
    for most in [5, 6, 7, 8, 9, 12] {
        fs::write(few.0.join("pids.max"), most.to_string()).expect("a limit");
        let refused = few.refused();
        let line = format!("echo $$ > {into}/cgroup.procs; exec \"$@\"");
        let out = within(&lab, &line, &["prod", "proxy.group2"]);
        told(&format!("{most} processes"), &out);
        with_less += u32::from(out.ok() && few.refused() > refused);
        let drained = statuses(&lab).iter().filter(|status| !status.starts_with("UP")).count();
        assert!(drained == 0 || out.stdout.contains("\n4 hosts: "), "{most}: drained, and no table: {out:?}");
        fs::write(few.0.join("pids.max"), "max").expect("no limit");
        let back = lab.rfab(&["prod", "proxy.all"]).output();
        assert_eq!((back.code, statuses(&lab)), (Some(0), vec!["UP".to_owned(); 4]), "{most}: {back:?}");
    }
    assert!(with_less > 0, "no run went on where it got fewer threads than it asked for");
}

/// Waits in the state folder of `lb1` until a run has written that it is about to drain two hosts, and leaves no room
/// after that.
const FILLS: &str = r#"
intents() { grep -c '"effect":"drain".*"phase":"intent"' ledger; }
before=$(intents)
touch watching
until [ "$(intents)" -ge $((before + 2)) ]; do :; done
head -c 1000000 /dev/zero > filler 2> /dev/null
head -c 4096 /dev/zero | tr '\0' x >> ledger 2> /dev/null
"#;

#[test]
fn a_drain_whose_end_cannot_be_written_down_is_never_shown_as_untouched_and_is_mended_by_what_is_advised() {
    let name = "a_drain_whose_end_cannot_be_written_down_is_never_shown_as_untouched_and_is_mended_by_what_is_advised";
    if !needs_root(name) {
        return;
    }
    let lab = four();
    for words in ["proxy.group2", "proxy.all"] {
        lab.rfab(&["prod", words]).output().expect_ok();
    }
    let lb1 = lab.host("lb1");
    let state = format!("{}/.local/state/rfab", lb1.home());
    let own =
        format!("cd {state} && cp -a . ../kept && mount -t tmpfs -o size=64k tmpfs {state} && cp -a ../kept/. {state}");
    lb1.sh(&own).expect_ok();
    for (advised, then) in [("--resume ", "DRAIN"), ("--abort ", "UP")] {
        let out = drained_into_a_full_disk(&lab, &state);
        assert_eq!(out.code, Some(9), "{out:?}");
        assert!(out.stdout.contains("it was done, but rfab can't record that"), "{out:?}");
        assert!(out.stdout.contains("\n4 hosts: 2 unknown, 2 untouched; 2 out of the balancer\n"), "{out:?}");
        let next = out.stdout.split("\nnext: ").nth(1).expect("what to type next");
        let line = next.split("rfab ").find(|line| line.starts_with(advised)).unwrap_or_else(|| panic!("{out:?}"));
        let line: Vec<&str> = line.split_whitespace().take(2).collect();
        room(lb1, &state);
        lab.rfab(&line).output().expect_ok();
        let status = lab.balancer("lb1").column("bk_web", "status");
        assert_eq!(["web1", "web2", "web3", "web4"].map(|name| &*status[name]), [then, then, "UP", "UP"], "{line:?}");
        lab.rfab(&["prod", "proxy.all"]).output().expect_ok();
        assert_eq!(statuses(&lab), ["UP"; 4]);
    }
}

/// Makes room again, and removes what filled the ledger's last block.
fn room(lb1: &Host, state: &str) {
    lb1.sh(&format!("cd {state}/prod && rm -f filler watching && sed -i '/^x*$/d' ledger")).expect_ok();
}

/// Drains two hosts while the disk of `lb1` fills before the drain's end is written. Tries again if the drain was too
/// fast.
fn drained_into_a_full_disk(lab: &Lab, state: &str) -> Output {
    let lb1 = lab.host("lb1");
    let ledger = lb1.path(&format!("{state}/prod/ledger"));
    let ok = || fs::read_to_string(&ledger).expect("the ledger").matches("\"effect\":\"drain\"").count();
    for _ in 0..10 {
        let before = ok();
        let watch = format!("cd {state}/prod && setsid timeout 60 sh -c \"$FILLS\" </dev/null >/dev/null 2>&1 &");
        lb1.sh(&format!("FILLS='{}'; {watch}", FILLS.replace('\'', "'\\''"))).expect_ok();
        while !ledger.with_file_name("watching").exists() {
            sleep(Duration::from_millis(10));
        }
        let out = lab.rfab(&["prod", "proxy.group2"]).output();
        // Two drains that begin, and none that ends.
        if ok() == before + 2 {
            return out;
        }
        room(lb1, state);
        lab.rfab(&["prod", "proxy.all"]).output().expect_ok();
    }
    panic!("the disk never fills in time");
}
