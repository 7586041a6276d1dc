//! What a run waits for on a far host, and how much it sends there: counted by a slow line before its sshd.

use crate::shop::done;
use lab::{Carried, HostPlan, Lab, Plan, needs_lab};
use std::{fs, time::Duration};

/// Long beside all that a host does for a release, so that a busy machine changes no number.
const ROUND_TRIP: Duration = Duration::from_millis(600);

const FABFILE: &str = r#"
fn on() { fleet("fleets/testing1.toml") }
fn send(tag) {
    let release = release::number(release::resolve(tag));
    targets().parallel(|host| { release::stage(host, release); release::activate(host, release); });
}
"#;

#[test]
fn a_hotfix_waits_for_a_far_host_at_most_four_times_until_it_is_current_and_sends_little() {
    if !needs_lab("a_hotfix_waits_for_a_far_host_at_most_four_times_until_it_is_current_and_sends_little") {
        return;
    }
    let host = |name| HostPlan::new(name).fleet("testing1").role("web");
    // The lock is on the first one.
    let lab = Lab::start(Plan::new().host(host("near")).host(host("web1")).serving("v3.0.0"));
    lab.edit("fabfile.rhai", |_| FABFILE.into());
    let relay = lab.slow_down("web1", ROUND_TRIP);
    let send = |text: &str, tag: &str| -> Carried {
        lab.project.write("public/style.css", text);
        lab.project.write("public/shop.css", text);
        lab.project.release(tag);
        let _ = relay.carried();
        done(&lab, &["on:web1", &format!("send:{tag}")]);
        relay.carried()
    };
    send("body { color: black }\n", "v3.0.2");
    let carried = send("body { color: white }\n", "v3.0.3");
    let current = lab.host("web1").folder.join("srv/shop/current");
    let switched = fs::symlink_metadata(current).and_then(|link| link.modified()).expect("a current release");
    let before = carried.turns.iter().filter(|turn| **turn < switched).count();
    assert!(carried.connections == 0 && before <= 4 && carried.bytes <= 15_000, "{before} {carried:?}");
}
