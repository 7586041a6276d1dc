//! A balancer that forgets the states that it was given, as after a reload.

use crate::made_up::{Shop, failures, fleet};
use rfab::{
    event::{Event, EventKind, Outcome, PoolState},
    failure::Exit,
};

#[test]
fn a_balancer_that_forgot_between_two_steps_stops_the_run_before_anything_served_is_changed() {
    // The balancer reloads at the first host's restart, as if someone did it at the same moment.
    let shop = Shop::four("");
    let mut model = shop.done("prod proxy.group2", shop.known());
    let (fleet, lb1) = (fleet(&model), "lb1".into());
    let whole = shop.run("prod:out deploy:stable", model.clone());
    let began = model.now;
    let took = whole.model.now.max(whole.events.last().unwrap().at) - began;
    for part in 1..40 {
        model.forgets_at = vec![(began + took * part / 40, fleet.name.clone(), std::sync::Arc::clone(&lb1))];
        let ran = shop.run("prod:out deploy:stable", model.clone());
        // Between the last look of a change and the change itself, which are one step, rfab can't see it.
        let forgot = began + took * part / 40;
        let is_amid = |event: &Event| {
            let begins = matches!(event.what, EventKind::EffectStarted { effect: "activate" | "change_service", .. });
            begins && event.at < forgot && forgot <= event.at + 20
        };
        let amid = ran.events.iter().any(is_amid);
        assert!(amid || ran.model.harmed.is_empty(), "at {part}/40: {:?}", ran.model.harmed);
        // Right after it, the host is out again.
        for row in ran.ended.table.iter().filter(|row| ran.model.harmed.iter().any(|harm| harm.contains(&*row.host))) {
            assert_eq!((row.result, row.balancer), (Outcome::Failed, PoolState::Out), "at {part}/40: {row:?}");
            assert_eq!(ran.ended.exit, Exit::Balancer, "at {part}/40");
        }
        assert_ne!(ran.model.epochs, model.epochs, "it was reloaded");
        if ran.ended.exit == Exit::Done {
            continue;
        }
        assert!(matches!(ran.ended.exit, Exit::Balancer | Exit::Refused | Exit::Failed), "{:?}", failures(&ran));
        // The table shows the balancer's last state: all servers are ready, except on hosts that are out again.
        let stands = |r: &rfab::event::HostRow| r.balancer == PoolState::Live || r.result == Outcome::Failed;
        assert!(ran.ended.table.iter().all(stands), "{:?}", ran.ended.table);
    }
}

#[test]
fn a_balancer_that_forgets_at_any_moment_is_said_and_nobody_who_took_requests_amid_a_change_is_ok() {
    let shop = Shop::four("");
    let mut exposed = 0;
    for line in ["prod deploy:stable", "prod release:stable"] {
        let before = shop.known();
        let began = before.now;
        let whole = shop.run(line, before.clone());
        for at in (began..whole.model.now).step_by(170) {
            let mut model = before.clone();
            model.forgets_at.push((at, "prod".into(), "lb1".into()));
            let ran = shop.run(line, model);
            let amid = &ran.model.exposed;
            exposed += amid.len();
            for host in amid {
                let row = ran.ended.table.iter().find(|row| row.host == *host).unwrap();
                assert_eq!(row.result, Outcome::Failed, "{line} at {at}: {row:?} {:?}", failures(&ran));
            }
            let said = failures(&ran).join("; ");
            assert!(
                amid.is_empty() || (ran.ended.exit != Exit::Done && said.contains("lb1")),
                "{line} at {at}: {said}"
            );
        }
    }
    assert!(exposed > 20, "{exposed}");
}

#[test]
fn a_balancer_that_forgets_leaves_no_host_in_on_which_a_release_failed() {
    let shop = Shop::four("");
    let mut sick = shop.known();
    sick.sick.insert(shop.stable.as_str().into());
    let whole = shop.run("prod release:stable", sick.clone());
    let mut forgot = 0;
    for at in (sick.now..whole.model.now).step_by(170) {
        let mut model = sick.clone();
        model.forgets_at.push((at, "prod".into(), "lb1".into()));
        let ran = shop.run("prod release:stable", model);
        assert_ne!(ran.ended.exit, Exit::Done);
        let failed = ran.ended.table.iter().filter(|row| row.result == Outcome::Failed && row.new != row.old);
        // rfab doesn't see what happens after its last look.
        let looked = at + 1_000 < ran.model.now;
        let is_out = |row: &rfab::event::HostRow| row.balancer == PoolState::Out || !looked;
        failed.for_each(|row| assert!(is_out(row), "at {at}: {row:?} {:?}", failures(&ran)));
        let said = |event: &rfab::event::Event| matches!(&event.what, EventKind::Warned { text, .. } if text.ends_with("then sent requests there"));
        forgot += usize::from(ran.events.iter().any(said));
    }
    assert!(forgot > 5, "{forgot}");
}
