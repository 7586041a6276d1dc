//! Releases that are built upon an earlier one.
use super::machine::{BOTH, TestMachine, name};
use crate::{
    port::Ended,
    release::{self, Amount, Packed, Packing, ReleaseError, Staged, program::travelling, tree::Difference},
};
use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::PathBuf,
};

/// A machine with release 1, and the commit after it.
struct Earlier {
    machine: TestMachine,
    first: Packed,
    second: Packed,
}

impl Earlier {
    fn new(shell: super::machine::TestShell) -> Self {
        let machine = TestMachine::new(shell);
        machine.sample.write("lib/more", "more words\n".repeat(9000).as_bytes());
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
        Self { machine, first, second }
    }

    fn stage(&self, lost: &[&str]) -> Result<Staged, ReleaseError> {
        self.staged(lost, false)
    }

    fn staged(&self, lost: &[&str], hash_all: bool) -> Result<Staged, ReleaseError> {
        let (command, bytes) = self.machine.upon((1, &self.first), 2, &self.second, lost, hash_all);
        release::staged(&self.machine.run(&command, &bytes), &self.machine.whole(&self.second))
    }

    fn run(&self, lost: &[&str]) -> Ended {
        let (command, bytes) = self.machine.upon((1, &self.first), 2, &self.second, lost, false);
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
        let (_, bytes) = earlier.machine.upon((1, &earlier.first), 2, &earlier.second, &[], false);
        let ended = earlier.run(&[]);
        assert_eq!(
            release::staged(&ended, &earlier.machine.whole(&earlier.second)),
            Ok(Staged::New),
            "{shell:?} {ended:?}"
        );
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

#[test]
fn a_program_does_the_same_without_its_comments_and_indents() {
    for shell in BOTH {
        let earlier = Earlier::new(shell);
        let (command, bytes) = earlier.machine.upon((1, &earlier.first), 2, &earlier.second, &[], false);
        let (command, packs) = travelling(&command);
        let ended = earlier.machine.run(&command, &bytes);
        assert_eq!(release::staged(&ended, &earlier.machine.whole(&earlier.second)), Ok(Staged::New), "{ended:?}");
        assert!(packs && !command.shown().contains("\n    ") && !command.shown().contains("\n# "));
        earlier.whole();
    }
}

#[test]
fn a_file_that_changed_in_the_earlier_release_is_named_and_healed() {
    type Change = fn(&std::path::Path);
    let changes: [(&str, Change); 8] = [
        ("lib/a b", |at| fs::write(at, "KEPT".repeat(2000)).unwrap()),
        ("lib/a b", |at| fs::write(at, "longer".repeat(2000)).unwrap()),
        ("lib/deep/\\x", |at| fs::remove_file(at).unwrap()),
        ("bin/run", |at| fs::set_permissions(at, PermissionsExt::from_mode(0o600)).unwrap()),
        ("big", |at| {
            fs::remove_file(at).unwrap();
            symlink("/etc/passwd", at).unwrap();
        }),
        ("big", |at| {
            fs::remove_file(at).unwrap();
            let made = std::process::Command::new("mkfifo").arg(at).status().unwrap();
            assert!(made.success());
        }),
        ("start", |at| {
            fs::remove_file(at).unwrap();
            symlink("big", at).unwrap();
        }),
        ("start", |at| {
            fs::remove_file(at).unwrap();
            symlink("/evil\n/evil\nbin/run", at).unwrap();
        }),
    ];
    for shell in BOTH {
        let earlier = Earlier::new(shell);
        let before = earlier.machine.names();
        for (nth, (path, change)) in changes.into_iter().enumerate() {
            let at = earlier.tree(1).join(path);
            let copy = earlier.machine.folder.path().join("copy");
            let _ = fs::remove_dir_all(&copy);
            let run = |from: &std::path::Path, to: &std::path::Path| {
                let ended = std::process::Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
                assert!(ended.success());
            };
            run(&earlier.tree(1), &copy);
            change(&at);
            assert_eq!(earlier.stage(&[]), Err(ReleaseError::Drifted(vec![path.to_owned()])), "{shell:?} {nth}");
            assert_eq!(earlier.machine.names(), before, "{shell:?} {nth}");
            assert_eq!(earlier.stage(&[path]), Ok(Staged::New), "{shell:?} {nth}");
            earlier.whole();
            fs::remove_dir_all(earlier.tree(1)).unwrap();
            run(&copy, &earlier.tree(1));
            let record = earlier.machine.path.join(".rfab/records").join(name(2, &earlier.second).to_string());
            fs::remove_file(record).unwrap();
            fs::remove_file(earlier.tree(2).with_extension("manifest")).unwrap();
        }
        assert_eq!(earlier.stage(&[]), Ok(Staged::New), "{shell:?}: other inodes are hashed, and are right");
        earlier.whole();
    }
}

#[test]
fn a_file_is_hashed_again_only_if_its_inode_changed() {
    for shell in BOTH {
        let earlier = Earlier::new(shell);
        // A file that changed in the moment of the record isn't in it.
        let record = earlier.record(1);
        let lines = |text: &str| text.lines().filter(|line| line.ends_with("./big")).count();
        let line = record.lines().find(|line| line.ends_with("./lib/a b"));
        let Some(line) = line.filter(|_| lines(&record) == 1) else { continue };
        assert_eq!(line.split('\t').count(), 6, "{line}");
        // A record that claims what isn't so is believed: only the app's owner can write it, who can write the release.
        let at = earlier.tree(1).join("big");
        fs::write(&at, "1".repeat(2000)).unwrap();
        assert_eq!(earlier.stage(&[]), Err(ReleaseError::Drifted(vec!["big".into()])), "{shell:?}");
        // The same size and modification time prove nothing.
        let touched = fs::metadata(earlier.tree(1).join("README")).unwrap().modified().unwrap();
        fs::File::options().append(true).open(&at).unwrap().set_modified(touched).unwrap();
        assert_eq!(earlier.stage(&[]), Err(ReleaseError::Drifted(vec!["big".into()])), "{shell:?}");
    }
}

#[test]
fn a_record_that_was_made_up_is_believed_unless_all_is_to_be_hashed() {
    for shell in BOTH {
        let earlier = Earlier::new(shell);
        let record = earlier.record(1);
        let Some(line) = record.lines().find(|line| line.ends_with("./big")) else { continue };
        let at = earlier.tree(1).join("big");
        fs::write(&at, "1".repeat(2000)).unwrap();
        let seen = std::process::Command::new("stat").args(["-c", "%z\t%i\t%s\t%f"]).arg(&at).output().unwrap();
        let sum = line.split('\t').nth(4).unwrap();
        let made_up = format!("{}\t{sum}\t./big", String::from_utf8(seen.stdout).unwrap().trim_end());
        let file = earlier.machine.path.join(".rfab/records").join(earlier.tree(1).file_name().unwrap());
        fs::write(file, record.replace(line, &made_up)).unwrap();
        let all = earlier.staged(&[], true);
        assert_eq!(all, Err(ReleaseError::Drifted(vec!["big".into()])), "{shell:?}");
        assert_eq!(earlier.stage(&[]), Ok(Staged::New), "{shell:?}");
        assert_eq!(fs::read_to_string(earlier.tree(2).join("big")).unwrap(), "1".repeat(2000));
    }
}

#[test]
fn an_earlier_release_that_is_not_what_was_expected_is_not_built_upon() {
    for shell in BOTH {
        let earlier = Earlier::new(shell);
        let before = earlier.machine.names();
        let (tree, manifest) = (earlier.tree(1), earlier.tree(1).with_extension("manifest"));
        let text = fs::read(&manifest).unwrap();
        let said = |why| Err(ReleaseError::Base(why));
        fs::remove_file(&manifest).unwrap();
        assert_eq!(earlier.stage(&[]), said("it isn't there any more"));
        symlink("/dev/null", &manifest).unwrap();
        assert_eq!(earlier.stage(&[]), said("it isn't there any more"));
        fs::remove_file(&manifest).unwrap();
        fs::write(&manifest, [&text[..], b"f\n"].concat()).unwrap();
        assert_eq!(earlier.stage(&[]), said("it has a different manifest"));
        fs::write(&manifest, &text).unwrap();
        let aside = tree.with_extension("aside");
        fs::rename(&tree, &aside).unwrap();
        assert_eq!(earlier.stage(&[]), said("it isn't there any more"));
        symlink(&aside, &tree).unwrap();
        assert_eq!(earlier.stage(&[]), said("it isn't there any more"));
        fs::remove_file(&tree).unwrap();
        fs::rename(&aside, &tree).unwrap();
        fs::create_dir(tree.join("made by prepare")).unwrap();
        assert_eq!(earlier.machine.names(), before, "{shell:?}");
        assert_eq!(earlier.stage(&[]), Ok(Staged::New));
        earlier.whole();
    }
}

/// The base is edited, emptied or pruned before each step of the program.
#[test]
fn whatever_becomes_of_the_earlier_release_meanwhile_the_tree_is_right_or_not_there() {
    for shell in BOTH {
        let earlier = Earlier::new(shell);
        let (command, bytes) = earlier.machine.upon((1, &earlier.first), 2, &earlier.second, &[], false);
        let base = format!("releases/{}", name(1, &earlier.first));
        let aside = earlier.machine.folder.path().join("aside");
        let copied = std::process::Command::new("cp").arg("-a").arg(earlier.tree(1)).arg(&aside).status().unwrap();
        assert!(copied.success());
        for change in
            ["rm -rf BASE BASE.manifest", "rm -rf BASE/lib", "printf wrong > BASE/big", "printf x >> \"BASE/lib/a b\""]
        {
            let steps = super::kill::before_each_step(&command, &change.replace("BASE", &base));
            let mut ends = [0, 0];
            let every = if std::env::var_os("RFAB_ALL").is_some() { 1 } else { 5 };
            for (step, changed) in steps.iter().enumerate().step_by(every) {
                let ended = earlier.machine.run(changed, &bytes);
                match release::staged(&ended, &earlier.machine.whole(&earlier.second)) {
                    Ok(Staged::New) => ends[0] += 1,
                    Err(ReleaseError::Base(_) | ReleaseError::Drifted(_)) => ends[1] += 1,
                    // Before `enter`, nothing has happened.
                    Err(ReleaseError::NotSetUp(_)) if step == 0 => {}
                    other => panic!("{shell:?} {step} {change}: {other:?} {ended:?}"),
                }
                if earlier.tree(2).exists() {
                    earlier.whole();
                    fs::remove_file(earlier.tree(2).with_extension("manifest")).unwrap();
                }
                let _ = fs::remove_dir_all(earlier.tree(1));
                let copied =
                    std::process::Command::new("cp").arg("-a").arg(&aside).arg(earlier.tree(1)).status().unwrap();
                assert!(copied.success());
                fs::write(earlier.tree(1).with_extension("manifest"), earlier.first.manifest.text()).unwrap();
            }
            assert!(ends[0] > 1 && ends[1] > 1, "{shell:?} {change}: {ends:?}");
        }
    }
}

#[test]
fn a_release_upon_another_is_whole_or_not_there_whenever_staging_is_killed() {
    for shell in BOTH {
        let earlier = Earlier::new(shell);
        let (command, bytes) = earlier.machine.upon((1, &earlier.first), 2, &earlier.second, &[], false);
        let every = if std::env::var_os("RFAB_ALL").is_some() { 1 } else { 3 };
        for (step, killed) in super::kill::before_each_step(&command, "kill -9 $$").iter().enumerate().step_by(every) {
            let ended = earlier.machine.run(killed, &bytes);
            let staged = release::staged(&ended, &earlier.machine.whole(&earlier.second));
            assert!(matches!(staged, Err(ReleaseError::NoEnd { .. })), "{shell:?} {step}: {ended:?}");
            if earlier.tree(2).exists() {
                earlier.whole();
            }
            let prune = release::prune(earlier.machine.at(), 5, &[]).unwrap();
            release::pruned(&earlier.machine.run(&prune, b"")).unwrap();
            let left = |name: &String| name.starts_with(".rfab/tmp/") || name.contains("0002-");
            assert_eq!(earlier.machine.names().into_iter().find(left), None, "{shell:?} {step}");
        }
        assert_eq!(earlier.stage(&[]), Ok(Staged::New));
        earlier.whole();
    }
}

#[test]
fn a_copy_that_failed_is_never_taken_for_the_file_whatever_its_size() {
    for shell in BOTH {
        let earlier = Earlier::new(shell);
        let before = earlier.machine.names();
        let wrong = format!("printf '%02000d' 1 > {}", ".rfab/tmp/run-2/out/tree/big");
        let script = |then: &str| {
            let app = earlier.machine.at();
            format!(r#"case "$*" in *tried | */base) exec cp "$@" ;; esac; cp "$@"; cd '{app}'; {then}; exit 1"#)
        };
        earlier.machine.replace("cp", &script(&wrong));
        assert_eq!(earlier.stage(&[]), Err(ReleaseError::Base("its files can't be copied")), "{shell:?}");
        assert_eq!(earlier.machine.names(), before);
        // The disk is full.
        earlier.machine.replace("cp", &script("touch .rfab/full"));
        earlier
            .machine
            .replace("stat", r#"[ "$1" != -f ] || [ ! -e .rfab/full ] || { echo 1 512; exit; }; exec stat "$@""#);
        assert!(
            matches!(earlier.stage(&[]), Err(ReleaseError::Full { free, .. }) if free == Amount::Bytes(512)),
            "{shell:?}"
        );
        fs::remove_file(earlier.machine.path.join(".rfab/full")).unwrap();
        assert_eq!(earlier.machine.names(), before);
        earlier.machine.heal();
        assert_eq!(earlier.stage(&[]), Ok(Staged::New), "{shell:?}");
        earlier.whole();
    }
}

#[test]
fn files_that_are_one_in_the_earlier_release_are_two_in_the_new_one() {
    for shell in BOTH {
        let earlier = Earlier::new(shell);
        let before = earlier.machine.names();
        for path in ["bin/twin", "lib/twin"] {
            earlier.machine.sample.write(path, b"twin");
        }
        let first = earlier.machine.pack(&["log"]);
        assert_eq!(earlier.machine.stage(3, &first), Ok(Staged::New));
        earlier.machine.sample.write("README", b"again");
        let second = earlier.machine.pack(&["log"]);
        let base = earlier.machine.path.join("releases").join(name(3, &first).to_string());
        fs::remove_file(base.join("lib/twin")).unwrap();
        fs::hard_link(base.join("bin/twin"), base.join("lib/twin")).unwrap();
        let (command, bytes) = earlier.machine.upon((3, &first), 4, &second, &[], false);
        let staged = release::staged(&earlier.machine.run(&command, &bytes), &earlier.machine.whole(&second));
        let tree = earlier.machine.path.join("releases").join(name(4, &second).to_string());
        match staged {
            Ok(Staged::New) => assert_eq!(fs::metadata(tree.join("bin/twin")).unwrap().nlink(), 1, "{shell:?}"),
            // The `cp` of busybox keeps hard links.
            other => assert_eq!(other, Err(ReleaseError::Base("it isn't what was staged")), "{shell:?}"),
        }
        assert!(earlier.machine.names().len() > before.len());
    }
}

#[test]
fn an_earlier_release_without_a_record_is_hashed_once() {
    for shell in BOTH {
        let earlier = Earlier::new(shell);
        fs::remove_dir_all(earlier.machine.path.join(".rfab/records")).unwrap();
        assert_eq!(earlier.stage(&[]), Ok(Staged::New), "{shell:?}: version 0.2 kept no record");
        let record = earlier.record(2);
        assert!(record.lines().all(|line| line.split('\t').count() == 6), "{record}");
        earlier.whole();
    }
}

/// Returns bytes that can't be compressed.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 9_u64;
    let mut byte = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..length).map(|_| byte()).collect()
}

#[test]
fn a_large_file_that_changed_travels_as_a_difference_where_the_host_can_patch() {
    for shell in BOTH {
        let machine = TestMachine::new(shell);
        let mut blob = noise(1 << 20);
        machine.sample.write("bin/blob", &blob);
        machine.sample.make_executable("bin/blob");
        let first = machine.pack(&[]);
        assert_eq!(machine.stage(1, &first), Ok(Staged::New));
        blob[500_000..500_010].fill(0);
        blob.splice(100..100, *b"inserted");
        machine.sample.write("bin/blob", &blob);
        let second = machine.pack(&[]);
        let earlier = Earlier { machine, first, second };
        let (_, bytes) = earlier.machine.upon((1, &earlier.first), 2, &earlier.second, &[], false);
        assert!(bytes.len() < 2000, "{}", bytes.len());
        match shell {
            super::machine::TestShell::Dash => assert_eq!(earlier.stage(&[]), Ok(Staged::New)),
            // It has no zstd. Such a host is never sent a difference, but it would say what it lacks.
            super::machine::TestShell::Busybox => {
                assert_eq!(earlier.stage(&[]), Err(ReleaseError::Drifted(vec!["bin/blob".into()])));
                let listed = earlier.machine.list();
                assert_eq!((listed.packing, listed.copies, listed.patches), (Packing::Gzip, true, false));
                continue;
            }
        }
        assert_eq!(fs::read(earlier.tree(2).join("bin/blob")).unwrap(), blob);
        earlier.whole();
        let at = earlier.tree(1).join("bin/blob");
        type Change = fn(&std::path::Path);
        let changes: [Change; 3] = [
            |at| fs::write(at, noise(1 << 20).split_off(9)).unwrap(),
            |at| fs::remove_file(at).unwrap(),
            |at| assert!(std::process::Command::new("mkfifo").arg(at).status().unwrap().success()),
        ];
        for change in changes {
            change(&at);
            assert_eq!(earlier.stage(&[]), Err(ReleaseError::Drifted(vec!["bin/blob".into()])));
        }
        let listed = earlier.machine.list();
        assert_eq!((listed.packing, listed.copies, listed.patches), (Packing::Zstd, true, true));
    }
}

#[test]
fn differences_to_two_earlier_files_are_two_parcels() {
    let machine = TestMachine::new(BOTH[0]);
    let mut blob = noise(1 << 20);
    let all = [0, 1, 2].map(|n: u8| {
        blob[500_000] = n;
        machine.sample.write("blob", &blob);
        machine.pack(&[])
    });
    let parts = [&all[0], &all[1]].map(|earlier| {
        let none = std::collections::BTreeSet::new();
        let lacking = Difference::between(&earlier.manifest, &all[2].manifest, &none, true).unwrap();
        let parcel = all[2].part(&lacking, machine.folder.path(), Packing::Gzip).unwrap();
        (lacking.gone, lacking.manifest, parcel.file)
    });
    assert_eq!((&parts[0].0, &parts[0].1), (&parts[1].0, &parts[1].1), "only the earlier file is another");
    assert_ne!(parts[0].2, parts[1].2);
}

#[test]
fn a_parcel_in_zstd_is_the_same_tree() {
    let earlier = Earlier::new(BOTH[0]);
    let parcel = earlier.second.whole(earlier.machine.folder.path(), Packing::Zstd).unwrap();
    let bytes = fs::read(&parcel.file).unwrap();
    assert_eq!(earlier.machine.stage_bytes(2, &earlier.second, &parcel, &bytes), Ok(Staged::New));
    earlier.whole();
}

#[test]
fn a_build_is_sent_as_a_difference_to_an_earlier_build_that_is_kept_here() {
    let machine = TestMachine::new(BOTH[0]);
    let (built, commits) = (machine.folder.path().join("built"), ["1".repeat(40), "2".repeat(40)]);
    let mut blob = noise(300 << 10);
    let build = |blob: &[u8], commit: &str| {
        fs::create_dir_all(built.join("lib")).unwrap();
        fs::write(built.join("app"), blob).unwrap();
        fs::write(built.join("lib/same"), noise(9000)).unwrap();
        symlink("lib/same", built.join(format!("link-{}", &commit[..1]))).unwrap();
        release::pack_folder(&built, commit, 1000, &["log".to_owned()], machine.folder.path()).unwrap()
    };
    let first = build(&blob, &commits[0]);
    assert_eq!(machine.stage(1, &first), Ok(Staged::New));
    blob[9] ^= 1;
    let second = build(&blob, &commits[1]);
    let earlier = Earlier { machine, first, second };
    let (_, bytes) = earlier.machine.upon((1, &earlier.first), 2, &earlier.second, &[], false);
    assert!(bytes.len() < 1500, "{}", bytes.len());
    assert_eq!(earlier.stage(&[]), Ok(Staged::New));
    earlier.whole();
}
