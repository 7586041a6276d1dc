//! What a person sees of real hosts: files on their way, the live view of a terminal, and plain lines in a pipe.

use lab::{HostPlan, Kind, Lab, Plan, Sudo, needs_lab};
use serde_json::Value;
use std::fs;

/// Starts two fleets of two hosts, one of them with only busybox, with a task that sends a file there and back.
fn four() -> Lab {
    let web = |name, fleet| HostPlan::new(name).fleet(fleet).role("web");
    let plan = Plan::new().host(web("web1", "prod").sudo(Sudo::Free)).host(web("web2", "prod").sudo(Sudo::Free));
    // The first host of a fleet keeps its lock, and busybox can't.
    let lab = Lab::start(plan.host(web("able", "testing1")).host(web("box", "testing1").kind(Kind::Busybox)));
    let task = "\nfn bring() {\n    each(targets(), |host| {\n        host.put(\"big\", \"/var/tmp/big\");\n        \
                host.get(\"/var/tmp/big\", host.name + \".big\");\n    });\n}\n";
    lab.edit("fabfile.rhai", |text| text + task);
    let big: Vec<u8> = (0..(9 << 20) + 123_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    fs::write(lab.project.folder.join("big"), big).unwrap();
    lab
}

#[test]
fn a_file_comes_back_as_it_was_and_each_way_says_how_far_it_is() {
    if !needs_lab("a_file_comes_back_as_it_was_and_each_way_says_how_far_it_is") {
        return;
    }
    let lab = four();
    let file = |name: &str| fs::read(lab.project.folder.join(name)).unwrap();
    let big = file("big");
    for (fleet, host) in [("prod", "web1"), ("testing", "box")] {
        let told = lab.rfab(&["--json", "--limit", host, fleet, "bring"]).output();
        assert_eq!(told.code, Some(0), "{}{}", told.stdout, told.stderr);
        assert!(file(&format!("{host}.big")) == big);
        let events: Vec<Value> = told.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        for what in ["sent", "got"] {
            let of = |e: &&Value| e["event"] == "progressed" && e["host"] == host && e["what"] == what;
            let told: Vec<&Value> = events.iter().filter(of).collect();
            let done: Vec<u64> = told.iter().map(|e| e["done"].as_u64().unwrap()).collect();
            assert!(told.iter().all(|e| e["total"] == big.len() && e["unit"] == "bytes"), "{told:?}");
            assert!(done.is_sorted() && done.last() == Some(&(big.len() as u64)), "{host} {what}: {done:?}");
        }
    }
    // An empty file arrives as an empty file; a missing file is reported.
    fs::write(lab.project.folder.join("big"), "").unwrap();
    assert_eq!(lab.rfab(&["--limit", "box", "testing", "bring"]).output().code, Some(0));
    assert_eq!(file("box.big"), b"");
    lab.edit("fabfile.rhai", |text| text.replace("get(\"/var/tmp/big\"", "get(\"/var/tmp/none\""));
    let none = lab.rfab(&["prod", "bring"]).output();
    assert!(none.stdout.contains("error: host `web1`: `/var/tmp/none`: it isn't there"), "{}", none.stdout);
}

#[test]
fn a_terminal_has_a_live_line_per_host_and_a_pipe_has_no_escape_at_all() {
    if !needs_lab("a_terminal_has_a_live_line_per_host_and_a_pipe_has_no_escape_at_all") {
        return;
    }
    let lab = four();
    let words = ["prod", "--", "sleep 1; printf '\\033[2Jboo\\n'"];
    let plain = lab.rfab(&words).output();
    assert!(plain.code == Some(0) && plain.stdout.contains("web1  | ␛[2Jboo\n"), "{}", plain.stdout);
    assert!(!plain.stdout.contains(['\x1b', '\r']), "{}", plain.stdout);
    let dumb = lab.rfab(&words).on_terminal().output();
    assert!(!dumb.stdout.contains('\x1b'), "{}", dumb.stdout);

    for (variable, value, paints) in [("COLORTERM", "", true), ("NO_COLOR", "1", false)] {
        let live = lab.rfab(&words).env("TERM", "xterm-256color").env(variable, value).on_terminal().output();
        let mut terminal = vt100::Parser::new(24, 80, 0);
        let (mut seen, mut painted) = (String::new(), false);
        for picture in live.stdout.split_inclusive("\r") {
            terminal.process(picture.as_bytes());
            seen += &terminal.screen().contents();
            painted |= picture.contains("\x1b[36m");
        }
        assert!(seen.contains("web2  run `sleep 1; printf"), "{seen}");
        assert_eq!(painted, paints, "{:?}", live.stdout);
        let end = terminal.screen().contents();
        let lines: Vec<&str> = end.lines().map(str::trim_end).collect();
        let head = ["rfab prod -- 'sleep 1; printf '\\''\\033[2Jboo\\n'\\'''", "targets: prod, 2 of 2 hosts"];
        assert_eq!(lines[..2], head, "{end}");
        assert_eq!(lines[lines.len() - 5..lines.len() - 3], ["", "host  balancer  result"], "{end}");
        assert_eq!(lines.last(), Some(&"2 hosts: 2 ok"), "{end}");
    }
}

#[test]
fn a_no_to_a_guarded_fleet_is_asked_for_once_and_not_for_each_host() {
    if !needs_lab("a_no_to_a_guarded_fleet_is_asked_for_once_and_not_for_each_host") {
        return;
    }
    let lab = four();
    let asked = lab.rfab(&["--set", "guarded=true", "prod", "--", "touch /var/tmp/x"]).on_terminal().start();
    asked.wait_for("Change it? [y/N]");
    asked.types("n\n");
    let no = asked.output();
    assert_eq!(no.code, Some(7), "{no:?}");
    assert_eq!(no.stdout.matches("Change it? [y/N]").count(), 1, "{}", no.stdout);
    assert_eq!(no.stdout.matches("error: nobody confirmed the change to `prod`").count(), 1, "{}", no.stdout);
    // A flag that answers for a person isn't advised to somebody who has answered.
    assert!(!no.stdout.contains("--yes"), "{}", no.stdout);
    assert_eq!(lab.ssh("web1", "ls /var/tmp/x").code, Some(2));
}
