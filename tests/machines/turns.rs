//! What a run waits for on a far host, and how much it sends there: counted by a slow line before its sshd.

use crate::shop::done;
use lab::{Carried, HostPlan, Lab, Plan, needs_lab};
use std::{fs, time::Duration};

/// Long beside all that a host does for a release, so that a busy machine changes no number.
const ROUND_TRIP: Duration = Duration::from_millis(600);

const FABFILE: &str = r#"
fn on(which) { fleet("fleets/testing1.toml").select(which) }
fn setup() { targets().parallel(|host| release::set_up(host)); }
fn look(tag) { targets().parallel(|host| release::list(host)); }
fn stage(tag) {
    let release = release::number(release::resolve(tag));
    targets().parallel(|host| release::stage(host, release));
}
fn send(tag) {
    let release = release::number(release::resolve(tag));
    targets().parallel(|host| { release::stage(host, release); release::activate(host, release); });
}
fn log_in() {
    targets().parallel(|host| {
        for i in 1..5 {
            host.run(sh("echo \"export SHOP=$i\" > ~/.bashrc", #{ i: i }));
            clock::wait("3s");   // channels wait again
            ui::note(host, host.capture(sh("echo \"$i sees ${SHOP-nothing}\"", #{ i: i })));
        }
    });
}
fn lose() {
    targets().parallel(|host| {
        host.capture("true");
        clock::wait("3s");
        // Ends the other channels of the connection while the next line is under way to one of them.
        host.capture(sh("p=$$; until grep -q ^sshd /proc/$p/comm; do own=$p; p=$(sed -n 's/^PPid:\t//p' /proc/$p/status); done; (sleep 0.45; for one in $(cat /proc/$p/task/$p/children); do [ $one = $own ] || kill -9 $one; done) >/dev/null 2>&1 </dev/null &"));
        host.run(sh("echo began >> ~/began"));
    });
}
"#;

/// Returns the record of the newest run.
fn shown(lab: &Lab) -> String {
    let history = lab.rfab(&["--history"]).output().expect_ok();
    let run = history.lines().nth(1).and_then(|line| line.split(' ').next()).expect("a run");
    lab.rfab(&["--show", run]).output().expect_ok()
}

#[test]
fn a_hotfix_waits_five_times_for_a_far_host_until_it_is_current_and_sends_little() {
    if !needs_lab("a_hotfix_waits_five_times_for_a_far_host_until_it_is_current_and_sends_little") {
        return;
    }
    let host = |name| HostPlan::new(name).fleet("testing1").role("web");
    // The lock is on the first one.
    let lab = Lab::start(Plan::new().host(host("near")).host(host("web1")).serving("v3.0.0"));
    lab.edit("fabfile.rhai", |_| FABFILE.into());
    done(&lab, &["on:all", "setup"]);
    let relay = lab.slow_down("web1", ROUND_TRIP);
    let release = |tag: &str| {
        lab.project.write("public/style.css", &format!("/* {tag} */\n"));
        lab.project.write("public/shop.css", &format!("/* {tag} */\n"));
        lab.project.release(tag);
    };
    let run = |task: &str, tag: &str| -> Carried {
        let _ = relay.carried();
        done(&lab, &["on:web1", &format!("{task}:{tag}")]);
        relay.carried()
    };
    release("v3.0.2");
    run("send", "v3.0.2");
    release("v3.0.3");
    let whole = run("send", "v3.0.3");
    let current = lab.host("web1").folder.join("srv/shop/current");
    let switched = fs::symlink_metadata(current).and_then(|link| link.modified()).expect("a current release");
    let before: Vec<u64> = whole.turns.iter().filter(|(at, _)| *at < switched).map(|(_, sent)| *sent).collect();
    // A command is longer; what opens and closes channels goes beside it, and nothing waits for it.
    let is_command = |sent: &&u64| **sent > 1_000;
    let opening = before.iter().take_while(|sent| !is_command(sent)).count();
    let commands = before.iter().filter(is_command).count();
    assert!(whole.connections == 0 && opening + commands <= 5, "{whole:?}\n{}", shown(&lab));
    // The table at a run's end lists the releases, too.
    let listing = run("look", "v3.0.3").bytes / 2;
    release("v3.0.4");
    let staging = run("stage", "v3.0.4").bytes - listing;
    assert!(staging <= 15_000, "{staging} beside {listing}");
}

#[test]
fn a_command_on_a_far_host_sees_start_up_files_as_the_one_before_left_them() {
    if !needs_lab("a_command_on_a_far_host_sees_start_up_files_as_the_one_before_left_them") {
        return;
    }
    let web = HostPlan::new("web1").fleet("testing1").role("web").shell("/bin/bash");
    let lab = Lab::start(Plan::new().host(web));
    lab.edit("fabfile.rhai", |_| FABFILE.into());
    let _relay = lab.slow_down("web1", ROUND_TRIP / 6);
    let said = done(&lab, &["on:web1", "log_in"]);
    let seen: Vec<&str> = (1..5).filter_map(|i| said.split(&format!("{i} sees ")).nth(1)?.lines().next()).collect();
    assert_eq!(seen, ["1", "2", "3", "4"], "{said}");
}

#[test]
fn a_line_for_a_channel_that_ends_before_it_arrives_is_sent_once_more() {
    if !needs_lab("a_line_for_a_channel_that_ends_before_it_arrives_is_sent_once_more") {
        return;
    }
    let lab = Lab::start(Plan::new().host(HostPlan::new("web1").fleet("testing1").role("web")));
    lab.edit("fabfile.rhai", |_| FABFILE.into());
    let _relay = lab.slow_down("web1", ROUND_TRIP);
    done(&lab, &["on:web1", "lose"]);
    let began = fs::read_to_string(lab.host("web1").folder.join("home/deploy/began"));
    assert_eq!(began.expect("a file"), "began\n");
}
