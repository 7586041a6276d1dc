//! A run that doesn't ask a balancer, in the simulator.

use crate::made_up::{Shop, changes, failures};
use rfab::{
    event::{EventKind, Outcome, PoolState},
    failure::Exit,
    simulate::{Scenario, Simulation},
};

fn without(shop: &Shop, line: &str, pool: &'static str) -> Simulation {
    shop.run_with(line, shop.known(), Scenario { seed: 1, without_balancer: Some(pool), ..Scenario::default() })
}

fn warned(ran: &Simulation) -> Vec<&str> {
    let text = |event: &'_ rfab::event::Event| match &event.what {
        EventKind::Warned { text, .. } => Some(text.clone()),
        _ => None,
    };
    ran.events.iter().filter_map(text).map(|text| &*text.leak()).collect()
}

#[test]
fn a_deploy_without_a_balancer_switches_group_by_group_and_says_everywhere_what_nobody_looked_at() {
    let shop = Shop::four("");
    let ran = without(&shop, "prod deploy:stable", "bk_web");
    assert_eq!(ran.ended.exit, Exit::Done, "{:?}", failures(&ran));
    assert_eq!(
        warned(&ran),
        [
            "rfab doesn't ask the balancer of `bk_web`: it switches hosts of the role `web` while they may take requests. It drains nothing, doesn't count which stay live, and doesn't check whether the balancer finds them healthy"
        ]
    );
    let rows: Vec<_> =
        ran.ended.table.iter().map(|row| (&*row.host, row.balancer, row.result, row.note.as_deref())).collect();
    let note = Some("its balancer wasn't asked");
    assert_eq!(
        rows,
        [
            ("web1", PoolState::None, Outcome::Ok, note),
            ("web2", PoolState::None, Outcome::Ok, note),
            ("web3", PoolState::None, Outcome::Ok, note),
            ("web4", PoolState::None, Outcome::Ok, note),
            ("jobs1", PoolState::None, Outcome::Ok, None),
        ]
    );
    let all = changes(&ran.events);
    assert!(!all.iter().any(|change| change.contains("drain") || change.contains("ready")), "{all:?}");
    let at = |host: &str| all.iter().position(|change| change.starts_with(&format!("{host}: restart"))).unwrap();
    assert!(at("web1").max(at("web2")) < at("web3").min(at("web4")), "group by group: {all:?}");
    let ledger = ran.model.machines[&("prod".into(), "web1".into())].ledger.join("\n");
    assert!(ledger.contains("\"reason\":\"without the balancer of bk_web\""), "{ledger}");
    // rfab still asks its own probe.
    let probed = |host: &str| {
        let probe = |event: &&rfab::event::Event| matches!(&event.what, EventKind::EffectFinished { effect: "probe", host: Some(on), .. } if **on == *host);
        ran.events.iter().any(|event| probe(&event))
    };
    assert!(["web1", "web2", "web3", "web4"].into_iter().all(probed));
}

#[test]
fn who_is_live_or_out_is_refused_and_so_is_a_release_and_a_pool_that_there_is_not() {
    let shop = Shop::four("");
    for (line, pool, exit, message, help) in [
        (
            "prod:out deploy:stable",
            "bk_web",
            Exit::Refused,
            "`out`: rfab can't tell which hosts are live or out, because it doesn't ask the balancer of `bk_web`",
            Some("name hosts, groups or roles, or leave `--without-balancer` out"),
        ),
        (
            "prod release:stable",
            "bk_web",
            Exit::Failed,
            "a release needs at least two groups, and this fleet has fewer",
            None,
        ),
        (
            "prod deploy:stable",
            "bk_wbe",
            Exit::Usage,
            "`--without-balancer bk_wbe`: `prod` has no such pool",
            Some("did you mean `bk_web`?"),
        ),
    ] {
        let ran = without(&shop, line, pool);
        let why = &ran.ended.failures[0];
        assert_eq!((ran.ended.exit, &*why.message, why.help.as_deref()), (exit, message, help), "{line}");
        assert!(changes(&ran.events).is_empty());
    }
}
