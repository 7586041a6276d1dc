//! What a machine knows of its runs: each has a journal, written as it goes.
mod lab;

use lab::{HostPlan, Lab, Plan, Sudo, needs_lab};
use std::{fs, os::unix::fs::PermissionsExt, thread::sleep, time::Duration};

fn one() -> Lab {
    let lab = Lab::start(
        Plan::new().serving("v3.0.0").host(HostPlan::new("test1").fleet("testing1").role("web").sudo(Sudo::Free)),
    );
    lab.edit("fabfile.rhai", |text| {
        text + "fn linger() { targets().each(|host| host.run(\"sleep 60\")); }\nfn hello(word) { targets().each(|host| host.run(\"echo {w}\", #{ w: word })); }\n"
    });
    lab
}

#[test]
fn a_run_is_known_by_what_it_did_and_how_it_ended_also_if_it_was_killed() {
    if !needs_lab("a_run_is_known_by_what_it_did_and_how_it_ended_also_if_it_was_killed") {
        return;
    }
    let lab = one();
    assert_eq!(lab.rfab(&["--history"]).output().expect_ok(), "no run is known on this machine\n");
    lab.rfab(&["testing", "hello:you"]).env("RFAB_ON_BEHALF_OF", "berta").output().expect_ok();
    assert_eq!(lab.rfab(&["testing", "--", "false"]).output().code, Some(1));
    let killed = lab.rfab(&["testing", "linger"]).start();
    killed.wait_for("targets:");
    while !lab
        .host("test1")
        .processes()
        .iter()
        .any(|p| fs::read(format!("/proc/{}/cmdline", p.pid)).is_ok_and(|l| l == b"sleep\x0060\0"))
    {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    killed.kill();

    let history = lab.rfab(&["--history"]).output().expect_ok();
    let lines: Vec<Vec<&str>> =
        history.lines().map(|l| l.split("  ").map(str::trim).filter(|c| !c.is_empty()).collect()).collect();
    let ends: Vec<(&str, &str)> = lines.iter().map(|l| (l[3], l[4])).collect();
    assert_eq!(
        ends,
        [
            ("unfinished", "rfab testing linger"),
            ("exit 1", "rfab testing -- false"),
            ("done", "rfab testing hello:you")
        ]
    );
    let shown = lab.rfab(&["--show", lines[2][0]]).output().expect_ok();
    assert!(shown.contains("line     rfab testing hello:you\nby       operator on behalf of berta, from "), "{shown}");
    assert!(shown.contains("test1         run `echo you`\n"), "{shown}");
    assert!(shown.contains("\nended with 0 after ") && shown.contains("\n1 host: 1 ok\n"), "{shown}");
    let shown = lab.rfab(&["--show", lines[0][0]]).output().expect_ok();
    assert!(shown.contains("\nit has not come to its end\n\nlogs  "), "{shown}");
    let none = lab.rfab(&["--show", "nosuch"]).output();
    assert_eq!((none.code, none.stdout.as_str()), (Some(1), ""), "{none:?}");
    let json = lab.rfab(&["--history", "--json"]).output().expect_ok();
    let last: serde_json::Value = serde_json::from_str(json.lines().last().expect("a line")).expect("JSON");
    assert_eq!((last["head"]["line"].as_str(), last["tail"]["exit"].as_u64()), (Some("testing hello:you"), Some(0)));

    // A journal is its owner's alone, and what was torn is cut off.
    let folder = lab.home().join(".local/share/rfab/runs");
    let path = folder.join(format!("{}.journal", lines[2][0]));
    assert_eq!(fs::metadata(&path).expect("a journal").permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(&folder).expect("a folder").permissions().mode() & 0o777, 0o700);
    let whole = fs::read(&path).expect("a journal");
    fs::write(&path, &whole[..whole.len() - 3]).expect("a journal");
    assert!(lab.rfab(&["--history"]).output().expect_ok().lines().last().expect("a line").contains("  unfinished  "));
}

#[test]
fn a_run_whose_journal_cannot_be_written_does_not_begin() {
    if !needs_lab("a_run_whose_journal_cannot_be_written_does_not_begin") {
        return;
    }
    let lab = one();
    fs::create_dir_all(lab.home().join(".local/share")).expect("a folder");
    fs::write(lab.home().join(".local/share/rfab"), "in the way").expect("a file");
    let refused = lab.rfab(&["testing", "hello:you"]).output();
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(1), ""), "{refused:?}");
    assert!(refused.stderr.starts_with("error: the journal cannot be written to `"), "{refused:?}");
    assert!(refused.stderr.contains("help: nothing was begun"), "{refused:?}");
}

#[test]
fn a_release_whose_operator_was_killed_goes_on_by_one_word_and_no_request_fails() {
    if !needs_lab("a_release_whose_operator_was_killed_goes_on_by_one_word_and_no_request_fails") {
        return;
    }
    let web = |name, group| HostPlan::new(name).fleet("prod").group(group).role("web").sudo(Sudo::Free);
    let lab = Lab::start(
        Plan::new()
            .serving("v3.0.0")
            .host(web("web1", "group1"))
            .host(web("web2", "group1"))
            .host(web("web3", "group2"))
            .host(web("web4", "group2"))
            .balancer("lb1", &[("bk_web", "web")]),
    );
    lab.rfab(&["prod", "setup"]).output().expect_ok();
    let load = lab.load(100);
    load.wait_for(20);
    let killed = lab.rfab(&["prod", "release:stable"]).start();
    killed.wait_for("restart shop");
    killed.kill();
    assert_eq!(killed.output().code, None);
    // The keeper's connection died with it; its lock is free in a moment.
    sleep(Duration::from_secs(1));
    let resumed = lab.rfab(&["--resume"]).output();
    println!("{}{}", resumed.stdout, resumed.stderr);
    assert_eq!(resumed.code, Some(0), "{resumed:?}");
    let commit = lab.project.resolve("v3.0.1");
    for host in ["web1", "web2", "web3", "web4"] {
        assert_eq!(lab.host(host).serves().as_deref(), Some(&commit[..12]), "{host}");
        assert_eq!(lab.balancer("lb1").column("bk_web", "status")[host], "UP", "{host}");
    }
    let migrated = lab.host("web1").sh("cat /srv/shop/shared/migrated").expect_ok();
    assert_eq!(migrated, format!("0002-{}\n", &commit[..12]), "once");
    load.wait_for(20);
    load.stop().expect_none_failed();
    let done = lab.rfab(&["--resume"]).output();
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(done.stderr.contains("there is no run that did not end well"), "{done:?}");
}
