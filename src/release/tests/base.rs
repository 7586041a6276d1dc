//! Releases that are built upon an earlier one.
use super::machine::{BOTH, TestMachine, name};
use crate::{
    port::Ended,
    release::{self, Packed, ReleaseError, Staged},
};
use std::{fs, os::unix::fs::PermissionsExt, os::unix::fs::symlink, path::PathBuf};

/// A machine with release 1, and the commit after it.
struct Earlier {
    machine: TestMachine,
    first: Packed,
    second: Packed,
}

impl Earlier {
    fn new(shell: super::machine::TestShell) -> Self {
        let machine = TestMachine::new(shell);
        for (path, text) in [("lib/a b", "kept"), ("lib/deep/\\x", "odd"), ("bin/run", "#!/bin/sh\n"), ("big", "0")] {
            machine.sample.write(path, text.repeat(2000).as_bytes());
        }
        machine.sample.make_executable("bin/run");
        symlink("bin/run", machine.sample.work.join("start")).unwrap();
        machine.sample.write("gone/x", b"x");
        let first = machine.pack(&["log"]);
        assert_eq!(machine.stage(1, &first), Ok(Staged::New));
        fs::remove_dir_all(machine.sample.work.join("gone")).unwrap();
        machine.sample.write("lib/new/y", b"y");
        machine.sample.write("README", b"changed");
        let second = machine.pack(&["log"]);
        // The record leaves out what changed in the same moment.
        Self { machine, first, second }
    }

    fn stage(&self, lost: &[&str]) -> Result<Staged, ReleaseError> {
        release::staged(&self.run(lost), &self.machine.whole(&self.second))
    }

    fn run(&self, lost: &[&str]) -> Ended {
        let (command, bytes) = self.machine.upon((1, &self.first), 2, &self.second, lost);
        self.machine.run(&command, &bytes)
    }

    fn tree(&self, number: u32) -> PathBuf {
        let packed = if number == 1 { &self.first } else { &self.second };
        self.machine.path.join("releases").join(name(number, packed).to_string())
    }

    fn record(&self, number: u32) -> String {
        let name = self.tree(number).file_name().unwrap().to_owned();
        fs::read_to_string(self.machine.path.join(".rfab/records").join(name)).unwrap_or_default()
    }

    /// Checks that the second release is what its manifest says, and removes it.
    fn whole(&self) {
        let command = release::verify(self.machine.at(), &name(2, &self.second), "run-3").unwrap();
        let verified = release::verified(&self.machine.run(&command, b"")).unwrap();
        assert!(verified.whole() && verified.differences == 0, "{verified:?}");
        fs::remove_dir_all(self.tree(2)).unwrap();
    }
}

#[test]
fn what_stays_is_taken_from_the_earlier_release_and_only_the_rest_is_sent() {
    for shell in BOTH {
        let earlier = Earlier::new(shell);
        let (_, bytes) = earlier.machine.upon((1, &earlier.first), 2, &earlier.second, &[]);
        let ended = earlier.run(&[]);
        assert_eq!(release::staged(&ended, &earlier.machine.whole(&earlier.second)), Ok(Staged::New), "{shell:?} {ended:?}");
        assert!(bytes.len() < 600, "{}", bytes.len());
        let seen = fs::metadata(earlier.tree(2).join("lib/a b")).unwrap();
        let sent = fs::metadata(earlier.tree(2).join("README")).unwrap();
        assert_eq!(seen.modified().unwrap(), sent.modified().unwrap(), "each file has the commit's time");
        assert_eq!(fs::read_link(earlier.tree(2).join("start")).unwrap().to_str(), Some("bin/run"));
        assert!(!earlier.tree(2).join("gone").exists());
        let lines = earlier.record(2).lines().count();
        assert!(lines <= earlier.second.files, "{lines}");
        earlier.whole();
    }
}
