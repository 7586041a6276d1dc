//! Which releases and leftovers are removed, and which stay.
use super::machine::{BOTH, TestMachine};
use crate::{
    model::Commit,
    release::{self, Pruned, ReleaseName},
};
use std::process::{Child, Command};

fn prune(machine: &TestMachine, keep: usize, spared: &[Commit]) -> Pruned {
    release::pruned(&machine.run(&release::prune(machine.at(), keep, spared).unwrap(), b"")).unwrap()
}

fn activate(machine: &TestMachine, name: &ReleaseName) {
    let command = release::activate(machine.at(), name, "run-1", &[]).unwrap();
    release::activated(&machine.run(&command, b""), name).unwrap();
}

fn numbers(machine: &TestMachine) -> Vec<u32> {
    machine.list().releases.iter().map(|release| release.name.number).collect()
}

/// A process that ends with the test.
struct HeldProcess(Child);

impl Drop for HeldProcess {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_newest_by_number_the_current_the_previous_and_the_running_stay() {
    for shell in BOTH {
        let machine = TestMachine::new(shell);
        let all: Vec<ReleaseName> = [1, 2, 3, 9, 10, 11, 10_000].map(|n| machine.deploy(n, &n.to_string())).into();
        activate(&machine, &all[3]);
        let at = machine.path.join("releases").join(all[0].to_string());
        let running = HeldProcess(Command::new("sleep").arg("600").current_dir(at).spawn().unwrap());
        assert_eq!(machine.list().previous().unwrap().name, all[2]);
        // By number, whenever each was made: capistrano/capistrano#1810.
        for (age, name) in all.iter().enumerate() {
            let at = machine.path.join("releases").join(name.to_string());
            let touched = Command::new("touch").args(["-d", &format!("{age} days ago")]).arg(at).status().unwrap();
            assert!(touched.success());
        }
        let commit = machine.list().releases.iter().find(|release| release.name == all[4]).unwrap().commit.clone();
        let pruned = prune(&machine, 1, &[commit.into()]);
        assert_eq!(pruned.running, [all[0].clone()]);
        let mut removed = pruned.removed;
        removed.sort();
        assert_eq!(removed, [all[1].clone(), all[5].clone()], "{shell:?}");
        assert_eq!(numbers(&machine), [10_000, 10, 9, 3, 1]);
        drop(running);
        let pruned = prune(&machine, 1, &[]);
        assert_eq!(pruned.removed, [all[4].clone(), all[0].clone()]);
        assert_eq!(numbers(&machine), [10_000, 9, 3]);
        assert_eq!(prune(&machine, 1, &[]), Pruned::default());
        assert!(machine.names().iter().all(|name| !name.contains(".gone")));
    }
}

#[test]
fn a_release_that_never_reached_the_disk_does_not_count_and_goes_and_gives_no_assets() {
    for shell in BOTH {
        let machine = TestMachine::new(shell);
        machine.sample.write("assets/one", b"1");
        let all: Vec<ReleaseName> = [1, 2, 3, 4, 5, 6].map(|n| machine.deploy(n, &n.to_string())).into();
        activate(&machine, &all[3]);
        let marks = machine.path.join(".rfab/unflushed");
        while std::fs::read_dir(&marks).unwrap().count() > 0 {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        for torn in [2, 5] {
            let tree = machine.path.join("releases").join(all[torn].to_string());
            std::fs::write(tree.join("assets/torn"), "").unwrap();
            std::fs::write(marks.join(all[torn].to_string()), "failed\n").unwrap();
        }
        std::fs::write(machine.path.join(format!("releases/{}/assets/whole", all[1])), "").unwrap();
        let command = release::activate(machine.at(), &all[4], "run-1", &["assets".to_owned()]).unwrap();
        release::activated(&machine.run(&command, b""), &all[4]).unwrap();
        let assets = machine.path.join("current/assets");
        assert_eq!(["one", "whole", "torn"].map(|name| assets.join(name).exists()), [true, true, false], "{shell:?}");
        activate(&machine, &all[3]);
        let mut removed = prune(&machine, 1, &[]).removed;
        removed.sort();
        assert_eq!(removed, [0, 2, 5].map(|n| all[n].clone()), "{shell:?}");
        assert_eq!(numbers(&machine), [5, 4, 2]);
        assert_eq!(std::fs::read_dir(&marks).unwrap().count(), 0);
    }
}

#[test]
fn while_it_is_unknown_what_is_current_nothing_is_removed() {
    for shell in BOTH {
        let machine = TestMachine::new(shell);
        for n in 1..=4 {
            machine.deploy(n, &n.to_string());
        }
        for target in ["/srv/other", "releases/0007-000000000000"] {
            std::fs::remove_file(machine.path.join("current")).unwrap();
            std::os::unix::fs::symlink(target, machine.path.join("current")).unwrap();
            let ended = machine.run(&release::prune(machine.at(), 1, &[]).unwrap(), b"");
            assert_eq!(release::pruned(&ended), Err(release::ReleaseError::StrangeCurrent));
            assert_eq!(numbers(&machine), [4, 3, 2, 1]);
        }
    }
}

#[test]
fn what_cannot_be_removed_of_a_release_is_named_each_time_until_it_is_gone() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    for shell in BOTH {
        let machine = TestMachine::new(shell);
        let all: Vec<ReleaseName> = [1, 2, 3].map(|n| machine.deploy(n, &n.to_string())).into();
        let given = Command::new("chown").args(["-R", "58002:58002", machine.at()]).status().unwrap();
        let open =
            Command::new("chmod").arg("a+rx").arg(machine.folder.path()).arg(machine.path.parent().unwrap()).status();
        assert!(given.success() && open.unwrap().success());
        // A worker that ran as another user wrote this.
        let theirs = machine.path.join(format!("releases/{}/theirs", all[0]));
        std::fs::create_dir(&theirs).unwrap();
        std::fs::write(theirs.join("file"), "").unwrap();
        let prune = || {
            let process = machine.process(&release::prune(machine.at(), 1, &[]).unwrap());
            // By its path: the machine's own PATH may lead to busybox, which has a setpriv with other options.
            let mut own = Command::new("/usr/bin/setpriv");
            own.args(["--reuid=58002", "--regid=58002", "--clear-groups", "--"]).arg(process.get_program());
            own.args(process.get_args()).envs(process.get_envs().filter_map(|(key, value)| Some((key, value?))));
            own.stdin(std::process::Stdio::piped())
                .stdout(std::process::Stdio::piped())
                .stderr(std::process::Stdio::piped());
            Pruned { unseen: 0, ..release::pruned(&super::machine::ended(own, b"")).unwrap() }
        };
        let gone = vec![format!("releases/.gone-{}", all[0])];
        assert_eq!(prune(), Pruned { removed: vec![all[0].clone()], gone: gone.clone(), ..Pruned::default() });
        assert_eq!(prune(), Pruned { gone, ..Pruned::default() }, "{shell:?}");
        std::fs::remove_dir_all(machine.path.join(format!("releases/.gone-{}/theirs", all[0]))).unwrap();
        assert_eq!(prune(), Pruned::default());
        assert!(machine.names().iter().all(|name| !name.contains(".gone")));
    }
}

#[test]
fn leftovers_of_dead_runs_go_and_those_of_living_ones_stay() {
    for shell in BOTH {
        let machine = TestMachine::new(shell);
        let name = machine.deploy(1, "1");
        let tmp = machine.path.join(".rfab/tmp");
        let left = |id: &str, alive: &str| {
            std::fs::create_dir(tmp.join(id)).unwrap();
            std::fs::write(tmp.join(id).join("alive"), alive).unwrap();
        };
        let me = std::process::id();
        let stat = std::fs::read_to_string(format!("/proc/{me}/stat")).unwrap();
        let start = stat.rsplit(") ").next().unwrap().split(' ').nth(19).unwrap().to_owned();
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
        left("living", &format!("{me} {start} {boot}"));
        left("reused", &format!("{me} 1 {boot}"));
        left("rebooted", &format!("{me} {start} 0-0-0\n"));
        left("strange", "who knows\n");
        std::fs::create_dir(tmp.join("empty")).unwrap();
        std::fs::create_dir(machine.path.join("releases/.gone-0001-000000000000")).unwrap();
        std::fs::write(machine.path.join("releases/0005-000000000000.manifest"), "").unwrap();
        std::os::unix::fs::symlink("x", machine.path.join(".current-dead")).unwrap();
        let record = machine.path.join(".rfab/records/0006-000000000000");
        std::fs::write(&record, "").unwrap();
        assert_eq!(prune(&machine, 5, &[]).cleaned, ["empty", "rebooted", "reused"], "{shell:?}");
        assert!(record.exists(), "its release may be about to appear");
        std::fs::remove_dir_all(tmp.join("living")).unwrap();
        std::fs::remove_dir_all(tmp.join("strange")).unwrap();
        prune(&machine, 5, &[]);
        assert_eq!(
            machine.names(),
            [
                ".rfab".to_owned(),
                ".rfab/records".to_owned(),
                format!(".rfab/records/{name}"),
                ".rfab/tmp".to_owned(),
                format!("current -> releases/{name}"),
                "releases".to_owned(),
                format!("releases/{name}"),
                format!("releases/{name}.manifest"),
                "shared".to_owned()
            ]
        );
    }
}
