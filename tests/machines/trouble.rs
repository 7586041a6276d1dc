//! A bad day: each kind of trouble ends in bounded time, with one clear report and the right exit code, and nothing on
//! any host was changed.

use lab::{HostPlan, Lab, Output, Plan, Sudo, needs_lab};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// Plans two groups of two behind `lb1`.
fn four() -> Plan {
    let web = |name, group| HostPlan::new(name).fleet("prod").group(group).role("web").sudo(Sudo::Free);
    Plan::new()
        .serving("v3.0.0")
        .host(web("web1", "group1"))
        .host(web("web2", "group1"))
        .host(web("web3", "group2"))
        .host(web("web4", "group2"))
        .balancer("lb1", &[("bk_web", "web")])
}

/// Returns what a run could have changed on the hosts, and their states in the balancer.
fn state(lab: &Lab) -> BTreeMap<String, String> {
    let web = lab.hosts.iter().filter(|h| h.plan.roles.contains(&"web") && h.is_on());
    let on_disk = "cd /srv/shop && readlink current && ls -A releases .rfab/tmp && cat .rfab/ledger 2>/dev/null; true";
    let mut state: BTreeMap<String, String> =
        web.map(|h| (h.plan.name.to_owned(), format!("{}{:?}", h.sh(on_disk).stdout, h.serves()))).collect();
    for balancer in &lab.balancers {
        if let Ok(answer) = balancer.ask("show servers state bk_web") {
            let admin = |line: &str| line.split(' ').collect::<Vec<_>>().get(6).map(|s| (*s).to_owned());
            state.insert(balancer.plan.name.to_owned(), format!("{:?}", answer.lines().map(admin).collect::<Vec<_>>()));
        }
    }
    state
}

/// Runs a line that must fail with that code, in bounded time, without a change; returns what it printed.
#[track_caller]
fn refused(lab: &Lab, words: &[&str], code: i32) -> String {
    refused_within(lab, words, code, Duration::from_secs(20))
}

#[track_caller]
fn refused_within(lab: &Lab, words: &[&str], code: i32, within: Duration) -> String {
    let (before, begun) = (state(lab), Instant::now());
    let Output { stdout, stderr, code: ended } = lab.rfab(words).timeout(within).output();
    let took = begun.elapsed();
    let line = words.join(" ");
    println!("===== rfab {line}: {ended:?} in {took:?}\n{stdout}{stderr}");
    assert_eq!(ended, Some(code), "rfab {line}\n{stdout}{stderr}");
    assert_eq!(before, state(lab), "rfab {line}\n{stdout}{stderr}");
    let errors = stdout.lines().chain(stderr.lines()).filter(|l| l.starts_with("error: ")).count();
    assert_eq!(errors, 1, "one report: rfab {line}\n{stdout}{stderr}");
    format!("{stdout}{stderr}")
}

#[test]
fn words_files_and_references_that_are_wrong_are_refused() {
    if !needs_lab("words_files_and_references_that_are_wrong_are_refused") {
        return;
    }
    let lab = Lab::start(four());
    lab.rfab(&["prod", "setup"]).output().expect_ok();
    let nobody = refused(&lab, &["prod:out", "deploy:stabel"], 10);
    assert!(nobody.contains("error: `out` selects no hosts of `prod`: no host is out"), "{nobody}");
    let tag = refused(&lab, &["prod", "deploy:v3.0.9"], 1);
    assert!(tag.contains("error: there is no tag, branch or commit `v3.0.9`; similar: `v3.0.0`, `v3.0.1`"), "{tag}");
    assert!(tag.ends_with("\nnext: rfab prod deploy:v3.0.9\n"), "{tag}");
    let host = refused(&lab, &["prod:web9", "deploy:stable"], 2);
    assert!(host.contains("`web9`"), "{host}");
    let word = refused(&lab, &["prod", "depoly", "stable"], 2);
    assert!(word.contains("deploy"), "{word}");

    lab.edit("fleets/prod.toml", |text| text.replace("[app]\n", "[app]\npaht = \"/srv\"\n"));
    let key = refused(&lab, &["prod", "proxy.group1"], 3);
    assert!(
        key.contains("`paht`") && key.contains("did you mean `path`?") && key.contains("fleets/prod.toml:"),
        "{key}"
    );
    lab.edit("fleets/prod.toml", |text| text.replace("paht = \"/srv\"\n", ""));

    let fabfile = std::fs::read_to_string(lab.project.folder.join("fabfile.rhai")).expect("a fabfile");
    lab.edit("fabfile.rhai", |text| text + "fn broken( { }\n");
    let syntax = refused(&lab, &["prod", "proxy.group1"], 3);
    assert!(syntax.contains("fabfile.rhai:") && syntax.contains("fn broken( { }"), "{syntax}");
    let wrong = "fn wrong() { for host in targets() { host.rnu(\"true\"); } }\n";
    lab.edit("fabfile.rhai", |_| fabfile.clone() + wrong);
    let call = refused(&lab, &["prod", "wrong"], 3);
    assert!(call.contains("rnu") && call.contains("fabfile.rhai:"), "{call}");
    lab.edit("fabfile.rhai", |_| fabfile);
}

#[test]
fn a_drain_that_would_leave_too_few_and_a_deploy_to_live_hosts_are_refused() {
    if !needs_lab("a_drain_that_would_leave_too_few_and_a_deploy_to_live_hosts_are_refused") {
        return;
    }
    let lab = Lab::start(four());
    lab.rfab(&["prod", "setup"]).output().expect_ok();
    lab.host("web3").unit("shop").sick(true);
    lab.host("web4").unit("shop").sick(true);
    lab.balancer("lb1").wait_for("bk_web", "web4", "status", "DOWN");
    lab.balancer("lb1").wait_for("bk_web", "web3", "status", "DOWN");
    let few = refused(&lab, &["prod", "proxy.group2"], 7);
    assert!(few.contains("pool `bk_web`: 0 of 4 hosts would stay live, but it needs 1. `web3` is DOWN"), "{few}");
    let outage = lab.rfab(&["prod", "proxy.group2", "--allow-outage", "bk_web"]).output();
    assert_eq!(outage.code, Some(0), "{outage:?}");
    let back = lab.rfab(&["prod", "proxy.all"]).output();
    assert_eq!(back.code, Some(0), "{back:?}");
    // Hosts that are down may go out, however few are left. rfab doesn't wait until they report `DRAIN`, because they
    // never do: ansible-collections/community.general#9020.
    let down = lab.rfab(&["prod", "proxy.group1", "--set", "balancer.lb1.min_live=3"]).output();
    assert_eq!(down.code, Some(0), "{down:?}");

    lab.edit("fabfile.rhai", |text| {
        text + "fn rashly() { let r = release::number(release::resolve(\"stable\")); let h = targets().host(\"web1\"); release::activate(h, r); }\n\
                fn again() { service::restart(targets().host(\"web1\")); }\n\
                fn configure() { targets().host(\"web1\").user(\"shop\").write(\"/srv/shop/releases/../shared/config/database.yml\", \"x\"); }\n"
    });
    for task in ["rashly", "again", "configure"] {
        let live = refused(&lab, &["prod", task], 7);
        assert!(live.contains("host `web1` is live in `lb1/bk_web`, so what it serves can't be changed"), "{live}");
    }
}

#[test]
fn a_dead_host_and_one_that_accepts_and_never_speaks_are_named_and_nothing_begins() {
    if !needs_lab("a_dead_host_and_one_that_accepts_and_never_speaks_are_named_and_nothing_begins") {
        return;
    }
    let lab = Lab::start(four());
    lab.rfab(&["prod", "setup"]).output().expect_ok();
    lab.rfab(&["prod", "proxy.group2"]).output().expect_ok();
    lab.host("web2").stop_sshd();
    let dead = refused(&lab, &["prod:out", "deploy:stable"], 4);
    assert!(dead.contains("host `web2` can't be reached"), "{dead}");
    lab.host("web2").start_sshd();
    lab.host("web2").freeze();
    let mute = refused_within(&lab, &["prod:out", "deploy:stable"], 4, Duration::from_secs(25));
    assert!(mute.contains("host `web2` can't be reached"), "{mute}");
    lab.host("web2").thaw();
    assert_eq!(lab.rfab(&["prod:out", "deploy:stable"]).output().code, Some(0));
}

#[test]
fn a_balancer_that_is_gone_stops_everything_that_needs_it() {
    if !needs_lab("a_balancer_that_is_gone_stops_everything_that_needs_it") {
        return;
    }
    let lab = Lab::start(four());
    lab.rfab(&["prod", "setup"]).output().expect_ok();
    lab.balancer("lb1").kill();
    for line in [&["prod", "proxy.group2"][..], &["prod:out", "deploy:stable"], &["prod", "deploy:stable"]] {
        let gone = refused(&lab, line, 6);
        assert!(gone.contains("balancer `lb1` doesn't answer"), "{gone}");
    }
    lab.balancer("lb1").start_again();
    lab.balancer("lb1").wait_until_up();
    lab.host("lb1").stop_sshd();
    for line in [&["prod", "proxy.group2"][..], &["prod:out", "deploy:stable"]] {
        let gone = refused(&lab, line, 4);
        assert!(gone.contains("`lb1` can't be reached"), "{gone}");
    }
}

#[test]
fn a_full_disk_leaves_current_and_no_half_release() {
    if !needs_lab("a_full_disk_leaves_current_and_no_half_release") {
        return;
    }
    let lab = Lab::start(four().with("web1", |host| host.disk(1024)));
    lab.rfab(&["prod", "setup"]).output().expect_ok();
    lab.rfab(&["prod", "proxy.group2"]).output().expect_ok();
    let _ = lab.host("web1").sh("head -c 2000000 /dev/zero > /srv/full; chmod 644 /srv/full");
    let before = lab.host("web1").sh("cd /srv/shop && readlink current && ls -A releases .rfab/tmp").stdout;
    let full = lab.rfab(&["prod:out", "deploy:stable"]).output();
    println!("{}{}", full.stdout, full.stderr);
    assert_eq!(full.code, Some(1), "{full:?}");
    assert!(full.stdout.contains("host `web1`") && full.stdout.contains("host `web1`: the disk has "), "{full:?}");
    assert_eq!(lab.host("web1").sh("cd /srv/shop && readlink current && ls -A releases .rfab/tmp").stdout, before);
    assert_eq!(lab.host("web2").current(), Some(before.lines().next().unwrap().replace("releases/", "")));
}

#[test]
fn all_problems_of_all_hosts_are_found_before_anything_changes() {
    if !needs_lab("all_problems_of_all_hosts_are_found_before_anything_changes") {
        return;
    }
    let lab = Lab::start(four());
    lab.rfab(&["prod", "setup"]).output().expect_ok();
    lab.rfab(&["prod", "proxy.group2"]).output().expect_ok();
    lab.host("web1")
        .sh("mount --bind /dev/null /usr/bin/sha256sum && mount --bind /dev/null /usr/bin/gzip")
        .expect_ok();
    lab.host("web2").sh("chmod 555 /srv/shop/releases && rm -r /srv/shop/.rfab").expect_ok();
    let found = refused(&lab, &["prod:out", "deploy:stable"], 1);
    assert!(found.contains("error: 2 problems:\n") && found.contains("  help: nothing was changed; "), "{found}");
    assert!(found.contains("  host `web1`: it has no `gzip`; it has no `sha256sum`\n"), "{found}");
    assert!(found.contains("  host `web2`: "), "{found}");
}
