//! HAProxy as people have set it up.
use super::{
    four_of,
    lab::{Lab, Plan, Shape, needs_lab},
    out, run,
};

#[test]
fn agents_and_tracked_and_disabled_servers_come_back_and_only_who_serves_is_capacity() {
    if !needs_lab("agents_and_tracked_and_disabled_servers_come_back_and_only_who_serves_is_capacity") {
        return;
    }
    let plan = four_of("lb1", Plan::new());
    let pools = vec![("aaa", "web"), ("bk_web", "web")];
    let shape = Shape {
        agent: true,
        tracks: vec![("aaa", "bk_web")],
        server: vec![("web2", "disabled")],
        others: vec!["sorry 127.0.0.1:9 backup", "foreign 127.0.0.1:9"],
        ..Shape::default()
    };
    let mut plan = plan.shaped(shape);
    plan.balancers[0].pools = pools;
    let lab = Lab::start(plan);
    let lb1 = lab.balancer("lb1");
    run(&lab, &["prod", "setup"], 0);
    // What `disabled` says in the configuration is no state: it stays when the server is ready.
    run(&lab, &["prod", "proxy.all:web2"], 0);
    assert_eq!(lb1.column("bk_web", "status")["web2"], "UP");
    assert_eq!(lb1.column("aaa", "status")["web2"], "UP");

    run(&lab, &["prod:web1", "deploy:v3.0.1"], 0);
    for pool in ["aaa", "bk_web"] {
        assert_eq!(lb1.column(pool, "status")["web1"], "UP", "{pool}");
    }

    // Of four hosts two have weight 0, and a backup and another's server are no capacity.
    for web in ["web3", "web4"] {
        for pool in ["aaa", "bk_web"] {
            assert_eq!(lb1.ask(&format!("set server {pool}/{web} weight 0")).unwrap().trim(), "");
        }
    }
    let refused = run(&lab, &["prod", "proxy.group2"], 7);
    assert!(
        refused.contains("pool `aaa`: 0 of 4 live after this, 1 wanted. `web3` has weight 0, `web4` has weight 0"),
        "{refused}"
    );
    assert!(
        refused.contains("add `--allow-outage aaa`: then every request to it fails until a host is back"),
        "{refused}"
    );
    assert_eq!(out(&lab, "lb1"), [""; 0]);
    let left = run(&lab, &["prod", "--exclude", "web3", "release:v3.0.1"], 7);
    assert!(left.contains("--exclude leaves web3 as it is, but it still takes requests"), "{left}");
    assert!(left.contains("`set server bk_web/web3 state drain` on the socket of lb1"), "{left}");
    // Who serves nothing may always go out.
    run(&lab, &["prod", "proxy.group1"], 0);
    assert_eq!(out(&lab, "lb1"), ["web3", "web4"]);
}
