//! Fleets as people have them, real and simulated: hosts that don't get the app, and probes of every kind.

use crate::made_up::{FIVE, FOUR, Shop, changes, failures, host};
use lab::{HostPlan, Lab, Plan, Sudo, needs_lab, needs_root};
use rfab::{
    event::{Event, EventKind},
    failure::Exit,
    model::{Model, key},
    simulate::Simulation,
};

/// Makes a shop with a machine for the database, which doesn't get the app.
fn with_database(keys: &str) -> Shop {
    let fleet = FOUR
        .replace("path = \"/srv/shop\"", "path = \"/srv/shop\"\nroles = [\"web\", \"worker\"]")
        .replace("jobs1 =", "\"db[1..2]\" = { roles = [\"db\"], address = \"10.0.0.{n}\" }\njobs1 =")
        .replace("version = \"header:X-Release\"", keys);
    Shop::of(&[("prod", &fleet)], "\nfn peers() { ui::note(targets().whole_fleet().names()); }")
}

fn noted(run: &Simulation) -> Vec<String> {
    let text = |event: &Event| match &event.what {
        EventKind::Noted { text, .. } => Some(text.clone()),
        _ => None,
    };
    run.events.iter().filter_map(text).collect()
}

#[test]
fn hosts_without_the_app_are_there_for_tasks_and_nothing_is_released_to_them() {
    let shop = with_database("version = \"header:X-Release\"");
    let mut model = shop.known();
    for name in ["db1", "db2"] {
        let db = host(&model, name);
        *model.machine(&db).unwrap() = rfab::model::Machine::bare();
    }
    assert_eq!(host(&model, "db2").address(), "10.0.0.2");
    let bare = |model: &Model, name: &str| {
        let machine = &model.machines[&key(&host(model, name))];
        machine.releases.get("").unwrap().is_empty() && machine.ledger.is_empty() && machine.restarts == 0
    };
    for line in ["prod setup", "prod release:v3.0.0"].into_iter().chain(FIVE).chain(["prod rollback"]) {
        model = shop.done(line, model);
        assert!(bare(&model, "db1") && bare(&model, "db2"), "{line}");
    }
    let status = shop.run("prod status", model.clone());
    assert_eq!(status.ended.exit, Exit::Done, "{:?}", failures(&status));
    let rows = noted(&status).join("\n");
    assert!(rows.lines().any(|line| line.trim_end() == "db1"), "{rows}");
    // A line that names only hosts without the app is refused, and nothing is changed.
    for line in ["prod:db deploy:v3.0.1", "prod:db rollback", "prod:db setup"] {
        let run = shop.run(line, model.clone());
        assert_eq!((run.ended.exit, changes(&run.events)), (Exit::NoHosts, vec![]), "{line}");
        assert!(failures(&run)[0].starts_with("none of these hosts gets the app: db"), "{:?}", failures(&run));
    }
    let peers = shop.run("prod:group1 peers", model);
    assert_eq!(noted(&peers), ["web1, web2, web3, web4, db1, db2, jobs1"]);
}

#[test]
fn a_service_is_healthy_when_it_answers_what_the_fleet_file_wants() {
    let page = |status: u16, body: &str| Some((status, body.to_owned()));
    for (keys, page, exit) in [
        ("status = 204", page(204, ""), Exit::Done),
        ("status = [200, \"300..399\"]", page(302, ""), Exit::Done),
        ("status = 204", page(200, ""), Exit::Failed),
        ("body = \"all well\"", page(200, "<p>all well</p>"), Exit::Done),
        ("body = \"all well\"", page(200, "<p>database down</p>"), Exit::Failed),
        ("", page(404, ""), Exit::Refused),
        ("", page(503, ""), Exit::Failed),
    ] {
        let shop = with_database(keys);
        let model = Model { page, ..shop.known() };
        let run = shop.run("prod release:stable", model);
        assert_eq!(run.ended.exit, exit, "{keys} {:?}", failures(&run));
        // A fault that no release can mend is found before the first change; one that a release may mend isn't.
        assert_eq!(changes(&run.events).is_empty(), exit == Exit::Refused, "{keys} {:?}", failures(&run));
    }
}

#[test]
fn a_fleet_whose_balancer_cannot_be_read_is_not_shown_as_if_all_were_well() {
    let shop = Shop::four("");
    let model = shop.known();
    let well = shop.run("prod", model.clone());
    assert_eq!(well.ended.exit, Exit::Done, "{:?}", failures(&well));
    let mut gone = model;
    gone.servers.retain(|at, _| &*at.3 != "web3");
    let shown = shop.run("prod", gone.clone());
    assert_ne!(shown.ended.exit, Exit::Done);
    assert!(failures(&shown)[0].contains("web3"), "{:?}", failures(&shown));
    // `status` doesn't succeed either.
    let status = shop.run("prod status", gone);
    assert_ne!(status.ended.exit, Exit::Done);
}

fn plan() -> Plan {
    let web = |name, group| HostPlan::new(name).fleet("prod").group(group).role("web").sudo(Sudo::Free);
    Plan::new()
        .serving("v3.0.0")
        .host(web("web1", "group1"))
        .host(web("web2", "group2"))
        .host(HostPlan::new("db1").fleet("prod").role("db").sudo(Sudo::Free))
        .balancer("lb1", &[("bk_web", "web")])
}

/// Sets the keys of `[app.health]` in the fleet file.
fn probed_by(lab: &Lab, keys: &str) {
    fleet_probed_by(lab, "prod", keys);
}

fn fleet_probed_by(lab: &Lab, fleet: &str, keys: &str) {
    lab.edit(&format!("fleets/{fleet}.toml"), |text| {
        let (before, rest) = text.split_once("[app.health]\n").unwrap();
        let (_, after) = rest.split_once("good =").unwrap();
        format!("{before}[app.health]\n{keys}\ngood ={after}")
    });
}

#[track_caller]
fn ends(lab: &Lab, words: &[&str], code: i32, says: &[&str]) {
    let out = lab.rfab(words).output();
    assert_eq!(out.code, Some(code), "{words:?}: {out:?}");
    for text in says {
        assert!(out.stdout.contains(text), "`{text}` isn't said:\n{}", out.stdout);
    }
}

#[test]
fn a_real_fleet_is_probed_in_every_way_and_what_cannot_work_is_told_before_the_switch() {
    if !needs_lab("a_real_fleet_is_probed_in_every_way_and_what_cannot_work_is_told_before_the_switch") {
        return;
    }
    let lab = Lab::start(plan());
    lab.edit("fleets/prod.toml", |text| {
        text.replace("path = \"/srv/shop\"", "path = \"/srv/shop\"\nroles = [\"web\"]")
    });
    let served = || ["web1", "web2"].map(|name| lab.host(name).serves());
    let before = served();

    ends(&lab, &["prod", "setup"], 0, &[]);
    // A name that only the operator's ssh configuration has.
    lab.edit("fleets/prod.toml", |text| {
        text.replace("{address}", "{site}").replace("address =", "site = \"web.invalid\", address =")
    });
    ends(&lab, &["prod", "release:stable"], 3, &["`web.invalid` doesn't resolve on `lb1`", "nothing was changed"]);
    lab.edit("fleets/prod.toml", |text| text.replace("{site}", "{address}"));

    // An answer that doesn't name the release by itself, and the pattern that finds it there.
    let url = "url = \"http://{address}:8080/health\"\n";
    probed_by(&lab, &format!("{url}version = \"body\""));
    ends(&lab, &["prod", "release:stable"], 7, &["the body is `{\"status\":\"ok\"", "nothing was changed"]);
    assert_eq!(served(), before);
    probed_by(&lab, &format!("{url}version = 'body:\"release\":\"(.*)\"'"));
    ends(&lab, &["prod", "release:stable"], 0, &[]);
    assert!(!lab.host("db1").path("/srv/shop/releases").exists());

    // An app that doesn't report its release.
    for name in ["web1", "web2"] {
        lab.host(name).unit("shop").says("");
    }
    probed_by(&lab, &format!("{url}version = \"header:X-Release\""));
    ends(&lab, &["prod", "release:v3.0.0"], 7, &["200 without the header `X-Release`", "--unproven"]);
    ends(&lab, &["--unproven", "prod", "release:v3.0.0"], 0, &["version not proven"]);

    // Probes of a port, of a status and of a body.
    probed_by(&lab, "url = \"tcp://{address}:8080\"");
    ends(&lab, &["prod", "release:stable"], 0, &[]);
    probed_by(
        &lab,
        &format!("{url}host = \"shop.example.org\"\nstatus = [200, \"300..399\"]\nbody = '\"status\":\"ok\"'"),
    );
    ends(&lab, &["prod", "release:v3.0.0"], 0, &[]);
    probed_by(&lab, &format!("{url}status = 204"));
    ends(&lab, &["prod", "status"], 0, &["bad", ":8080/health answers 200"]);

    tls(&lab);
}

#[test]
fn where_processes_run_proves_nothing_to_another_user_and_that_is_told_before_the_switch() {
    let name = "where_processes_run_proves_nothing_to_another_user_and_that_is_told_before_the_switch";
    if !needs_root(name) {
        return;
    }
    // The hosts of `prod` run their service as another user; that of `testing1` as the login user.
    let lab = Lab::start(plan().host(HostPlan::new("test1").fleet("testing1").role("web")));
    let process = "url = \"http://{address}:8080/health\"\nversion = \"process\"";
    ["prod", "testing1"].iter().for_each(|fleet| fleet_probed_by(&lab, fleet, process));
    lab.edit("fleets/prod.toml", |text| {
        text.replace("path = \"/srv/shop\"", "path = \"/srv/shop\"\nroles = [\"web\"]")
    });
    for fleet in ["prod", "testing"] {
        ends(&lab, &[fleet, "setup"], 0, &[]);
    }
    let stand = || {
        let one = |name| (lab.host(name).serves(), lab.host(name).sh("ls /srv/shop/releases").expect_ok());
        (["web1", "web2"].map(one), lab.balancer("lb1").column("bk_web", "status"))
    };
    let before = stand();
    let why = "web1, web2: 200, and none of the processes that its login user can see runs in a release";
    let way = "only root and the process's own user can see where it runs";
    for task in ["release:v3.0.1", "deploy:v3.0.1"] {
        ends(&lab, &["prod", task], 7, &[why, way, "version = \"header:X-Release\"", "nothing was changed"]);
        assert_eq!(stand(), before, "{task}");
    }
    ends(&lab, &["--unproven", "prod", "release:v3.0.1"], 0, &["version not proven"]);

    let own = lab.rfab(&["testing", "deploy:v3.0.1"]).output().expect_ok();
    assert!(!own.contains("version not proven"), "{own}");
    let back = lab.rfab(&["testing", "deploy:v3.0.0"]).output().expect_ok();
    assert!(!back.contains("version not proven"), "{back}");
}

/// Checks TLS with a host name, and with a certificate from the team's own authority.
fn tls(lab: &Lab) {
    let folder = lab.home();
    let made = std::process::Command::new("sh")
        .arg("-ec")
        .arg(
            "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=ca -keyout ca.key -out ca.pem
             openssl req -newkey rsa:2048 -nodes -subj /CN=shop -keyout shop.key -out shop.csr
             printf 'subjectAltName=DNS:shop.example.org' > names
             openssl x509 -req -in shop.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out shop.pem",
        )
        .current_dir(&folder)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let authority = std::fs::read_to_string(folder.join("ca.pem")).unwrap();
    std::fs::write(lab.project.folder.join("fleets/ca.pem"), authority).unwrap();
    for name in ["web1", "web2"] {
        for file in ["shop.pem", "shop.key"] {
            std::fs::copy(folder.join(file), lab.host(name).path("/srv").join(file)).unwrap();
        }
        let server = "setsid openssl s_server -accept 8443 -cert /srv/shop.pem -key /srv/shop.key -www </dev/null >/dev/null 2>&1 &";
        lab.host(name).sh(server).expect_ok();
    }
    let url = "url = \"https://{address}:8443/\"\nbody = \"s_server\"\n";
    probed_by(lab, url);
    ends(lab, &["prod", "release:stable"], 3, &["the certificate of `https://", "nothing was changed"]);
    probed_by(lab, &format!("{url}ca = \"ca.pem\"\nserver_name = \"other.example.org\""));
    ends(lab, &["prod", "release:stable"], 3, &["the certificate of `https://other.example.org:8443/` isn't accepted"]);
    probed_by(lab, &format!("{url}ca = \"ca.pem\"\nserver_name = \"shop.example.org\""));
    ends(lab, &["prod", "release:stable"], 0, &[]);
}
