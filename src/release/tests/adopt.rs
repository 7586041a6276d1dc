//! Folders that another tool deployed to.
use super::machine::{BOTH, TestMachine, name};
use crate::release::{self, Activated, Adopted, Current, ReleaseError};
use std::os::unix::fs::symlink;

/// Makes what Capistrano leaves: two releases, an absolute link, and none of rfab's folders.
fn of_capistrano(machine: &TestMachine) -> String {
    let at = |name: &str| machine.path.join(name);
    std::fs::remove_dir_all(at(".rfab")).unwrap();
    for release in ["20240101120000", "20240201120000"] {
        std::fs::create_dir(at("releases").join(release)).unwrap();
        std::fs::write(at("releases").join(release).join("REVISION"), format!("{}\n", "a1".repeat(20))).unwrap();
    }
    std::fs::create_dir_all(at("shared/log")).unwrap();
    std::fs::write(at("revisions.log"), "Branch main (at a1) deployed\n").unwrap();
    let target = at("releases/20240201120000").display().to_string();
    symlink(&target, at("current")).unwrap();
    target
}

#[test]
fn a_folder_of_capistrano_is_taken_over_as_it_is_once_that_is_typed_and_its_releases_stay() {
    for shell in BOTH {
        let machine = TestMachine::new(shell);
        let current = of_capistrano(&machine);
        let set_up = |command| release::set_up(&machine.run(&command, b""));
        let before = machine.names();
        let setup = || release::setup(machine.at()).unwrap();
        assert_eq!(set_up(setup()), Err(ReleaseError::Foreign("Capistrano's layout".into())));
        assert_eq!(machine.names(), before);
        let found = Adopted {
            tool: Some("Capistrano's layout".into()),
            current: Some(current.clone()),
            commit: Some("a1".repeat(20)),
            others: 2,
        };
        assert_eq!(
            found.to_string(),
            format!("Capistrano's layout: 2 releases, `current` points to {current} (a1a1a1a1a1a1)")
        );
        let adopt = || release::adopt(machine.at()).unwrap();
        assert_eq!(set_up(adopt()), Ok((vec![".rfab".into(), ".rfab/tmp".into()], found.clone())));
        let made = [".rfab".to_owned(), ".rfab/tmp".to_owned()];
        let after: Vec<_> = machine.names().into_iter().filter(|name| !made.contains(name)).collect();
        assert_eq!(after, before);
        assert_eq!(set_up(adopt()), Ok((vec![], found.clone())));
        assert_eq!(set_up(setup()), Ok((vec![], found)), "it was taken over");

        let listed = machine.list();
        assert_eq!((listed.current, listed.others.len()), (Current::Foreign(current.clone()), 2));
        let packed = machine.pack(&[]);
        machine.stage(1, &packed).unwrap();
        let release = name(1, &packed);
        let command = release::activate(machine.at(), &release, "run-1", &[]).unwrap();
        let activated = release::activated(&machine.run(&command, b""), &release);
        assert_eq!(activated, Ok(Activated { old: Current::Foreign(current), unchanged: false }));
        for number in 2..5 {
            machine.deploy(number, &number.to_string());
        }
        release::pruned(&machine.run(&release::prune(machine.at(), 1, &[]).unwrap(), b"")).unwrap();
        assert_eq!(machine.list().others, ["20240101120000", "20240201120000"], "never pruned");
    }
}

#[test]
fn a_current_that_is_a_folder_is_refused_and_left() {
    for shell in BOTH {
        let machine = TestMachine::new(shell);
        std::fs::create_dir(machine.path.join("current")).unwrap();
        let at = format!("{}/current", machine.path.canonicalize().unwrap().display());
        let before = machine.names();
        for command in [release::setup(machine.at()), release::adopt(machine.at())] {
            let refused = release::set_up(&machine.run(&command.unwrap(), b""));
            assert_eq!(refused, Err(ReleaseError::CurrentFolder(at.clone())));
        }
        assert_eq!(machine.names(), before);
        let help = crate::failure::Failure::from(ReleaseError::CurrentFolder("/srv/shop/current".into())).help.unwrap();
        assert!(help.contains("`cd /srv/shop && mkdir -p releases && mv current releases/before"), "{help}");
    }
}
