//! Every effect of every command fails once, and the operator dies before and after each. No user is harmed, what rfab
//! prints is true, and the same line again ends well or tells a person what to do.

use crate::made_up;
use crate::made_up::{FIVE, Shop, changes, failures, fleet};
use rfab::{
    effect::Admin,
    event::{Outcome, PoolState},
    failure::Exit,
    model::Model,
    session::Fault,
    simulate::{Scenario, Simulation},
};
use std::{
    collections::{BTreeMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
};

/// A task by which a person marks a migration as done.
const BY_HAND: &str = "fn migrated(reference) { release::mark_done(\"migrate\", release::resolve(reference)); }\n";

/// Lines that a person may type without knowing what went wrong.
const NEXT: [&str; 4] = ["prod proxy.all", "prod proxy.flip", "prod proxy.group1", "prod:out deploy:stable"];

type Kind = fn(u32) -> Fault;
const KINDS: [(&str, Kind); 4] = [
    ("killed before", Fault::KilledBefore),
    ("killed after", Fault::KilledAfter),
    ("killed amid", Fault::KilledAmid),
    ("fails at", Fault::FailsAt),
];

/// Returns what hosts serve, and their states: two ways must end with the same.
fn end(model: &Model) -> BTreeMap<String, String> {
    let fleet = fleet(model);
    let of = |host: &rfab::host::Host| {
        let machine = &model.machines[&rfab::model::key(host)];
        let commit = |r: &rfab::model::Release| r.to_string();
        let current = machine.current.get("").ok().and_then(|c| c.as_ref().map(commit));
        let up = machine.up_at.get("").is_ok_and(Option::is_some);
        format!("{current:?} runs {:?} up {up} {:?}", machine.running.get("").ok(), standing(model, host))
    };
    fleet.hosts.iter().map(|host| (host.name.to_string(), of(host))).collect()
}

fn standing(model: &Model, host: &rfab::host::Host) -> PoolState {
    let mine = model.servers.iter().filter(|(at, _)| at.0 == host.fleet && at.3 == host.name);
    let admins: Vec<Admin> = mine.map(|(_, server)| *server.admin.get("").unwrap()).collect();
    let ready = admins.iter().filter(|a| **a == Admin::Ready).count();
    match ready {
        _ if admins.is_empty() => PoolState::None,
        0 => PoolState::Out,
        n if n == admins.len() => PoolState::Live,
        _ => PoolState::Mixed,
    }
}

/// Returns the harm to users, which no run may do after any fault.
fn harm(model: &Model) -> Vec<String> {
    let few =
        model.fewest_live.iter().filter(|(_, live)| **live < 2).map(|(pool, live)| format!("{pool:?}: {live} live"));
    model.harmed.iter().cloned().chain(few).collect()
}

/// Returns where a closing table disagrees with the model.
fn lies(before: &Model, ran: &Simulation) -> Vec<String> {
    let (fleet, mut lies) = (fleet(&ran.model), Vec::new());
    for row in &ran.ended.table {
        let host = fleet.hosts.iter().find(|h| h.name == row.host).unwrap();
        let (was, is) = (&before.machines[&rfab::model::key(host)], &ran.model.machines[&rfab::model::key(host)]);
        let current = is.current.get("").unwrap().as_ref().map(ToString::to_string);
        if row.new.is_some() && row.new != current {
            lies.push(format!("{row:?}, but it is {current:?}"));
        }
        if row.balancer != PoolState::Unknown && row.balancer != standing(&ran.model, host) {
            lies.push(format!("{row:?}, but it stands {:?}", standing(&ran.model, host)));
        }
        let same = was.current.get("").ok() == is.current.get("").ok()
            && was.restarts == is.restarts
            && was.changes == is.changes
            && standing(before, host) == standing(&ran.model, host);
        if !same && matches!(row.result, Outcome::Untouched | Outcome::Unchanged) {
            lies.push(format!("{row:?}, but it was changed"));
        }
        if row.result == Outcome::Failed && row.note.is_none() {
            lies.push(format!("{row:?}, and not why"));
        }
    }
    lies
}

/// Returns what a run reports that isn't true.
fn untrue(before: &Model, whole: &Model, ran: &Simulation) -> Vec<String> {
    let mut wrong = lies(before, ran);
    let done = ran.ended.exit == Exit::Done;
    if done && end(&ran.model) != end(whole) {
        wrong.push(format!("it says done, and isn't: {:#?}", end(&ran.model)));
    }
    if !done && ran.ended.failures.is_empty() {
        wrong.push(format!("it ended with {:?} and says no reason", ran.ended.exit));
    }
    if !matches!(ran.ended.exit, Exit::Done | Exit::Failed | Exit::Unknown | Exit::Balancer) {
        wrong.push(format!("it ended with {:?}: {:?}", ran.ended.exit, failures(ran)));
    }
    wrong
}

/// Returns all that is wrong with the lines that may be typed next.
fn next(shop: &Shop, model: &Model, wish: Scenario) -> Vec<String> {
    let mut wrong = Vec::new();
    for line in NEXT {
        let next = shop.run_with(line, model.clone(), Scenario { fault: None, ..wish });
        wrong.extend(harm(&next.model).into_iter().map(|harm| format!("then {line}: {harm}")));
        wrong.extend(lies(model, &next).into_iter().map(|lie| format!("then {line}: {lie}")));
        let known = [Exit::Done, Exit::Failed, Exit::Refused, Exit::LeftOut, Exit::NoHosts, Exit::Unknown];
        if !known.contains(&next.ended.exit) {
            wrong.push(format!("then {line}: {:?}: {:?}", next.ended.exit, failures(&next)));
        }
    }
    wrong
}

/// A line that goes wrong, and what leads to it and from it.
struct Explored<'a> {
    shop: &'a Shop,
    words: &'a str,
    /// The lines that come after it.
    rest: &'a [&'a str],
    before: &'a Model,
    /// How it ends without a fault.
    whole: &'a Model,
    /// The worlds that a fault has led to.
    met: HashSet<u64>,
}

/// Returns a digest of a world, as the next run finds it: that run replaces what is about the current effect.
fn world(model: &Model) -> u64 {
    let next = Model { began: 0, spent: 0, id: String::new(), only_in: BTreeMap::new(), ..model.clone() };
    let mut hasher = DefaultHasher::new();
    format!("{next:?}").hash(&mut hasher);
    hasher.finish()
}

/// Returns all that a fault leads to and should not.
fn wrong(explored: &mut Explored<'_>, wish: Scenario) -> Vec<String> {
    let Explored { shop, words, rest, before, whole, ref mut met } = *explored;
    let mut wrong = Vec::new();
    let ran = shop.run_with(words, before.clone(), wish);
    wrong.extend(harm(&ran.model));
    if matches!(wish.fault, Some(Fault::FailsAt(_))) {
        wrong.extend(untrue(before, whole, &ran));
    }
    // From the same world and seed, the next lines go to the byte as they went before: those were seen.
    if !met.insert(world(&ran.model)) {
        return wrong;
    }
    if !rest.is_empty() || words.contains("release") {
        wrong.extend(next(shop, &ran.model, wish));
    }
    // The same line again.
    let mut model = ran.model;
    let again = shop.run_with(words, model.clone(), Scenario { fault: None, ..wish });
    let said = failures(&again).join("; ");
    wrong.extend(harm(&again.model).into_iter().map(|harm| format!("again: {harm}")));
    wrong.extend(lies(&model, &again).into_iter().map(|lie| format!("again: {lie}")));
    model = again.model.clone();
    match again.ended.exit {
        Exit::Done => {}
        Exit::Unknown if said.contains("`migrate` of") => {
            let told = shop.run_with("prod migrated:stable", model, Scenario { fault: None, ..wish });
            model = shop.done(words, made_up::done(told));
        }
        // `only` completes a flip that was begun; after one that was done, the same line flips back.
        Exit::Refused
            if words.ends_with("flip")
                && (said.contains("partly live and partly out") || said.contains("exactly one")) => {}
        other => wrong.push(format!("again: {other:?}: {said}\n{:#?}", changes(&again.events))),
    }
    if !wrong.is_empty() {
        return wrong;
    }
    if words.ends_with("flip") {
        model = shop.done("prod proxy.group1", model);
    }
    if end(&model) != end(whole) {
        wrong.push(format!("again: it ends otherwise: {:#?}", end(&model)));
        return wrong;
    }
    for line in rest {
        let next = shop.run_with(line, model, Scenario { fault: None, ..wish });
        wrong.extend(harm(&next.model).into_iter().map(|harm| format!("{line}: {harm}")));
        if next.ended.exit != Exit::Done {
            wrong.push(format!("{line}: {:?}: {:?}", next.ended.exit, failures(&next)));
            return wrong;
        }
        model = next.model;
    }
    let mut web = end(&model).into_iter().filter(|(host, _)| host.starts_with("web"));
    let all = web.all(|(_, state)| state.contains(&shop.release()) && state.contains("Live"));
    if !rest.is_empty() && !all {
        wrong.push(format!("in the end: {:#?}", end(&model)));
    }
    wrong
}

/// Makes each effect of a line go wrong in each way, and returns how many runs that took.
fn explore(line: usize) -> usize {
    let shop = Shop::four(BY_HAND);
    let (mut before, mut runs, mut worlds, mut found) = (shop.known(), 0, 0, Vec::new());
    for line in &FIVE[..line] {
        before = shop.done(line, before);
    }
    let (words, rest) =
        if line < FIVE.len() { (FIVE[line], &FIVE[line + 1..]) } else { ("prod release:stable", &[][..]) };
    if line == FIVE.len() {
        before = shop.known();
    }
    for seed in [1, 2] {
        let whole = shop.run_with(words, before.clone(), Scenario { seed, ..Scenario::default() });
        assert!(whole.effects > 5, "{words}: {:?}", failures(&whole));
        // The second order of lanes gets fewer faults, and a quarter of them a day.
        let (kinds, rest) = if seed == 1 { (&KINDS[..], rest) } else { (&KINDS[2..], &[][..]) };
        let met = HashSet::new();
        let mut explored = Explored { shop: &shop, words, rest, before: &before, whole: &whole.model, met };
        for (name, kind) in kinds {
            for at in (0..whole.effects).filter(|at| seed == 1 || made_up::is_turn(u64::from(*at), 4)) {
                let wish = Scenario { seed, fault: Some(kind(at)), ..Scenario::default() };
                let wrong = wrong(&mut explored, wish);
                found.extend(wrong.into_iter().map(|w| format!("seed {seed}, {name} {at}: {w}")));
                runs += 1;
            }
        }
        worlds += explored.met.len();
    }
    assert!(
        found.is_empty(),
        "{words}: {} of {runs} runs\n{}",
        found.len(),
        found.iter().take(6).cloned().collect::<Vec<_>>().join("\n")
    );
    println!("{words}: {runs} faults, which lead to {worlds} worlds, and none did harm");
    runs
}

#[test]
fn taking_a_group_out_survives_every_fault() {
    explore(0);
}

#[test]
fn the_deploy_to_the_first_group_survives_every_fault() {
    explore(1);
}

#[test]
fn the_flip_survives_every_fault() {
    explore(2);
}

#[test]
fn the_deploy_to_the_second_group_survives_every_fault() {
    explore(3);
}

#[test]
fn putting_all_back_survives_every_fault() {
    explore(4);
}

#[test]
fn the_release_in_one_survives_every_fault() {
    explore(5);
}

/// A task that takes every host out, one after another, and one that restarts a service on live hosts.
const RASH: &str = "fn rash() { for host in targets() { if host.name != \"jobs1\" { balancer::drain(targets().select(host.name), \"rash\"); } } }
fn eager() { targets().group(\"group1\").parallel(|host| service::restart(host)); }\n";

#[test]
fn what_would_do_harm_is_refused_and_without_the_invariants_it_is_seen_to_do_harm() {
    let shop = Shop::four(RASH);
    for (task, sign) in [("rash", "live"), ("eager", "restart of shop on web1 while it is live")] {
        let words = format!("prod {task}");
        let guarded = shop.run(&words, shop.known());
        assert_ne!(guarded.ended.exit, Exit::Done);
        assert_eq!(harm(&guarded.model), Vec::<String>::new(), "{task}");
        let wish = Scenario { seed: 1, fault: Some(Fault::Lawless), ..Scenario::default() };
        let rash = shop.run_with(&words, shop.known(), wish);
        assert!(harm(&rash.model).iter().any(|h| h.contains(sign)), "{task}: {:?}", harm(&rash.model));
    }
}

/// Lines that a colleague types without knowing of the run before: the same line, of each command that takes hosts out.
const ANEW: [(&[&str], &str); 4] = [
    (&[], "prod deploy:stable"),
    (&[], "prod:group1 deploy:stable"),
    (&["prod deploy:v3.0.0", "prod deploy:stable"], "prod rollback"),
    (&[], "prod restart"),
];

/// A host that a person took out by hand, without rfab.
const BY_HAND_OUT: &str = "web2";

fn is_live(model: &Model, name: &str) -> bool {
    standing(model, &made_up::host(model, name)) == PoolState::Live
}

/// Runs the line as a colleague; if rfab can't tell whether the migration was done, marks it as done first.
fn anew(shop: &Shop, words: &str, model: Model) -> Simulation {
    let again = shop.run(words, model);
    if again.ended.exit == Exit::Unknown && failures(&again).join("; ").contains("`migrate` of") {
        return shop.run(words, shop.done("prod migrated:stable", again.model));
    }
    again
}

/// Runs a line with a fault, then the same line as a colleague: all hosts that the first run left out are back.
fn completed(shop: &Shop, words: &str, before: &Model, whole: &Model, wish: Scenario) -> Vec<String> {
    let mut wrong = Vec::new();
    let ran = shop.run_with(words, before.clone(), wish);
    let again = anew(shop, words, ran.model.clone());
    wrong.extend(harm(&again.model));
    let chosen = failures(&again).join("; ").contains("choose one with rollback:COMMIT");
    if again.ended.exit == Exit::Refused && chosen {
        // A release that didn't prove healthy can't be rolled back to; the hosts come back with what they have.
        let all = shop.run("prod proxy.all", again.model);
        let out = ["web1", "web2", "web3", "web4"].iter().any(|name| !is_live(&all.model, name));
        if all.ended.exit != Exit::Done || out {
            wrong.push(format!("then proxy.all: {:?} {:?}", all.ended.exit, failures(&all)));
        }
    } else if again.ended.exit != Exit::Done || end(&again.model) != end(whole) {
        wrong.push(format!("again: {:?} {:?} {:#?}", again.ended.exit, failures(&again), end(&again.model)));
    }
    // A person takes a host out by hand after the first run: no run puts it back unless a line names it.
    let mut model = ran.model;
    let admin = |line: &&String| line.contains(r#""host":"web2""#) && line.contains(r#""effect":"ready""#);
    let ledger = model.states["prod"].ledgers.get("lb1").map(Vec::as_slice).unwrap_or_default();
    // Between its last two lines, the ledger can't tell whether the run had already put the host back.
    let amid = ledger.iter().rfind(admin).is_some_and(|line| line.contains(r#""phase":"intent""#));
    if amid || !is_live(&model, BY_HAND_OUT) {
        return wrong;
    }
    model.take_out(&made_up::host(&model, BY_HAND_OUT));
    let again = anew(shop, words, model);
    wrong.extend(again.model.harmed.iter().map(|harm| format!("{BY_HAND_OUT} is out by hand: {harm}")));
    if is_live(&again.model, BY_HAND_OUT) {
        wrong.push(format!("{BY_HAND_OUT} was out by hand, and is back: {:#?}", changes(&again.events)));
    }
    let others = ["web1", "web3", "web4"].iter().filter(|name| !is_live(&again.model, name));
    let left: Vec<_> = others.collect();
    if again.ended.exit == Exit::Done && !left.is_empty() {
        wrong.push(format!("{BY_HAND_OUT} is out by hand; it says done, and these are out: {left:?}"));
    }
    wrong
}

#[test]
fn whoever_a_run_left_out_is_back_after_the_same_line_typed_anew_and_who_is_out_by_hand_stays_out() {
    let shop = Shop::four(&format!(
        "{BY_HAND}import \"std/service\" as units;\nfn restart() {{ units::rolling_restart(); }}\n"
    ));
    let every = if std::env::var_os("RFAB_ALL").is_some() { 1 } else { KINDS.len() };
    let mut found = Vec::new();
    for (earlier, words) in ANEW {
        let mut before = shop.known();
        for line in earlier {
            before = shop.done(line, before);
        }
        let whole = shop.run(words, before.clone());
        assert_eq!(whole.ended.exit, Exit::Done, "{words}: {:?}", failures(&whole));
        for at in 0..whole.effects {
            for (name, kind) in KINDS.iter().skip(at as usize % every).step_by(every) {
                let wish = Scenario { seed: 1, fault: Some(kind(at)), ..Scenario::default() };
                let wrong = completed(&shop, words, &before, &whole.model, wish);
                found.extend(wrong.into_iter().map(|w| format!("{words}, {name} {at}: {w}")));
            }
        }
    }
    assert!(
        found.is_empty(),
        "{} wrong\n{}",
        found.len(),
        found.iter().take(4).cloned().collect::<Vec<_>>().join("\n")
    );
}
