use super::*;

fn service() -> Service {
    let sudo = |text: &str| Verb::Sudo(text.into());
    Service {
        units: BTreeMap::from([("web".into(), vec!["shop".into()]), ("worker".into(), vec!["shop-jobs".into()])]),
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
    }
}

fn health() -> Health {
    Health {
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
    }
}

/// The example of the docs, with all its defaults.
fn linked(names: [&str; 2]) -> TreeRules {
    TreeRules { linked: names.map(str::to_owned).to_vec(), ..TreeRules::default() }
}

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
    let vars = [("queue".to_owned(), "mail".into())].into();
    let jobs = Host { vars, ..host("jobs1", Some("10.0.0.9"), None, "worker") };
    let wanted = Fleet {
        of: None,
        apps: Vec::new(),
        name: "prod".into(),
        folder: "/home/anna/shop/fleets".into(),
        guarded: true,
        ssh: None,
        persist: std::time::Duration::from_secs(600),
        transport: TransportKind::Openssh,
        accept: vec![Accept::Stable, Accept::Tag],
        via: Some("bastion.example.org".into()),
        user: Some("deploy".into()),
        deploy_live: false,
        state: "~/.local/state/rfab".into(),
        app: Some(App {
            name: "prod".into(),
            roles: vec![],
            repository: "/home/anna/shop".into(),
            tags: None,
            path: "/srv/shop".into(),
            user: Some("shop".into()),
            keep: 5,
            rules: linked(["public/uploads", "config/database.yml"]),
            assets: vec![],
            service: Some(service()),
            health: Some(health()),
        }),
        hosts: of(1..=21, "group1").chain(of(22..=42, "group2")).chain([jobs]).collect(),
        balancers: vec![Balancer {
            name: "lb1".into(),
            host: Host { roles: vec![], ..host("lb1.example.org", None, None, "") },
            driver: DriverSettings::Haproxy { socket: "/run/haproxy/admin.sock".into() },
            pools: BTreeMap::from([("bk_web".into(), "web".into())]),
            server: "{name}".into(),
            servers: BTreeMap::from([("bk_web".into(), vec!["{name}".into()])]),
            drain_within: Duration::from_secs(60),
            force_close: false,
            min_live: Some(MinLive::Count(18)),
        }],
        unasked: BTreeMap::new(),
        gate: None,
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
    // A map of a script has no order.
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
    assert_eq!((&*app.repository, app.rules.linked), ("/home/anna/shop", vec![]));
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
        || WrittenFleet::in_text("fleets/prod.toml", "prod", text, folders(), &["hosts.web2.queue=5".parse().unwrap()]);
    assert_eq!(written().unwrap().hosts_from().unwrap(), Some(vec!["bin/hosts".into(), "two words".into()]));
    let printed = r#"{ "web[2..3]": { "group": "a", "roles": ["web"], "zone": { "row": [1, 2.5, null] } },
                       "db1": { "address": "10.0.0.1", "roles": ["db"] } }"#;
    // A key that is set for one run also applies to a printed host.
    let one = printed.replace("web[2..3]", "web2");
    let set = written().unwrap().with(&one).unwrap().fleet().unwrap();
    assert_eq!(set.host("web2").unwrap().vars["queue"], 5);
    let written = WrittenFleet::in_text("fleets/prod.toml", "prod", text, folders(), &[]).unwrap();
    let fleet = written.with(printed).unwrap().fleet().unwrap();
    let names: Vec<&str> = fleet.hosts.iter().map(|host| &*host.name).collect();
    assert_eq!(names, ["lb2", "web2", "web3", "db1"]);
    assert_eq!(fleet.host("db1").unwrap().address(), "10.0.0.1");
    assert_eq!(fleet.host("web3").unwrap().vars["zone"], serde_json::json!({ "row": [1, 2.5, null] }));
    let set: Set = "hosts_from=[\"bin/hosts\", \"staging\"]".parse().unwrap();
    let other = WrittenFleet::in_text("fleets/prod.toml", "prod", text, folders(), &[set]).unwrap();
    assert_eq!(other.hosts_from().unwrap(), Some(vec!["bin/hosts".into(), "staging".into()]));
    assert_eq!(WrittenFleet::in_text("x", "prod", SHOP, folders(), &[]).unwrap().hosts_from().unwrap(), None);
    let map = serde_json::json!({ "hosts_from": ["bin/hosts"] });
    let fleet = WrittenFleet::in_map("prod", &map, folders().project, &[]).unwrap().with("{\"web1\": {}}").unwrap();
    assert_eq!(fleet.fleet().unwrap().hosts.len(), 1);
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

#[test]
fn a_gate_is_read_with_its_defaults_and_only_this_machine_may_be_asked_without_tls() {
    let gate = |keys: &str| {
        let text = format!("[hosts]\nweb1 = {{}}\n[gate]\nbranch = \"main\"\n{keys}\n");
        read_text(&text).gate.unwrap()
    };
    let wanted = Gate {
        forge: ForgeKind::Github,
        project: "shop/web".into(),
        url: "https://api.github.com".into(),
        token: TokenSource::Env("FORGE_TOKEN".into()),
        branch: "main".into(),
        checks: true,
        reviews: 0,
        pulls: false,
        within: Duration::from_secs(1800),
        environment: None,
    };
    assert_eq!(gate("forge = \"github\"\nproject = \"shop/web\"\ntoken = \"env:FORGE_TOKEN\""), wanted);
    let lab = "forge = \"gitlab\"\nproject = \"a/b/c\"\ntoken = \"file:secrets/forge\"\nchecks = false\nreviews = 2\nwithin = \"5m\"\nenvironment = \"prod\"";
    let wanted = Gate {
        forge: ForgeKind::Gitlab,
        project: "a/b/c".into(),
        url: "https://gitlab.com/api/v4".into(),
        token: TokenSource::File("secrets/forge".into()),
        checks: false,
        reviews: 2,
        within: Duration::from_secs(300),
        environment: Some("prod".into()),
        ..wanted
    };
    assert_eq!(gate(lab), wanted);
    let tea = "forge = \"gitea\"\nproject = \"shop/web\"\ntoken = \"command:pass show forge\"\nurl = \"http://[::1]:3000/api/v1/\"";
    let tea = gate(tea);
    assert_eq!((&*tea.url, tea.token), ("http://[::1]:3000/api/v1", TokenSource::Command("pass show forge".into())));
}

#[test]
fn apps_of_two_repositories_dont_share_a_gate() {
    let text = |other: &str| {
        format!(
            "[app.shop]\npath = \"/srv/shop\"\nroles = [\"web\"]\n[app.api]\npath = \"/srv/api\"\nroles = [\"api\"]\n{other}\
             [hosts]\nweb1 = {{ roles = [\"web\"] }}\napi1 = {{ roles = [\"api\"] }}\n[gate]\nforge = \"github\"\n\
             project = \"shop/web\"\ntoken = \"env:FORGE_TOKEN\"\nbranch = \"main\"\n"
        )
    };
    assert_eq!(read_text(&text("")).apps.len(), 2);
    let wrong = parse("fleet.toml", "prod", &text("repository = \"../api\"\n"), folders(), &[]).unwrap_err();
    let said = rendered(&wrong);
    assert!(said.contains("`[gate]` asks one project, but `shop` and `api` are in two repositories"), "{said}");
    assert!(said.contains("give one of them its own gate: `[app.api.gate]`"), "{said}");
    let own = "repository = \"../api\"\n[app.api.gate]\nforge = \"gitlab\"\nproject = \"group/api\"\n\
               token = \"env:OTHER\"\nbranch = \"next\"\n";
    let project = |fleet: &Fleet| fleet.gate.as_ref().map(|gate| gate.project.clone()).unwrap_or_default();
    let whole = read_text(&text(own));
    assert_eq!(
        whole.apps.iter().chain([&whole]).map(project).collect::<Vec<_>>(),
        ["shop/web", "group/api", "shop/web"]
    );
    let alone = "[app]\npath = \"/srv/shop\"\n[app.gate]\nforge = \"github\"\nproject = \"shop/web\"\n\
                 token = \"env:FORGE_TOKEN\"\nbranch = \"main\"\n[hosts]\nweb1 = {}\n";
    assert_eq!(project(&read_text(alone)), "shop/web");
}

#[test]
fn no_word_of_a_run_changes_the_gate_of_a_fleet_or_of_an_app() {
    let gate = "forge = \"github\"\nproject = \"shop/web\"\ntoken = \"env:FORGE_TOKEN\"\nbranch = \"main\"\n";
    let text = format!(
        "[app.shop]\npath = \"/srv/shop\"\nroles = [\"web\"]\n[app.shop.gate]\n{gate}[hosts]\nweb1 = {{ roles = [\"web\"] }}\n"
    );
    let said = |set: &str| {
        let sets = [set.parse().unwrap()];
        parse("fleet.toml", "prod", &text, folders(), &sets).map_or_else(|wrong| rendered(&wrong), |_| String::new())
    };
    assert_eq!(said("app.shop.keep=3"), "");
    for set in [
        "app.shop.gate.checks=false",
        "app.shop.gate=1",
        "app.shop={ path = \"/srv/shop\", roles = [\"web\"] }",
        "app={ path = \"/srv/shop\" }",
        "gate={}",
        "app.gate.forge=\"gitea\"",
    ] {
        assert!(said(set).contains("`--set` can't change the gate"), "{set}: {}", said(set));
    }
}
