//! Programs killed before each of their steps.
use super::machine::{BOTH, TestMachine, TestShell, name};
use crate::{
    command::Command,
    release::{self, Current, Packed, ReleaseError, Staged},
};

/// Returns the program once for each of its steps, killed (SIGKILL) before that step.
fn killed(command: &Command) -> Vec<Command> {
    before_each_step(command, "kill -9 $$")
}

/// Returns the program once for each of its steps, with another command before that step.
pub(super) fn before_each_step(command: &Command, what: &str) -> Vec<Command> {
    let Command::Words(words) = command else { panic!() };
    let text: Vec<&str> = words[2].lines().collect();
    let begin = text.iter().rposition(|line| line.starts_with("enter ")).unwrap();
    let is_step = |at: &usize| {
        let line = text[*at];
        let inside = line.is_empty() || line.starts_with([' ', '}', '#', '-', '*', '1']);
        !inside && !["done", "fi", "else", "elif", "esac"].iter().any(|word| line.starts_with(word))
    };
    let steps = (begin..text.len()).filter(is_step);
    let before = |at: usize| {
        let mut lines = text.clone();
        lines.insert(at, what);
        let mut words = words.clone();
        words[2] = lines.join("\n");
        Command::Words(words)
    };
    steps.map(before).collect()
}

#[test]
fn a_release_is_whole_or_not_there_whenever_staging_is_killed() {
    for shell in BOTH {
        let machine = TestMachine::new(shell);
        let old = machine.deploy(1, "old");
        machine.sample.write("file", b"new");
        let packed = machine.pack(&["log"]);
        let (command, bytes) = machine.staging(2, &packed, "run-2");
        let all = killed(&command);
        assert!(all.len() > 40, "{}", all.len());
        for (step, command) in all.iter().enumerate() {
            let ended = machine.run(command, &bytes);
            assert!(
                matches!(release::staged(&ended, &machine.whole(&packed)), Err(ReleaseError::NoEnd { .. })),
                "{shell:?} {step}: {ended:?}"
            );
            let listed = machine.list();
            assert_eq!(listed.current, Current::Release(old.clone()));
            assert!(listed.incomplete.is_empty() && listed.others.is_empty(), "{shell:?} {step}: {listed:?}");
            if listed.releases.len() == 2 {
                assert_eq!(machine.stage(2, &packed), Ok(Staged::Already));
                whole(&machine, &packed);
                std::fs::remove_dir_all(machine.path.join("releases").join(name(2, &packed).to_string())).unwrap();
            }
            release::pruned(&machine.run(&release::prune(machine.at(), 5, &[]).unwrap(), b"")).unwrap();
            let left = machine.names().into_iter().filter(|name| name.starts_with(".rfab/tmp/")).count();
            assert_eq!(left, 0, "{shell:?} {step}");
        }
        assert_eq!(machine.stage(2, &packed), Ok(Staged::New));
        whole(&machine, &packed);
    }
}

fn whole(machine: &TestMachine, packed: &Packed) {
    let command = release::verify(machine.at(), &name(2, packed), "run-3").unwrap();
    let verified = release::verified(&machine.run(&command, b"")).unwrap();
    assert!(verified.whole() && verified.differences == 0, "{verified:?}");
}

#[test]
fn current_is_the_old_or_the_new_whenever_activation_is_killed() {
    for shell in BOTH {
        let machine = TestMachine::new(shell);
        let old = machine.deploy(1, "old");
        let new = machine.deploy(2, "new");
        let back = release::activate(machine.at(), &old, "run-2", &[]).unwrap();
        let mut seen = Vec::new();
        let all = killed(&release::activate(machine.at(), &new, "run-2", &[]).unwrap());
        assert!(all.len() > 8);
        for command in all {
            release::activated(&machine.run(&back, b""), &old).unwrap();
            let ended = machine.run(&command, b"");
            assert!(matches!(release::activated(&ended, &new), Err(ReleaseError::NoEnd { .. })));
            let Current::Release(current) = machine.list().current else { panic!("{shell:?}") };
            seen.push(current);
        }
        assert!(seen.is_sorted() && seen.first() == Some(&old) && seen.last() == Some(&new), "{seen:?}");
    }
}

#[test]
fn an_activation_whose_operator_died_ends_well() {
    for shell in BOTH {
        let machine = TestMachine::new(shell);
        let old = machine.deploy(1, "old");
        let new = machine.deploy(2, "new");
        release::activated(&machine.run(&release::activate(machine.at(), &old, "run-2", &[]).unwrap(), b""), &old)
            .unwrap();
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let command = release::activate(machine.at(), &new, "run-3", &[]).unwrap();
        let status = machine.process(&command).stdin(std::process::Stdio::null()).stdout(writer).status().unwrap();
        assert_eq!((status.code(), machine.list().current), (Some(0), Current::Release(new)), "{shell:?}");
    }
}

#[test]
fn a_program_that_is_told_to_end_removes_what_it_made() {
    use std::{io::Write, os::unix::process::CommandExt};
    for shell in [TestShell::Dash, TestShell::Busybox] {
        let machine = TestMachine::new(shell);
        let packed = machine.pack(&[]);
        let before = machine.names();
        let (command, bytes) = machine.staging(1, &packed, "run-1");
        let mut child = machine.process(&command).process_group(0).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(&bytes[..bytes.len() / 2]).unwrap();
        let out = machine.path.join(".rfab/tmp/run-1/out");
        for _ in 0..200 {
            if out.exists() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        assert!(out.exists());
        let group = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process_group(group, rustix::process::Signal::TERM).unwrap();
        // A child that was just born may have missed the signal: it ends when its input closes.
        drop(stdin);
        assert!(!child.wait().unwrap().success());
        assert_eq!(machine.names(), before, "{shell:?}");
    }
}
