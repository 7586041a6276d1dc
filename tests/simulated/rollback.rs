//! Rollbacks that a person types, in the simulator.

use crate::made_up::{FOUR, Shop, changes, done, failures, host};
use rfab::{
    event::EventKind,
    failure::Exit,
    model::Model,
    session::Fault,
    simulate::{Scenario, Simulation},
};

fn after(shop: &Shop, lines: &[&str]) -> Model {
    lines.iter().fold(shop.known(), |model, line| shop.done(line, model))
}

/// Returns a model with a hotfix on every host, over a release that was good there.
fn fixed(shop: &Shop) -> Model {
    after(shop, &["prod release:v3.0.0", "prod release:v3.0.1"])
}

/// Returns a run's notes, its failures and its closing table, with tags for commits.
fn told(shop: &Shop, ran: &Simulation) -> String {
    let said = ran.events.iter().filter_map(|event| match &event.what {
        EventKind::Noted { host: Some(host), text } => Some(format!("{host}: {text}")),
        EventKind::Noted { host: None, text } => Some(text.clone()),
        EventKind::Warned { text, .. } => Some(format!("warning: {text}")),
        _ => None,
    });
    let why = ran.ended.failures.iter().map(|f| format!("error: {f}"));
    let rows = ran.ended.table.iter().map(|row| {
        let of = |cell: &Option<String>| cell.clone().unwrap_or_default();
        format!("{} {} {} {:?} {:?}", row.host, of(&row.old), of(&row.new), row.balancer, row.result)
    });
    named(shop, &said.chain(why).chain(rows).map(|line| line + "\n").collect::<String>())
}

fn named(shop: &Shop, text: &str) -> String {
    let text = text.replace("111111111111", "FIRST");
    ["v3.0.0", "v3.0.1"].iter().fold(text, |text, tag| text.replace(&shop.commit(tag)[..12], &tag[1..]))
}

/// Returns what each host serves.
fn serve(shop: &Shop, model: &Model) -> String {
    let of = |name: &str| model.machines[&("prod".into(), name.into())].current.get("").unwrap().clone().unwrap();
    named(shop, &["web1", "web2", "web3", "web4", "jobs1"].map(|name| of(name).to_string()[5..].to_owned()).join(" "))
}

#[test]
fn a_rollback_brings_every_host_back_to_what_was_good_on_it_group_by_group_and_live_as_before() {
    let shop = Shop::four("");
    let ran = shop.run("prod rollback", fixed(&shop));
    assert_eq!(
        told(&shop, &ran),
        "\
back to v3.0.0 (3.0.0); no migration is undone, so it must work with today's data
web1 0003-3.0.1 0002-3.0.0 Live Ok
web2 0003-3.0.1 0002-3.0.0 Live Ok
web3 0003-3.0.1 0002-3.0.0 Live Ok
web4 0003-3.0.1 0002-3.0.0 Live Ok
jobs1 0003-3.0.1 0002-3.0.0 None Ok
"
    );
    let all = changes(&ran.events).join("\n");
    for never in ["stage", "bin/migrate", "bin/install-dependencies", "keep the newest"] {
        assert!(!all.contains(never), "{never}: {all}");
    }
    let model = done(ran);
    assert!(model.fewest_live.values().all(|live| *live >= 2), "{:?}", model.fewest_live);
}

#[test]
fn a_second_rollback_goes_one_further_back_and_what_was_left_is_not_gone_back_to() {
    let shop = Shop::four("");
    shop.tagged("v3.0.2");
    let model = after(&shop, &["prod release:v3.0.0", "prod release:v3.0.1", "prod release:v3.0.2", "prod rollback"]);
    assert_eq!(serve(&shop, &model), "3.0.1 3.0.1 3.0.1 3.0.1 3.0.1");
    let model = shop.done("prod rollback", model);
    assert_eq!(serve(&shop, &model), "3.0.0 3.0.0 3.0.0 3.0.0 3.0.0");
    let first = shop.run("prod rollback", model.clone());
    assert_eq!(first.ended.exit, Exit::Refused);
    assert_eq!(
        told(&shop, &first),
        "\
web1: serves 3.0.0; by the ledger, nothing was good on it before
web2: serves 3.0.0; by the ledger, nothing was good on it before
web3: serves 3.0.0; by the ledger, nothing was good on it before
web4: serves 3.0.0; by the ledger, nothing was good on it before
jobs1: serves 3.0.0; by the ledger, nothing was good on it before
error: no single release was good on all of them before: choose one with rollback:COMMIT
web1 0002-3.0.0 0002-3.0.0 Live Untouched
web2 0002-3.0.0 0002-3.0.0 Live Untouched
web3 0002-3.0.0 0002-3.0.0 Live Untouched
web4 0002-3.0.0 0002-3.0.0 Live Untouched
jobs1 0002-3.0.0 0002-3.0.0 None Untouched
"
    );
    // The way forward is a deploy.
    let model = shop.done("prod release:v3.0.1", model);
    assert_eq!(serve(&shop, &shop.done("prod rollback", model)), "3.0.0 3.0.0 3.0.0 3.0.0 3.0.0");
}

/// Returns when a release was rolled back, from the ledger's only line about that.
fn withdrawn(model: &Model) -> String {
    let of = |line: &String| serde_json::from_str::<serde_json::Value>(line).unwrap();
    let lines = model.states["prod"].ledgers.values().flatten().map(of);
    let marks: Vec<_> = lines.filter(|line| line["reason"] == "rolled back").collect();
    let [mark] = &marks[..] else { panic!("{marks:#?}") };
    let at = mark["at"].as_str().unwrap();
    assert!(at.starts_with("1970-01-01T00:") && at.ends_with('Z'), "{at}");
    at.to_owned()
}

#[test]
fn what_was_rolled_back_is_deployed_again_only_when_it_is_typed_in_full_or_something_newer_is_there() {
    let shop = Shop::four("");
    let model = shop.done("prod rollback", fixed(&shop));
    let at = withdrawn(&model);
    for line in ["prod release:stable", "prod deploy:stable", "prod deploy:main"] {
        let again = shop.run(line, model.clone());
        assert_eq!(again.ended.exit, Exit::Refused, "{line}");
        let [why] = &again.ended.failures[..] else { panic!("{:?}", failures(&again)) };
        let name = line.rsplit(':').next().unwrap();
        assert_eq!(
            named(&shop, &why.message),
            format!("`{name}` is v3.0.1 (3.0.1), which was rolled back by tester from simulator at {at}")
        );
        assert_eq!(
            why.advice().as_deref(),
            Some("nothing was changed; to deploy it anyway, type its tag or all of its digits")
        );
        assert_eq!(again.model.end_state(), model.end_state());
    }
    let typed = shop.done("prod release:v3.0.1", model.clone());
    assert_eq!(serve(&shop, &typed), "3.0.1 3.0.1 3.0.1 3.0.1 3.0.1");
    shop.done("prod release:stable", typed);
    shop.tagged("v3.0.2");
    shop.done("prod release:stable", model);
}

#[test]
fn a_release_that_is_in_progress_goes_back_to_the_group_that_still_has_the_old_one() {
    let shop = Shop::four("");
    let begun = ["prod proxy.group2", "prod:out deploy:stable", "prod proxy.flip"];
    let model = begun.iter().fold(after(&shop, &["prod release:v3.0.0"]), |model, line| shop.done(line, model));
    assert_eq!(serve(&shop, &model), "3.0.1 3.0.1 3.0.0 3.0.0 3.0.0");
    // One line makes the group with the old release live again; then the other group can go back without hurry.
    let flipped = shop.done("prod proxy.flip", model.clone());
    let ran = shop.run("prod rollback", flipped);
    assert_eq!(
        told(&shop, &ran),
        "\
back to v3.0.0 (3.0.0); no migration is undone, so it must work with today's data
web1 0003-3.0.1 0002-3.0.0 Out Ok
web2 0003-3.0.1 0002-3.0.0 Out Ok
web3 0002-3.0.0 0002-3.0.0 Live Unchanged
web4 0002-3.0.0 0002-3.0.0 Live Unchanged
jobs1 0002-3.0.0 0002-3.0.0 None Unchanged
"
    );
    done(ran);
    // Half of the pool is out, so too few hosts would stay live if another group went out.
    let at_once = shop.run("prod rollback", model);
    assert_eq!(at_once.ended.exit, Exit::Refused, "{:?}", failures(&at_once));
    assert!(at_once.model.harmed.is_empty());
    assert_eq!(serve(&shop, &at_once.model), "3.0.1 3.0.1 3.0.0 3.0.0 3.0.0");
}

#[test]
fn hosts_that_would_go_back_to_different_commits_are_listed_and_a_typed_one_is_taken() {
    let shop = Shop::four("");
    shop.tagged("v3.0.2");
    let model = after(&shop, &["prod release:v3.0.0", "prod:web1 deploy:v3.0.1", "prod release:v3.0.2"]);
    let ran = shop.run("prod rollback", model.clone());
    assert_eq!(ran.ended.exit, Exit::Refused);
    let newest = &shop.commit("v3.0.2")[..12];
    assert_eq!(
        told(&shop, &ran).replace(newest, "3.0.2").lines().take(6).collect::<Vec<_>>(),
        [
            "web1: serves 3.0.2; v3.0.1 (3.0.1) was good before: rollback:3.0.1",
            "web2: serves 3.0.2; v3.0.0 (3.0.0) was good before: rollback:3.0.0",
            "web3: serves 3.0.2; v3.0.0 (3.0.0) was good before: rollback:3.0.0",
            "web4: serves 3.0.2; v3.0.0 (3.0.0) was good before: rollback:3.0.0",
            "jobs1: serves 3.0.2; v3.0.0 (3.0.0) was good before: rollback:3.0.0",
            "error: no single release was good on all of them before: choose one with rollback:COMMIT",
        ]
    );
    assert_eq!(ran.model.end_state(), model.end_state());
    let typed = shop.done(&format!("prod rollback:{}", &shop.commit("v3.0.0")[..12]), model.clone());
    assert_eq!(serve(&shop, &typed), "3.0.0 3.0.0 3.0.0 3.0.0 3.0.0");
    // The other hosts were never healthy on it and don't have it, so they get it from git.
    let ran = shop.run("prod rollback:v3.0.1", model.clone());
    assert_eq!(
        told(&shop, &ran).replace(newest, "3.0.2").lines().take(6).collect::<Vec<_>>(),
        [
            "warning: web2 was never seen healthy on v3.0.1 (3.0.1)",
            "warning: web3 was never seen healthy on v3.0.1 (3.0.1)",
            "warning: web4 was never seen healthy on v3.0.1 (3.0.1)",
            "warning: jobs1 was never seen healthy on v3.0.1 (3.0.1)",
            "warning: web2 was never seen healthy on v3.0.1 (3.0.1)",
            "warning: web3 was never seen healthy on v3.0.1 (3.0.1)",
        ]
    );
    assert_eq!(serve(&shop, &done(ran)), "3.0.1 3.0.1 3.0.1 3.0.1 3.0.1");
    let unknown = shop.run("prod rollback:v9", model);
    assert_eq!(unknown.ended.exit, Exit::Refused);
    let why = "by the ledger, v9 was never good on any of them; a deploy accepts any commit";
    assert_eq!(unknown.ended.failures[0].message, why);
}

#[test]
fn what_did_not_prove_healthy_is_never_gone_back_to() {
    let shop = Shop::four("");
    let mut model = fixed(&shop);
    shop.tagged("v3.0.2");
    model.sick.insert(shop.commit("v3.0.1").as_str().into());
    // A release that was good turns out bad at the next try: a file in `shared/` has changed, for example.
    let again =
        shop.run_with("prod:group1 deploy:v3.0.1", model, Scenario { seed: 1, force: true, ..Scenario::default() });
    assert_eq!(again.ended.exit, Exit::Failed);
    let mut model = again.model;
    model.sick.clear();
    let model = shop.done("prod:group1 deploy:v3.0.2", model);
    let model = shop.done("prod:group1 rollback", model);
    assert_eq!(serve(&shop, &model), "3.0.0 3.0.0 3.0.1 3.0.1 3.0.1");
}

/// Releases that never were good don't push out one that was: capistrano/capistrano#1907.
#[test]
fn what_was_good_is_not_pruned_however_many_failed_releases_came_after_it() {
    let shop = Shop::four("");
    let mut model = fixed(&shop);
    for n in 2..6 {
        let tag = format!("v3.0.{n}");
        shop.tagged(&tag);
        model.sick.insert(shop.commit(&tag).as_str().into());
        let failed = shop.run(&format!("prod release:{tag}"), model);
        assert_eq!(failed.ended.exit, Exit::Failed, "{:?}", failures(&failed));
        model = failed.model;
    }
    shop.tagged("v3.0.6");
    let model = shop.done("prod release:v3.0.6", model);
    let numbers = |name: &str| -> Vec<u32> {
        let machine = &model.machines[&("prod".into(), name.into())];
        machine.releases.get("").unwrap().iter().map(|release| release.number).collect()
    };
    // The newest three, and v3.0.1.
    assert_eq!(numbers("web1"), [3, 6, 7, 8]);
    let back = shop.run("prod rollback", model.clone());
    assert!(!changes(&back.events).iter().any(|change| change.contains("stage ")), "{:?}", changes(&back.events));
    assert_eq!(serve(&shop, &done(back)), "3.0.1 3.0.1 3.0.1 3.0.1 3.0.1");
}

#[test]
fn a_release_that_was_pruned_away_is_staged_again_or_all_is_refused_before_the_first_switch() {
    let shop = Shop::four("");
    let mut model = fixed(&shop);
    let pruned = host(&model, "web3");
    let machine = model.machine(&pruned).unwrap_or_else(|_| panic!("a machine"));
    let old = machine.releases.get("").unwrap().iter().find(|r| r.number == 2).cloned().unwrap();
    let kept = machine.releases.get("").unwrap().iter().filter(|r| **r != old).cloned().collect();
    machine.releases.predict(kept);
    let ran = shop.run("prod rollback", model.clone());
    let staged: Vec<String> = changes(&ran.events)
        .into_iter()
        .filter(|c| ["stage", "bin/install", "bin/migrate"].iter().any(|word| c.contains(word)))
        .collect();
    assert_eq!(
        named(&shop, &staged.join("\n")),
        "web3: stage v3.0.0 (0002-3.0.0)\nweb3: run `bin/install-dependencies` as shop in /srv/shop/releases/0002-3.0.0"
    );
    assert_eq!(serve(&shop, &done(ran)), "3.0.0 3.0.0 3.0.0 3.0.0 3.0.0");
    // If one host's files aren't what was staged, no host switches.
    let machine = model.machine(&host(&model, "web4")).unwrap_or_else(|_| panic!("a machine"));
    machine.damaged.insert(old);
    let refused = shop.run("prod rollback", model.clone());
    assert_eq!(refused.ended.exit, Exit::Refused);
    assert_eq!(
        named(&shop, &refused.ended.failures[0].message),
        "v3.0.0 (3.0.0) isn't there as it was staged; web4: [\"index.html\"]. --force uses it as it is"
    );
    assert_eq!(refused.model.end_state(), model.end_state());
    let forced = shop.run_with("prod rollback", model, Scenario { seed: 1, force: true, ..Scenario::default() });
    assert_eq!(serve(&shop, &done(forced)), "3.0.0 3.0.0 3.0.0 3.0.0 3.0.0");
}

#[test]
fn a_rollback_that_died_or_failed_anywhere_harms_nobody_and_is_completed() {
    let shop = Shop::of(&[("prod", &FOUR.replace("min_live = 2", "min_live = 1"))], "");
    let before = fixed(&shop);
    let whole = shop.run("prod rollback", before.clone());
    let effects = whole.effects;
    done(whole);
    let kinds: [fn(u32) -> Fault; 4] = [Fault::KilledBefore, Fault::KilledAfter, Fault::KilledAmid, Fault::FailsAt];
    let mut wrong = Vec::new();
    for at in 0..effects {
        let wish = Scenario { seed: 1, fault: Some(kinds[(at / 3) as usize % 4](at)), ..Scenario::default() };
        let mut ran = shop.run_with("prod rollback", before.clone(), wish);
        // A host that wasn't healthy on the old release must now agree, and one group may be out: a person chooses the
        // release and puts the group back.
        for line in
            ["rollback", "rollback:v3.0.0", "proxy.all:group1", "rollback:v3.0.0", "proxy.all:web1,web2,web3,web4"]
        {
            ran = shop.run(&format!("prod {line}"), ran.model);
        }
        let (model, end) = (&ran.model, serve(&shop, &ran.model));
        let few = model.fewest_live.values().any(|live| *live < 1);
        let well = ran.ended.exit == Exit::Done && !few && model.harmed.is_empty();
        if !well || end != "3.0.0 3.0.0 3.0.0 3.0.0 3.0.0" {
            wrong.push(format!("{:?}: {:?} {end} {:?}", wish.fault, failures(&ran), model.harmed));
        }
    }
    assert!(wrong.is_empty(), "{} of {effects}: {}", wrong.len(), wrong[..wrong.len().min(4)].join("\n"));
    assert!(effects > 60, "{effects}");
}

#[test]
fn a_rollback_that_is_refused_after_it_switched_hosts_does_not_say_that_nothing_was_changed() {
    let shop = Shop::four("");
    let mut model = fixed(&shop);
    // group1 is out; group2 may not go out while group1 isn't back.
    model = shop.done("prod proxy.group2", model);
    let ran = shop.run("prod rollback", model);
    assert_eq!(ran.ended.exit, Exit::Failed);
    let why = &ran.ended.failures[0];
    assert!(why.message.contains("hosts would stay live, but it needs 2"), "{why}");
    let help = why.advice().unwrap_or_default();
    assert!(help.starts_with("nothing more was changed; see `min_live`"), "{help}");
    assert_eq!(serve(&shop, &ran.model), "3.0.0 3.0.0 3.0.1 3.0.1 3.0.1");
}
