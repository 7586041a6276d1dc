//! What a release must prove, and what happens to one that fails or dies.

use crate::made_up::{self, FOUR, Shop, changes, failures};
use rfab::{
    event::{Event, EventKind, Outcome, PoolState},
    failure::Exit,
    ledger::Book,
    session::Fault,
    simulate::Scenario,
};

#[test]
fn a_sick_release_stops_the_roll_at_the_first_group_and_nobody_unproven_comes_back() {
    let shop = Shop::four("");
    let mut model = shop.known();
    model.sick.insert(shop.stable.as_str().into());
    let ran = shop.run("prod release:stable", model);
    assert_eq!(ran.ended.exit, Exit::Failed, "{:?}", failures(&ran));
    assert!(ran.model.harmed.is_empty(), "{:?}", ran.model.harmed);
    let row = |name: &str| ran.ended.table.iter().find(|r| &*r.host == name).unwrap().clone();
    for name in ["web1", "web2"] {
        assert_eq!((row(name).balancer, row(name).result), (PoolState::Out, Outcome::Failed), "{name}");
        assert_eq!(row(name).new, Some(shop.release()));
    }
    for name in ["web3", "web4"] {
        assert_eq!(row(name).balancer, PoolState::Live, "{name}");
        assert_ne!(row(name).new, Some(shop.release()), "{name}");
    }
    // `proxy.all` doesn't put back an unhealthy host either.
    let all = shop.run("prod proxy.all", ran.model);
    assert_ne!(all.ended.exit, Exit::Done);
    assert!(all.model.harmed.is_empty(), "{:?}", all.model.harmed);
    let out = |name: &str| all.ended.table.iter().any(|r| &*r.host == name && r.balancer == PoolState::Out);
    assert!(out("web1") && out("web2"));
}

fn finished(event: &Event) -> Option<&str> {
    match &event.what {
        EventKind::EffectFinished { text, .. } => Some(text),
        _ => None,
    }
}

#[test]
fn a_release_that_died_between_its_put_back_and_the_balancers_look_is_bad_and_not_in_progress() {
    let shop = Shop::four("");
    let begin = shop.known();
    // The step that waits for the first host's checks, after the host is put back.
    let failing = (0..400).find_map(|at| {
        let wish = Scenario { seed: 1, fault: Some(Fault::FailsAt(at)), ..Scenario::default() };
        let ran = shop.run_with("prod release:stable", begin.clone(), wish);
        let texts: Vec<&str> = ran.events.iter().filter_map(|event| finished(event)).collect();
        let ready = texts.iter().position(|text| text.starts_with("ready web"))?;
        let failed = ran.events.iter().rev().find_map(|event| match &event.what {
            EventKind::EffectFinished { text, failure: Some(_), .. } => Some(&**text),
            _ => None,
        })?;
        let waits = failed.contains("is up for its balancer") && texts[ready..].contains(&failed);
        waits.then_some(ran)
    });
    let ran = failing.expect("a step that waits until a host is up");
    let state = ran.model.states.values().next().expect("a fleet's state");
    let lines: Vec<&str> = state.ledgers.values().flatten().map(|line| &**line).collect();
    let book = Book::read(&lines.join("\n"));
    let bad = ["web1", "web2"].into_iter().filter(|host| book.is_bad(host, &shop.stable));
    assert_eq!(bad.count(), 1, "{lines:#?}");
}

#[test]
fn a_fleet_in_which_nothing_proves_what_a_host_serves_is_refused_before_anything_is_changed() {
    let (head, rest) = FOUR.split_once("[app.service]").unwrap();
    let (_, hosts) = rest.split_once("[hosts]").unwrap();
    let bare = format!("{head}[hosts]{hosts}");
    let health = "[app.health]\nurl = \"http://{address}:8080/health\"\n";
    let service = "[app.service]\nunits = { web = [\"shop\"], worker = [\"shop-jobs\"] }\n";
    for (keys, exit) in [("", Exit::Fabfile), (service, Exit::Done)] {
        let shop = Shop::of(&[("prod", &bare.replace("[hosts]", &format!("{keys}[hosts]")))], "");
        let ran = shop.run("prod deploy:stable", shop.known());
        assert_eq!(ran.ended.exit, exit, "{:?}", failures(&ran));
        assert_eq!(made_up::changes(&ran.events).is_empty(), exit == Exit::Fabfile);
        if exit == Exit::Fabfile {
            let why = &ran.ended.failures[0];
            assert_eq!(why.message, "rfab can't prove what a host of `prod` serves, so rfab switches nothing");
            let help = why.help.as_deref().unwrap_or_default();
            assert!(help.contains("[app.health]") && help.contains("[app.service]"), "{help}");
        }
    }
    // With only a probe, the units belong to the hook, and a host in no pool isn't probed.
    let tasks = "fn ship() { deploying::deploy(\"stable\", #{ restart: |host| host.run(\"bin/restart\") }); }";
    let shop = Shop::of(&[("prod", &bare.replace("[hosts]", &format!("{health}[hosts]")))], tasks);
    let ran = shop.run("prod ship", shop.known());
    let why = "rfab can't prove what `jobs1`, which is in no pool, serves, so rfab switches nothing";
    assert_eq!((ran.ended.exit, &*ran.ended.failures[0].message), (Exit::Fabfile, why));
    assert_eq!(changes(&ran.events), [""; 0]);
    let ran = shop.run("prod:web ship", shop.known());
    assert_ne!(ran.ended.exit, Exit::Fabfile, "{:?}", failures(&ran));
}

#[test]
fn an_app_that_dies_after_its_put_back_is_never_ok_and_no_group_goes_out_after_it() {
    let shop = Shop::of(&[("prod", &FOUR.replace(r#"over = "5s""#, "over = \"2s\"\nsettle = \"4s\""))], "");
    for line in ["prod deploy:stable", "prod release:stable", "prod:group1 deploy:stable"] {
        let whole = shop.run(line, shop.known());
        assert_eq!(whole.ended.exit, Exit::Done, "{line}: {:?}", failures(&whole));
        let back = whole.ended.table.iter().filter(|row| row.result == Outcome::Ok && row.host.starts_with("web"));
        back.for_each(|row| assert!(row.looked.is_some_and(|after| after >= 4_000), "{row:?}"));
        let ready = |event: &&rfab::event::Event| match &event.what {
            EventKind::EffectFinished { effect: "set_admin", text, .. } => text.starts_with("ready web"),
            _ => false,
        };
        let back = whole.events.iter().find(ready).expect("one comes back").at;
        for after in [200, 1_500, 3_500] {
            let mut model = shop.known();
            model.sick_at.push((back + after, shop.stable.as_str().into()));
            let ran = shop.run(line, model);
            let of = |group: [&str; 2]| {
                let mine = ran.ended.table.iter().filter(|row| group.contains(&&*row.host));
                mine.map(|row| (row.result, row.balancer)).collect::<Vec<_>>()
            };
            assert_eq!(ran.ended.exit, Exit::Failed, "{line} {after}: {:?}", failures(&ran));
            assert_eq!(of(["web1", "web2"]), [(Outcome::Failed, PoolState::Live); 2], "{line} {after}");
            // The hosts with the old release still serve users.
            assert!(of(["web3", "web4"]).iter().all(|row| row.1 == PoolState::Live), "{line} {after}");
            let said = "was put back, and ";
            assert!(failures(&ran)[0].contains(said), "{line} {after}: {:?}", failures(&ran));
        }
    }
}

#[test]
fn what_died_after_its_put_back_is_nothing_to_go_back_to_and_what_mends_it_may_follow() {
    let fleet = FOUR.replace(r#"over = "5s""#, "over = \"2s\"\nsettle = \"4s\"");
    let tasks = "fn asked() { ui::note(`${release::resolve(\"stable\")} ${release::history(targets())[\"web1\"]}`); }";
    let shop = Shop::of(&[("prod", &fleet)], tasks);
    let ready = |event: &&rfab::event::Event| matches!(&event.what, EventKind::EffectFinished { effect: "set_admin", text, .. } if text.starts_with("ready web"));
    let whole = shop.run("prod release:stable", shop.known());
    let back = whole.events.iter().find(ready).expect("one comes back").at;
    let mut model = shop.known();
    model.sick_at.push((back + 1_500, shop.stable.as_str().into()));
    let died = shop.run("prod release:stable", model);
    assert_eq!(died.ended.exit, Exit::Failed);
    shop.tagged("v3.0.2");
    let asked = shop.run("prod asked", died.model);
    let said = format!("v3.0.2 ({}) []", &shop.commit("v3.0.2")[..12]);
    let noted = |event: &rfab::event::Event| matches!(&event.what, EventKind::Noted { text, .. } if *text == said);
    assert!(asked.events.iter().any(noted), "{said}: {:?} {:?}", asked.events, failures(&asked));
}
