//! A balancer that a person changes: in the simulator, the person says yes, and the balancer is in that state.

use crate::made_up;
use crate::made_up::{FIVE, FOUR, Shop, done};
use rfab::{event::PoolState, model::Model};

/// Makes the fleet of four, behind a balancer that rfab can't control.
fn by_hand() -> Shop {
    let ours = "driver = \"haproxy\"\nhost = \"lb1\"\nsocket = \"/run/haproxy/admin.sock\"\n";
    assert!(FOUR.contains(ours));
    Shop::of(&[("prod", &FOUR.replace(ours, "driver = \"manual\"\n"))], "")
}

#[test]
fn the_five_commands_and_the_release_in_one_work_by_hand_and_leave_the_same_behind() {
    let (shop, four) = (by_hand(), Shop::four(""));
    let live = |model: Model, shop: &Shop| {
        let last = shop.run("prod proxy.status", model);
        let web: Vec<_> = last.ended.table.iter().filter(|row| row.host.starts_with("web")).cloned().collect();
        assert!(web.iter().all(|row| row.balancer == PoolState::Live && row.new == Some(shop.release())), "{web:?}");
        done(last);
    };
    for lines in [&FIVE[..], &["prod release:stable"]] {
        for shop in [&shop, &four] {
            let model = lines.iter().fold(shop.known(), |model, line| shop.done(line, model));
            assert!(model.fewest_live.values().all(|live| *live >= 2), "{:?}", model.fewest_live);
            live(model, shop);
        }
    }
}

#[test]
fn a_group_is_taken_out_and_put_back_by_one_question_each() {
    let shop = by_hand();
    let moved = |line: &str, model: Model| {
        let ran = shop.run(line, model);
        let all = made_up::changes(&ran.events).into_iter().filter(|c| c.contains("drain") || c.contains("ready"));
        (all.collect::<Vec<_>>().join("; "), done(ran))
    };
    let (out, model) = moved("prod proxy.group2", shop.known());
    assert_eq!(out, "drain web1, web2");
    let (rolled, model) = moved("prod proxy.flip", model);
    assert_eq!(rolled, "ready web1, web2; drain web3, web4");
    let (back, model) = moved("prod proxy.all", model);
    assert_eq!(back, "ready web3, web4");
    let (deployed, _) = moved("prod deploy:stable", model);
    assert_eq!(deployed, "drain web1, web2; ready web1, web2; drain web3, web4; ready web3, web4");
}
