//! A pause between groups, in the simulator.

use crate::made_up::{Shop, changes, done, failures};
use rfab::{
    event::{EventKind, Outcome, PoolState},
    failure::Exit,
    session::Fault,
    simulate::{Scenario, Simulation},
    ui::Pausing,
};

const TEN: Scenario = Scenario {
    seed: 1,
    fault: None,
    force: false,
    unproven: false,
    pause: Some(Pausing::For(600_000)),
    without_balancer: None,
    without_gate: None,
};

/// Returns the pauses and changes of a run, in order; the changes between two pauses are one text.
fn order(ran: &Simulation) -> Vec<String> {
    let mut order: Vec<String> = vec![String::new()];
    for event in &ran.events {
        match &event.what {
            EventKind::EffectFinished { effect: "pause" | "confirm", text, .. } => {
                order.extend([text.clone(), String::new()]);
            }
            EventKind::EffectFinished { effect: "activate", host: Some(host), .. } => {
                *order.last_mut().unwrap() += &format!("{host} ");
            }
            EventKind::EffectFinished { effect: "set_admin", text, .. } => {
                *order.last_mut().unwrap() += &format!("{text} ")
            }
            _ => {}
        }
    }
    order
}

/// Returns each web host: whether it is live, and whether its release changed.
fn rows(ran: &Simulation) -> Vec<(&str, bool, bool)> {
    let web = ran.ended.table.iter().filter(|row| row.host.starts_with("web"));
    web.map(|row| (&*row.host, row.balancer == PoolState::Live, row.old != row.new)).collect()
}

#[test]
fn a_release_waits_between_its_groups_with_the_first_one_live_and_then_goes_on() {
    let shop = Shop::four("");
    let known = shop.known();
    let (calm, paused) =
        (shop.run("prod release:stable", known.clone()), shop.run_with("prod release:stable", known, TEN));
    let order = order(&paused);
    assert_eq!(order.len(), 3, "{order:?}");
    assert_eq!(order[1], "pause 10m after group1");
    assert!(order[0].contains("web1 ") && order[0].contains("ready") && !order[0].contains("web3 "), "{order:?}");
    let longer = paused.model.now - calm.model.now;
    assert!((600_000..640_000).contains(&longer), "{longer}");
    assert_eq!(done(calm).end_state(), done(paused).end_state());
}

#[test]
fn a_deploy_and_a_rollback_wait_too_and_one_host_waits_for_nothing() {
    let shop = Shop::four("");
    let model = shop.done("prod release:v3.0.0", shop.known());
    let ran = shop.run_with("prod deploy:stable", model, TEN);
    let pauses: Vec<String> = order(&ran).into_iter().filter(|line| line.starts_with("pause")).collect();
    assert_eq!(pauses, ["pause 10m after group1", "pause 10m after group2"]);
    let ran = shop.run_with("prod rollback", done(ran), TEN);
    assert_eq!(order(&ran).len(), 5, "{:?}", order(&ran));
    let ran = shop.run_with("prod:jobs1 deploy:v3.0.1", done(ran), TEN);
    assert_eq!(order(&ran).len(), 1, "{:?}", order(&ran));
    done(ran);
}

#[test]
fn what_goes_bad_while_it_is_waited_stops_the_run_before_the_next_group_is_touched() {
    let shop = Shop::four("");
    let mut model = shop.known();
    model.sick_at = vec![(model.now + 300_000, shop.commit("v3.0.1").as_str().into())];
    let ran = shop.run_with("prod release:stable", model, TEN);
    assert_eq!(ran.ended.exit, Exit::Failed, "{:?}", failures(&ran));
    assert!(ran.model.harmed.is_empty(), "{:?}", ran.model.harmed);
    assert_eq!(rows(&ran), [("web1", true, true), ("web2", true, true), ("web3", true, false), ("web4", true, false)]);
    let failed = ran.ended.table.iter().filter(|row| row.result == Outcome::Failed);
    assert_eq!(failed.map(|row| &*row.host).collect::<Vec<_>>(), ["web1", "web2"]);
    let all = changes(&ran.events).join("\n");
    assert!(!all.contains("drain web3") && !all.contains("web3: activate"), "{all}");
}

#[test]
fn a_person_is_asked_when_no_time_is_given_and_an_interrupted_pause_leaves_nothing_half_done() {
    let shop = Shop::four("");
    let ran = shop.run_with("prod release:stable", shop.known(), Scenario { pause: Some(Pausing::Ask), ..TEN });
    assert_eq!(order(&ran)[1], "ask: group1 is done and healthy. Continue?");
    done(ran);
    let whole = shop.run_with("prod release:stable", shop.known(), TEN);
    let cut = (0..whole.effects).find_map(|at| {
        let wish = Scenario { fault: Some(Fault::StoppedBefore(at)), ..TEN };
        let ran = shop.run_with("prod release:stable", shop.known(), wish);
        let paused = order(&ran).iter().any(|line| line.starts_with("pause"));
        paused.then_some(ran)
    });
    let cut = cut.expect("one of them is the pause");
    assert_eq!(cut.ended.exit, Exit::Interrupted);
    assert_eq!(rows(&cut), [("web1", true, true), ("web2", true, true), ("web3", true, false), ("web4", true, false)]);
    assert!(cut.model.harmed.is_empty());
}
