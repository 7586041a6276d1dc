//! What each effect does, in the lab and on the model: `predict` says what `carry_out` did, when it goes well and when
//! it does not.
mod lab;
mod sides;

use lab::{HostPlan, Lab, Plan, Sudo, needs_lab};
use rfab::{
    balancer::{AcquireLock, CutOff, Lock, Place, ReadBalance, Reopen, SetAdmin, SetWeight, WaitDrained, WaitUp},
    bookkeeping::{Mark, MarkState, ReadLedger, ReadMarks},
    command::Command,
    effect::Admin,
    failure::Reason,
    fleet::{Balancer, Fleet, Health, Version},
    git::{Change, ChangeRepository, ReadLog, ReadNames, Resolve},
    health::{Expected, Inspect, Probe, ProbeOnce, Tried, TryProbe},
    host::Host,
    model::{Fact, Release, Said, key},
    release::{
        Activate, Adopt, CheckOut, Home, Number, PackBuilt, Prune, ReadBuilt, ReadManifest, ReadReleases, SetUp, Stage,
        Sweep, TakeArchive, Wanted,
    },
    remote::{Capture, Connect, Exec, Exists, Get, Look, On, Put, ReadFile, WriteFile},
    service::{ChangeService, ReadService, ServiceChange, ServiceRead},
    ui::{Confirm, Consent, Now, Prompt, Wait},
};
use serde_json::Value;
use sides::{Sides, holder, line};
use std::{io::Write, net::TcpStream, path::Path, sync::Arc, thread, time::Duration};

/// Two groups of two behind `lb1`.
fn four() -> Plan {
    let web = |name, group| HostPlan::new(name).fleet("prod").group(group).role("web").sudo(Sudo::Free);
    Plan::new()
        .serving("v3.0.0")
        .host(web("web1", "group1"))
        .host(web("web2", "group1"))
        .host(web("web3", "group2"))
        .host(web("web4", "group2").disk(1024))
        .balancer("lb1", &[("bk_web", "web")])
}

fn exec(sides: &Sides, host: &str, words: &str, any_status: bool) -> Exec {
    let (on, command) = (On::from(sides.host(host)), Command::words(words, &[]).unwrap());
    Exec { on, command, any_status, state: sides.fleet.state.clone() }
}

fn capture(sides: &Sides, host: &str, words: &str, any_status: bool) -> Capture {
    let (on, command) = (On::from(sides.host(host)), Command::words(words, &[]).unwrap());
    Capture { on, command, any_status, shown: false }
}

/// Tells the model how a command ends on a host.
fn says(sides: &Sides, host: &str, command: &str, said: Said) {
    let host = sides.host(host);
    sides.model(|model| {
        let machine = model.machine(&host).unwrap();
        let mut says = machine.says.get("").unwrap().clone();
        says.insert(command.to_owned(), said);
        machine.says = Fact::Told(says);
    });
}

/// The outcome without what depends on the moment: the numbers behind `the disk has`, epochs, how many requests came, how long a host was asked.
fn settled(mut value: Value) -> Value {
    if let Some(message) = value["message"].as_str()
        && let Some((before, _)) = message.split_once("the disk has")
    {
        value["message"] = format!("{before}the disk has").into();
    }
    if let Some(balancers) = value.get_mut("balancers").and_then(Value::as_object_mut) {
        for balancer in balancers.values_mut() {
            balancer["epoch"] = Value::Null;
            let pools = balancer["pools"].as_object_mut().into_iter().flat_map(|pools| pools.values_mut());
            let servers = pools.filter_map(Value::as_array_mut).flatten().filter_map(Value::as_object_mut);
            servers.for_each(|server| drop(server.remove("total")));
        }
    }
    if let Some(answers) = value.get_mut("answers") {
        *answers = Value::Null;
    }
    value
}

/// A folder whose `current` is another tool's is set up only once that is typed.
fn another_tools_folder_is_taken_over(lab: &Lab, sides: &Sides, home: &Home) {
    let old = "releases/20240101120000";
    lab.host("web3")
        .sh(&format!("cd /srv/shop && mv releases/* {old} && ln -s {old} .next && mv -T .next current"))
        .expect_ok();
    let web3 = sides.host("web3");
    let list = ReadReleases { host: web3.clone(), home: home.clone() };
    let listing = sides.learn(&list);
    assert_eq!((listing.foreign.as_deref(), &listing.current), (Some(old), &None));
    sides.fail(&SetUp { host: web3.clone(), home: home.clone() }, "this is another tool's layout");
    sides.same(&Adopt { host: web3.clone(), home: home.clone() }).unwrap();
    sides.same(&Adopt { host: web3, home: home.clone() }).unwrap();
    assert!(sides.same(&list).unwrap().set_up);
}

/// A service that is well is so by each kind of probe that wants what it answers, and by no other.
fn each_kind_of_probe(sides: &Sides, probe: &Probe) {
    let page = "{\"status\":\"ok\"";
    sides.model(|model| model.page = Some((200, page.to_owned())));
    type Change<'a> = &'a dyn Fn(&mut Health);
    let kinds: [(bool, Change); 6] = [
        (true, &|health| health.body = Some(page.to_owned())),
        (false, &|health| health.body = Some("sick".to_owned())),
        (true, &|health| health.status = vec![(100, 199), (200, 204)]),
        (false, &|health| health.status = vec![(204, 204)]),
        (true, &|health| health.host = Some("shop.example.org".to_owned())),
        (true, &|health| (health.url, health.version) = ("tcp://{address}:8080".to_owned(), Version::None)),
    ];
    for (good, change) in kinds {
        let mut probe = probe.clone();
        change(&mut probe.health);
        assert_eq!(sides.same(&ProbeOnce(probe.clone())).unwrap(), good, "{:?}", probe.health);
        assert_eq!(sides.same(&Inspect(probe)).unwrap().right, good);
    }
    let mut nobody = probe.clone();
    (nobody.health.url, nobody.health.version) = ("tcp://{address}:9".to_owned(), Version::None);
    let seen = sides.real.perform(&Inspect(nobody)).unwrap();
    assert!(!seen.right && seen.said.ends_with(":9: connection refused"), "{seen:?}");
    sides.model(|model| model.page = None);
}

/// What is built of a commit is staged under its number, unless the host has that number of something else.
fn a_build_takes_the_place_of_a_tree(sides: &Sides, home: &Home, stable: &Release) {
    let (web1, web2) = (sides.host("web1"), sides.host("web2"));
    let app = sides.fleet.app.clone().unwrap();
    let (repository, commit) = (app.repository.clone(), stable.commit.to_string());
    let of = Wanted { repository: repository.clone(), commit: commit.clone(), part: ".".into(), linked: app.linked };
    let known = |value: Value| Value::from(value.is_string());
    assert_eq!(sides.alike(&ReadBuilt { of: of.clone(), own: false }, known).unwrap(), None);
    let folder = sides.alike(&CheckOut { repository: repository.clone(), commit }, known).unwrap();
    std::fs::write(Path::new(&folder).join("built"), "yes").unwrap();
    let made = sides.alike(&PackBuilt { of, folder: folder.clone() }, known).unwrap();
    sides.same(&Sweep { repository, folder: folder.clone() }).unwrap();
    assert!(!Path::new(&folder).exists());
    let archives = tempfile::tempdir().unwrap();
    std::fs::write(archives.path().join("shop.tar"), [0; 1024]).unwrap();
    let take = |sha256: &str| TakeArchive {
        repository: app.repository.clone(),
        file: archives.path().join("shop.tar").display().to_string(),
        sha256: sha256.to_owned(),
        commit: stable.commit.clone(),
        part: ".".into(),
        linked: vec!["log".into()],
    };
    let empty = "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef";
    assert!(sides.alike(&take(empty), known).is_ok());
    let built = |host: &Host| Stage { made: Some(made.clone()), ..Stage::of(&sides.fleet, host, stable).unwrap() };
    let another = sides.alike(&built(&web1), |mut failed| {
        failed["message"] = failed["message"].as_str().and_then(|said| said.split(": its manifest").next()).into();
        failed
    });
    assert!(another.unwrap_err().message.contains("made from something else"));
    sides.same(&built(&web2)).unwrap();
    sides.same(&built(&web2)).unwrap();
    let manifest = |host: &Host| ReadManifest { host: host.clone(), release: stable.clone(), home: home.clone() };
    assert_eq!(sides.same(&manifest(&web2)).unwrap(), Some(made));
    assert!(sides.alike(&manifest(&web1), known).unwrap().is_some());
    assert_eq!(
        sides.same(&ReadManifest { release: Release { number: 9, ..stable.clone() }, ..manifest(&web1) }),
        Ok(None)
    );
}

#[test]
fn releases_and_services() {
    if !needs_lab("releases_and_services") {
        return;
    }
    let lab = Lab::start(four());
    let sides = Sides::of(&lab);
    let home = Home::of(&sides.fleet, &sides.host("web1")).unwrap();
    let all = sides.fleet.hosts.clone();
    sides.same(&Connect { fleet: sides.fleet.clone(), hosts: all.clone(), at_once: 8 }).unwrap();
    let list = |host: &str| ReadReleases { host: sides.host(host), home: home.clone() };
    // The lab's machines came to their first release by hand, and without rfab's folders.
    all.iter().for_each(|host| drop(sides.learn(&ReadReleases { host: host.clone(), home: home.clone() })));
    assert!(!sides.same(&list("web1")).unwrap().set_up);

    let stable = Release { number: 2, commit: lab.project.resolve("v3.0.1").as_str().into() };
    let stage = |host: &str, release: &Release| Stage::of(&sides.fleet, &sides.host(host), release).unwrap();
    let activate = |host: &str, release: &Release| Activate {
        host: sides.host(host),
        release: release.clone(),
        home: home.clone(),
        assets: vec!["public".into()],
        names: vec![],
    };
    let prune = |host: &str, keep| Prune { host: sides.host(host), home: home.clone(), keep };
    sides.fail(&stage("web1", &stable), "the app's folders aren't there");
    sides.fail(&prune("web1", 1), "the app's folders aren't there");
    for host in ["web1", "web2", "web4"] {
        sides.same(&SetUp { host: sides.host(host), home: home.clone() }).unwrap();
    }
    assert!(sides.same(&list("web1")).unwrap().set_up);
    another_tools_folder_is_taken_over(&lab, &sides, &home);

    sides.fail(&activate("web1", &stable), "the release isn't staged");
    sides.same(&stage("web1", &stable)).unwrap();
    sides.same(&stage("web1", &stable)).unwrap();
    assert!(sides.same(&list("web1")).unwrap().of(&stable.commit).is_some());
    sides.same(&activate("web1", &stable)).unwrap();
    sides.same(&activate("web1", &stable)).unwrap();
    assert_eq!(sides.same(&list("web1")).unwrap().current.as_ref(), Some(&stable));
    for number in 3..7 {
        let newer = Release {
            number,
            commit: lab.colleague(&format!("c{number}")).release(&format!("v3.1.{number}")).as_str().into(),
        };
        lab.project.git(&["fetch", "-q", "origin"]).expect_ok();
        sides.same(&stage("web1", &newer)).unwrap();
    }
    a_build_takes_the_place_of_a_tree(&sides, &home, &stable);
    assert_eq!(sides.same(&prune("web1", 2)).unwrap(), 2);
    assert_eq!(sides.same(&prune("web1", 2)).unwrap(), 0);
    assert_eq!(sides.same(&list("web1")).unwrap().releases.len(), 3);

    let _ = lab.host("web4").sh("head -c 2000000 /dev/zero > /srv/full");
    let web4 = sides.host("web4");
    sides.model(|model| model.machine(&web4).unwrap().full = true);
    let full = sides.alike(&stage("web4", &stable), settled).unwrap_err();
    assert!(full.message.contains("the disk has"), "{full:?}");
    assert_eq!(sides.same(&list("web4")).unwrap().releases.len(), 0);

    let service =
        |host: &str, change| ChangeService::of(&sides.fleet, &sides.host(host), &"shop".into(), change).unwrap();
    let status =
        |host: &str| ReadService::of(&sides.fleet, &sides.host(host), &"shop".into(), ServiceRead::Status).unwrap();
    // A unit's own words are its own; whether it runs is what counts.
    let runs = |mut value: Value| {
        value["out"] = Value::Null;
        value
    };
    assert_eq!(sides.alike(&status("web2"), runs).unwrap().status, 0);
    sides.same(&service("web2", ServiceChange::Stop)).unwrap();
    assert_eq!(sides.alike(&status("web2"), runs).unwrap().status, 3);
    sides.same(&service("web2", ServiceChange::Start)).unwrap();
    sides.same(&service("web2", ServiceChange::Start)).unwrap();
    assert_eq!(sides.alike(&status("web2"), runs).unwrap().status, 0);
    let probe = |host: &str, commit: &str| {
        let mut probe = Probe::of(&sides.fleet, &sides.host(host), Expected::of(commit.into(), vec![])).unwrap();
        probe.health.within = Duration::from_secs(3);
        probe
    };
    let glance = |host: &str, commit: &str| ProbeOnce(probe(host, commit));
    // Activated, but not restarted: it serves what it served.
    let old = lab.project.resolve("v3.0.0");
    assert!(sides.same(&glance("web1", &old)).unwrap());
    let tried = || sides.same(&TryProbe(probe("web1", &stable.commit)));
    assert_eq!(tried().unwrap(), Tried::Fits);
    lab.host("web1").unit("shop").says("ok");
    sides.model(|model| model.says = "ok".to_owned());
    assert!(matches!(tried().unwrap(), Tried::Nameless(words) if words.contains("is `ok`")));
    lab.host("web1").unit("shop").says("{commit}");
    sides.model(|model| model.says = "{commit}".to_owned());
    assert!(!sides.same(&glance("web1", &stable.commit)).unwrap());
    each_kind_of_probe(&sides, &probe("web1", &old));
    sides.alike(&probe("web1", &old), settled).unwrap();
    let served = sides.same(&probe("web1", &stable.commit)).unwrap_err();
    assert!(served.message.contains("serves version"), "{served:?}");
    sides.same(&service("web1", ServiceChange::Restart)).unwrap();
    assert!(sides.alike(&probe("web1", &stable.commit), settled).unwrap().version_proven);

    lab.host("web1").unit("shop").sick(true);
    sides.model(|model| model.sick.insert(stable.commit.clone()));
    assert_eq!(tried().unwrap(), Tried::Silent);
    assert!(!sides.same(&glance("web1", &stable.commit)).unwrap());
    sides.fail(&probe("web1", &stable.commit), "doesn't become healthy within 3 s");
    sides.same(&service("web1", ServiceChange::Stop)).unwrap();
    sides.fail(&probe("web1", &stable.commit), "doesn't become healthy within 3 s");
    assert_eq!(tried().unwrap(), Tried::Silent);
    let mut unknown = TryProbe(probe("web1", &stable.commit));
    unknown.0.health.url = "http://web1.invalid:8080/health".to_owned();
    let refused = sides.real.perform(&unknown).unwrap_err();
    let said = "`web1.invalid` doesn't resolve on `lb1`";
    assert!(refused.reason() == Reason::Fabfile && refused.message.starts_with(said), "{refused:?}");

    lab.host("web3").sh(&format!("mv {0} {0}.gone", lab.host("web3").unit("shop").folder().display())).expect_ok();
    let gone = Said { status: 5, err: "unit shop isn't known here".into(), ..Said::default() };
    let restart = service("web3", ServiceChange::Restart);
    says(&sides, "web3", "lab-service restart shop", gone);
    assert_eq!(sides.same(&restart).unwrap_err().status, Some(5));

    lab.host("web3").stop_sshd();
    let web3 = sides.host("web3");
    sides.model(|model| model.dead.insert(key(&web3)));
    let dead = sides.real.perform(&list("web3")).unwrap_err();
    assert_eq!(
        (dead.reason(), sides.made_up.perform(&list("web3")).unwrap_err().reason()),
        (Reason::Unreachable, Reason::Unreachable)
    );
}

#[test]
fn commands_and_files() {
    if !needs_lab("commands_and_files") {
        return;
    }
    let lab = Lab::start(four());
    let sides = Sides::of(&lab);
    sides.same(&exec(&sides, "web1", "true", false)).unwrap();
    let three = Said { status: 3, out: "out".into(), err: "err".into() };
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
    let look = Look { on: on("web1"), path: path.into() };
    let exists = Exists { on: on("web1"), path: path.into() };
    let read = ReadFile { on: on("web1"), path: path.into() };
    sides.same(&look).unwrap();
    assert!(!sides.same(&exists).unwrap());
    sides.fail(&read, "it isn't there");
    let here = tempfile::tempdir().unwrap();
    let get = Get { on: on("web1"), from: path.into(), to: here.path().join("got") };
    sides.fail(&get, "it isn't there");
    sides.same(&WriteFile { on: on("web1"), path: path.into(), text: "hello\n".into(), secret: false }).unwrap();
    sides.same(&look).unwrap();
    assert!(sides.same(&exists).unwrap());
    assert_eq!(sides.same(&read).unwrap(), "hello\n");
    sides.same(&get).unwrap();
    std::fs::write(here.path().join("sent"), b"\xff\xfe").unwrap();
    sides.same(&Put { on: on("web1"), from: here.path().join("sent"), to: path.into() }).unwrap();
    sides.fail(&read, "it isn't text in UTF-8");
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

#[test]
fn the_balancer_its_lock_and_its_ledger() {
    if !needs_lab("the_balancer_its_lock_and_its_ledger") {
        return;
    }
    let lab = Lab::start(four());
    let sides = Sides::of(&lab);
    let fleet = &sides.fleet;
    let lock = |run: &str, take| Lock { fleet: fleet.clone(), holder: holder(run), take, wait: false };
    let set = |names: &[&str], to| {
        let hosts = names.iter().map(|name| sides.host(name)).collect();
        SetAdmin { fleet: fleet.clone(), hosts, to, reason: "test".into(), typed: false }
    };
    let balance = ReadBalance { fleet: fleet.clone() };
    let wait_drained = |name: &str, within| WaitDrained { fleet: fleet.clone(), host: sides.host(name), within };
    let wait_up = |name: &str, within| WaitUp { fleet: fleet.clone(), host: sides.host(name), within };
    // Nobody uses the shop.
    sides.model(|model| {
        model.servers.values_mut().for_each(|s| (s.open, s.weight, s.configured) = (Fact::Told(0), 1, 1))
    });

    let other = sides::Side::real(&lab, "r0");
    other.perform(&lock("r0", true)).unwrap();
    sides.model(|model| model.states.get_mut("prod").unwrap().held_by = Some(holder("r0")));
    sides.fail(
        &lock("r1", true),
        "fleet `prod` is locked by anna@mac since 2026-11-24T10:00:00Z: `rfab prod deploy:stable` (run r0)",
    );
    sides.same(&lock("r1", false)).unwrap();
    sides.fail(&lock("r1", true), "(run r0)");
    other.perform(&lock("r0", false)).unwrap();
    sides.model(|model| model.states.get_mut("prod").unwrap().held_by = None);
    sides.same(&lock("r1", true)).unwrap();
    sides.same(&lock("r1", true)).unwrap();
    sides.same(&AcquireLock { fleet: fleet.clone() }).unwrap();

    sides.alike(&balance, settled).unwrap();
    sides.same(&set(&["web1", "web2"], Admin::Drain)).unwrap();
    sides.same(&set(&["web1"], Admin::Drain)).unwrap();
    sides.alike(&balance, settled).unwrap();
    sides.same(&wait_drained("web1", 2_000)).unwrap();
    sides.same(&set(&["web1"], Admin::Maint)).unwrap();
    sides.alike(&balance, settled).unwrap();
    // Who is in maintenance gets no requests: that is drained enough.
    sides.same(&set(&["web1"], Admin::Drain)).unwrap();
    sides.alike(&balance, settled).unwrap();
    sides.same(&set(&["web1", "web2"], Admin::Ready)).unwrap();
    sides.same(&wait_up("web1", 5_000)).unwrap();
    sides.alike(&balance, settled).unwrap();
    let weight = |percent| SetWeight { fleet: fleet.clone(), host: sides.host("web1"), percent };
    sides.fail(&weight(10), "10 % of the weight 1 of `lb1/bk_web/web1` rounds to zero");
    for percent in [0, 100] {
        sides.same(&weight(percent)).unwrap();
        sides.alike(&balance, settled).unwrap();
    }

    // One that its pool does not have: none of those named beside it is drained.
    let mut stranger = sides.host("web2");
    (stranger.name, stranger.address) = ("web9".into(), None);
    let unknown = SetAdmin { hosts: vec![sides.host("web1"), stranger], ..set(&[], Admin::Drain) };
    let failure = sides.real.perform(&unknown).unwrap_err();
    assert!(failure.message.starts_with("`lb1` has no server `web9` in its pool `bk_web`"), "{failure:?}");
    let predicted = sides.made_up.perform(&unknown).unwrap_err();
    assert_eq!((failure.reason(), &failure.host), (predicted.reason(), &predicted.host));
    assert!(failure.message.starts_with(&predicted.message), "{predicted:?}");
    sides.alike(&balance, settled).unwrap();

    // Some request is open on each host.
    let address = lab.balancer("lb1").frontend("bk_web");
    let open: Vec<TcpStream> = (0..8)
        .map(|_| {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(b"GET /slow?ms=4000 HTTP/1.1\r\nHost: shop\r\n\r\n").unwrap();
            stream
        })
        .collect();
    lab.balancer("lb1").wait_for("bk_web", "web3", "scur", "2");
    sides.model(|model| model.servers.values_mut().for_each(|server| server.open = Fact::Told(2)));
    sides.same(&set(&["web3"], Admin::Drain)).unwrap();
    sides.fail(&wait_drained("web3", 500), "host `web3` isn't drained: 2 requests are still open after 0.5 s");
    // Who is bound to it is kept off meanwhile; what is open is closed where the fleet file says so.
    let closing =
        Fleet { balancers: vec![Balancer { force_close: true, ..fleet.balancers[0].clone() }], ..(**fleet).clone() };
    let cut_off =
        |fleet: &Arc<Fleet>| CutOff { fleet: fleet.clone(), host: sides.host("web3"), bound: true, within: 300 };
    let still_open = || {
        sides.model(|model| {
            let now = model.now;
            model.servers.values_mut().for_each(|server| server.since = now);
        })
    };
    still_open();
    sides.fail(&cut_off(fleet), "host `web3` isn't drained: 2 requests are still open after 0.3 s");
    still_open();
    sides.alike(&balance, settled).unwrap();
    let places = vec![Place { balancer: "lb1".into(), pool: "bk_web".into(), server: "web3".into() }];
    let reopen = Reopen { fleet: fleet.clone(), host: sides.host("web3"), places: places.clone() };
    sides.same(&reopen).unwrap();
    sides.same(&reopen).unwrap();
    lab.balancer("lb1").wait_for("bk_web", "web3", "status", "DRAIN");
    sides.alike(&balance, settled).unwrap();
    still_open();
    assert_eq!(sides.same(&cut_off(&closing.into())).unwrap(), places);
    sides.alike(&balance, settled).unwrap();
    sides.same(&wait_drained("web3", 100)).unwrap();
    sides.same(&reopen).unwrap();
    drop(open);
    sides.model(|model| model.servers.values_mut().for_each(|server| server.open = Fact::Told(0)));
    sides.same(&set(&["web3"], Admin::Ready)).unwrap();

    let web4 = sides.host("web4");
    lab.host("web4").unit("shop").tell("stop");
    lab.balancer("lb1").wait_for("bk_web", "web4", "status", "DOWN");
    sides.model(|model| model.machine(&web4).unwrap().up_at = Fact::Told(None));
    sides.fail(&wait_up("web4", 400), "host `web4` isn't up for its balancer after 0.4 s: it reports `DOWN`");

    sides.same(&set(&["web4"], Admin::Maint)).unwrap();
    let mut hasty = (**fleet).clone();
    hasty.balancers[0].drain_within = Duration::from_secs(1);
    let ready = SetAdmin { fleet: hasty.into(), ..set(&["web4"], Admin::Ready) };
    sides.fail(&ready, "host `web4` isn't healthy: its balancer reports `DOWN`; left out; all others are unchanged");
    sides.alike(&balance, settled).unwrap();

    let commit: rfab::host::Name = lab.project.resolve("v3.0.1").as_str().into();
    let number = |highest| Number {
        fleet: fleet.clone(),
        commit: commit.clone(),
        name: "v3.0.1".into(),
        names: vec!["v3.0.1".into()],
        known: None,
        anew: false,
        made: false,
        highest,
        line: line("r1"),
    };
    assert_eq!(sides.same(&number(1)).unwrap(), 2);
    assert_eq!(sides.same(&number(7)).unwrap(), 2, "a known commit keeps its own");
    assert_eq!(sides.same(&Number { anew: true, ..number(7) }).unwrap(), 8, "but for one that is made anew");
    assert_eq!(sides.same(&number(7)).unwrap(), 8);
    lab.project.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{commit},vendor/lib")]).expect_ok();
    lab.project.git(&["commit", "-q", "-m", "a submodule"]).expect_ok();
    let unfit = Number { commit: lab.project.resolve("HEAD").as_str().into(), ..number(8) };
    sides.fail(&unfit, "");
    assert_eq!(sides.same(&Number { made: true, ..unfit }).unwrap(), 9, "what was refused has burnt no number");
    let made_up = Number { known: Some(999_999_998), anew: true, ..number(999_999_999) };
    assert_eq!(sides.same(&made_up).unwrap(), 10, "one that somebody made up on a host doesn't count");
    let marks = ReadMarks { fleet: fleet.clone(), name: "migrate".into(), commit: commit.clone() };
    assert_eq!(sides.same(&marks).unwrap(), MarkState::NeverBegun);
    for state in [MarkState::Begun, MarkState::Failed, MarkState::Begun, MarkState::Done] {
        let mark =
            Mark { fleet: fleet.clone(), name: "migrate".into(), commit: commit.clone(), state, line: line("r1") };
        sides.same(&mark).unwrap();
        assert_eq!(sides.same(&marks).unwrap(), state);
    }
    let undated = |mut value: Value| {
        value["lines"].as_array_mut().unwrap().iter_mut().for_each(|line| line["at"] = Value::Null);
        value
    };
    assert_eq!(sides.alike(&ReadLedger { fleet: fleet.clone() }, undated).unwrap().lines.len(), 10);

    lab.balancer("lb1").reload();
    sides.model(|model| model.forget(&fleet.name, &"lb1".into()));
    lab.balancer("lb1").wait_for("bk_web", "web1", "status", "UP");
    assert_eq!(sides.same(&lock("r1", false)).map(drop), Ok(()));
}

#[test]
fn the_repository_the_person_and_the_clock() {
    if !needs_lab("the_repository_the_person_and_the_clock") {
        return;
    }
    let lab = Lab::start(Plan::new().host(HostPlan::new("web1").fleet("prod").role("web").sudo(Sudo::Free)));
    let sides = Sides::of(&lab);
    let repository = lab.project.folder.display().to_string();
    // The simulator reads the repository as it was last fetched, and says so.
    let unwarned = |mut value: Value| {
        value["warnings"] = Value::Null;
        value
    };
    let resolve = |reference: &str| Resolve::of(&sides.fleet, reference).unwrap();
    for reference in ["stable", "v3.0.0", "my-branch", "main"] {
        sides.alike(&resolve(reference), unwarned).unwrap();
    }
    let unknown = sides.alike(&resolve("v3.0.9"), |v| v).unwrap_err();
    assert!(unknown.message.contains("there is no tag, branch or commit `v3.0.9`"), "{unknown:?}");
    let tags_only = Resolve { accept: vec![rfab::fleet::Accept::Tag], ..resolve("my-branch") };
    assert!(sides.alike(&tags_only, unwarned).is_err());
    sides.same(&ReadNames { repository: repository.clone() }).unwrap();
    let [old, new] = ["v3.0.0", "v3.0.1"].map(|tag| lab.project.resolve(tag));
    sides.same(&ReadLog { repository: repository.clone(), old, new: new.clone(), most: 10 }).unwrap();
    sides.fail(&ReadLog { repository: repository.clone(), old: "0".repeat(40), new: new.clone(), most: 10 }, "");
    for change in [
        Change::Fetch,
        Change::Tag { name: "v9".into(), commit: new, message: None },
        Change::Push { what: vec![rfab::git::Pushed::Tag("v9".into())] },
    ] {
        assert_eq!(sides.same(&ChangeRepository { repository: repository.clone(), change }), Ok(None));
    }

    sides.same(&Confirm { question: "sure?".into(), given: true }).unwrap();
    sides.same(&Confirm { question: "sure?".into(), given: false }).unwrap();
    sides.same(&Prompt { question: "why?".into() }).unwrap();
    let consent = |given: Option<Option<&str>>| Consent {
        of: None,
        fleet: "prod".into(),
        project: "/srv/shop".into(),
        question: "change it?".into(),
        given: given.map(|name| name.map(str::to_owned)),
    };
    for given in [None, Some(None), Some(Some("prod"))] {
        sides.same(&consent(given)).unwrap();
    }
    sides.fail(&consent(Some(Some("testing"))), "`--yes=testing` isn't a yes to the fleet `prod`");
    sides.same(&Wait { time: 20 }).unwrap();
    let [before, after] = [(); 2].map(|()| {
        thread::sleep(Duration::from_millis(10));
        sides.made_up.perform(&Wait { time: 1_000 }).unwrap();
        sides.made_up.perform(&Now).unwrap()
    });
    assert_eq!(after - before, 1, "the made-up clock goes by what is waited for");
}
