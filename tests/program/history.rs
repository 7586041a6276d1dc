//! This machine's record of its runs, as the program prints it.
use super::{ran, says, shop};
use rfab::store::{Head, Runs};
use std::{fs, path::Path, thread};

/// Leaves this many runs that died, a minute apart, without telling the index.
pub fn died(home: &Path, count: u32) {
    let runs = Runs::new(home.join(".local/share/rfab/runs"));
    for number in 0..count {
        let head = Head {
            run: format!("019ab5a1{number:03}-0a1b2c").into(),
            line: "prod:out deploy:stable".into(),
            tasks: ["prod", "deploy"].map(Into::into).to_vec(),
            who: "alice".into(),
            from: "laptop".into(),
            since: format!("2001-11-24T{:02}:{:02}:00Z", number / 60, number % 60),
            fabfile: "/f".into(),
            digest: "d".into(),
            ..Head::default()
        };
        drop(runs.begin(&head).unwrap());
    }
    for file in ["index.sqlite3", "index.sqlite3-wal", "index.sqlite3-shm"] {
        let _ = fs::remove_file(home.join(".local/share/rfab").join(file));
    }
}

#[test]
fn several_processes_that_find_no_index_make_it_and_say_the_same() {
    let folder = shop();
    died(folder.path(), 90);
    let all: Vec<_> = thread::scope(|scope| {
        let asked = (0..8).map(|_| scope.spawn(|| ran(folder.path(), &["--history", "--newest", "1000"])));
        asked.collect::<Vec<_>>().into_iter().map(|asked| asked.join().unwrap()).collect()
    });
    let (said, wrong, code) = &all[0];
    assert_eq!((wrong.as_str(), *code, said.lines().count()), ("", 0, 91), "{said}");
    assert!(all.iter().all(|other| other == &all[0]), "{all:#?}");
}

#[test]
fn a_list_of_runs_is_cut_down_by_flags_which_stand_beside_history_alone() {
    let folder = shop();
    says(folder.path(), &["--history", "--fleet", "prod"], 0, "no run on this machine matches\n", "");
    assert!(!folder.path().join(".local").exists(), "a question makes nothing");
    died(folder.path(), 3);
    says(
        folder.path(),
        &["--history", "--task", "deploy", "--outcome", "unfinished", "--newest", "2"],
        0,
        "\
run          when          outcome     release  by     fleet  line
019ab5a1002  24 Nov  2001  unfinished  -        alice  -      prod:out deploy:stable
019ab5a1001  24 Nov  2001  unfinished  -        alice  -      prod:out deploy:stable
there are older runs: --newest 4 shows more
",
        "",
    );
    let none = "no run on this machine matches\n";
    says(folder.path(), &["--history", "--since", "2001-11-25", "--until", "2h"], 0, none, "");
    says(folder.path(), &["--history", "--outcome", "done", "--json"], 0, "", "");
    says(
        folder.path(),
        &["--history", "--task", "depoly"],
        1,
        "",
        "error: this machine has no run of a task `depoly`\n  help: did you mean `deploy`?\n",
    );
    says(
        folder.path(),
        &["--history", "--since", "yesterday"],
        2,
        "",
        "error: invalid value 'yesterday' for '--since <TIME>': it isn't a time: write how long ago (30m, 2h, 3d, 2w), a day \
         (2026-11-24), or RFC 3339\n",
    );
    says(
        folder.path(),
        &["prod", "--newest", "3"],
        2,
        "",
        "error: the argument '--newest' works only with '--history'\n\n\
         Usage: rfab [FLAGS] TASK[:ARGUMENT,...] [ARGUMENT...] ... [-- COMMAND...]\n",
    );
}

#[test]
fn what_is_not_about_runs_does_not_look_at_them() {
    let folder = shop();
    died(folder.path(), 1);
    let store = folder.path().join(".local/share/rfab");
    for line in [&["--list"][..], &["--docs"], &["--help"], &["--version"], &["nosuch"]] {
        ran(folder.path(), line);
        assert!(!store.join("index.sqlite3").exists(), "{line:?}");
    }
    ran(folder.path(), &["--history"]);
    assert!(store.join("index.sqlite3").exists());
}
