//! In a large repository, a hotfix takes as many steps of git as in a small one, and writes as few files.
use super::sample::Sample;
use serde_json::Value;
use std::{fs, io::Write as _, path::Path};

/// How many branches, tags and files a large repository has more.
const MORE: usize = 600;

/// Makes a shop whose origin has more branches, tags and files, on production and on develop.
fn shop(more: usize) -> Sample {
    let sample = Sample::avh();
    let work = &sample.work;
    work.git(&["checkout", "-q", "production"]);
    for at in 0..more {
        let folder = work.folder.join(format!("app/{}", at % 20));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(format!("{at}.txt")), format!("{at}\n")).unwrap();
    }
    fs::create_dir_all(work.folder.join("app")).unwrap();
    work.commit("app/first", "1");
    work.git(&["checkout", "-q", "develop"]);
    work.git(&["merge", "-q", "--no-edit", "production"]);
    work.git(&["push", "-q", "origin", "production", "develop"]);
    let (develop, origin) = (work.git(&["rev-parse", "develop"]), sample.folder.path().join("origin.git"));
    let refs = |at: usize| [format!("heads/feature/f{at}"), format!("tags/v1.0.{at}")];
    let lines = (0..more).flat_map(refs).map(|name| format!("{} refs/{name}\n", develop.trim()));
    // Without a head line, git sorts them itself.
    let mut packed = fs::File::create_new(origin.join("packed-refs")).unwrap();
    packed.write_all(lines.collect::<String>().as_bytes()).unwrap();
    sample
}

/// Runs rfab, which must end well, and returns the subcommands of git that it called.
fn called(sample: &Sample, words: &[&str]) -> Vec<String> {
    let traces = tempfile::tempdir().unwrap();
    let (out, code) = sample.work.told(words, &[("GIT_TRACE2_EVENT", traces.path().to_str().unwrap())]);
    assert_eq!(code, Some(0), "rfab {words:?}: {out}");
    let read = |entry: fs::DirEntry| fs::read_to_string(entry.path()).unwrap();
    let mut all: Vec<String> =
        fs::read_dir(traces.path()).unwrap().flatten().map(read).filter_map(|trace| subcommand(&trace)).collect();
    all.sort();
    all
}

/// Reads the subcommand from a trace; `None` if git called git.
fn subcommand(trace: &str) -> Option<String> {
    let events: Vec<Value> = trace.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let is_called_by_git = events[0]["sid"].as_str()?.contains('/');
    let name = events.iter().find(|event| event["event"] == "cmd_name")?["name"].as_str()?.to_owned();
    (!is_called_by_git).then_some(name)
}

fn files_below(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| if entry.path().is_dir() { files_below(&entry.path()) } else { 1 }).sum()
}

/// Counts the files that git writes into work trees, by a filter that every file goes through.
fn count_written(sample: &Sample) -> impl Fn() -> usize {
    let written = sample.folder.path().join("written");
    let smudge = format!("echo 1 >> {}; cat", written.display());
    sample.work.git(&["config", "filter.count.smudge", &smudge]);
    fs::create_dir_all(sample.work.folder.join(".git/info")).unwrap();
    fs::write(sample.work.folder.join(".git/info/attributes"), "* filter=count\n").unwrap();
    move || fs::read_to_string(&written).unwrap_or_default().lines().count()
}

#[test]
fn a_large_repository_takes_as_many_steps_of_git_as_a_small_one_and_writes_as_few_files_and_objects() {
    let (small, large) = (shop(1), shop(MORE));
    let lists = [&small, &large].map(|sample| called(sample, &["list", "feature"]));
    let only_large: Vec<&String> = lists[1].iter().filter(|name| !lists[0].contains(name)).collect();
    assert_eq!(only_large, ["pack-refs"]);
    assert_eq!(lists[1].len(), lists[0].len() + 1, "{lists:?}");
    assert_eq!(files_below(&large.work.folder.join(".git/refs/rfab")), 0);
    let mut seen = Vec::new();
    for sample in [&small, &large] {
        let written = count_written(sample);
        let mut steps = vec![called(sample, &["start", "hotfix", "3.0.1"])];
        sample.work.commit("VERSION", "3.0.1");
        steps.push(called(sample, &["publish", "hotfix", "3.0.1"]));
        let before = written();
        steps.push(called(sample, &["finish", "hotfix", "3.0.1"]));
        steps.push(called(sample, &["list", "feature"]));
        let objects = files_below(&sample.work.folder.join(".git/objects"));
        seen.push((steps, written() - before, objects));
    }
    let (large, small) = (seen.pop().unwrap(), seen.pop().unwrap());
    assert_eq!(large.0, small.0);
    assert!(large.0.iter().flatten().all(|name| name != "fetch"), "nothing was new: {large:?}");
    assert_eq!((large.1, small.1), (1, 1), "only VERSION is written, for the branch that is checked out");
    // The other files of `shop`, and the folders that have them.
    assert_eq!(large.2 - small.2, MORE - 1 + 19);
}

#[test]
fn a_merge_in_an_empty_work_tree_is_the_one_that_git_makes_with_all_files() {
    let finished = |with: fn(&Sample)| {
        let sample = Sample::avh();
        let work = &sample.work;
        work.git(&["checkout", "-q", "production"]);
        fs::write(work.folder.join(".gitattributes"), "log merge=union\n").unwrap();
        work.commit("log", "first\n");
        work.commit("moved", "some\nlines\nthat\nmove\n");
        work.git(&["checkout", "-q", "develop"]);
        work.git(&["merge", "-q", "--no-edit", "production"]);
        work.git(&["mv", "moved", "renamed"]);
        work.commit("log", "first\ndevelop\n");
        work.git(&["push", "-q", "origin", "production", "develop"]);
        with(&sample);
        work.rfab(&["start", "hotfix", "3.0.1"]);
        work.commit("log", "first\nhotfix\n");
        work.commit("moved", "some\nlines\nthat\nmoved\n");
        work.rfab(&["finish", "hotfix", "3.0.1"]);
        assert_eq!(work.git(&["worktree", "list"]).lines().count(), 1);
        sample
    };
    let hook = |sample: &Sample| {
        let hooks = sample.folder.path().join("hooks");
        fs::create_dir(&hooks).unwrap();
        let seen = sample.folder.path().join("seen");
        lab::runnable::write(&hooks.join("pre-merge-commit"), &format!("#!/bin/sh\nls > {}\n", seen.display()));
        sample.work.git(&["config", "core.hooksPath", hooks.to_str().unwrap()]);
    };
    let (empty, full) = (finished(|_| {}), finished(hook));
    assert_eq!(empty.origin(), full.origin());
    assert_eq!(empty.work.git(&["show", "develop:log"]), "first\ndevelop\nhotfix\n");
    assert_eq!(empty.work.git(&["show", "develop:renamed"]), "some\nlines\nthat\nmoved\n");
    let seen = fs::read_to_string(full.folder.path().join("seen")).unwrap();
    assert_eq!(seen, "VERSION\nfabfile.rhai\nfeature\nlog\nrenamed\n", "a hook sees the files");
}

#[test]
fn a_merge_driver_decides_as_in_git_and_sees_the_files() {
    let sample = Sample::avh();
    let work = &sample.work;
    work.git(&["config", "merge.keep.driver", "test -f feature"]);
    fs::create_dir_all(work.folder.join(".git/info")).unwrap();
    fs::write(work.folder.join(".git/info/attributes"), "VERSION merge=keep\n").unwrap();
    work.git(&["checkout", "-q", "develop"]);
    work.commit("VERSION", "3.1.0");
    work.git(&["push", "-q", "origin", "develop"]);
    work.rfab(&["start", "hotfix", "3.0.1"]);
    work.commit("VERSION", "3.0.1");
    work.rfab(&["finish", "hotfix", "3.0.1"]);
    assert_eq!(work.git(&["show", "develop:VERSION"]), "3.1.0");
    assert_eq!(work.git(&["show", "v3.0.1:VERSION"]), "3.0.1");
}
