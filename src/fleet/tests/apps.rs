use super::*;

/// Two apps behind two balancers. `mixed1` runs both, and `jobs1` is a worker of one.
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

/// Outlines the fleet of an app, one part a line.
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
    assert_eq!(unchosen.message, "fleet `prod` has several apps, and no task chooses one: `shop` and `api`");
    assert!(both.of_app("shop").unwrap().unchosen().is_none() && read_text(SHOP).unchosen().is_none());
}
