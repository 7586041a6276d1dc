//! From setup to activation, and every way in which staging fails.
use super::machine::{BOTH, TestMachine, ended, name};
use crate::{
    port::Ended,
    release::{self, Activated, Amount, Current, ListedRelease, Packed, ReleaseError, Staged},
};
use std::{
    io::Write,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::Path,
    process::{Command, Stdio},
};

/// Verifies a complete release, and then a changed one.
fn what_differs_from_the_manifest_is_told(
    machine: &TestMachine,
    packed: &Packed,
    name: &release::ReleaseName,
    tree: &Path,
) {
    let verify = || {
        let command = release::verify(machine.at(), name, "run-1").unwrap();
        release::verified(&machine.run(&command, b"")).unwrap()
    };
    assert!(verify().whole() && verify().differences == 0 && verify().manifest == packed.manifest_sha256);
    std::fs::write(tree.join("bin/run"), "#!/bin/ls\n").unwrap();
    std::fs::write(tree.join("made"), "by prepare").unwrap();
    std::fs::remove_file(tree.join("-rf")).unwrap();
    let seen = verify();
    assert_eq!(seen.missing, ["f 644 3 ./-rf"]);
    assert_eq!(seen.extra, ["f 644 10 ./made"]);
    assert!(seen.changed.contains(&"./bin/run: FAILED".to_owned()) && !seen.whole(), "{seen:?}");
}

#[test]
fn a_release_is_staged_listed_activated_and_verified() {
    for shell in BOTH {
        let machine = TestMachine::new(shell);
        machine.sample.write("bin/run", b"#!/bin/sh\n");
        machine.sample.make_executable("bin/run");
        for odd in ["with space/ü", "-rf", "a\\b", "$(touch x)", " lead", "trail ", "*"] {
            machine.sample.write(odd, odd.as_bytes());
        }
        symlink("bin/run", machine.sample.work.join("start")).unwrap();
        let packed = machine.pack(&["log", "public/uploads"]);
        assert_eq!(machine.stage(7, &packed), Ok(Staged::New), "{shell:?}");
        let release = ListedRelease {
            name: name(7, &packed),
            commit: packed.manifest.commit.clone(),
            manifest: packed.manifest_sha256.clone(),
        };
        let listed = machine.list();
        assert_eq!((&listed.releases, &listed.current), (&vec![release.clone()], &Current::None));
        assert!(listed.incomplete.is_empty() && listed.others.is_empty());
        let at = release.name.to_string();
        assert_eq!(
            machine.names(),
            [
                ".rfab",
                ".rfab/records",
                &format!(".rfab/records/{at}"),
                ".rfab/tmp",
                "releases",
                &format!("releases/{at}"),
                &format!("releases/{at}.manifest"),
                "shared",
                "shared/log",
                "shared/public",
                "shared/public/uploads"
            ]
        );
        let tree = machine.path.join("releases").join(&at);
        let mode = |path: &str| std::fs::symlink_metadata(tree.join(path)).unwrap().permissions().mode() & 0o7777;
        assert_eq!([mode("."), mode("bin"), mode("bin/run"), mode("-rf")], [0o755, 0o755, 0o755, 0o644]);
        std::fs::write(tree.join("public/uploads/x"), "kept").unwrap();
        assert_eq!(std::fs::read_to_string(machine.path.join("shared/public/uploads/x")).unwrap(), "kept");

        let activate = release::activate(machine.at(), &release.name, "run-1", &[]).unwrap();
        let activated = release::activated(&machine.run(&activate, b""), &release.name);
        assert_eq!(activated, Ok(Activated { old: Current::None, unchanged: false }));
        let again = release::activated(&machine.run(&activate, b""), &release.name);
        assert_eq!(again, Ok(Activated { old: Current::Release(release.name.clone()), unchanged: true }));
        assert_eq!(machine.list().current, Current::Release(release.name.clone()));
        assert_eq!(
            std::fs::read_link(machine.path.join("current")).unwrap().to_str().unwrap(),
            format!("releases/{at}")
        );
        assert_eq!(machine.stage(7, &packed), Ok(Staged::Already));
        what_differs_from_the_manifest_is_told(&machine, &packed, &release.name, &tree);
    }
}

#[test]
fn a_release_that_a_power_cut_tore_is_neither_listed_nor_activated_but_sent_again() {
    for shell in BOTH {
        let machine = TestMachine::new(shell);
        let old = machine.deploy(1, "old");
        machine.sample.write("file", b"new");
        let packed = machine.pack(&[]);
        assert_eq!(machine.stage(2, &packed), Ok(Staged::New));
        let name = name(2, &packed);
        let mark = machine.path.join(".rfab/unflushed").join(name.to_string());
        let activate = || {
            let command = release::activate(machine.at(), &name, "run-1", &[]).unwrap();
            release::activated(&machine.run(&command, b""), &name)
        };
        // The mark of another boot, and one that didn't reach the disk itself.
        for boot in ["0-0-0", ""] {
            while mark.exists() {
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
            std::fs::write(&mark, boot).unwrap();
            std::fs::write(machine.path.join("releases").join(name.to_string()).join("file"), "").unwrap();
            assert_eq!(machine.list().incomplete, std::slice::from_ref(&name), "{shell:?}");
            assert_eq!(activate(), Err(ReleaseError::Torn), "{shell:?}");
            assert_eq!(machine.list().current, Current::Release(old.clone()));
            assert_eq!(machine.stage(2, &packed), Ok(Staged::New), "{shell:?}");
            assert_eq!(machine.stage(2, &packed), Ok(Staged::Already), "{shell:?}");
        }
        // In the same boot, activation waits for the disk.
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
        std::fs::write(&mark, boot).unwrap();
        assert!(activate().is_ok() && !mark.exists(), "{shell:?}");
    }
}

#[test]
fn setup_makes_the_folders_once_and_mends_their_modes() {
    for shell in BOTH {
        let machine = TestMachine::bare(shell);
        let setup = || release::set_up(&machine.run(&release::setup(machine.at()).unwrap(), b"")).map(|(made, _)| made);
        assert_eq!(setup().unwrap(), ["releases", "shared", ".rfab", ".rfab/tmp"]);
        let mode = |path: &str| std::fs::metadata(machine.path.join(path)).unwrap().mode() & 0o7777;
        std::fs::set_permissions(machine.path.join("releases"), PermissionsExt::from_mode(0o777)).unwrap();
        assert_eq!(setup(), Ok(vec![]));
        assert_eq!(["releases", "shared", ".rfab", ".rfab/tmp"].map(mode), [0o755, 0o755, 0o755, 0o700]);
        std::fs::remove_dir_all(machine.path.join("releases")).unwrap();
        symlink("/tmp", machine.path.join("releases")).unwrap();
        assert_eq!(setup(), Err(ReleaseError::IsLink("releases".into())));
        assert!(matches!(release::setup("/srv/../etc"), Err(ReleaseError::BadPath(_))));
        let absent = release::list("/nowhere/at/all").unwrap();
        assert!(matches!(release::listed(&machine.run(&absent, b"")), Err(ReleaseError::NotSetUp(_))));
    }
}

#[test]
fn a_broken_or_changed_stream_leaves_nothing() {
    for shell in BOTH {
        let machine = TestMachine::new(shell);
        machine.deploy(1, "old");
        let before = machine.names();
        machine.sample.write("big", &(0..200_000u32).flat_map(u32::to_le_bytes).collect::<Vec<_>>());
        let packed = machine.pack(&[]);
        let (_, good) = machine.staging(2, &packed, "run-1");
        let parcel = machine.whole(&packed);
        for percent in [0, 10, 50, 99] {
            let cut = good.len() * percent / 100;
            let ended = machine.stage_bytes(2, &packed, &parcel, &good[..cut]);
            assert_eq!(ended, Err(ReleaseError::Cut { bytes: good.len() as u64 }), "{shell:?} {percent}");
            assert_eq!(machine.names(), before);
        }
        let mut flipped = good.clone();
        flipped[good.len() / 2] ^= 1;
        assert!(machine.stage_bytes(2, &packed, &parcel, &flipped).is_err());
        assert_eq!(machine.names(), before);
        assert_eq!(machine.stage(2, &packed), Ok(Staged::New));
    }
}

/// A team's folder with the setgid bit, which passes its group on: ansible/ansible#20852.
#[test]
fn below_a_folder_that_hands_its_group_on_a_release_is_staged_verified_and_activated() {
    for shell in BOTH {
        let machine = TestMachine::bare(shell);
        std::fs::create_dir_all(&machine.path).unwrap();
        std::fs::set_permissions(&machine.path, std::fs::Permissions::from_mode(0o2775)).unwrap();
        release::set_up(&machine.run(&release::setup(machine.at()).unwrap(), b"")).unwrap();
        machine.sample.write("bin/deep/run", b"#!/bin/sh\n");
        let packed = machine.pack(&["log"]);
        assert_eq!(machine.stage(7, &packed), Ok(Staged::New), "{shell:?}");
        let name = name(7, &packed);
        let verify = || {
            let command = release::verify(machine.at(), &name, "run-1").unwrap();
            release::verified(&machine.run(&command, b"")).unwrap()
        };
        assert!(verify().whole(), "{shell:?}: {:?}", verify());
        let activate = release::activate(machine.at(), &name, "run-1", &[]).unwrap();
        release::activated(&machine.run(&activate, b""), &name).unwrap();
        // Any other bit is still a difference, and so is this bit on a file.
        let tree = machine.path.join("releases").join(name.to_string());
        for (at, mode, seen) in
            [("bin", 0o1755, "d 1755 - ./bin"), ("bin/deep/run", 0o2644, "f 2644 10 ./bin/deep/run")]
        {
            let before = std::fs::metadata(tree.join(at)).unwrap().permissions();
            std::fs::set_permissions(tree.join(at), std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(verify().extra, [seen], "{shell:?}");
            std::fs::set_permissions(tree.join(at), before).unwrap();
        }
    }
}

#[test]
fn a_linked_file_that_is_missing_is_named_and_a_name_that_is_taken_is_left() {
    for shell in BOTH {
        let machine = TestMachine::new(shell);
        let packed = machine.pack(&["config/database.yml", ".env", "log"]);
        let before = machine.names();
        let missing = ".env`, `shared/config/database.yml".to_owned();
        assert_eq!(machine.stage(1, &packed), Err(ReleaseError::LinkedFile(missing)));
        assert_eq!(machine.names(), before);
        std::fs::create_dir(machine.path.join("shared/config")).unwrap();
        for file in ["config/database.yml", ".env", "log"] {
            std::fs::write(machine.path.join("shared").join(file), "x").unwrap();
        }
        assert_eq!(machine.stage(1, &packed), Err(ReleaseError::LinkedFolder("log".into())));
        std::fs::remove_file(machine.path.join("shared/log")).unwrap();
        let at = machine.path.join("releases").join(name(1, &packed).to_string());
        std::fs::create_dir(&at).unwrap();
        assert_eq!(machine.stage(1, &packed), Err(ReleaseError::Taken));
        assert_eq!(std::fs::read_dir(&at).unwrap().count(), 0);
        std::fs::remove_dir(&at).unwrap();
        std::fs::create_dir(machine.path.join(".rfab/tmp/run-1")).unwrap();
        assert_eq!(machine.stage(1, &packed), Err(ReleaseError::IdTaken));
        std::fs::remove_dir(machine.path.join(".rfab/tmp/run-1")).unwrap();
        assert_eq!(machine.stage(1, &packed), Ok(Staged::New));
        assert_eq!(std::fs::read_to_string(at.join("config/database.yml")).unwrap(), "x");
        let other = Packed { manifest_sha256: "1".repeat(64), ..packed.clone() };
        let [there, wanted] = [&packed, &other].map(|packed| packed.manifest_sha256.clone());
        let before = machine.names();
        assert_eq!(machine.stage(1, &other), Err(ReleaseError::Another { there, wanted }), "one name, one content");
        assert_eq!(machine.names(), before);
    }
}

#[test]
fn a_linked_file_is_looked_for_and_made_once_and_what_is_there_is_left() {
    for shell in BOTH {
        let machine = TestMachine::new(shell);
        let file = "config/data base.yml".to_owned();
        let look = |path: &str| {
            let command = release::preflight::preflight(path, std::slice::from_ref(&file)).unwrap();
            release::preflight::preflighted(&machine.run(&command, b"")).unwrap()
        };
        let share = |bytes: u64, stdin: &[u8]| {
            let command = release::share::share(machine.at(), &file, "run-1", bytes, None, false).unwrap();
            release::share::made(&machine.run(&command, stdin), bytes)
        };
        let lacks = |problems: &[&str]| release::PreflightProblems {
            problems: problems.iter().map(|problem| problem.to_string()).collect(),
            files: vec![file.clone()],
        };
        assert_eq!(look("/nonexistent/app"), lacks(&["the app's folders don't exist yet"]));
        assert_eq!(look(machine.at()), lacks(&[]));
        let before = machine.names();
        assert_eq!(share(6, b"half"), Err(ReleaseError::Short { got: 4, bytes: 6 }));
        let after: Vec<_> = machine.names().into_iter().filter(|name| name != "shared/config").collect();
        assert_eq!(after, before, "nothing of it is left but its folder");
        assert_eq!(share(5, b"pool\n"), Ok(true));
        assert_eq!(share(6, b"other\n"), Ok(false));
        assert_eq!(std::fs::read_to_string(machine.path.join("shared").join(&file)).unwrap(), "pool\n");
        assert_eq!(look(machine.at()), release::PreflightProblems::default());
    }
}

#[test]
fn as_root_nothing_is_done_in_a_folder_that_another_user_can_change() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    for shell in BOTH {
        let machine = TestMachine::new(shell);
        let name = machine.deploy(1, "old");
        let at = machine.path.canonicalize().unwrap().display().to_string();
        let refused = |said: ReleaseError| {
            matches!(&said, ReleaseError::Others(path) if path.starts_with(&at)) || said == ReleaseError::Led
        };
        let tried = |what: &str| {
            let before = machine.names();
            let packed = machine.pack(&[]);
            let run = |command: Result<_, ReleaseError>| machine.run(&command.unwrap(), b"text\n");
            let all = [
                machine.stage(2, &packed).map(drop),
                release::listed(&run(release::list(machine.at()))).map(drop),
                release::activated(&run(release::activate(machine.at(), &name, "run-1", &[])), &name).map(drop),
                release::pruned(&run(release::prune(machine.at(), 1, &[]))).map(drop),
                release::verified(&run(release::verify(machine.at(), &name, "run-2"))).map(drop),
                release::share::made(&run(release::share::share(machine.at(), "a", "run-1", 5, None, true)), 5)
                    .map(drop),
                release::preflight::preflighted(&run(release::preflight::preflight(machine.at(), &[]))).map(drop),
            ];
            for (nth, said) in all.into_iter().enumerate() {
                assert!(said.clone().is_err_and(refused), "{shell:?} {what} {nth}: {said:?}");
            }
            assert_eq!(machine.names(), before, "{shell:?} {what}");
        };
        let give =
            |name: &str, owner: u32| std::os::unix::fs::lchown(machine.path.join(name), Some(owner), None).unwrap();
        for folder in ["", "releases", ".rfab", ".rfab/tmp"] {
            give(folder, 58002);
            tried(folder);
            give(folder, 0);
        }
        let above = machine.path.parent().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        let real = elsewhere.path().join("real");
        std::fs::rename(above, &real).unwrap();
        symlink(&real, above).unwrap();
        assert_eq!(machine.list().releases.len(), 1, "a link of root's own is a way");
        std::os::unix::fs::lchown(machine.folder.path(), Some(58002), None).unwrap();
        tried("a link in the path");
        std::os::unix::fs::lchown(machine.folder.path(), Some(0), None).unwrap();
        // A shared file may belong to the app.
        give("shared", 58002);
        let shared =
            machine.run(&release::share::share(machine.at(), "deep/a", "run-1", 5, None, true).unwrap(), b"text\n");
        assert_eq!(release::share::made(&shared, 5), Ok(true));
        let mode = std::fs::metadata(machine.path.join("shared/deep/a")).unwrap().permissions();
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o7777, 0o600);
        symlink("/etc", machine.path.join("shared/out")).unwrap();
        let out = machine
            .run(&release::share::share(machine.at(), "out/rfab-never", "run-1", 5, None, true).unwrap(), b"text\n");
        assert!(matches!(release::share::made(&out, 5), Err(ReleaseError::CannotMake(_))), "{out:?}");
        assert!(!std::path::Path::new("/etc/rfab-never").exists());
    }
}

#[test]
fn activation_refuses_what_is_not_staged_and_what_is_no_link() {
    for shell in BOTH {
        let machine = TestMachine::new(shell);
        let old = machine.deploy(1, "old");
        let before = machine.names();
        let packed = machine.pack(&[]);
        let activate = |number| {
            let command = release::activate(machine.at(), &name(number, &packed), "run-1", &[]).unwrap();
            release::activated(&machine.run(&command, b""), &name(number, &packed))
        };
        assert_eq!(activate(2), Err(ReleaseError::NotStaged));
        assert_eq!(machine.names(), before);
        machine.stage(2, &packed).unwrap();
        // A run that died between the two steps left this behind.
        symlink("releases/0009-000000000000", machine.path.join(".current-run-1")).unwrap();
        assert_eq!(activate(2), Ok(Activated { old: Current::Release(old), unchanged: false }));
        std::fs::remove_file(machine.path.join("current")).unwrap();
        symlink("/srv/other\nplace", machine.path.join("current")).unwrap();
        assert_eq!(machine.list().current, Current::Foreign("/srv/other\nplace".into()));
        assert_eq!(activate(2).unwrap().old, Current::Foreign("/srv/other\nplace".into()));
        std::fs::remove_file(machine.path.join("current")).unwrap();
        std::fs::create_dir(machine.path.join("current")).unwrap();
        assert_eq!(machine.list().current, Current::Foreign(String::new()));
        assert_eq!(activate(2), Err(ReleaseError::StrangeCurrent));
        assert_eq!(std::fs::read_dir(machine.path.join("current")).unwrap().count(), 0);
    }
}

#[test]
fn hostile_names_among_the_releases_are_told_apart() {
    for shell in BOTH {
        let machine = TestMachine::new(shell);
        let good = machine.deploy(3, "x");
        let others =
            ["a b", "-rf", "0001-abc", "x\ncurrent 0009-000000000000", "*", "00003-000000000000", "z.manifest"];
        for other in others {
            std::fs::create_dir(machine.path.join("releases").join(other)).unwrap();
        }
        symlink(good.to_string(), machine.path.join("releases/0008-000000000000")).unwrap();
        for made_up in ["0009-000000000000", "999999999-000000000000"] {
            std::fs::create_dir(machine.path.join("releases").join(made_up)).unwrap();
        }
        let listed = machine.list();
        assert_eq!(listed.releases.iter().map(|r| r.name.clone()).collect::<Vec<_>>(), std::slice::from_ref(&good));
        assert_eq!(listed.current, Current::Release(good));
        assert_eq!(
            listed.incomplete,
            ["0009-000000000000", "999999999-000000000000"].map(|name| name.parse().unwrap())
        );
        assert_eq!(listed.highest(), 3, "a folder that anybody can make gives the fleet no number");
        let mut want: Vec<String> = others.iter().map(|other| other.to_string()).collect();
        want.push("0008-000000000000".into());
        want.sort();
        let mut seen = listed.others;
        seen.sort();
        assert_eq!(seen, want);
    }
}

#[test]
fn a_full_disk_is_noticed_before_and_in_the_middle() {
    for shell in BOTH {
        let machine = TestMachine::bare(shell);
        std::fs::create_dir_all(&machine.path).unwrap();
        machine.sample.write("big", &vec![0; 8 << 20]);
        let packed = machine.pack(&[]);
        // The program expects to need almost nothing, and fails in the middle.
        let hopeful = Packed { room: 1, ..packed.clone() };
        let cases = [(&packed, "size=1m"), (&hopeful, "size=1m"), (&packed, "size=64m,nr_inodes=20")];
        for (packed, options) in cases {
            let Some(answer) = on_a_small_disk(&machine, packed, options) else { return };
            match release::staged(&answer, &machine.whole(packed)) {
                Err(ReleaseError::Full { need: Amount::Inodes(_), .. }) if options.contains("inodes") => {}
                Err(ReleaseError::Full { need: Amount::Bytes(_), .. }) if !options.contains("inodes") => {}
                other => panic!("{shell:?} {options}: {other:?} {answer:?}"),
            }
            let said = String::from_utf8_lossy(&answer.err);
            assert!(said.ends_with("left: releases shared\n"), "{shell:?} {options}: {said}");
        }
    }
}

/// Sets up and stages on a tmpfs, and then prints to stderr what is left in it. If this user can't mount one, the
/// function prints that and returns nothing.
fn on_a_small_disk(machine: &TestMachine, packed: &Packed, options: &str) -> Option<Ended> {
    let script = r#"
        mount -t tmpfs -o "$1,mode=755" none "$2" || exit 99
        at=$2 shell=$3 setup=$4
        shift 4
        "$shell" -c "$setup" setup "$at" > /dev/null || exit 98
        "$shell" "$@"
        status=$?
        rmdir "$at/.rfab/tmp" || exit 97
        cd "$at" && echo left: $(find . -mindepth 1 ! -path "./.rfab*" | sort | cut -c3-) >&2
        exit $status"#;
    let (stage, bytes) = machine.staging(1, packed, "run-1");
    let stage = machine.process(&stage);
    let setup = machine.process(&release::setup(machine.at()).unwrap());
    let flags: &[&str] = if rustix::process::geteuid().is_root() { &["-m"] } else { &["-r", "-m"] };
    let mut outer = Command::new("unshare");
    outer.args(flags).args(["/bin/dash", "-c", script, "outer", options, machine.at()]);
    outer.arg(setup.get_program()).arg(setup.get_args().nth(1).unwrap()).args(stage.get_args());
    outer.envs(stage.get_envs().filter_map(|(key, value)| Some((key, value?))));
    outer.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let answer = ended(outer, &bytes);
    let said = String::from_utf8_lossy(&answer.err).into_owned();
    if answer.status == 99 || said.contains("unshare") {
        // Not through the harness, which hides what a passing test prints.
        std::io::stderr().write_all(format!("not run: a full disk: {said}").as_bytes()).unwrap();
        return None;
    }
    Some(answer)
}

#[test]
fn three_thousand_files_are_staged_whole() {
    for shell in BOTH {
        let machine = TestMachine::new(shell);
        for n in 0..3000 {
            machine.sample.write(&format!("lib/{}/file{n}", n % 50), format!("{n}").repeat(50).as_bytes());
        }
        let packed = machine.pack(&[]);
        assert_eq!(machine.stage(1, &packed), Ok(Staged::New));
        let verify = release::verify(machine.at(), &name(1, &packed), "run-2").unwrap();
        assert!(release::verified(&machine.run(&verify, b"")).unwrap().whole(), "{shell:?}");
    }
}
