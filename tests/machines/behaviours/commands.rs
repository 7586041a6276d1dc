//! Commands and files on hosts behave the same in the lab and on the model.

use super::{four, says};
use crate::sides::Sides;
use lab::{Lab, needs_lab};
use rfab::{
    command::Command,
    model::ModelOutput,
    remote::{Capture, Exec, Exists, Get, InspectPath, On, Put, ReadFile, WriteFile},
};

fn exec(sides: &Sides, host: &str, words: &str, any_status: bool) -> Exec {
    let (on, command) = (On::from(sides.host(host)), Command::words(words, &[]).unwrap());
    Exec { on, command, any_status, state: sides.fleet.state.clone() }
}

fn capture(sides: &Sides, host: &str, words: &str, any_status: bool) -> Capture {
    let (on, command) = (On::from(sides.host(host)), Command::words(words, &[]).unwrap());
    Capture { on, command, any_status, shown: false }
}

/// Each effect on a file refuses what isn't a path, in both worlds.
fn refuse_what_is_no_path(sides: &Sides) {
    let on = || On::from(sides.host("web1"));
    let refused = "isn't a path on a host";
    for path in ["-rf", "", "/srv/a\nb"].map(String::from) {
        sides.fail(&InspectPath { on: on(), path: path.clone() }, refused);
        sides.fail(&Exists { on: on(), path: path.clone() }, refused);
        sides.fail(&ReadFile { on: on(), path: path.clone() }, refused);
        sides.fail(&Get { on: on(), from: path.clone(), to: "/nonexistent".into() }, refused);
        sides.fail(&WriteFile { on: on(), path: path.clone(), text: "x".into(), secret: false }, refused);
        let from = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml").into();
        sides.fail(&Put { on: on(), from, to: path }, refused);
    }
}

#[test]
fn commands_and_files() {
    if !needs_lab("commands_and_files") {
        return;
    }
    let lab = Lab::start(four());
    let sides = Sides::of(&lab);
    sides.same(&exec(&sides, "web1", "true", false)).unwrap();
    let three = ModelOutput { status: 3, out: "out".into(), err: "err".into() };
    let line = r#"sh -c "echo out; echo err >&2; exit 3""#;
    says(&sides, "web1", &Command::words(line, &[]).unwrap().shown(), three);
    for any_status in [false, true] {
        let (ran, read) = (exec(&sides, "web1", line, any_status), capture(&sides, "web1", line, any_status));
        let ended = (sides.same(&ran), sides.same(&read));
        assert_eq!((ended.0.is_ok(), ended.1.is_ok()), (any_status, any_status));
        assert!(any_status || ended.0.unwrap_err().status == Some(3));
    }
    sides.learn(&capture(&sides, "web1", "uname", false));
    assert_eq!(sides.same(&capture(&sides, "web1", "uname", false)).unwrap().out, "Linux");

    let on = |host: &str| On::from(sides.host(host));
    let path = "/var/tmp/greeting";
    let look = InspectPath { on: on("web1"), path: path.into() };
    let exists = Exists { on: on("web1"), path: path.into() };
    let read = ReadFile { on: on("web1"), path: path.into() };
    sides.same(&look).unwrap();
    assert!(!sides.same(&exists).unwrap());
    sides.fail(&read, "it isn't there");
    let here = tempfile::tempdir().unwrap();
    let get = Get { on: on("web1"), from: path.into(), to: here.path().join("got") };
    sides.fail(&get, "it isn't there");
    refuse_what_is_no_path(&sides);
    sides.same(&WriteFile { on: on("web1"), path: path.into(), text: "hello\n".into(), secret: false }).unwrap();
    sides.same(&look).unwrap();
    assert!(sides.same(&exists).unwrap());
    assert_eq!(sides.same(&read).unwrap(), "hello\n");
    sides.same(&get).unwrap();
    std::fs::write(here.path().join("sent"), b"\xff\xfe").unwrap();
    sides.same(&Put { on: on("web1"), from: here.path().join("sent"), to: path.into() }).unwrap();
    sides.fail(&read, "it isn't UTF-8 text");
    sides.fail(&Put { on: on("web1"), from: here.path().join("none"), to: path.into() }, "can't be read");

    let _ = lab.host("web4").sh("head -c 2000000 /dev/zero > /srv/full; mkdir -p /srv/own; chown deploy /srv/own");
    let web4 = sides.host("web4");
    sides.model(|model| model.machine(&web4).unwrap().full = true);
    sides.fail(
        &WriteFile { on: on("web4"), path: "/srv/own/a".into(), text: "x".repeat(9000).into(), secret: false },
        "can't be written there",
    );
    sides.fail(
        &Put { on: on("web4"), from: here.path().join("sent"), to: "/srv/own/b".into() },
        "can't be written there",
    );
    assert!(!sides.same(&Exists { on: on("web4"), path: "/srv/own/a".into() }).unwrap());
}
