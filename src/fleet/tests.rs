use super::*;
use miette::{GraphicalReportHandler, GraphicalTheme};
use std::path::Path;

/// The fleet of the shop, with 43 hosts, two groups, a worker and a balancer.
pub(super) const SHOP: &str = r#"
guarded = true
accept    = ["stable", "tag"]
via       = "bastion.example.org"
user      = "deploy"
deploy_live = false
state     = "~/.local/state/rfab"

[app]
repository = "."
path       = "/srv/shop"
user       = "shop"
keep       = 5
linked     = ["public/uploads", "config/database.yml"]
[app.service]
units      = { web = ["shop"], worker = ["shop-jobs"] }
restart    = "systemctl restart {unit}"
status     = ["systemctl", "--user", "status", "{unit}"]
[app.health]
url        = "http://{address}:8080/health"
version    = "header:X-Release"
good       = 3
over       = "10s"
within     = "60s"

[hosts]
"web[01..21]" = { group = "group1", roles = ["web"] }
"web[22..42]" = { group = "group2", roles = ["web"] }
"jobs1"       = { roles = ["worker"], address = "10.0.0.9", queue = "mail" }

[balancer.lb1]
driver   = "haproxy"
host     = "lb1.example.org"
socket   = "/run/haproxy/admin.sock"
pools    = { bk_web = "web" }
server   = "{name}"
drain_within = "60s"
min_live = 18

[roll]
order = ["group1", "group2", "worker"]
"#;

pub(super) fn folders() -> Folders<'static> {
    Folders { project: Path::new("/home/anna/shop"), fleet: Path::new("/home/anna/shop/fleets") }
}

pub(crate) fn read_text(text: &str) -> Fleet {
    parse("fleets/prod.toml", "prod", text, folders(), &[]).unwrap_or_else(|wrong| panic!("{}", rendered(&wrong)))
}

fn rendered(wrong: &Wrong) -> String {
    let mut out = String::new();
    GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor())
        .with_width(110)
        .render_report(&mut out, wrong)
        .unwrap();
    out.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// One wrong fleet and the report of it.
struct Case<'t> {
    title: &'t str,
    sets: Vec<Set>,
    json: bool,
    text: &'t str,
    /// What its `hosts_from` printed.
    printed: Option<&'t str>,
    report: &'t str,
}

fn cases(file: &str) -> Vec<Case<'_>> {
    let case = |text| {
        let (title, rest): (&str, &str) = str::split_once(text, '\n').unwrap();
        let (fleet, report) = rest.split_once("--- report\n").unwrap();
        let (head, text) = fleet.split_once('\n').unwrap();
        let (text, printed) = match text.split_once("--- printed\n") {
            Some((text, printed)) => (text, Some(printed)),
            None => (text, None),
        };
        let mut words = head.split(" --set ");
        let json = words.next() == Some("--- map");
        Case { title, sets: words.map(|set| set.parse().unwrap()).collect(), json, text, printed, report }
    };
    file.split("=== ").skip(1).map(case).collect()
}

/// Set `RFAB_WRITE_REPORTS` to write the reports anew, and read the difference.
#[test]
fn every_wrong_fleet_is_refused_with_its_report() {
    let file = include_str!("reports.txt");
    let mut written = String::new();
    let mut count = 0;
    for case in cases(file) {
        count += 1;
        let written_down = if case.json {
            let map = serde_json::from_str(case.text).unwrap();
            Written::in_map("prod", &map, folders().project, &case.sets)
        } else {
            Written::in_text("fleets/prod.toml", "prod", case.text, folders(), &case.sets)
        };
        let whole = match case.printed {
            Some(printed) => written_down.and_then(|fleet| fleet.with(printed)),
            None => written_down,
        };
        let read = whole.and_then(|fleet| fleet.fleet());
        let report = match read {
            Ok(_) => panic!("{} isn't refused", case.title),
            Err(wrong) => rendered(&wrong),
        };
        let sets: String = case.sets.iter().map(|set| format!(" --set {set}")).collect();
        let kind = if case.json { "map" } else { "file" };
        let printed = case.printed.map(|text| format!("--- printed\n{text}")).unwrap_or_default();
        written += &format!("=== {}\n--- {kind}{sets}\n{}{printed}--- report\n{report}\n", case.title, case.text);
    }
    assert!(count >= 40, "only {count} cases");
    if std::env::var_os("RFAB_WRITE_REPORTS").is_some() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/src/fleet/reports.txt"), &written).unwrap();
    } else {
        for (case, now) in cases(file).into_iter().zip(cases(&written)) {
            assert_eq!(case.report, now.report, "{}\n{}", case.title, now.report);
        }
    }
}

/// What the example of the docs says, with all that it leaves to defaults.
#[test]
fn the_shop_is_read_whole() {
    let host = |name: &str, address: Option<&str>, group: Option<&str>, role: &str| Host {
        fleet: "prod".into(),
        name: name.into(),
        address: address.map(Name::from),
        group: group.map(Name::from),
        roles: vec![role.into()],
        vars: BTreeMap::new(),
    };
    let of = |numbers: std::ops::RangeInclusive<u32>, group: &'static str| {
        numbers.map(move |n| host(&format!("web{n:02}"), None, Some(group), "web"))
    };
    let mut jobs = host("jobs1", Some("10.0.0.9"), None, "worker");
    jobs.vars.insert("queue".into(), "mail".into());
    let sudo = |text: &str| Verb::Sudo(text.into());
    let wanted = Fleet {
        of: None,
        apps: Vec::new(),
        name: "prod".into(),
        folder: "/home/anna/shop/fleets".into(),
        guarded: true,
        ssh: None,
        accept: vec![Accept::Stable, Accept::Tag],
        via: Some("bastion.example.org".into()),
        user: Some("deploy".into()),
        deploy_live: false,
        state: "~/.local/state/rfab".into(),
        app: Some(App {
            name: "prod".into(),
            roles: vec![],
            repository: "/home/anna/shop".into(),
            path: "/srv/shop".into(),
            user: Some("shop".into()),
            keep: 5,
            linked: vec!["public/uploads".into(), "config/database.yml".into()],
            assets: vec![],
            service: Some(Service {
                units: BTreeMap::from([
                    ("web".into(), vec!["shop".into()]),
                    ("worker".into(), vec!["shop-jobs".into()]),
                ]),
                restart: sudo("systemctl restart {unit}"),
                start: sudo("systemctl start {unit}"),
                stop: sudo("systemctl stop {unit}"),
                status: Verb::Plain(["systemctl", "--user", "status", "{unit}"].map(String::from).to_vec()),
                logs: sudo("journalctl -u {unit} -n {lines} --no-pager"),
                follow: sudo("journalctl -u {unit} -n 20 -f --no-pager"),
                quiet: None,
                idle: None,
                quiet_within: Duration::from_secs(600),
                install: None,
                installed: None,
            }),
            health: Some(Health {
                url: "http://{address}:8080/health".into(),
                host: None,
                status: vec![],
                body: None,
                server_name: None,
                ca: None,
                version: Version::Header("X-Release".into()),
                pattern: None,
                good: 3,
                over: Duration::from_secs(10),
                within: Duration::from_secs(60),
                settle: Duration::from_secs(3),
            }),
        }),
        hosts: of(1..=21, "group1").chain(of(22..=42, "group2")).chain([jobs]).collect(),
        balancers: vec![Balancer {
            name: "lb1".into(),
            host: Host { roles: vec![], ..host("lb1.example.org", None, None, "") },
            socket: Some("/run/haproxy/admin.sock".into()),
            pools: BTreeMap::from([("bk_web".into(), "web".into())]),
            server: "{name}".into(),
            servers: BTreeMap::from([("bk_web".into(), vec!["{name}".into()])]),
            drain_within: Duration::from_secs(60),
            force_close: false,
            min_live: Some(MinLive::Count(18)),
        }],
        unasked: BTreeMap::new(),
        order: ["group1", "group2", "worker"].map(Name::from).to_vec(),
    };
    assert_eq!(read_text(SHOP), wanted);
}

#[test]
fn a_balancer_that_is_changed_by_hand_needs_no_machine_and_its_state_is_on_the_first_host() {
    let text = "[hosts]\nweb2 = { roles = [\"web\"], address = \"10.0.0.2\" }\nweb1 = { roles = [\"web\"] }\n\
                [balancer.lb1]\ndriver = \"manual\"\npools = { bk_web = \"web\" }\n";
    let fleet = read_text(text);
    let [balancer] = &fleet.balancers[..] else { panic!("{fleet:?}") };
    assert_eq!((balancer.by_hand(), &*balancer.host.name), (true, "web1"));
    let own = read_text(&text.replace("pools", "host = \"lb1\"\npools"));
    assert_eq!(&*own.balancers[0].host.name, "lb1");
}

#[test]
fn a_map_says_the_same_as_a_file() {
    let toml: toml::Table = SHOP.parse().unwrap();
    let map = serde_json::to_value(toml).unwrap();
    let from_map = from_map("prod", &map, folders().fleet, &[]).unwrap();
    let mut from_file = parse("x", "prod", SHOP, Folders { project: folders().fleet, ..folders() }, &[]).unwrap();
    // A map of a script has no order of its own.
    from_file.hosts.sort_by(|a, b| a.name.cmp(&b.name));
    assert_eq!(Fleet { hosts: sorted(from_map.hosts), ..from_file.clone() }, from_file);
}

fn sorted(mut hosts: Vec<Host>) -> Vec<Host> {
    hosts.sort_by(|a, b| a.name.cmp(&b.name));
    hosts
}

#[test]
fn a_small_fleet_has_every_default() {
    let fleet =
        read_text("[hosts]\nweb1 = {}\n[app]\npath = \"/srv/shop/\"\n[app.health]\nurl = \"http://{address}/\"");
    assert!(!fleet.guarded && !fleet.deploy_live);
    assert_eq!(fleet.accept, [Accept::Stable, Accept::Tag, Accept::Branch, Accept::Commit, Accept::Archive]);
    assert_eq!((fleet.ssh, fleet.via, fleet.user, &*fleet.state), (None, None, None, "~/.local/state/rfab"));
    assert!(fleet.balancers.is_empty() && fleet.order.is_empty());
    let app = fleet.app.unwrap();
    assert_eq!((&*app.path, app.user, app.keep, app.service), ("/srv/shop", None, 5, None));
    assert_eq!((&*app.repository, app.linked), ("/home/anna/shop", vec![]));
    let health = app.health.unwrap();
    assert_eq!((health.version, health.good), (Version::None, 3));
    assert_eq!((health.over, health.within), (Duration::from_secs(10), Duration::from_secs(60)));
    assert_eq!(read_text("guarded = true\n[hosts]\nweb1 = {}").accept, [Accept::Stable, Accept::Tag]);
}

#[test]
fn good_values_of_every_kind_are_read() {
    let app = |keys: &str| read_text(&format!("[hosts]\nweb1 = {{}}\n[app]\npath = \"/srv/a\"\n{keys}")).app.unwrap();
    for (written, read) in [
        ("../shop", "/home/anna/shop/../shop"),
        ("/srv/git/shop.git", "/srv/git/shop.git"),
        ("git@example.org:shop.git", "git@example.org:shop.git"),
        ("ssh://git@example.org:2222/shop.git", "ssh://git@example.org:2222/shop.git"),
        ("https://example.org/shop.git", "https://example.org/shop.git"),
    ] {
        assert_eq!(app(&format!("repository = \"{written}\"")).repository, read);
    }
    let health =
        |keys: &str| app(&format!("[app.health]\nurl = \"https://{{name}}.example.org/\"\n{keys}")).health.unwrap();
    for (written, read) in [
        ("json:/release", Version::Json("/release".into())),
        ("body", Version::Body),
        ("process", Version::Process),
        ("none", Version::None),
    ] {
        assert_eq!(health(&format!("version = \"{written}\"")).version, read);
    }
    for (written, millis) in [("500ms", 500), ("0s", 0), ("2m", 120_000), ("1h", 3_600_000)] {
        assert_eq!(health(&format!("over = \"{written}\"\nwithin = \"2h\"")).over, Duration::from_millis(millis));
    }
    for via in ["bastion", "anna@10.0.0.1:2222", "a.example.org,b.example.org", "[::1]:22", "anna@[fe80::1]"] {
        assert_eq!(read_text(&format!("via = \"{via}\"\n[hosts]\nweb1 = {{}}")).via.unwrap(), via);
    }
    let state = |text: &str| read_text(&format!("state = \"{text}\"\n[hosts]\nweb1 = {{}}")).state_folder();
    assert_eq!((state("~/rfab/"), state("/var/lib/rfab")), ("~/rfab/prod".into(), "/var/lib/rfab/prod".into()));
    let vars = &read_text("[hosts]\nweb1 = { n = 1, f = 1.5, l = [true], t = { a = 2026-01-02 } }").hosts[0].vars;
    assert_eq!(serde_json::to_string(vars).unwrap(), r#"{"f":1.5,"l":[true],"n":1,"t":{"a":"2026-01-02"}}"#);
}

#[test]
fn the_fleets_of_this_project_are_right() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |file: &str| read(file, project, &[]).unwrap_or_else(|wrong| panic!("{}", rendered(&wrong)));
    let (prod, testing) = (read("fleets/prod.toml"), read("fleets/testing1.toml"));
    assert_eq!((&*prod.name, prod.guarded, prod.deploy_live), ("prod", true, false));
    assert_eq!((prod.group("group1").len(), prod.group("group2").len()), (21, 21));
    assert_eq!(prod.min_live(&prod.balancers[0], "bk_web"), 18);
    assert_eq!((&*testing.name, testing.guarded, testing.deploy_live), ("testing1", false, true));
    for fleet in [prod, testing] {
        let app = fleet.app.as_ref().unwrap();
        assert_eq!(app.repository, project.display().to_string());
        let served: Vec<_> = app.service.as_ref().unwrap().units.keys().cloned().collect();
        assert_eq!(served, ["web".into(), "worker".into()] as [Name; 2]);
    }
}

#[test]
fn a_file_that_cannot_be_read_says_why() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("prod.toml"), "[hosts]\nweb1 = {}\n").unwrap();
    std::fs::write(folder.path().join("bad name.toml"), "[hosts]\nweb1 = {}\n").unwrap();
    std::fs::write(folder.path().join("latin1.toml"), b"# \xe9\n").unwrap();
    std::fs::create_dir(folder.path().join("sub.toml")).unwrap();
    std::fs::write(folder.path().join("ssh_config"), "").unwrap();
    std::fs::write(folder.path().join("keyed.toml"), "ssh = \"ssh_config\"\n[hosts]\nweb1 = {}\n").unwrap();
    let report = |file: &str| rendered(&read(file, folder.path(), &[]).unwrap_err());
    assert_eq!(report("prd.toml"), "  × prd.toml: there is no such fleet file\n  help: did you mean `prod.toml`?\n");
    assert_eq!(report("none/x.toml"), "  × none/x.toml: there is no such fleet file\n");
    assert_eq!(report("sub.toml"), "  × sub.toml: the fleet isn't a file\n");
    assert_eq!(report("latin1.toml"), "  × latin1.toml: the fleet can't be read: stream did not contain valid UTF-8\n");
    assert_eq!(
        report("bad name.toml"),
        "  × bad name.toml: `bad name` isn't a fleet's name\n  help: a name is made of letters, digits and `._:-`\n"
    );
    assert_eq!(&*read("prod.toml", folder.path(), &[]).unwrap().name, "prod");
    assert_eq!(read("keyed.toml", folder.path(), &[]).unwrap().ssh.unwrap(), folder.path().join("ssh_config"));
}

#[test]
fn as_a_failure_every_problem_has_its_line() {
    let text = "guarded = 1\n[hosts]\nweb1 = { role = [] }\n";
    let failure = crate::failure::Failure::from(parse("fleets/x.toml", "x", text, folders(), &[]).unwrap_err());
    assert_eq!(failure.reason().exit().code(), 3);
    assert_eq!(failure.message, "fleets/x.toml has 2 mistakes");
    let places: Vec<_> = failure.places.iter().map(|p| (p.line, p.column, p.label.as_str())).collect();
    let role = "`role` would be a variable, but looks like `roles`: write `roles`, or give the variable another name";
    assert_eq!(places, [(1, 11, "expected true or false, found a whole number"), (3, 10, role)]);
    let map = serde_json::json!({ "hosts": { "web1": {} }, "keep": 3 });
    let failure = crate::failure::Failure::from(from_map("x", &map, folders().project, &[]).unwrap_err());
    assert_eq!(failure.message, "fleet `x`: `keep`: unknown key `keep`");
}

#[test]
fn a_health_url_and_a_path_are_filled_for_each_host() {
    let text = "[hosts]\nweb1 = {}\nweb2 = { address = \"10.0.0.2\" }\nweb3 = { address = \"::1\" }\n[app]\npath = \"/srv/{name}/a\"\n\
                [app.health]\nurl = \"http://{address}:8080/{name}\"";
    let fleet = read_text(text);
    let app = fleet.app.as_ref().unwrap();
    let health = app.health.as_ref().unwrap();
    let paths: Vec<String> = fleet.hosts.iter().map(|host| app.path_on(host)).collect();
    assert_eq!(paths, ["/srv/web1/a", "/srv/web2/a", "/srv/web3/a"]);
    let urls: Vec<String> = fleet.hosts.iter().map(|host| health.url_of(host)).collect();
    assert_eq!(urls, ["http://web1:8080/web1", "http://10.0.0.2:8080/web2", "http://[::1]:8080/web3"]);
}

#[test]
fn hosts_that_a_command_prints_stand_behind_those_that_are_written() {
    let text = "hosts_from = [\"bin/hosts\", \"two words\"]\n[hosts]\nlb2 = {}\n";
    let written =
        || Written::in_text("fleets/prod.toml", "prod", text, folders(), &["hosts.web2.queue=5".parse().unwrap()]);
    assert_eq!(written().unwrap().hosts_from().unwrap(), Some(vec!["bin/hosts".into(), "two words".into()]));
    let printed = r#"{ "web[2..3]": { "group": "a", "roles": ["web"], "zone": { "row": [1, 2.5, null] } },
                       "db1": { "address": "10.0.0.1", "roles": ["db"] } }"#;
    // What is set for one run holds for a printed host as for a written one.
    let one = printed.replace("web[2..3]", "web2");
    let set = written().unwrap().with(&one).unwrap().fleet().unwrap();
    assert_eq!(set.host("web2").unwrap().vars["queue"], 5);
    let written = Written::in_text("fleets/prod.toml", "prod", text, folders(), &[]).unwrap();
    let fleet = written.with(printed).unwrap().fleet().unwrap();
    let names: Vec<&str> = fleet.hosts.iter().map(|host| &*host.name).collect();
    assert_eq!(names, ["lb2", "web2", "web3", "db1"]);
    assert_eq!(fleet.host("db1").unwrap().address(), "10.0.0.1");
    assert_eq!(fleet.host("web3").unwrap().vars["zone"], serde_json::json!({ "row": [1, 2.5, null] }));
    let set: Set = "hosts_from=[\"bin/hosts\", \"staging\"]".parse().unwrap();
    let other = Written::in_text("fleets/prod.toml", "prod", text, folders(), &[set]).unwrap();
    assert_eq!(other.hosts_from().unwrap(), Some(vec!["bin/hosts".into(), "staging".into()]));
    assert_eq!(Written::in_text("x", "prod", SHOP, folders(), &[]).unwrap().hosts_from().unwrap(), None);
    let map = serde_json::json!({ "hosts_from": ["bin/hosts"] });
    let fleet = Written::in_map("prod", &map, folders().project, &[]).unwrap().with("{\"web1\": {}}").unwrap();
    assert_eq!(fleet.fleet().unwrap().hosts.len(), 1);
}

/// Two apps behind two balancers; `mixed1` has both, and `jobs1` works for one.
const BOTH: &str = r#"
guarded = true
user = "deploy"
[app.shop]
path = "/srv/shop"
[app.shop.service]
units = { web = ["shop"], worker = ["shop-jobs"] }
[app.api]
path = "/srv/api"
keep = 2
roles = ["api"]
[hosts]
"web[1..2]" = { group = "blue", roles = ["web"] }
mixed1 = { group = "green", roles = ["web", "api"] }
api1 = { group = "green", roles = ["api"], address = "10.0.0.9" }
jobs1 = { roles = ["worker"] }
db1 = { roles = ["db"] }
[balancer.lb1]
driver = "haproxy"
host = "lb1"
socket = "/run/a.sock"
pools = { bk_web = "web", bk_api = "api" }
[balancer.lb2]
driver = "haproxy"
host = "lb2"
socket = "/run/a.sock"
pools = { bk_api = "api" }
"#;

/// What a fleet of an app is made of, one thing a line.
fn outlined(fleet: &Fleet) -> String {
    let names = |names: Vec<&Name>| names.into_iter().map(|name| &**name).collect::<Vec<_>>().join(" ");
    let pools: Vec<String> = fleet
        .balancers
        .iter()
        .map(|b| format!("{}({}): {}", b.name, b.host.fleet, names(b.pools.keys().collect())))
        .collect();
    format!(
        "{} of {}, {}, {}\nhosts  {}\npools  {}\norder  {}\nstate  {}\n",
        fleet.name,
        fleet.of.as_deref().unwrap_or("-"),
        fleet.app.as_ref().map_or("-".to_owned(), |app| format!("{} in {} keep {}", app.name, app.path, app.keep)),
        if fleet.guarded { "guarded" } else { "open" },
        fleet.hosts.iter().map(|host| format!("{}/{}", host.fleet, host.name)).collect::<Vec<_>>().join(" "),
        pools.join(", "),
        names(fleet.order.iter().collect()),
        fleet.state_folder(),
    )
}

#[test]
fn each_of_several_apps_makes_a_fleet_of_its_own_hosts_and_pools() {
    let whole = read_text(BOTH);
    assert_eq!(
        outlined(&whole),
        "prod of -, -, guarded\n\
         hosts  prod/web1 prod/web2 prod/mixed1 prod/api1 prod/jobs1 prod/db1\n\
         pools  lb1(prod): bk_api bk_web, lb2(prod): bk_api\n\
         order  blue green worker db\n\
         state  ~/.local/state/rfab/prod\n"
    );
    assert_eq!(
        outlined(whole.of_app("shop").unwrap()),
        "prod.shop of prod, shop in /srv/shop keep 5, guarded\n\
         hosts  prod.shop/web1 prod.shop/web2 prod.shop/mixed1 prod.shop/jobs1\n\
         pools  lb1(prod.shop): bk_web\n\
         order  blue green worker\n\
         state  ~/.local/state/rfab/prod.shop\n"
    );
    let api = whole.of_app("api").unwrap();
    assert_eq!(
        outlined(api),
        "prod.api of prod, api in /srv/api keep 2, guarded\n\
         hosts  prod.api/mixed1 prod.api/api1\n\
         pools  lb1(prod.api): bk_api, lb2(prod.api): bk_api\n\
         order  green\n\
         state  ~/.local/state/rfab/prod.api\n"
    );
    let stands: Vec<String> = crate::balancer::places(api, api.host("mixed1").unwrap())
        .iter()
        .map(|s| format!("{}/{}", s.balancer, s.pool))
        .collect();
    assert_eq!(stands, ["lb1/bk_api", "lb2/bk_api"]);
    assert_eq!(serde_json::from_value::<Fleet>(serde_json::to_value(&whole).unwrap()).unwrap(), whole);
}

#[test]
fn a_written_order_holds_for_each_app_as_far_as_it_has_hosts() {
    let whole = read_text(&format!("{BOTH}\n[roll]\norder = [\"green\", \"blue\", \"worker\"]"));
    let order = |app: &str| whole.of_app(app).unwrap().order.clone();
    assert_eq!(order("shop"), ["green", "blue", "worker"].map(Name::from));
    assert_eq!(order("api"), ["green"].map(Name::from));
}

#[test]
fn a_key_of_one_of_several_apps_is_set_for_one_run() {
    let sets = ["app.shop.keep=3", "app.api.path=/srv/b"].map(|set| set.parse().unwrap());
    let whole = parse("x", "prod", BOTH, folders(), &sets).unwrap();
    let app = |name: &str| whole.of_app(name).unwrap().app.clone().unwrap();
    assert_eq!((app("shop").keep, &*app("shop").path, &*app("api").path), (3, "/srv/shop", "/srv/b"));
}

#[test]
fn an_app_that_there_is_not_is_named_with_those_that_there_are() {
    let told = |fleet: &Fleet, app: &str| {
        let failure = fleet.of_app(app).unwrap_err();
        format!("{}: {}", failure.message, failure.help.unwrap())
    };
    let both = read_text(BOTH);
    assert_eq!(told(&both, "shpo"), "fleet `prod` has no app `shpo`: did you mean `shop`?");
    assert_eq!(told(&both, "blog"), "fleet `prod` has no app `blog`: it has `shop` and `api`");
    assert_eq!(told(&read_text(SHOP), "shop"), "fleet `prod` has no app `shop`: it has one app: leave `.app(…)` out");
    assert_eq!(
        told(&read_text("[hosts]\nweb1 = {}"), "shop"),
        "fleet `prod` has no app `shop`: it has no `[app]` at all"
    );
    let unchosen = both.unchosen().unwrap();
    assert_eq!(unchosen.message, "fleet `prod` has several apps, and none is chosen: `shop` and `api`");
    assert!(both.of_app("shop").unwrap().unchosen().is_none() && read_text(SHOP).unchosen().is_none());
}

#[test]
fn a_port_in_an_address_is_refused_with_the_place_where_it_belongs_and_ipv6_is_none() {
    for hosts in [
        "web1 = { address = \"10.0.0.1:2023\" }",
        "\"10.0.0.1:2023\" = {}",
        "web1 = { roles = [\"web\"] }\n[balancer.lb1]\ndriver = \"haproxy\"\nsocket = \"/s\"\npools = { www = \"web\" }\nhost = \"10.0.0.1:2023\"",
    ] {
        let wrong = parse("fleet.toml", "prod", &format!("[hosts]\n{hosts}\n"), folders(), &[]).unwrap_err();
        let said = rendered(&wrong);
        assert!(said.contains("`10.0.0.1:2023` isn't an address") && said.contains("has a port in it"), "{said}");
    }
    for address in ["::1", "fd00::11", "fd00::2023", "10.0.0.1", "a.example.org"] {
        assert_eq!(read_text(&format!("[hosts]\nweb1 = {{ address = \"{address}\" }}")).hosts[0].address(), address);
    }
}

#[test]
fn a_version_may_name_a_pattern_and_a_bad_one_is_refused_at_its_place() {
    let text = |version: &str| {
        format!(
            "[hosts]\nweb1 = {{}}\n[app]\npath = \"/srv/a\"\n[app.health]\nurl = \"http://{{address}}/\"\nversion = '{version}'\n"
        )
    };
    for (written, version, pattern) in [
        (r"body:opensky\.version = (.*)", Version::Body, Some(r"opensky\.version = (.*)")),
        ("header:X-Release:shop/(.*)", Version::Header("X-Release".into()), Some("shop/(.*)")),
        ("json:/a:v:(.*)", Version::Json("/a".into()), Some("v:(.*)")),
        ("json:/a:b", Version::Json("/a:b".into()), None),
        ("body", Version::Body, None),
    ] {
        let health = read_text(&text(written)).app.unwrap().health.unwrap();
        assert_eq!((health.version, health.pattern), (version, pattern.map(|p| Pattern::of(p).unwrap())), "{written}");
    }
    for (written, why) in [
        ("body:version", "it has no group"),
        ("body:(", "unclosed group"),
        ("header:X-Release:(a)(b)", "more than one group"),
        ("process:(.*)", "not known here"),
    ] {
        let said = rendered(&parse("fleet.toml", "prod", &text(written), folders(), &[]).unwrap_err());
        assert!(said.contains(why) && said.contains("fleet.toml:7"), "{written}: {said}");
    }
}
