//! HAProxy in the ways that people set it up.
use super::{four_of, out, run};
use lab::{Lab, Load, Plan, Shape, Socket, needs_lab, needs_root};
use std::{io::Write, net::TcpStream};

/// Starts two groups of two behind an `lb1` of that shape, with the pools `aaa` and `bk_web`, and sets them up.
fn two_pools(shape: Shape) -> Lab {
    let mut plan = four_of("lb1", Plan::new()).shaped(shape);
    plan.balancers[0].pools = vec![("aaa", "web"), ("bk_web", "web")];
    let lab = Lab::start(plan);
    run(&lab, &["prod", "setup"], 0);
    lab
}

#[test]
fn agents_and_tracked_and_disabled_servers_come_back_and_only_who_serves_is_capacity() {
    if !needs_lab("agents_and_tracked_and_disabled_servers_come_back_and_only_who_serves_is_capacity") {
        return;
    }
    let shape = Shape {
        agent: true,
        tracks: vec![("aaa", "bk_web")],
        server: vec![("web2", "disabled")],
        others: vec!["sorry 127.0.0.1:9 backup", "foreign 127.0.0.1:9"],
        ..Shape::default()
    };
    let lab = two_pools(shape);
    let lb1 = lab.balancer("lb1");
    // `disabled` in the configuration isn't a state: it stays there when the server is ready.
    run(&lab, &["prod", "proxy.all:web2"], 0);
    assert_eq!(lb1.column("bk_web", "status")["web2"], "UP");
    assert_eq!(lb1.column("aaa", "status")["web2"], "UP");

    run(&lab, &["prod:web1", "deploy:v3.0.1"], 0);
    for pool in ["aaa", "bk_web"] {
        assert_eq!(lb1.column(pool, "status")["web1"], "UP", "{pool}");
    }

    // Two of four hosts have weight 0, and neither a backup nor another fleet's server counts as capacity.
    for web in ["web3", "web4"] {
        for pool in ["aaa", "bk_web"] {
            assert_eq!(lb1.ask(&format!("set server {pool}/{web} weight 0")).unwrap().trim(), "");
        }
    }
    let refused = run(&lab, &["prod", "proxy.group2"], 7);
    assert!(
        refused.contains(
            "pool `aaa`: 0 of 4 hosts would stay live, but it needs 1. `web3` has weight 0, `web4` has weight 0"
        ),
        "{refused}"
    );
    assert!(
        refused.contains("add `--allow-outage aaa`: then every request to it fails until a host is back"),
        "{refused}"
    );
    assert_eq!(out(&lab, "lb1"), [""; 0]);
    let left = run(&lab, &["prod", "--exclude", "web3", "release:v3.0.1"], 7);
    assert!(left.contains("--exclude leaves out web3, which would still take requests"), "{left}");
    assert!(left.contains("`set server bk_web/web3 state drain` on the socket of lb1"), "{left}");
    // Hosts that get no requests may always go out.
    run(&lab, &["prod", "proxy.group1"], 0);
    assert_eq!(out(&lab, "lb1"), ["web3", "web4"]);
}

#[test]
fn clients_that_are_bound_to_a_host_by_cookie_or_stick_table_lose_no_request() {
    if !needs_lab("clients_that_are_bound_to_a_host_by_cookie_or_stick_table_lose_no_request") {
        return;
    }
    let shape = Shape {
        backend: vec![
            ("bk_web", "cookie SRV insert indirect nocache"),
            ("aaa", "stick-table type string len 32 size 10k expire 1m"),
            ("aaa", "stick on req.hdr(X-Client)"),
        ],
        server: vec![("", "cookie {name}")],
        fleet: vec!["drain_within = \"12s\""],
        ..Shape::default()
    };
    let lab = two_pools(shape);
    let lb1 = lab.balancer("lb1");
    let load = lab.load_of(12, 60);
    load.wait_for(50);
    // A person looks at one host alone, with its cookie: it stays out, in drain, as it was.
    lb1.set("bk_web", "web3", "drain");
    lb1.set("aaa", "web3", "drain");
    load.wait_for(20);
    run(&lab, &["prod", "deploy:v3.0.1"], 0);
    let status = |server: &str| ["aaa", "bk_web"].map(|pool| lb1.column(pool, "status").remove(server).unwrap());
    assert_eq!(["web1", "web2", "web3", "web4"].map(status), [["UP"; 2], ["UP"; 2], ["DRAIN"; 2], ["UP"; 2]]);
    if std::env::var_os("RFAB_ALL").is_some() {
        a_group_stays_out_and_comes_back(&lab, &load);
    }
    load.wait_for(50);
    let account = load.stop();
    account.expect_none_failed();
    assert_eq!(account.releases.len(), 2, "{account:?}");
}

/// Checks that nothing reaches a group that is out, and that it comes back by its checks.
fn a_group_stays_out_and_comes_back(lab: &Lab, load: &Load) {
    let lb1 = lab.balancer("lb1");
    let status = |server: &str| ["aaa", "bk_web"].map(|pool| lb1.column(pool, "status").remove(server).unwrap());
    run(lab, &["prod", "proxy.group2"], 8);
    assert_eq!(["web1", "web2", "web3"].map(status), [["MAINT"; 2], ["MAINT"; 2], ["DRAIN"; 2]]);
    load.wait_for(20);
    run(lab, &["prod:out", "deploy:v3.0.0"], 0);
    run(lab, &["prod", "proxy.all:web3"], 0);
    assert_eq!(["web1", "web2", "web3", "web4"].map(status), [["UP"; 2]; 4]);
}

#[test]
fn a_balancer_is_asked_by_port_and_by_its_master_with_and_without_forwarding() {
    if !needs_lab("a_balancer_is_asked_by_port_and_by_its_master_with_and_without_forwarding") {
        return;
    }
    let mut plan = four_of("tcp", Plan::new());
    for name in ["master", "tcp-by-tool", "master-by-tool"] {
        plan = plan.balancer(name, &[("bk_web", "web")]);
    }
    for name in ["tcp-by-tool", "master-by-tool"] {
        plan = plan.with(name, |host| host.sshd("DisableForwarding yes"));
    }
    for balancer in &mut plan.balancers {
        balancer.shape.socket = if balancer.name.starts_with("tcp") { Socket::Tcp } else { Socket::Master };
    }
    // On this balancer, each host has two servers.
    plan.balancers[0].shape.names = vec!["{name}-a", "{name}-b"];
    let lab = Lab::start(plan);
    run(&lab, &["prod", "setup"], 0);
    let told = run(&lab, &["prod", "proxy.group2"], 0);
    for name in ["tcp-by-tool", "master-by-tool"] {
        assert!(
            told.contains(&format!("`{name}`: its sshd doesn't forward sockets, so rfab talks to it with `socat`")),
            "{told}"
        );
    }
    assert_eq!(out(&lab, "tcp"), ["web1-a", "web1-b", "web2-a", "web2-b"]);
    for name in ["master", "tcp-by-tool", "master-by-tool"] {
        assert_eq!(out(&lab, name), ["web1", "web2"]);
    }
    run(&lab, &["prod:out", "deploy:v3.0.1"], 0);
    lab.balancer("master").reload();
    lab.balancer("master").wait_until_up();
    let status = run(&lab, &["prod", "proxy.status"], 0);
    assert!(status.contains("half out"), "{status}");
}

#[test]
fn a_socket_that_may_not_be_opened_is_named_with_its_line_of_haproxy_cfg() {
    if !needs_root("a_socket_that_may_not_be_opened_is_named_with_its_line_of_haproxy_cfg") {
        return;
    }
    let lab = Lab::start(four_of("lb1", Plan::new()).shaped(Shape { socket: Socket::Root, ..Shape::default() }));
    let lines = "`stats socket /run/haproxy/admin.sock mode 660 level admin group deploy`";
    let refused = |words: &[&str], code, message: &str, help: &str| {
        let told = run(&lab, words, code);
        assert!(told.contains(message) && told.contains(help), "{told}");
    };
    let closed = "`deploy` can't open `/run/haproxy/admin.sock` of `lb1`, which is srw------- root:root";
    for words in [["prod", "proxy.status"], ["prod", "proxy.group2"]] {
        refused(&words, 6, closed, lines);
    }
    let lb1 = lab.host("lb1");
    lb1.sh("chown root:root /run/haproxy && chmod 700 /run/haproxy").expect_ok();
    refused(&["prod", "proxy.status"], 6, "`deploy` can't enter `/run/haproxy`, where the socket of `lb1` is", lines);
    lb1.sh("chmod 755 /run/haproxy && rm /run/haproxy/admin.sock").expect_ok();
    refused(&["prod", "proxy.status"], 6, "`lb1` has no `/run/haproxy/admin.sock`", lines);
    lb1.sh("touch /run/haproxy/admin.sock").expect_ok();
    refused(&["prod", "proxy.status"], 6, "`/run/haproxy/admin.sock` of `lb1` isn't a socket", lines);
}

#[test]
fn a_socket_that_may_only_be_read_is_refused_before_anything_is_changed() {
    if !needs_lab("a_socket_that_may_only_be_read_is_refused_before_anything_is_changed") {
        return;
    }
    let lab = Lab::start(four_of("lb1", Plan::new()).shaped(Shape { socket: Socket::Operator, ..Shape::default() }));
    run(&lab, &["prod", "setup"], 0);
    let told = run(&lab, &["prod", "deploy:v3.0.1"], 7);
    assert!(told.contains("the socket of `lb1` is read-only: it doesn't have `level admin`"), "{told}");
    assert!(!told.contains("stage "), "{told}");
    let restart = "\nimport \"std/service\" as units;\nfn restart() { units::rolling_restart(); }\n";
    lab.edit("fabfile.rhai", |text| text + restart);
    let told = run(&lab, &["prod", "restart"], 7);
    assert!(told.contains("the socket of `lb1` is read-only: it doesn't have `level admin`"), "{told}");
    // A change that a balancer refuses wasn't made, so nothing must be put back.
    let told = run(&lab, &["prod", "proxy.group2"], 6);
    let refused =
        "error: host `web1`: balancer `lb1` answered `set server bk_web/web1 state drain` with `Permission denied`\n";
    assert!(told.contains(refused), "{told}");
    assert!(!told.contains("couldn't put these back"), "{told}");
    run(&lab, &["prod", "proxy.status"], 0);
}

#[test]
fn what_stays_open_fails_the_drain_unless_the_fleet_says_that_it_is_closed() {
    if !needs_lab("what_stays_open_fails_the_drain_unless_the_fleet_says_that_it_is_closed") {
        return;
    }
    let fleet = vec!["drain_within = \"1s\""];
    let lab = Lab::start(four_of("lb1", Plan::new()).shaped(Shape { tcp: true, fleet, ..Shape::default() }));
    let lb1 = lab.balancer("lb1");
    // On each host, a client of `mode tcp` that stays connected.
    let mut open: Vec<TcpStream> = (0..4).map(|_| TcpStream::connect(lb1.frontend("bk_web")).unwrap()).collect();
    for stream in &mut open {
        stream.write_all(b"GET /slow?ms=20000 HTTP/1.1\r\nHost: shop\r\n\r\n").unwrap();
    }
    lb1.wait_for("bk_web", "web1", "scur", "1");
    let failed = run(&lab, &["prod", "proxy.group2"], 1);
    assert!(failed.contains("isn't drained: 1 request is still open after 1 s"), "{failed}");
    assert_eq!(out(&lab, "lb1"), [""; 0]);

    lab.edit("fleets/prod.toml", |text| {
        text.replace("drain_within = \"1s\"", "drain_within = \"1s\"\nforce_close = true")
    });
    let closed = run(&lab, &["prod", "proxy.group2"], 0);
    for name in ["web1", "web2"] {
        let line = format!("closed 1 open request of `{name}`, as `force_close` says");
        assert!(closed.contains(&line), "{closed}");
        assert_eq!(lb1.column("bk_web", "scur")[name], "0");
    }
    assert_eq!(out(&lab, "lb1"), ["web1", "web2"]);
}

/// Runs only with `RFAB_ALL`, because it takes as long as a deploy.
#[test]
fn who_is_sent_to_a_server_in_maintenance_keeps_its_host_as_it_is() {
    let name = "who_is_sent_to_a_server_in_maintenance_keeps_its_host_as_it_is";
    if !needs_lab(name) {
        return;
    }
    if std::env::var_os("RFAB_ALL").is_none() {
        return println!("{name}: only with RFAB_ALL=1");
    }
    let backend = vec![("", "cookie SRV insert indirect nocache"), ("", "option persist")];
    let server = vec![("", "cookie {name}")];
    let fleet = vec!["drain_within = \"4s\""];
    let lab = two_pools(Shape { backend, server, fleet, ..Shape::default() });
    let load = lab.load_of(8, 60);
    load.wait_for(50);
    let failed = run(&lab, &["prod", "deploy:v3.0.1"], 1);
    assert!(failed.contains("gets requests even though it's in maintenance"), "{failed}");
    assert!(failed.contains("look for `option persist`"), "{failed}");
    load.wait_for(20);
    let account = load.stop();
    account.expect_none_failed();
    assert_eq!(account.releases.len(), 1, "{account:?}");
    assert_eq!(out(&lab, "lb1"), [""; 0]);
}
