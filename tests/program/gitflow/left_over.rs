//! What a run that is killed in the middle of a merge or a tag leaves behind.
use super::sample::Sample;
use lab::runnable;
use std::{fs, os::unix::process::ExitStatusExt, path::Path};

const LINE: [&str; 3] = ["finish", "hotfix", "3.0.1"];

/// Names what is in a folder.
fn names(folder: &Path) -> Vec<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// Types the line; the program that kills it needs its number.
fn killed(sample: &Sample, temporary: &str) {
    let number = sample.work.home.join("number");
    let mut rfab = sample.work.started(&LINE, &[("TMPDIR", temporary)]);
    fs::write(number.with_extension("new"), rfab.id().to_string()).unwrap();
    fs::rename(number.with_extension("new"), &number).unwrap();
    assert_eq!(rfab.wait().unwrap().signal(), Some(9));
    fs::remove_file(number).unwrap();
}

#[test]
fn what_a_killed_merge_and_a_killed_tag_leave_is_gone_after_the_next_run() {
    let sample = Sample::avh();
    let (work, home) = (&sample.work, sample.work.home.display().to_string());
    work.rfab(&["start", "hotfix", "3.0.1"]);
    work.commit("VERSION", "3.0.1");
    work.rfab(&["publish", "hotfix", "3.0.1"]);
    let temporary = sample.folder.path().join("temporary");
    fs::create_dir(&temporary).unwrap();
    // It stops rfab, so that rfab doesn't see that git ends, and ends both.
    let kills = format!(
        "#!/bin/sh\nuntil [ -e {home}/number ]; do sleep 0.1; done\n\
         rfab=$(cat {home}/number)\nkill -STOP $rfab; kill -9 $PPID; kill -9 $rfab\n"
    );
    let (hook, signer) = (work.folder.join(".git/hooks/pre-merge-commit"), work.home.join("signer"));
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    runnable::write(&hook, &kills);
    runnable::write(&signer, &kills);
    let place = temporary.to_str().unwrap();
    killed(&sample, place);
    let merge = names(&temporary);
    assert_eq!((merge.len(), work.git(&["worktree", "list"]).lines().count()), (2, 2), "{merge:?}");
    // The next run is killed where it signs the tag, and has removed what the merge left.
    fs::remove_file(&hook).unwrap();
    work.git(&["config", "tag.gpgSign", "true"]);
    work.git(&["config", "gpg.program", signer.to_str().unwrap()]);
    killed(&sample, place);
    let tag = names(&temporary);
    assert!(tag.len() == 2 && tag.iter().all(|name| !merge.contains(name)), "{merge:?} {tag:?}");
    work.git(&["config", "tag.gpgSign", "false"]);
    let (out, code) = work.told(&LINE, &[("TMPDIR", place)]);
    assert_eq!((code, names(&temporary)), (Some(0), Vec::new()), "{out}");
    assert_eq!(work.git(&["worktree", "list"]).lines().count(), 1);
    assert!(work.git(&["tag"]).contains("v3.0.1"));
}
