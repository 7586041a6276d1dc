//! HAProxy set up for reloads in ways that people use: what it still knows afterwards, and servers without an address.

use lab::{HostPlan, Lab, Output, Plan, Sudo, needs_lab};
use std::fs;

/// Starts two groups of one behind `lb1`, with a change of its configuration.
fn two(change: impl Fn(String) -> String) -> Lab {
    let web = |name, group| HostPlan::new(name).fleet("prod").group(group).role("web").sudo(Sudo::Free);
    let plan = Plan::new().host(web("web1", "group1")).host(web("web2", "group2"));
    let lab = Lab::start(plan.serving("v3.0.0").balancer("lb1", &[("bk_web", "web")]));
    let file = lab.host("lb1").folder.join("haproxy.cfg");
    fs::write(&file, change(fs::read_to_string(&file).expect("a configuration"))).expect("a configuration");
    lab.balancer("lb1").reload();
    run(&lab, &["prod", "setup"]);
    lab
}

#[track_caller]
fn run(lab: &Lab, words: &[&str]) -> String {
    let Output { stdout, stderr, code } = lab.rfab(words).output();
    println!("===== rfab {}: {code:?}\n{stdout}{stderr}", words.join(" "));
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "rfab {}\n{stdout}", words.join(" "));
    stdout
}

/// With `load-server-state-from-file`, a drain outlives a reload: haproxy/haproxy#199.
#[test]
fn a_drain_that_a_state_file_kept_over_a_reload_is_still_the_fleets_own() {
    if !needs_lab("a_drain_that_a_state_file_kept_over_a_reload_is_still_the_fleets_own") {
        return;
    }
    let lab = two(|text| {
        text.replacen("global\n", "global\n    server-state-file /run/haproxy/state\n", 1)
            .replace("defaults\n", "defaults\n    load-server-state-from-file global\n")
    });
    let balancer = lab.balancer("lb1");
    balancer.wait_until_up();
    let load = lab.load(50);
    load.wait_for(25);
    run(&lab, &["prod", "proxy.group2"]);
    let kept = balancer.ask("show servers state").expect("an answer");
    fs::write(lab.host("lb1").path("/run/haproxy/state"), kept).expect("a state file");
    balancer.reload();
    balancer.wait_for("bk_web", "web1", "status", "DRAIN");
    let status = run(&lab, &["prod", "status"]);
    assert!(status.contains("taken out by operator") && !status.contains("forgot"), "{status}");
    for line in ["deploy:v3.0.1", "proxy.flip", "deploy:v3.0.1", "proxy.all"] {
        let hosts = if line.starts_with("deploy") { "prod:out" } else { "prod" };
        run(&lab, &[hosts, line]);
    }
    assert_eq!(balancer.column("bk_web", "status").values().collect::<Vec<_>>(), ["UP", "UP"]);
    assert_eq!((lab.host("web1").serves(), lab.host("web1").serves().is_some()), (lab.host("web2").serves(), true));
    load.stop().expect_none_failed();
}

/// HAProxy puts servers with a name that doesn't resolve in maintenance, `srv_admin_state` 32: haproxy/haproxy#576.
#[test]
fn servers_that_wait_for_an_address_are_nobodys_and_keep_no_release_up() {
    if !needs_lab("servers_that_wait_for_an_address_are_nobodys_and_keep_no_release_up") {
        return;
    }
    let lab = two(|text| {
        let slots = "    server-template spare 1-2 spare.invalid:8080 check resolvers dns init-addr none\n";
        format!("{text}{slots}\nresolvers dns\n    nameserver none 127.0.0.1:9\n")
    });
    let balancer = lab.balancer("lb1");
    for name in ["web1", "web2"] {
        balancer.wait_for("bk_web", name, "status", "UP");
    }
    let states = balancer.ask("show servers state bk_web").expect("an answer");
    assert!(states.lines().any(|line| line.contains(" spare1 - 0 32 ")), "{states}");
    let load = lab.load(50);
    load.wait_for(25);
    run(&lab, &["prod", "release:v3.0.1"]);
    load.stop().expect_none_failed();
    let states = balancer.ask("show servers state bk_web").expect("an answer");
    assert!(states.lines().any(|line| line.contains(" spare1 - 0 32 ")), "{states}");
    // They aren't capacity either.
    let out = lab.rfab(&["prod", "proxy.group1", "--set", "balancer.lb1.min_live=2"]).output();
    assert_eq!(out.code, Some(7), "{out:?}");
}
