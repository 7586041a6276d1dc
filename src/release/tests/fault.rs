//! Tools and disks that fail.
use super::machine::{BOTH, TestMachine, name};
use crate::{
    command::Command,
    port::Ended,
    release::{self, Current, Packed, ReleaseError, Staged},
};
use std::{
    fs,
    os::unix::fs::symlink,
    path::PathBuf,
    process::{self, Stdio},
    time::Duration,
};

/// Returns the mark of a release that may not be on the disk yet.
fn mark(machine: &TestMachine, number: u32, packed: &Packed) -> PathBuf {
    machine.path.join(".rfab/unflushed").join(name(number, packed).to_string())
}

fn until(done: impl Fn() -> bool) {
    for _ in 0..1000 {
        if done() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("it takes too long");
}

#[test]
fn a_release_whose_files_could_not_be_written_never_becomes_current() {
    for shell in BOTH {
        let machine = TestMachine::new(shell);
        let old = machine.deploy(1, "old");
        until(|| fs::read_dir(machine.path.join(".rfab/unflushed")).unwrap().count() == 0);
        machine.sample.write("file", b"new");
        let packed = machine.pack(&[]);
        let (new, mark) = (name(2, &packed), mark(&machine, 2, &packed));
        let activate = || {
            let command = release::activate(machine.at(), &new, "run-1", &[]).unwrap();
            release::activated(&machine.run(&command, b""), &new)
        };
        let torn = || {
            assert_eq!(activate(), Err(ReleaseError::Torn), "{shell:?}");
            let listed = machine.list();
            assert_eq!((listed.incomplete, listed.current), (vec![new.clone()], Current::Release(old.clone())));
        };
        // Linux tells `stage` of the error, and nobody else.
        machine.replace("sync", r#"[ "$*" != '-f releases' ] || exit 1; exec sync "$@""#);
        assert_eq!(machine.stage(2, &packed), Ok(Staged::New), "{shell:?}");
        until(|| fs::read_to_string(&mark).is_ok_and(|text| text == "failed\n"));
        torn();
        // It tells `stage` while `activate` waits for the disk, too.
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
        fs::write(&mark, &boot).unwrap();
        machine.replace("sync", &format!(r#"[ "$1" != -f ] || echo failed > .rfab/unflushed/{new}"#));
        torn();
        // It tells `activate`.
        fs::write(&mark, &boot).unwrap();
        machine.replace("sync", r#"[ "$1" != -f ] || exit 1"#);
        assert_eq!(activate(), Err(ReleaseError::Host("flush the files to the disk".into())), "{shell:?}");
        machine.heal();
        torn();
        assert_eq!(machine.stage(2, &packed), Ok(Staged::New), "{shell:?}");
        assert!(activate().is_ok() && machine.list().current == Current::Release(new.clone()), "{shell:?}");
    }
}

#[test]
fn a_flush_that_ends_while_its_mark_is_read_tears_nothing_and_a_mark_that_cannot_be_read_does() {
    for shell in BOTH {
        let machine = TestMachine::new(shell);
        machine.deploy(1, "old");
        machine.sample.write("file", b"new");
        let packed = machine.pack(&[]);
        let mark = mark(&machine, 2, &packed);
        assert_eq!(machine.stage(2, &packed), Ok(Staged::New), "{shell:?}");
        until(|| !mark.exists());
        let marked = || {
            let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
            fs::write(&mark, boot).unwrap();
            let listed = machine.list();
            (listed.incomplete.len(), listed.releases.len())
        };
        assert_eq!(marked(), (0, 2), "{shell:?}");
        machine.replace("cat", r#"case $* in *unflushed*) rm -f "$@" ;; esac; exec cat "$@""#);
        assert_eq!(marked(), (0, 2), "{shell:?}: the flush ended");
        machine.replace("cat", r#"case $* in *unflushed*) exit 1 ;; esac; exec cat "$@""#);
        assert_eq!(marked(), (1, 1), "{shell:?}: it can't be read");
    }
}

#[test]
fn names_and_targets_with_line_ends_and_tabs_pass_for_nothing_else() {
    for shell in BOTH {
        let machine = TestMachine::new(shell);
        machine.sample.write("bin/run", b"#!/bin/sh\n");
        symlink("bin/run", machine.sample.work.join("start")).unwrap();
        let packed = machine.pack(&[]);
        assert_eq!(machine.stage(1, &packed), Ok(Staged::New));
        let name = name(1, &packed);
        let tree = machine.path.join("releases").join(name.to_string());
        fs::remove_file(tree.join("start")).unwrap();
        symlink("/evil\n/evil\nbin/run", tree.join("start")).unwrap();
        symlink("end\n", tree.join("other")).unwrap();
        for twin in ["a\nb", "a\nc"] {
            fs::write(tree.join(twin), "").unwrap();
        }
        // A file in this folder would pass for `./README`.
        fs::remove_file(tree.join("README")).unwrap();
        fs::create_dir(tree.join("x\nf\t644\t5\t.")).unwrap();
        fs::write(tree.join("x\nf\t644\t5\t./README"), "").unwrap();
        symlink("f\t644\t5", tree.join("README")).unwrap();
        let verify = release::verify(machine.at(), &name, "run-1").unwrap();
        let verified = release::verified(&machine.run(&verify, b"")).unwrap();
        assert_eq!(verified.missing, ["bin/run ./start", "f 644 5 ./README"], "{shell:?}");
        let mut extra = verified.extra;
        extra.sort();
        let odd = ["n 644 - newline"; 3].map(str::to_owned).to_vec();
        let links = ["l 777 - ./README", "l 777 - ./other", "n 755 - newline"];
        let targets = ["README", "other", "start"].map(|name| format!("newline  ./{name}")).to_vec();
        let mut want = [odd, links.map(str::to_owned).to_vec(), targets].concat();
        want.sort();
        assert_eq!(extra, want, "{shell:?}");
    }
}

#[test]
fn a_file_whose_name_begins_like_a_missing_one_is_read() {
    for shell in BOTH {
        let machine = TestMachine::new(shell);
        for path in ["a", "ab", "x  ./a"] {
            machine.sample.write(path, b"right");
        }
        let packed = machine.pack(&[]);
        assert_eq!(machine.stage(1, &packed), Ok(Staged::New));
        let name = name(1, &packed);
        let tree = machine.path.join("releases").join(name.to_string());
        fs::remove_file(tree.join("a")).unwrap();
        for path in ["ab", "x  ./a"] {
            fs::write(tree.join(path), "wrong").unwrap();
        }
        let verify = release::verify(machine.at(), &name, "run-1").unwrap();
        let verified = release::verified(&machine.run(&verify, b"")).unwrap();
        assert_eq!(verified.missing, ["f 644 5 ./a"], "{shell:?}");
        assert_eq!(verified.changed, ["./ab: FAILED", "./x  ./a: FAILED"], "{shell:?}");
    }
}

/// Returns the program once for each line of the functions that compare trees, with another command before that line.
fn before_each_line(command: &Command, what: &str) -> Vec<String> {
    let Command::Words(words) = command else { panic!() };
    let text: Vec<&str> = words[2].lines().collect();
    let begin = text.iter().position(|line| line.starts_with("expect()")).unwrap();
    let end = text.iter().position(|line| line.starts_with("sums()")).unwrap();
    let is_line = |at: &usize| {
        let own = text[*at]
            .strip_prefix("    ")
            .is_some_and(|line| line.starts_with(|c: char| c.is_alphabetic() || c == '['));
        own && !text[*at - 1].ends_with('&') && !text[*at].starts_with("    done") && !text[*at].starts_with("    find")
    };
    let before = |at: usize| {
        let mut lines = text.clone();
        lines.insert(at, what);
        lines.join("\n")
    };
    (begin..end).filter(is_line).map(before).collect()
}

/// The disk is full from one line on: busybox's tools don't notice that.
#[test]
fn a_changed_file_never_passes_for_right_because_the_disk_is_full() {
    let script = r#"
        mount -t tmpfs -o size=4m,mode=755 none "$1" || exit 99
        at=$1 shell=$2 all=$3 setup=$4 name=$5
        shift 5
        "$shell" -c "$setup" setup "$at" > /dev/null || exit 98
        "$shell" "$@" > /dev/null || exit 97
        for file in "$at/releases/$name"/*; do printf X | dd of="$file" conv=notrunc 2>/dev/null; done
        for program in "$all"/*; do
            "$shell" -c "$(cat "$program")" verify "$at" "$name" run-2
            echo "status $?"
            rm -rf "$at/fill" "$at/.rfab/tmp/run-2"
        done"#;
    for shell in BOTH {
        let machine = TestMachine::bare(shell);
        fs::create_dir_all(&machine.path).unwrap();
        for n in 0..300 {
            machine.sample.write(&format!("file{n}"), b"x");
        }
        let packed = machine.pack(&[]);
        let (stage, bytes) = machine.staging(1, &packed, "run-1");
        let verify = release::verify(machine.at(), &name(1, &packed), "run-2").unwrap();
        let all = machine.folder.path().join("all");
        fs::create_dir(&all).unwrap();
        let programs = before_each_line(&verify, "cat /dev/zero 2>/dev/null > \"$root/fill\"");
        for (nth, text) in programs.iter().enumerate() {
            fs::write(all.join(format!("{nth:03}")), text).unwrap();
        }
        let (stage, setup) = (machine.process(&stage), machine.process(&release::setup(machine.at()).unwrap()));
        let flags: &[&str] = if rustix::process::geteuid().is_root() { &["-m"] } else { &["-r", "-m"] };
        let mut outer = process::Command::new("/usr/bin/unshare");
        outer.args(flags).args(["/bin/dash", "-c", script, "outer", machine.at()]).arg(setup.get_program()).arg(&all);
        outer.arg(setup.get_args().nth(1).unwrap()).arg(name(1, &packed).to_string()).args(stage.get_args());
        outer.envs(stage.get_envs().filter_map(|(key, value)| Some((key, value?))));
        outer.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let answer = super::machine::ended(outer, &bytes);
        if answer.status == 99 || String::from_utf8_lossy(&answer.err).contains("unshare") {
            return;
        }
        let text = String::from_utf8(answer.out.clone()).unwrap();
        let mut failed = 0;
        let mut seen = 0;
        let mut rest = text.as_str();
        while let Some((out, after)) = rest.split_once("status ") {
            let (status, after) = after.split_once('\n').unwrap();
            let ended = Ended { status: status.parse().unwrap(), out: out.into(), err: Vec::new(), cut: false };
            let verified = release::verified(&ended);
            assert!(!verified.as_ref().is_ok_and(release::Verified::whole), "{shell:?} {seen}: {ended:?}");
            failed += usize::from(verified == Err(ReleaseError::Host("write".into())));
            seen += 1;
            rest = after;
        }
        assert_eq!(seen, programs.len(), "{shell:?}: {answer:?}");
        assert!(seen > 20 && failed > 10, "{shell:?}: {failed} of {seen}");
    }
}

/// Without a lock, another run stages another build by the same name before each step.
#[test]
fn of_two_builds_by_one_name_one_wins_whole() {
    for shell in BOTH {
        let machine = TestMachine::new(shell);
        let built = machine.folder.path().join("built");
        let builds = ["one", "two"].map(|text| {
            fs::create_dir_all(&built).unwrap();
            fs::write(built.join("app"), text).unwrap();
            release::pack_folder(&built, &"1".repeat(40), 1000, &[], machine.folder.path()).unwrap()
        });
        let name = name(1, &builds[0]);
        let (tree, manifest) = (format!("releases/{name}"), format!("releases/{name}.manifest"));
        let (Command::Words(words), bytes) = machine.staging(1, &builds[1], "run-2") else { panic!() };
        let other = machine.folder.path().join("other");
        fs::create_dir(&other).unwrap();
        fs::write(other.join("text"), &words[2]).unwrap();
        fs::write(other.join("bytes"), bytes).unwrap();
        let shell_words: Vec<String> = words[3..].iter().map(|word| format!("'{word}'")).collect();
        let step =
            format!("sh -c \"$(cat {0}/text)\" {1} < {0}/bytes > /dev/null", other.display(), shell_words.join(" "));
        let (command, bytes) = machine.staging(1, &builds[0], "run-1");
        let mut won = [0, 0];
        // The last steps are those that place the release.
        let steps = super::kill::before_each_step(&command, &step);
        let late = steps.len() - 12;
        for (nth, command) in steps.iter().enumerate().filter(|(nth, _)| nth % 8 == 0 || *nth > late) {
            let staged = release::staged(&machine.run(command, &bytes), &machine.whole(&builds[0]));
            let there = fs::read_to_string(machine.path.join(&manifest)).unwrap();
            let winner = builds.iter().position(|build| build.manifest.text() == there).unwrap();
            won[winner] += 1;
            let lost = matches!(staged, Err(ReleaseError::Taken | ReleaseError::Another { .. }));
            assert!(if winner == 0 { staged == Ok(Staged::New) } else { lost }, "{shell:?} {nth}: {winner} {staged:?}");
            let verify = release::verify(machine.at(), &name, "run-3").unwrap();
            let verified = release::verified(&machine.run(&verify, b"")).unwrap();
            assert!(verified.whole() && verified.differences == 0, "{shell:?} {nth}: {verified:?}");
            fs::remove_dir_all(machine.path.join(&tree)).unwrap();
            fs::remove_file(machine.path.join(&manifest)).unwrap();
        }
        assert!(won[0] > 0 && won[1] > 8, "{shell:?}: {won:?}");
    }
}

#[test]
fn a_folder_that_somebody_makes_meanwhile_never_gets_a_manifest() {
    for shell in BOTH {
        let machine = TestMachine::new(shell);
        let packed = machine.pack(&[]);
        let (command, bytes) = machine.staging(1, &packed, "run-1");
        let at = machine.path.join("releases").join(name(1, &packed).to_string());
        let step = format!("mkdir -p '{}/theirs'", at.display());
        let mut ends = [0, 0];
        for (nth, command) in super::kill::before_each_step(&command, &step).iter().enumerate() {
            match release::staged(&machine.run(command, &bytes), &machine.whole(&packed)) {
                Ok(Staged::New) => ends[0] += 1,
                other => {
                    assert_eq!(other, Err(ReleaseError::Taken), "{shell:?} {nth}");
                    assert!(!at.with_extension("manifest").exists(), "{shell:?} {nth}");
                    assert_eq!(fs::read_dir(&at).unwrap().count(), 1, "{shell:?} {nth}");
                    ends[1] += 1;
                }
            }
            fs::remove_dir_all(&at).unwrap();
        }
        assert!(ends[0] > 0 && ends[1] > 10, "{shell:?}: {ends:?}");
    }
}
