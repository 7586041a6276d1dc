//! The project's own fabfile in the made-up world.
mod made_up;

use made_up::{FIVE, FOUR, Shop, changes, done, failures, fleet, host};
use rfab::{
    effect::Admin,
    event::{Event, Outcome, Standing, What},
    failure::Exit,
    ledger::Book,
    model::{Fact, Model, Said},
    session::Fault,
    simulate::{Scenario, Simulation},
};
use std::{collections::BTreeSet, time::Instant};

#[test]
fn the_five_commands_bring_the_newest_stable_tag_to_every_host_and_all_end_live() {
    let shop = Shop::new();
    let mut model = Model::new();
    for line in FIVE {
        model = shop.done(line, model);
    }
    let last = shop.run("prod proxy.status", model);
    assert_eq!(last.ended.exit, Exit::Done);
    for row in last.ended.table.iter().filter(|row| row.host.starts_with("web")) {
        assert_eq!(row.new.as_deref(), Some(&*shop.release()), "{row:?}");
        assert_eq!(row.balancer, Standing::Live);
    }
    assert!(last.model.fewest_live.values().all(|live| *live >= 18), "{:?}", last.model.fewest_live);
}

#[test]
fn release_does_the_same_in_one() {
    let shop = Shop::new();
    let ran = shop.run("prod release:stable", Model::new());
    let table = ran.ended.table.clone();
    done(ran);
    assert_eq!(table.len(), 43);
    for row in table {
        assert_eq!((row.result, row.new), (Outcome::Ok, Some(shop.release())), "{}", row.host);
    }
}

/// Everything that a run tells, as it would be written.
fn told(simulation: &Simulation) -> String {
    let lines: Vec<String> = simulation.events.iter().map(|e| serde_json::to_string(e).unwrap()).collect();
    lines.join("\n")
}

#[test]
fn a_seed_gives_the_same_run_to_the_byte_and_other_seeds_other_orders_with_the_same_end() {
    let shop = Shop::four("");
    let run = |seed| shop.run_with("prod release:stable", Model::new(), Scenario { seed, ..Scenario::default() });
    let runs: Vec<Simulation> = (0..12).map(run).collect();
    for (seed, one) in runs.iter().enumerate() {
        assert_eq!(told(one), told(&run(seed as u64)));
        assert_eq!(one.model.end_state(), runs[0].model.end_state());
    }
    let orders: BTreeSet<String> = runs.iter().map(told).collect();
    assert!(orders.len() > 3, "{} orders", orders.len());
}

#[test]
fn five_commands_take_milliseconds_of_a_long_clock() {
    let shop = Shop::four("");
    let began = Instant::now();
    let mut model = Model::new();
    for line in FIVE {
        model = shop.done(line, model);
    }
    println!("five commands on four hosts: {:?}, {} s of the made-up clock", began.elapsed(), model.now / 1000);
    assert!(model.now > 30_000);
    // A generous bound: it is a debug build, and other tests run beside it.
    assert!(began.elapsed().as_millis() < 2_000);
}

#[test]
fn a_host_that_somebody_else_took_out_is_named_and_left_alone_and_the_rest_is_done() {
    let shop = Shop::four("");
    let mut model = shop.known();
    let web4 = host(&model, "web4");
    // One of group2 is out, so that group2 alone would be too few.
    model.take_out(&web4);
    let few = shop.run("prod proxy.group2", model.clone());
    assert_eq!(few.ended.exit, Exit::Refused, "{:?}", failures(&few));
    let shop = Shop::of(&[("prod", &FOUR.replace("min_live = 2", "min_live = 1"))], "");
    let ran = shop.run("prod release:stable", model.clone());
    assert_eq!(ran.ended.exit, Exit::LeftOut, "{:?}", failures(&ran));
    assert!(ran.model.harmed.is_empty(), "{:?}", ran.model.harmed);
    let standing = |name: &str| ran.ended.table.iter().find(|r| &*r.host == name).unwrap().balancer;
    assert_eq!(["web1", "web2", "web3"].map(standing), [Standing::Live; 3]);
    assert_eq!(standing("web4"), Standing::Out);
    let back = shop.run("prod proxy.all:web4", ran.model);
    assert_eq!(back.ended.exit, Exit::Done, "{:?}", failures(&back));
    assert!(back.model.harmed.is_empty(), "{:?}", back.model.harmed);
    assert!(back.ended.table.iter().filter(|r| r.host.starts_with("web")).all(|r| r.balancer == Standing::Live));
}

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
        assert_eq!((row(name).balancer, row(name).result), (Standing::Out, Outcome::Failed), "{name}");
        assert_eq!(row(name).new, Some(shop.release()));
    }
    for name in ["web3", "web4"] {
        assert_eq!(row(name).balancer, Standing::Live, "{name}");
        assert_ne!(row(name).new, Some(shop.release()), "{name}");
    }
    // What is not healthy is not put back by `proxy.all` either.
    let all = shop.run("prod proxy.all", ran.model);
    assert_ne!(all.ended.exit, Exit::Done);
    assert!(all.model.harmed.is_empty(), "{:?}", all.model.harmed);
    let out = |name: &str| all.ended.table.iter().any(|r| &*r.host == name && r.balancer == Standing::Out);
    assert!(out("web1") && out("web2"));
}

fn finished(event: &Event) -> Option<&str> {
    match &event.what {
        What::EffectFinished { text, .. } => Some(text),
        _ => None,
    }
}

#[test]
fn a_release_that_died_between_its_put_back_and_the_balancers_look_is_bad_and_not_in_progress() {
    let shop = Shop::four("");
    let begin = shop.known();
    // The step that waits for the first host's checks, once it is back.
    let failing = (0..400).find_map(|at| {
        let wish = Scenario { seed: 1, fault: Some(Fault::FailsAt(at)), ..Scenario::default() };
        let ran = shop.run_with("prod release:stable", begin.clone(), wish);
        let texts: Vec<&str> = ran.events.iter().filter_map(|event| finished(event)).collect();
        let ready = texts.iter().position(|text| text.starts_with("ready web"))?;
        let failed = ran.events.iter().rev().find_map(|event| match &event.what {
            What::EffectFinished { text, failure: Some(_), .. } => Some(&**text),
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
fn a_balancer_that_forgot_between_two_steps_stops_the_run_before_anything_served_is_changed() {
    // The balancer is reloaded by the first host's restart, as by somebody at the same moment.
    let shop = Shop::four("");
    let mut model = shop.done("prod proxy.group2", shop.known());
    let (fleet, lb1) = (fleet(&model), "lb1".into());
    let whole = shop.run("prod:out deploy:stable", model.clone());
    let began = model.now;
    let took = whole.model.now.max(whole.events.last().unwrap().at) - began;
    for part in 1..40 {
        model.forgets_at = vec![(began + took * part / 40, fleet.name.clone(), std::sync::Arc::clone(&lb1))];
        let ran = shop.run("prod:out deploy:stable", model.clone());
        // Between the last look of a change and the change itself, which are one step, nobody can see it.
        let forgot = began + took * part / 40;
        let is_amid = |event: &Event| {
            let begins = matches!(event.what, What::EffectStarted { effect: "activate" | "change_service", .. });
            begins && event.at < forgot && forgot <= event.at + 20
        };
        let amid = ran.events.iter().any(is_amid);
        assert!(amid || ran.model.harmed.is_empty(), "at {part}/40: {:?}", ran.model.harmed);
        // Right after it the host is out again.
        for row in ran.ended.table.iter().filter(|row| ran.model.harmed.iter().any(|harm| harm.contains(&*row.host))) {
            assert_eq!((row.result, row.balancer), (Outcome::Failed, Standing::Out), "at {part}/40: {row:?}");
            assert_eq!(ran.ended.exit, Exit::Balancer, "at {part}/40");
        }
        assert_ne!(ran.model.epochs, model.epochs, "it was reloaded");
        if ran.ended.exit == Exit::Done {
            continue;
        }
        assert!(matches!(ran.ended.exit, Exit::Balancer | Exit::Refused | Exit::Failed), "{:?}", failures(&ran));
        // What the table says of the balancer is what it says by now: all are ready, but for who is out again.
        let stands = |r: &rfab::event::Row| r.balancer == Standing::Live || r.result == Outcome::Failed;
        assert!(ran.ended.table.iter().all(stands), "{:?}", ran.ended.table);
    }
}

/// Two pools on two balancers, with the same hosts in all four.
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
        // As it was before: out, and not in maintenance.
        assert!(is(if line.contains("out") { Admin::Drain } else { Admin::Ready }), "{line}: {}", model.end_state());
    }
    assert_eq!(model.harmed, [""; 0]);
    // A script of one's own has to keep them off, too.
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

#[test]
fn workers_finish_what_they_have_in_hand_before_they_restart_and_who_does_not_is_not_restarted() {
    let quieted =
        FOUR.replace("[app.health]", "quiet = [\"quiet\", \"{unit}\"]\nidle = [\"idle\", \"{unit}\"]\n[app.health]");
    let task = "\nimport \"std/service\" as running;\nfn again() { targets().each(|host| running::restart(host)); }";
    let shop = Shop::of(&[("prod", &quieted)], task);
    let known = shop.known();
    let ran = shop.run("prod:jobs1 again", known.clone());
    assert_eq!(changes(&ran.events), ["jobs1: quiet shop-jobs", "jobs1: restart shop-jobs"]);
    let restarts = |model: &Model| model.machines[&("prod".into(), "jobs1".into())].restarts;
    assert_eq!(restarts(&done(ran)), restarts(&known) + 1);

    let mut busy = known;
    let said = Said { status: 1, ..Said::default() };
    busy.machines
        .get_mut(&("prod".into(), "jobs1".into()))
        .unwrap()
        .says
        .predict([("idle shop-jobs".to_owned(), said)].into());
    let stuck = shop.run("prod:jobs1 again", busy);
    assert_eq!(stuck.ended.exit, Exit::Failed);
    assert_eq!(changes(&stuck.events), ["jobs1: quiet shop-jobs"]);
    let why = "jobs1 still has unfinished work after 600s: its units take nothing new, and weren't restarted";
    assert_eq!(failures(&stuck), [format!("{why} [(\"fabfile.rhai\", 62)]")]);
}

#[test]
fn a_folder_is_below_the_one_before_and_a_file_in_it_is_where_it_is() {
    let task = "\nfn there() { targets().each(|host| host.cd(\"/srv\").cd(\"shop/x\").run(\"pwd\")); }\n\
                fn sneak() { targets().each(|host| host.cd(\"/srv/shop\").write(\"current/x\", \"y\")); }";
    let shop = Shop::four(task);
    let known = shop.known();
    let ran = shop.run("prod:web1 there", known.clone());
    assert_eq!(changes(&ran.events), ["web1: run `pwd` in /srv/shop/x"]);
    let sneak = shop.run("prod:web1 sneak", known);
    let why = "host `web1` is live in `lb1/bk_web`, so what it serves can't be changed";
    assert_eq!(failures(&sneak), [format!("{why} [(\"fabfile.rhai\", 62), (\"fabfile.rhai\", 62)]")]);
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
            assert_eq!(why.message, "nothing can prove what a host of `prod` serves, so nothing is switched");
            let help = why.help.as_deref().unwrap_or_default();
            assert!(help.contains("[app.health]") && help.contains("[app.service]"), "{help}");
        }
    }
    // With a probe alone the units are the hook's own; who is in no pool is not probed.
    let tasks = "fn ship() { deploying::deploy(\"stable\", #{ restart: |host| host.run(\"bin/restart\") }); }";
    let shop = Shop::of(&[("prod", &bare.replace("[hosts]", &format!("{health}[hosts]")))], tasks);
    let ran = shop.run("prod ship", shop.known());
    let why = "nothing can prove what `jobs1`, which is in no pool, serves, so nothing is switched";
    assert_eq!((ran.ended.exit, &*ran.ended.failures[0].message), (Exit::Fabfile, why));
    assert_eq!(changes(&ran.events), [""; 0]);
    let ran = shop.run("prod:web ship", shop.known());
    assert_ne!(ran.ended.exit, Exit::Fabfile, "{:?}", failures(&ran));
}

#[test]
fn a_maintenance_page_and_a_file_of_cron_jobs_are_made_from_templates_and_taken_away() {
    let tasks = r#"
import "std/maintenance" as pausing;
import "std/cron" as timing;
fn maintenance_on() { pausing::on("page.j2", #{ back: "18:00" }); }
fn maintenance_off() { pausing::off(); }
fn maintenance_shown() { pausing::status(); }
fn jobs() { targets().role("worker").each(|host| timing::install(host, "shop", "jobs.j2", #{ hour: 3 })); timing::show("shop"); }
fn jobs_away() { targets().role("worker").each(|host| timing::remove(host, "shop")); }
fn jobs_named(name) { targets().each(|host| timing::install(host, name, "jobs.j2", #{ hour: 3 })); }
"#;
    let shop = Shop::four(tasks);
    shop.write("page.j2", "back at {{ back }}, says {{ host.name }}\n");
    shop.write("jobs.j2", "0 {{ hour }} * * * shop /srv/shop/current/bin/tidy\n");
    let on = shop.run("prod:web1,jobs1 maintenance_on maintenance_shown jobs", shop.known());
    let page = "write /srv/shop/maintenance.html";
    assert_eq!(
        changes(&on.events),
        [format!("web1: {page}"), format!("jobs1: {page}"), "jobs1: write /etc/cron.d/shop".to_owned()]
    );
    let notes: Vec<String> = on
        .events
        .iter()
        .filter_map(|event| match &event.what {
            What::Noted { host: Some(host), text } => Some(format!("{host}: {}", text.trim_end())),
            _ => None,
        })
        .collect();
    let shown = ["web1: shows the maintenance page", "jobs1: shows the maintenance page", "web1: no /etc/cron.d/shop"];
    assert_eq!(notes, [&shown[..], &["jobs1: 0 3 * * * shop /srv/shop/current/bin/tidy"]].concat());
    let model = done(on);
    let written = |name: &str, path: &str| {
        let file = model.machines[&("prod".into(), name.into())].files[path].get("").unwrap().clone();
        String::from_utf8(file.unwrap()).unwrap()
    };
    assert_eq!(written("web1", "/srv/shop/maintenance.html"), "back at 18:00, says web1\n");
    let off = shop.run("prod:web1,jobs1 maintenance_off jobs_away", model);
    let gone = "run `rm -f /srv/shop/maintenance.html`";
    assert_eq!(
        changes(&off.events),
        [format!("web1: {gone}"), format!("jobs1: {gone}"), "jobs1: run `rm -f /etc/cron.d/shop` as root".to_owned()]
    );
    for bad in ["shop.daily", ".x", "../x"] {
        let refused = shop.run(&format!("prod:jobs1 jobs_named:{bad}"), shop.known());
        let why = failures(&refused);
        assert!(why[0].starts_with(&format!("cron ignores a file named \"{bad}\"")), "{why:?}");
    }
}

/// Puts a server of a pool where somebody wants it, past rfab.
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
            assert_eq!((row.balancer, &row.new), (Standing::Live, &row.old), "{line}: {row:?}");
        }
        // Once its requests have ended the same line does it.
        let mut model = stuck.model;
        model.servers.values_mut().for_each(|server| server.open = rfab::model::Fact::Told(3));
        shop.done(line, model);
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
        // What happens behind the last look nobody sees.
        let looked = at + 1_000 < ran.model.now;
        let is_out = |row: &rfab::event::Row| row.balancer == Standing::Out || !looked;
        failed.for_each(|row| assert!(is_out(row), "at {at}: {row:?} {:?}", failures(&ran)));
        let said = |event: &rfab::event::Event| matches!(&event.what, What::Warned { text, .. } if text.ends_with(": out again"));
        forgot += usize::from(ran.events.iter().any(said));
    }
    assert!(forgot > 5, "{forgot}");
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
            What::EffectFinished { effect: "set_admin", text, .. } => text.starts_with("ready web"),
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
            assert_eq!(of(["web1", "web2"]), [(Outcome::Failed, Standing::Live); 2], "{line} {after}");
            // Users are still served by those that have the old release.
            assert!(of(["web3", "web4"]).iter().all(|row| row.1 == Standing::Live), "{line} {after}");
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
    let ready = |event: &&rfab::event::Event| matches!(&event.what, What::EffectFinished { effect: "set_admin", text, .. } if text.starts_with("ready web"));
    let whole = shop.run("prod release:stable", shop.known());
    let back = whole.events.iter().find(ready).expect("one comes back").at;
    let mut model = shop.known();
    model.sick_at.push((back + 1_500, shop.stable.as_str().into()));
    let died = shop.run("prod release:stable", model);
    assert_eq!(died.ended.exit, Exit::Failed);
    shop.tagged("v3.0.2");
    let asked = shop.run("prod asked", died.model);
    let said = format!("v3.0.2 ({}) []", &shop.commit("v3.0.2")[..12]);
    let noted = |event: &rfab::event::Event| matches!(&event.what, What::Noted { text, .. } if *text == said);
    assert!(asked.events.iter().any(noted), "{said}: {:?} {:?}", asked.events, failures(&asked));
}
