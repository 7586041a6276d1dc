//! What `status` prints: all of it in the simulator, and real hosts as a colleague who never deployed sees them.

use crate::made_up::{FOUR, Shop, host};
use lab::{HostPlan, Lab, Plan, Sudo, needs_lab};
use rfab::{
    event::{EffectKind, Event, EventKind},
    failure::Exit,
    model::Model,
    session::Fault,
    simulate::{Scenario, Simulation},
};
use std::{fs, os::unix::fs::PermissionsExt, path::Path};

/// Returns a run's notes and warnings, with `ssssssssssss` for the commit of `stable`. Panics if the run changed
/// something.
#[track_caller]
fn said(shop: &Shop, ran: &Simulation) -> String {
    let line = |event: &Event| match &event.what {
        EventKind::Noted { text, .. } => Some(format!("{text}\n")),
        EventKind::Warned { text, .. } => Some(format!("warning: {text}\n")),
        EventKind::EffectStarted { kind, effect, .. }
            if *kind != EffectKind::Read && !["connect", "lock"].contains(effect) =>
        {
            panic!("a status does {effect}")
        }
        _ => None,
    };
    let text: String = ran.events.iter().filter_map(line).collect();
    aged(&text.replace(&shop.stable[..12], "ssssssssssss"))
}

/// Replaces each age by `N s` and each gap by two spaces, so that the length of a simulated run doesn't matter.
fn aged(text: &str) -> String {
    let ages = regex::Regex::new(r"\b[0-9]+ s\b").unwrap().replace_all(text, "N s").into_owned();
    let ages = regex::Regex::new(r"T00:00:[0-9]+Z").unwrap().replace_all(&ages, "T00:00:NNZ").into_owned();
    let gaps = regex::Regex::new("  +").unwrap().replace_all(&ages, "  ").into_owned();
    gaps.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

#[test]
fn a_fleet_in_the_middle_of_a_release_whose_operator_died_is_told_host_by_host() {
    let shop = Shop::four("");
    let fresh = shop.run("prod status", Model::new());
    assert_eq!(fresh.ended.exit, Exit::Done);
    assert_eq!(
        said(&shop, &fresh),
        aged(
            "\
host   release            balancer  in flight  health
web1   0001-111111111111  live      40         good
web2   0001-111111111111  live      40         good
web3   0001-111111111111  live      40         good
web4   0001-111111111111  live      40         good
jobs1  0001-111111111111                       runs
"
        )
    );

    // The run dies between the switch of group1 and its proof.
    let whole = shop.run("prod release:stable", fresh.model.clone());
    let died = |at: u32| {
        let wish = Scenario { seed: 1, fault: Some(Fault::KilledBefore(at)), ..Scenario::default() };
        shop.run_with("prod release:stable", fresh.model.clone(), wish)
    };
    let switched = |ran: &Simulation| {
        let ledger = |name: &str| ran.model.machines[&("prod".into(), name.into())].ledger.join("");
        ledger("web1").contains("\"restart\"") && ledger("web2").contains("\"restart\"")
    };
    let mut model = (1..whole.effects).map(died).find(switched).expect("group1 is switched at some time").model;
    let line = r#"{"v":1,"run":"r7","seq":0,"at":"1970-01-01T00:00:02Z","who":"anna","on_behalf_of":"berta","from":"mac","effect":"run","phase":"intent","reason":"prod release:stable"}"#;
    model.write_down(&"prod".into(), &"lb1".into(), line).expect("a state folder");
    // The run that asks has begun too.
    let own = line.replace("r7", &format!("sim-{}", model.runs + 1));
    model.write_down(&"prod".into(), &"lb1".into(), &own).expect("a state folder");
    // A person took one host out, and one is dead.
    let web3 = host(&model, "web3");
    model.take_out(&web3);
    model.dead.insert(("prod".into(), "web4".into()));
    let ran = shop.run("prod status", model);
    assert_eq!(ran.ended.exit, Exit::Unreachable, "{:?}", ran.ended.failures);
    assert_eq!(
        said(&shop, &ran),
        aged("\
warning: tester's run sim-2 isn't done: `rfab prod release:stable`, started at 1970-01-01T00:00:00Z; its last step was `switch` on web2, at 1970-01-01T00:00:08Z. On simulator, `rfab --resume sim-2` continues it, and `rfab --abort sim-2` undoes it
warning: anna's run r7 on behalf of berta isn't done: `rfab prod release:stable`, started at 1970-01-01T00:00:02Z. On mac, `rfab --resume r7` continues it, and `rfab --abort r7` undoes it
warning: web4 can't be asked
host   release                     age  balancer  in flight  health  deployed                          to know
web1   v3.0.1 (0002-ssssssssssss)  0 s  out       0          bad     1 s ago by tester from simulator  taken out by tester from simulator, 7 s ago (for a release); http://web1:8080/health: no response; unfinished: switch to v3.0.1 (ssssssssssss), begun by tester from simulator, 1 s ago
web2   v3.0.1 (0002-ssssssssssss)  0 s  out       0          bad     1 s ago by tester from simulator  taken out by tester from simulator, 7 s ago (for a release); http://web2:8080/health: no response; unfinished: switch to v3.0.1 (ssssssssssss), begun by tester from simulator, 1 s ago
web3   0001-111111111111                draining  40         good                                      taken out without rfab: the ledger doesn't say by whom
web4   ?                                live      40         ?       ?                                 host `web4` can't be reached: no route to host
jobs1  0001-111111111111                                     runs
")
    );
}

#[test]
fn a_migration_without_an_end_and_a_balancer_that_is_gone_are_told() {
    let shop = Shop::four("");
    let known = shop.known();
    let whole = shop.run("prod deploy:stable", known.clone());
    let died = |at: u32| {
        let wish = Scenario { seed: 1, fault: Some(Fault::KilledBefore(at)), ..Scenario::default() };
        shop.run_with("prod deploy:stable", known.clone(), wish)
    };
    let begun =
        |ran: &Simulation| ran.model.states["prod"].ledgers.values().flatten().any(|l| l.contains("\"migrate\""));
    let mut model = (1..whole.effects).map(died).find(begun).expect("it migrates at some time").model;
    let ran = shop.run("prod status", model.clone());
    assert_eq!(ran.ended.exit, Exit::Done, "{:?}", ran.ended.failures);
    let text = said(&shop, &ran);
    assert!(
        text.ends_with(&aged(
            "
unfinished: migrate of v3.0.1 (ssssssssssss) on web1, begun by tester from simulator, 0 s ago
"
        )),
        "{text}"
    );

    model.dead.insert(("prod".into(), "lb1".into()));
    let ran = shop.run("prod status", model);
    assert_eq!(
        said(&shop, &ran),
        aged(
            "\
warning: host `lb1` can't be reached: no route to host
host   release            balancer  in flight  health
web1   0001-111111111111  ?         ?          good
web2   0001-111111111111  ?         ?          good
web3   0001-111111111111  ?         ?          good
web4   0001-111111111111  ?         ?          good
jobs1  0001-111111111111  ?         ?          runs
"
        )
    );
    assert_eq!(ran.ended.exit, Exit::LeftOut);
}

#[test]
fn a_testing_fleet_without_a_balancer_has_no_such_column() {
    let (head, _) = FOUR.split_once("[balancer.lb1]").unwrap();
    let shop = Shop::of(&[("testing1", &format!("deploy_live = true\n{head}"))], "");
    let model = shop.done("testing deploy:stable", Model::new());
    let ran = shop.run("testing status", model);
    assert_eq!(ran.ended.exit, Exit::Done);
    assert_eq!(
        said(&shop, &ran),
        aged(
            "\
host   release                     age  health  deployed
web1   v3.0.1 (0002-ssssssssssss)  0 s  good    25 s ago by tester from simulator
web2   v3.0.1 (0002-ssssssssssss)  0 s  good    25 s ago by tester from simulator
web3   v3.0.1 (0002-ssssssssssss)  0 s  good    17 s ago by tester from simulator
web4   v3.0.1 (0002-ssssssssssss)  0 s  good    17 s ago by tester from simulator
jobs1  v3.0.1 (0002-ssssssssssss)  0 s  good    9 s ago by tester from simulator
"
        )
    );
}

/// Returns the cells of a line, with `N` for how long ago something was, and `here` for this machine.
fn cells(line: &str) -> Vec<String> {
    let here = fs::read_to_string("/proc/sys/kernel/hostname").expect("a name");
    let cell = |cell: &str| {
        let cell = cell.trim().replace(&format!(" from {}", here.trim()), " from here");
        let words: Vec<&str> = cell.split(' ').collect();
        let time = |at: usize| words.get(at + 1) == Some(&"s") && words[at].parse::<u32>().is_ok();
        (0..words.len()).map(|at| if time(at) { "N" } else { words[at] }).collect::<Vec<_>>().join(" ")
    };
    line.split("  ").filter(|cell| !cell.trim().is_empty()).map(cell).collect()
}

/// Starts two groups of two behind `lb1`.
fn four() -> Lab {
    let web = |name, group| HostPlan::new(name).fleet("prod").group(group).role("web").sudo(Sudo::Free);
    let hosts = [("web1", "group1"), ("web2", "group1"), ("web3", "group2"), ("web4", "group2")];
    let plan = hosts.into_iter().fold(Plan::new().serving("v3.0.0"), |plan, (name, group)| plan.host(web(name, group)));
    let lab = Lab::start(plan.balancer("lb1", &[("bk_web", "web")]));
    lab.rfab(&["prod", "setup"]).output().expect_ok();
    lab
}

#[test]
fn it_is_true_from_a_machine_that_never_deployed() {
    if !needs_lab("it_is_true_from_a_machine_that_never_deployed") {
        return;
    }
    let lab = four();
    let anna = |words: &[&str]| {
        let ran = lab.rfab(words).env("USER", "anna").env("RFAB_ON_BEHALF_OF", "berta").output();
        assert_eq!(ran.code, Some(0), "{ran:?}");
    };
    anna(&["prod", "release:stable"]);
    anna(&["prod", "proxy.group2"]);
    lab.balancer("lb1").set("bk_web", "web3", "maint");

    let clone = lab.folder.join("colleagues/cleo");
    lab.colleague("cleo");
    let home = lab.folder.join("cleo");
    for folder in [&home, &home.join("run"), &home.join(".ssh")] {
        fs::create_dir_all(folder).expect("a folder");
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).expect("a folder");
    }
    let path = |path: &Path| path.display().to_string();
    let cleo = |words: &[&str]| {
        let run = lab.rfab(words).folder(&clone).env("USER", "cleo").env("HOME", &path(&home));
        run.env("XDG_RUNTIME_DIR", &path(&home.join("run"))).output()
    };
    let release = format!("v3.0.1 (0002-{})", &lab.project.resolve("v3.0.1")[..12]);
    let by = "N s ago by anna for berta from here";
    let head = ["host", "release", "age", "balancer", "in flight", "health", "deployed", "to know"];
    let out = "taken out by anna for berta from here, N s ago (so that only another group is live)";
    let past = "taken out without rfab: the ledger doesn't say by whom";
    let expected = [
        head.to_vec(),
        vec!["web1", &release, "N s", "out", "0", "good", by, out],
        vec!["web2", &release, "N s", "out", "0", "good", by, out],
        vec!["web3", &release, "N s", "out", "0", "good", by, past],
        vec!["web4", &release, "N s", "live", "0", "good", by],
    ];
    let told = cleo(&["prod", "status"]);
    println!("{}{}", told.stdout, told.stderr);
    assert_eq!(told.code, Some(0), "{told:?}");
    assert_eq!(told.stdout.lines().skip(2).take(5).map(cells).collect::<Vec<_>>(), expected);
    let runs = cleo(&["--history"]).expect_ok();
    assert_eq!(runs.lines().skip(1).map(|line| line.ends_with("  prod status")).collect::<Vec<_>>(), [true]);

    // A host that doesn't answer has a row, and the other rows are complete.
    lab.host("web4").stop_sshd();
    let told = cleo(&["prod", "status"]);
    println!("{}{}", told.stdout, told.stderr);
    assert_eq!(told.code, Some(4), "{told:?}");
    let table: Vec<Vec<String>> =
        told.stdout.lines().skip_while(|line| !line.starts_with("host ")).map(cells).collect();
    assert_eq!(table[..4], expected[..4]);
    assert_eq!(table[4][..6], ["web4", "?", "live", "0", "?", "?"]);
    assert!(table[4][6].starts_with("host `web4` can't be reached: "), "{:?}", table[4]);
}

#[test]
fn a_balancer_that_forgot_who_is_out_is_told_with_the_line_that_takes_them_out_again_and_that_line_works() {
    let shop = Shop::four("");
    let mut model = shop.done("prod proxy.group2", shop.known());
    model.forget(&"prod".into(), &"lb1".into());
    let line = "`lb1` was reloaded or restarted and forgot that tester took web1, web2 out at 1970-01-01T00:00:00Z (so that only another group is live); \
                they get requests now: `rfab prod proxy_group2` takes them out again";
    let nobody = shop.run("prod:out deploy:stable", model.clone());
    assert_eq!(nobody.ended.exit, Exit::NoHosts);
    assert_eq!(nobody.ended.failures[0].help.as_deref(), Some(line));
    let warned = |ran: &Simulation| {
        let all = ran.events.iter().filter_map(|event| match &event.what {
            EventKind::Warned { text, .. } => Some(text.clone()),
            _ => None,
        });
        all.collect::<Vec<_>>()
    };
    let told = shop.run("prod status", model.clone());
    assert_eq!(warned(&told), [line]);
    assert!(said(&shop, &told).contains("live again, although taken out by tester from simulator"));
    // The advised line works, and the warning ends; it also ends once a line puts all of them back.
    let again = shop.done("prod proxy.group2", model.clone());
    let out = shop.run("prod:out deploy:stable", again);
    assert_eq!((out.ended.exit, warned(&out)), (Exit::Done, Vec::new()));
    let all = shop.done("prod proxy.all", model);
    assert_eq!(warned(&shop.run("prod status", all)), [""; 0]);
}
