//! Which hosts are out and which are live, in one pool or in many.

use crate::made_up::{FIVE, FOUR, Shop, done, failures, host};
use rfab::{
    effect::Admin,
    event::PoolState,
    failure::Exit,
    model::{Fact, Model},
};

#[test]
fn a_host_that_somebody_else_took_out_is_named_and_left_alone_and_the_rest_is_done() {
    let shop = Shop::four("");
    let mut model = shop.known();
    let web4 = host(&model, "web4");
    // One host of group2 is out, so the rest of group2 alone is too few.
    model.take_out(&web4);
    let few = shop.run("prod proxy.group2", model.clone());
    assert_eq!(few.ended.exit, Exit::Refused, "{:?}", failures(&few));
    let shop = Shop::of(&[("prod", &FOUR.replace("min_live = 2", "min_live = 1"))], "");
    let ran = shop.run("prod release:stable", model.clone());
    assert_eq!(ran.ended.exit, Exit::LeftOut, "{:?}", failures(&ran));
    assert!(ran.model.harmed.is_empty(), "{:?}", ran.model.harmed);
    let standing = |name: &str| ran.ended.table.iter().find(|r| &*r.host == name).unwrap().balancer;
    assert_eq!(["web1", "web2", "web3"].map(standing), [PoolState::Live; 3]);
    assert_eq!(standing("web4"), PoolState::Out);
    let back = shop.run("prod proxy.all:web4", ran.model);
    assert_eq!(back.ended.exit, Exit::Done, "{:?}", failures(&back));
    assert!(back.model.harmed.is_empty(), "{:?}", back.model.harmed);
    assert!(back.ended.table.iter().filter(|r| r.host.starts_with("web")).all(|r| r.balancer == PoolState::Live));
}

/// Returns a fleet file with two pools on two balancers, and the same hosts in all four.
fn two_balancers() -> String {
    let (head, tail) = FOUR.split_once("[balancer.lb1]").unwrap();
    let (lb1, roll) = tail.split_once("[roll]").unwrap();
    let lb1 = lb1.replace("bk_web = \"web\"", "bk_web = \"web\", bk_api = \"web\"");
    format!("{head}[balancer.lb1]{lb1}[balancer.lb2]{}[roll]{roll}", lb1.replace("\"lb1\"", "\"lb2\""))
}

#[test]
fn with_two_balancers_and_two_pools_a_drain_is_done_on_all_or_on_none() {
    let shop = Shop::of(&[("prod", &two_balancers())], "");
    let mut model = shop.known();
    for line in FIVE {
        model = shop.done(line, model);
    }
    assert_eq!(model.fewest_live.len(), 4);
    assert!(model.fewest_live.values().all(|live| *live == 2), "{:?}", model.fewest_live);

    let before = model.clone();
    let lost = model.servers.remove(&("prod".into(), "lb2".into(), "bk_api".into(), "web2".into()));
    assert!(lost.is_some());
    let ran = shop.run("prod proxy.group2", model);
    assert_eq!(ran.ended.exit, Exit::Balancer, "{:?}", failures(&ran));
    let ready =
        |model: &Model| model.servers.values().all(|s| matches!(s.admin.get(""), Ok(rfab::effect::Admin::Ready)));
    assert!(ready(&ran.model), "{}", ran.model.end_state());

    let mut model = before;
    model.dead.insert(("prod".into(), "lb2".into()));
    let ran = shop.run("prod proxy.group2", model);
    assert!(matches!(ran.ended.exit, Exit::Balancer | Exit::Unreachable), "{:?} {:?}", ran.ended.exit, failures(&ran));
    assert!(ready(&ran.model), "{}", ran.model.end_state());
}

#[test]
fn nobody_who_is_bound_to_a_host_reaches_it_while_it_is_switched() {
    let shop = Shop::of(&[("prod", &two_balancers())], "");
    let mut model = shop.known();
    model.servers.values_mut().for_each(|server| server.persistent = true);
    let taken = host(&model, "web1");
    model.take_out(&taken);
    for line in ["prod:out deploy:stable", "prod proxy.all:web1", "prod deploy:stable"] {
        model = shop.done(line, model);
        let is = |wanted| {
            let mine = model.servers.iter().filter(|(at, _)| *at.3 == *taken.name);
            mine.map(|(_, server)| *server.admin.get("").unwrap()).all(|admin| admin == wanted)
        };
        // It is as before: out, and not in maintenance.
        assert!(is(if line.contains("out") { Admin::Drain } else { Admin::Ready }), "{line}: {}", model.end_state());
    }
    assert_eq!(model.harmed, [""; 0]);
    // A person's own script must keep bound clients off too.
    let task = "\nfn rashly() { targets().each(|host| { balancer::drain(host); service::restart(host); }); }\n\
                fn well() { targets().each(|host| { balancer::drain(host); balancer::wait_drained(host); \
                service::restart(host); balancer::ready(host); }); }";
    let shop = Shop::of(&[("prod", &two_balancers())], task);
    let mut model = shop.known();
    model.servers.values_mut().for_each(|server| (server.persistent, server.open) = (true, Fact::Told(0)));
    let ran = shop.run("prod:web1 rashly", model.clone());
    let said = failures(&ran).concat();
    assert_eq!(ran.ended.exit, Exit::Failed, "{said}");
    assert!(said.contains("host `web1` is drained, but sticky clients still reach it"), "{said}");
    done(shop.run("prod:web1 well", model));
}

/// Takes a server of a pool out by hand, without rfab.
fn by_hand(model: &mut Model, pool: &str, name: &str) {
    let at = |at: &&(_, rfab::host::Name, rfab::host::Name, rfab::host::Name)| &*at.2 == pool && &*at.3 == name;
    let at =
        model.servers.keys().find(|key| at(&&(key.0.clone(), key.1.clone(), key.2.clone(), key.3.clone()))).cloned();
    let server = model.servers.get_mut(&at.expect("a server")).unwrap();
    server.admin = rfab::model::Fact::Told(rfab::effect::Admin::Drain);
}

#[test]
fn a_host_that_was_out_of_one_of_its_pools_comes_back_as_it_was_whatever_takes_it_out_and_whoever_puts_it_back() {
    let pools = r#"pools = { bk_web = "web", bk_api = "web" }"#;
    let two = FOUR.replace(r#"pools = { bk_web = "web" }"#, pools).replace("min_live = 2", "min_live = 1");
    let shop = Shop::of(&[("prod", &two)], "");
    let lines: [(&[&str], Exit); 5] = [
        (&["prod release:stable"], Exit::LeftOut),
        (&["prod deploy:stable"], Exit::Done),
        (&["prod proxy.group2", "prod proxy.group1"], Exit::Done),
        (&["prod proxy.group2", "prod:out deploy:stable", "prod proxy.all"], Exit::Done),
        (&["prod deploy:stable", "prod deploy:v3.0.0"], Exit::Done),
    ];
    for (lines, exit) in lines {
        let mut model = shop.known();
        by_hand(&mut model, "bk_api", "web1");
        let mut last = None;
        for line in lines {
            let ran = shop.run(line, model);
            assert_eq!(ran.model.harmed, [""; 0], "{line}");
            last = Some(ran.ended.exit);
            model = ran.model;
        }
        let admin = |pool: &str, name: &str| {
            let at = |(at, _): &(&(_, _, rfab::host::Name, rfab::host::Name), _)| &*at.2 == pool && &*at.3 == name;
            *model.servers.iter().find(at).unwrap().1.admin.get("").unwrap()
        };
        let all = ["web1", "web2"].map(|name| ["bk_web", "bk_api"].map(|pool| admin(pool, name)));
        use rfab::effect::Admin::{Drain, Ready};
        assert_eq!(all, [[Ready, Drain], [Ready, Ready]], "{lines:?}");
        assert_eq!(last, Some(exit), "{lines:?}");
    }
}

#[test]
fn a_group_of_which_one_host_does_not_get_empty_is_put_back_whole_and_nothing_was_switched() {
    let shop = Shop::four("");
    for line in ["prod deploy:stable", "prod:group1 deploy:stable", "prod release:stable", "prod proxy.group2"] {
        let mut model = shop.known();
        for server in model.servers.iter_mut().filter(|(at, _)| &*at.3 == "web2") {
            server.1.open = rfab::model::Fact::Told(u64::MAX);
        }
        let stuck = shop.run(line, model);
        assert_eq!(
            (stuck.ended.exit, &stuck.model.harmed[..]),
            (Exit::Failed, &[][..]),
            "{line}: {:?}",
            failures(&stuck)
        );
        for row in stuck.ended.table.iter().filter(|row| row.host.starts_with("web")) {
            assert_eq!((row.balancer, &row.new), (PoolState::Live, &row.old), "{line}: {row:?}");
        }
        // After its requests have ended, the same line succeeds.
        let mut model = stuck.model;
        model.servers.values_mut().for_each(|server| server.open = rfab::model::Fact::Told(3));
        shop.done(line, model);
    }
}
