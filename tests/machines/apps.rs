//! Several apps in one fleet file, behind two balancers: each is deployed, drained and aborted as if it were alone.

use crate::made_up::{Shop, done, failures};
use lab::{HostPlan, Lab, Plan, Sudo, needs_lab};
use rfab::{
    event::{Event, EventKind, Outcome, PoolState},
    failure::Exit,
    line,
    model::{Model, key},
    secret::DigestKey,
    session::Journaling,
    simulate::{Scenario, Simulation, simulate_abort, simulate_attempt},
    store::{EarlierAttempts, Journal, Record, records},
};

/// `mixed1` serves both apps; `db1` serves none.
const BOTH: &str = r#"
guarded = true
[app.shop]
path = "/srv/shop"
[app.shop.service]
units = { web = ["shop"], worker = ["shop-jobs"] }
[app.shop.health]
url = "http://{address}:8080/health"
version = "header:X-Release"
over = "5s"
[app.api]
path = "/srv/api"
[app.api.service]
units = { api = ["api"] }
[app.api.health]
url = "http://{address}:9090/health"
version = "header:X-Release"
over = "5s"
[hosts]
"web[1..3]" = { roles = ["web"] }
mixed1 = { roles = ["web", "api"] }
"api[1..2]" = { roles = ["api"] }
jobs1 = { roles = ["worker"] }
db1 = { roles = ["db"] }
[balancer.lb1]
driver = "haproxy"
host = "lb1"
socket = "/run/haproxy/admin.sock"
pools = { bk_web = "web", bk_api = "api" }
[balancer.lb2]
driver = "haproxy"
host = "lb2"
socket = "/run/haproxy/admin.sock"
pools = { bk_api = "api" }
"#;

const TASKS: &str = r#"
/// The shop's hosts.
fn shop(which) { fleet("fleets/both.toml").app("shop").select(which) }
fn shop()      { shop("all") }
/// The api's hosts.
fn api(which) { fleet("fleets/both.toml").app("api").select(which) }
fn api()      { api("all") }
/// Every host of both.
fn whole() { fleet("fleets/both.toml") }
fn misspelt() { fleet("fleets/both.toml").app("shpo") }
fn of_api_hosts() { fleet("fleets/both.toml").select("api").app("shop") }
fn apps() { ui::note(fleet("fleets/both.toml").apps.to_string()); }
fn drain(name) { balancer::drain(targets().select(name), "by hand"); }
fn uptime() { targets().parallel(|host| host.run("uptime")); }
"#;

fn shop() -> Shop {
    Shop::of(&[("both", BOTH)], TASKS)
}

/// Returns the closing table, a line for each host: old, new, state in the balancer, and result.
fn table(ran: &Simulation, shop: &Shop) -> String {
    let row = |row: &rfab::event::HostRow| {
        let release = |text: &Option<String>| text.as_deref().unwrap_or("-").replace(&shop.stable[..12], "stable");
        let (old, new) = (release(&row.old), release(&row.new));
        let standing = match row.balancer {
            PoolState::Live => "live",
            PoolState::Out => "out",
            PoolState::None => "-",
            other => panic!("{other:?}"),
        };
        let result = match row.result {
            Outcome::Ok => "ok",
            Outcome::Unchanged => "unchanged",
            Outcome::Untouched => "untouched",
            other => panic!("{other:?}: {:?}", row.note),
        };
        format!("{} {old} {new} {standing} {result}\n", row.host)
    };
    ran.ended.table.iter().map(row).collect()
}

/// Returns the servers of balancers that aren't ready, as `fleet balancer/pool/host`.
fn out(model: &Model) -> Vec<String> {
    let ready = |server: &rfab::model::PoolServer| format!("{:?}", server.admin.get("").ok()).contains("Ready");
    let out = model.servers.iter().filter(|(_, server)| !ready(server));
    out.map(|((fleet, balancer, pool, host), _)| format!("{fleet} {balancer}/{pool}/{host}")).collect()
}

/// Returns the fleets with a ledger that a run wrote to, which it does under their locks.
fn locked(ran: &Simulation) -> Vec<String> {
    let told = |state: &rfab::model::StateFolder| {
        let run = format!("\"run\":\"sim-{}\"", ran.model.runs);
        state.ledgers.values().flatten().any(|line| line.contains(&run) && line.contains("\"effect\":\"run\""))
    };
    ran.model.states.iter().filter(|(_, state)| told(state)).map(|(fleet, _)| fleet.to_string()).collect()
}

/// Returns the release that each host of a fleet serves.
fn serving(model: &Model, fleet: &str) -> String {
    let release = |host: &rfab::host::Host| {
        let machine = &model.machines[&key(host)];
        machine.current.get("").ok().and_then(|c| c.as_ref().map(|r| r.to_string())).unwrap_or_default()
    };
    model.fleets[fleet].hosts.iter().map(|host| format!("{host} {}\n", release(host))).collect()
}

const SHOP_TABLE: &str = "\
web1 0001-111111111111 0002-stable live ok
web2 0001-111111111111 0002-stable live ok
web3 0001-111111111111 0002-stable live ok
mixed1 0001-111111111111 0002-stable live ok
jobs1 0001-111111111111 0002-stable - ok
";

const API_TABLE: &str = "\
mixed1 0001-111111111111 0002-stable live ok
api1 0001-111111111111 0002-stable live ok
api2 0001-111111111111 0002-stable live ok
";

#[test]
fn two_apps_are_deployed_one_after_the_other_each_to_its_own_hosts_behind_its_own_pools() {
    let shop = shop();
    let first = shop.run("shop deploy:stable", Model::new());
    assert_eq!((table(&first, &shop).as_str(), locked(&first)), (SHOP_TABLE, vec!["both.shop".to_owned()]));
    let model = done(first);
    let second = shop.run("api deploy:stable", model);
    assert_eq!((table(&second, &shop).as_str(), locked(&second)), (API_TABLE, vec!["both.api".to_owned()]));
    let model = done(second);
    assert_eq!(out(&model), [""; 0]);
    done(shop.run("shop status", model.clone()));
    // Each run wrote only to its own ledgers, on the balancers of its app.
    let ledgers = |name: &str| {
        let of = |(at, lines): (&rfab::host::Name, &Vec<String>)| {
            let lines = lines.join("\n");
            format!("{at} shop {} api {}", lines.contains("web1"), lines.contains("api1"))
        };
        model.states[name].ledgers.iter().map(of).collect::<Vec<_>>()
    };
    assert_eq!(ledgers("both.shop"), ["lb1 shop true api false"]);
    assert_eq!(ledgers("both.api"), ["lb1 shop false api true", "lb2 shop false api true"]);
    assert_eq!(ledgers("both"), [""; 0]);
}

#[test]
fn two_apps_in_one_line_are_one_run_with_both_locks_and_a_row_for_each_app_on_a_host() {
    let shop = shop();
    let ran = shop.run("shop deploy:stable api deploy:stable", Model::new());
    assert_eq!(
        table(&ran, &shop),
        format!("{SHOP_TABLE}{API_TABLE}").replacen("mixed1", "both.shop/mixed1", 1).replacen(
            "\nmixed1",
            "\nboth.api/mixed1",
            1
        )
    );
    assert_eq!(locked(&ran), ["both.api", "both.shop"]);
    assert_eq!(out(&done(ran)), [""; 0]);
}

#[test]
fn a_drain_for_one_app_leaves_the_other_apps_pools_alone() {
    let shop = shop();
    let model = done(shop.run("shop drain:mixed1", Model::new()));
    assert_eq!(out(&model), ["both.shop lb1/bk_web/mixed1"]);
    let model = done(shop.run("api drain:mixed1", model));
    assert_eq!(
        out(&model),
        ["both.api lb1/bk_api/mixed1", "both.api lb2/bk_api/mixed1", "both.shop lb1/bk_web/mixed1"]
    );
    let model = done(shop.run("api proxy.all:mixed1", model));
    assert_eq!(out(&model), ["both.shop lb1/bk_web/mixed1"]);
    // `out` selects the hosts that are out for that app.
    let ran = shop.run("shop:out uptime", model);
    assert_eq!(table(&ran, &shop), "mixed1 - - out ok\n");
}

#[test]
fn another_operator_at_work_on_one_app_keeps_nobody_from_the_other() {
    let shop = shop();
    let mut model = done(shop.run("api proxy.status", Model::new()));
    model = done(shop.run("shop proxy.status", model));
    let holder = rfab::port::Holder {
        who: "anna".into(),
        from: "mac".into(),
        run: "r7".into(),
        line: "shop deploy:stable".into(),
        since: "1970-01-01T00:00:00Z".into(),
    };
    model.states.get_mut("both.shop").unwrap().held_by = Some(holder);
    let refused = shop.run("shop deploy:stable", model.clone());
    assert_eq!(refused.ended.exit, Exit::Locked, "{:?}", failures(&refused));
    done(shop.run("api deploy:stable", model));
}

#[test]
fn a_deploy_of_one_app_is_taken_back_and_the_other_stays() {
    let shop = shop();
    let model = done(shop.run("shop deploy:stable api deploy:stable", Model::new()));
    shop.git(&["commit", "-q", "--allow-empty", "-m", "three"]);
    shop.git(&["tag", "v3.0.2"]);
    let before = [serving(&model, "both.shop"), serving(&model, "both.api")];
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("journal");
    let words: Vec<String> = ["api", "deploy:v3.0.2"].map(str::to_owned).to_vec();
    let line = line::parse(&words, None, &shop.project.tasks).unwrap();
    let keep = Journaling::new(Journal::create(&file).unwrap(), EarlierAttempts::default(), DigestKey::default());
    let model = Model { runs: model.runs + 1, ..model };
    let run = format!("sim-{}", model.runs);
    let wish = Scenario { seed: 1, ..Scenario::default() };
    let model = done(simulate_attempt(&shop.project, &line, model, wish, Some(keep)));
    let known = |record: &Record| match record {
        Record::Fleet(fleet) => Some(fleet.name.to_string()),
        _ => None,
    };
    // The history finds the run under either name.
    assert_eq!(records(&file).unwrap().iter().filter_map(known).collect::<Vec<_>>(), ["both", "both.api"]);
    let after = [serving(&model, "both.shop"), serving(&model, "both.api")];
    assert_eq!((after[0] == before[0], after[1] == before[1]), (true, false));
    let model = done(simulate_abort(&shop.project, &run, &records(&file).unwrap(), model, wish));
    assert_eq!([serving(&model, "both.shop"), serving(&model, "both.api")], before);
    assert_eq!(out(&model), [""; 0]);
}

#[test]
fn without_a_choice_host_commands_work_and_what_needs_an_app_names_the_apps() {
    let shop = shop();
    let ran = shop.run("whole uptime", Model::new());
    let row = |host: &str, standing: &str| format!("{host} - - {standing} ok\n");
    let pooled: String = ["web1", "web2", "web3", "mixed1", "api1", "api2"].map(|host| row(host, "live")).concat();
    assert_eq!(table(&ran, &shop), format!("{pooled}{}{}", row("jobs1", "-"), row("db1", "-")));
    let model = done(ran);
    let unchosen = "fleet `both` has several apps, and no task chooses one: `shop` and `api`";
    done(shop.run("whole proxy.status", model.clone()));
    for line in ["whole deploy:stable", "whole setup", "whole status", "whole drain:web1"] {
        let ran = shop.run(line, model.clone());
        let told: Vec<&str> = ran.ended.failures.iter().map(|failure| failure.message.as_str()).collect();
        assert_eq!((ran.ended.exit, told), (Exit::Fabfile, vec![unchosen]), "{line}");
        let help = "let a task choose one: `fleet(…).app(\"shop\")`, and name that task in the line";
        assert_eq!(ran.ended.failures[0].help.as_deref(), Some(help));
        assert_eq!(out(&ran.model), [""; 0], "{line}");
    }
}

#[test]
fn an_app_is_chosen_by_its_name_and_of_the_hosts_chosen_before() {
    let shop = shop();
    let misspelt = shop.run("misspelt uptime", Model::new());
    assert_eq!(misspelt.ended.failures[0].message, "fleet `both` has no app `shpo`");
    assert_eq!(misspelt.ended.failures[0].help.as_deref(), Some("did you mean `shop`?"));
    let ran = shop.run("of_api_hosts uptime", Model::new());
    assert_eq!(table(&ran, &shop), "mixed1 0001-111111111111 0001-111111111111 live ok\n");
    let ran = shop.run("apps", Model::new());
    let noted =
        |event: &Event| matches!(&event.what, EventKind::Noted { text, .. } if text.contains(r#"["shop", "api"]"#));
    assert!(ran.events.iter().any(noted));
}

#[test]
fn on_real_hosts_an_app_has_its_lock_and_ledger_by_its_own_name() {
    if !needs_lab("on_real_hosts_an_app_has_its_lock_and_ledger_by_its_own_name") {
        return;
    }
    let web = |name, group| HostPlan::new(name).fleet("prod").group(group).role("web").sudo(Sudo::Free);
    let lab = Lab::start(
        Plan::new()
            .serving("v3.0.0")
            .host(web("web1", "group1"))
            .host(web("web2", "group2"))
            .balancer("lb1", &[("bk_web", "web")]),
    );
    lab.edit("fleets/prod.toml", |text| text.replace("[app.", "[app.shop.").replace("[app]", "[app.shop]"));
    lab.edit("fabfile.rhai", |text| text + "\nfn shop() { fleet(\"fleets/prod.toml\").app(\"shop\") }\n");
    for words in [&["shop", "setup"][..], &["shop", "deploy:stable"], &["prod", "--", "true"]] {
        let ran = lab.rfab(words).output();
        assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    }
    let stable = lab.project.resolve("v3.0.1");
    assert_eq!(lab.host("web1").serves(), Some(stable[..12].to_owned()));
    let state = format!("{}/.local/state/rfab", lab.host("lb1").home());
    let kept = lab.host("lb1").sh(&format!("cd {state} && ls prod prod.shop && wc -l < prod/ledger")).expect_ok();
    assert_eq!(kept, "prod:\ndoor\nledger\nlock\nproject\n\nprod.shop:\ndoor\nledger\nlock\nproject\n2\n");
    let history = lab.rfab(&["--history", "--fleet", "prod"]).output();
    let of =
        |line: &str| line.split_once("operator").map(|(_, rest)| rest.split_whitespace().collect::<Vec<_>>().join(" "));
    assert_eq!(
        history.stdout.lines().filter_map(of).collect::<Vec<_>>(),
        ["prod prod -- true", "prod,prod.shop shop deploy:stable", "prod,prod.shop shop setup"]
    );
}
