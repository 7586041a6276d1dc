//! An app that is a folder of its repository, and deploys that change nothing in it.
use crate::made_up::{FOUR, Shop, changes, done, host};
use rfab::{
    event::{Event, EventKind},
    model::{Model, key},
    simulate::Simulation,
};

/// A repository with two services, of which the fleet's app is one.
fn shop() -> (Shop, Model) {
    let fleet = FOUR.replace("keep = 3", "keep = 3\ntree = \"services/web\"\ntags = \"v*\"");
    let shop = Shop::of(&[("prod", &fleet)], "");
    shop.git(&["branch", "-M", "main"]);
    changed(&shop, "web", "1", "v3.1.0");
    let model = shop.done("prod release:stable", shop.known());
    (shop, model)
}

/// Commits a change of a service under a tag.
fn changed(shop: &Shop, service: &str, text: &str, tag: &str) {
    shop.write(&format!("services/{service}/app"), text);
    shop.git(&["add", "."]);
    shop.git(&["commit", "-qm", tag]);
    shop.git(&["tag", tag]);
}

fn current(model: &Model, name: &str) -> String {
    let machine = &model.machines[&key(&host(model, name))];
    machine.current.get("").unwrap().as_ref().map(ToString::to_string).unwrap_or_default()
}

/// Returns what a run shows.
fn shown(ran: &Simulation) -> String {
    let note = |event: &Event| match &event.what {
        EventKind::Noted { text, .. } => Some(format!("{text}\n")),
        _ => None,
    };
    ran.events.iter().filter_map(note).collect()
}

#[test]
fn a_deploy_that_changes_nothing_in_the_folder_leaves_the_hosts_and_tells_the_new_name() {
    let (shop, model) = shop();
    let there = current(&model, "web1");
    assert_eq!(there, format!("0002-{}", &shop.commit("v3.1.0")[..12]));
    changed(&shop, "api", "1", "v3.1.1");
    let ran = shop.run("prod release:stable", model);
    let told = changes(&ran.events);
    assert_eq!(told.iter().filter(|change| !change.contains("lock")).count(), 1, "{told:?}");
    assert!(told.contains(&format!("record that {} is deployed", &shop.commit("v3.1.0")[..12])), "{told:?}");
    let model = done(ran);
    assert_eq!(current(&model, "web1"), there);
    let status = shop.run("prod status", model.clone());
    assert!(shown(&status).contains(&format!("v3.1.1 ({there})")), "{}", shown(&status));
    // Told once.
    let lines = |model: &Model| model.machines.values().map(|machine| machine.ledger.len()).sum::<usize>();
    let before = lines(&model);
    let again = shop.done("prod release:stable", model);
    assert_eq!(lines(&again), before, "nothing is new");
}

#[test]
fn what_changes_the_folder_is_deployed_and_a_way_back_is_left() {
    let (shop, model) = shop();
    changed(&shop, "api", "1", "v3.1.1");
    let model = shop.done("prod release:stable", model);
    changed(&shop, "web", "2", "v3.2.0");
    let model = shop.done("prod release:stable", model);
    assert_eq!(current(&model, "web1"), format!("0003-{}", &shop.commit("v3.2.0")[..12]));
    let model = shop.done("prod rollback", model);
    assert_eq!(current(&model, "web1"), format!("0002-{}", &shop.commit("v3.1.0")[..12]));
}

#[test]
fn a_host_that_lacks_the_release_gets_the_same_one_as_the_others() {
    let (shop, mut model) = shop();
    let new = host(&model, "web3");
    let machine = model.machines.get_mut(&key(&new)).unwrap();
    *machine = rfab::model::Machine { set_up: rfab::model::Fact::Told(true), ..rfab::model::Machine::bare() };
    changed(&shop, "api", "1", "v3.1.1");
    let model = shop.done("prod release:v3.1.1", model);
    assert_eq!(current(&model, "web3"), current(&model, "web1"));
}

#[test]
fn force_makes_a_release_of_the_new_commit() {
    let (shop, model) = shop();
    changed(&shop, "api", "1", "v3.1.1");
    let forced = rfab::simulate::Scenario { seed: 1, force: true, ..Default::default() };
    let model = done(shop.run_with("prod release:stable", model, forced));
    assert_eq!(current(&model, "web1"), format!("0003-{}", &shop.commit("v3.1.1")[..12]));
}

#[test]
fn only_commits_that_change_the_folder_are_pending() {
    let (shop, model) = shop();
    changed(&shop, "api", "1", "v3.1.1");
    let pending = shown(&shop.run("prod pending", model.clone()));
    assert!(pending.lines().nth(1).unwrap().ends_with("  0"), "{pending}");
    changed(&shop, "web", "2", "v3.2.0");
    let pending = shown(&shop.run("prod pending", model));
    assert!(pending.contains("v3.2.0") && !pending.contains("v3.1.1"), "{pending}");
}

/// Returns the row of `web1` in what `status` shows, up to the commit's age.
fn status(shop: &Shop, model: &Model) -> String {
    let shown = shown(&shop.run("prod status", model.clone()));
    let row = shown.lines().find(|line| line.starts_with("web1")).unwrap_or_default();
    row.split_whitespace().skip(1).take(2).collect::<Vec<_>>().join(" ")
}

/// Returns a model that has served 3.1.0, was told that 3.1.1 is the same, and serves 3.2.0.
fn moved_on(shop: &Shop, model: Model) -> Model {
    changed(shop, "api", "1", "v3.1.1");
    let model = shop.done("prod release:stable", model);
    changed(shop, "web", "2", "v3.2.0");
    shop.done("prod release:stable", model)
}

#[test]
fn a_rollback_finds_a_release_by_each_name_that_it_ever_had_and_gives_it_that_name() {
    let (shop, model) = shop();
    let model = moved_on(&shop, model);
    let (first, alike) = (shop.commit("v3.1.0"), shop.commit("v3.1.1"));
    let there = format!("0002-{}", &first[..12]);
    for (text, called) in [
        ("v3.1.0", "v3.1.0"),
        ("v3.1.1", "v3.1.1"),
        (&first[..7], "v3.1.1"),
        (&alike[..12], "v3.1.1"),
        (&*alike, "v3.1.1"),
        (&*there, "v3.1.1"),
    ] {
        let model = shop.done(&format!("prod rollback:{text}"), model.clone());
        assert_eq!(current(&model, "web1"), there, "{text}");
        assert_eq!(status(&shop, &model), format!("{called} ({there})"), "{text}");
        // What has these files is still known: nothing new is made.
        let model = shop.done("prod release:v3.1.1", model);
        assert_eq!((current(&model, "web1"), status(&shop, &model)), (there.clone(), format!("v3.1.1 ({there})")));
    }
    let refused = shop.run("prod rollback:v3.1", model);
    let why = "by the ledger, v3.1 was never good on any of them; a deploy accepts any commit";
    assert_eq!(refused.ended.failures[0].message, why);
}

#[test]
fn a_rollback_to_an_older_name_of_what_the_hosts_serve_changes_only_the_name() {
    let (shop, model) = shop();
    changed(&shop, "api", "1", "v3.1.1");
    let model = shop.done("prod release:stable", model);
    let there = current(&model, "web1");
    assert_eq!(status(&shop, &model), format!("v3.1.1 ({there})"));
    let ran = shop.run("prod rollback:v3.1.0", model);
    let told = changes(&ran.events);
    assert_eq!(told.iter().filter(|change| !change.contains("lock")).count(), 1, "{told:?}");
    let model = done(ran);
    assert_eq!(status(&shop, &model), format!("v3.1.0 ({there})"));
}

#[test]
fn the_files_of_what_was_rolled_back_are_deployed_again_only_by_a_tag_typed_in_full() {
    let (shop, model) = shop();
    let model = moved_on(&shop, model);
    let model = shop.done("prod rollback", model);
    changed(&shop, "api", "2", "v3.2.1");
    let refused = shop.run("prod release:stable", model.clone());
    let short = |tag: &str| shop.commit(tag)[..12].to_owned();
    let begins = format!(
        "v3.2.1 ({}) has the same files as v3.2.0 ({}), which was rolled back by tester",
        short("v3.2.1"),
        short("v3.2.0")
    );
    let failure = &refused.ended.failures[0];
    assert!(failure.message.starts_with(&begins), "{failure:?}");
    assert_eq!(failure.help.as_deref(), Some("to deploy it anyway, type its tag or all of its digits"));
    let model = shop.done("prod release:v3.2.1", model);
    assert_eq!(current(&model, "web1"), format!("0003-{}", short("v3.2.0")));
    assert!(status(&shop, &model).starts_with("v3.2.1"));
}
