//! Which tags are an app's releases, in a repository with several apps.
use crate::made_up::{Shop, done, failures};
use rfab::{event::EventKind, failure::Exit, model::Model, simulate::Simulation};

/// Two apps of one repository, each with its own tags, and a second fleet with a third pattern.
const APPS: &str = r#"
[app.shop]
repository = "."
tags = "shop-v*"
path = "/srv/shop"
roles = ["web"]
[app.api]
repository = "."
tags = "api/*"
path = "/srv/api"
roles = ["api"]
[hosts]
web1 = { roles = ["web"] }
api1 = { roles = ["api"] }
"#;

const TASKS: &str = r#"
import "std/version" as versions;
fn shop() { fleet("fleets/apps.toml").app("shop") }
fn api() { fleet("fleets/apps.toml").app("api") }
fn late() { fleet("fleets/late.toml") }
fn told(reference) {
    let commit = git::resolve(reference);
    ui::note(`${commit.name} of ${commit.tag}, version ${git::tag_version(commit.tag)}, next ${versions::next("minor")}`);
}
fn told_without() { ui::note(`${git::newest_stable_tag()} ${git::newest_stable_tag("api/*")} ${versions::next("patch", "shop-v*")}`); }
"#;

fn shop() -> Shop {
    let late = APPS.split("[app.api]").next().unwrap().replace("[app.shop]", "[app]").replace("shop-v*", "late-*");
    let late = late + "[hosts]\nweb1 = { roles = [\"web\"] }\n";
    let shop = Shop::of(&[("prod", crate::made_up::FOUR), ("apps", APPS), ("late", &late)], TASKS);
    for tag in ["shop-v1.9.0", "shop-v1.10.0", "api/4.0.0", "shop-v2.0.0-rc.1", "nightly"] {
        shop.tagged(tag);
    }
    shop.git(&["tag", "api/3.9.0", "shop-v1.10.0"]);
    shop
}

fn notes(ran: &Simulation) -> Vec<String> {
    let note = |event: &rfab::event::Event| match &event.what {
        EventKind::Noted { text, .. } => Some(text.clone()),
        _ => None,
    };
    ran.events.iter().filter_map(note).collect()
}

#[test]
fn each_app_reads_its_own_tags_and_a_line_without_hosts_names_a_pattern() {
    let shop = shop();
    let said = |line: &str| {
        let ran = shop.run(line, Model::new());
        let notes = notes(&ran);
        done(ran);
        notes
    };
    assert_eq!(said("shop told:stable"), ["shop-v1.10.0 of shop-v1.10.0, version 1.10.0, next 1.11.0"]);
    assert_eq!(said("api told:stable"), ["api/4.0.0 of api/4.0.0, version 4.0.0, next 4.1.0"]);
    let commit = shop.commit("api/3.9.0");
    assert_eq!(said(&format!("api told:{commit}")), [format!("{commit} of api/3.9.0, version 3.9.0, next 4.1.0")]);
    assert_eq!(said("told_without"), ["v3.0.1 api/4.0.0 1.10.1"]);
}

#[test]
fn a_pattern_without_a_stable_tag_fails_and_names_what_is_near_it() {
    let shop = shop();
    shop.git(&["tag", "late-1.0.0-rc.1"]);
    let ran = shop.run("late told:stable", Model::new());
    assert_eq!(ran.ended.exit, Exit::Failed);
    let said = &failures(&ran)[0];
    assert!(said.starts_with("no stable tag matches `late-*` among 9 tags; similar: `late-1.0.0-rc.1`"), "{said}");
}
