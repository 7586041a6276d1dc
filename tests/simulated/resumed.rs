//! A run that died, failed or was interrupted at any effect is resumed from its journal. It ends as if nothing had
//! happened, and no step that may run only once ran twice.

use crate::journals::reopen;
use crate::made_up;
use crate::made_up::{Shop, failures, fleet};
use rfab::{
    failure::Exit,
    ledger::{Book, LedgerLine},
    line,
    model::Model,
    secret::DigestKey,
    session::{Fault, Journaling, OnUnknownOutcome},
    simulate::{Scenario, Simulation, simulate_attempt},
    store::{EarlierAttempts, Journal, records},
    ui::Pausing,
};
use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
};

type Kind = fn(u32) -> Fault;

const DEATHS: [Kind; 3] = [Fault::KilledBefore, Fault::KilledAfter, Fault::KilledAmid];

/// Returns what hosts have and serve, their states, and all commands that they have run.
pub fn end(model: &Model) -> BTreeMap<String, String> {
    let of = |host: &rfab::host::Host| {
        let machine = &model.machines[&rfab::model::key(host)];
        let current = machine.current.get("").ok().and_then(|c| c.as_ref().map(|r| r.to_string()));
        let mine = model.servers.iter().filter(|(at, _)| at.0 == host.fleet && at.3 == host.name);
        let admins: Vec<String> = mine.map(|(_, server)| format!("{:?}", server.admin.get("").ok())).collect();
        let mut commands = machine.changes.clone();
        commands.sort();
        format!("{current:?} runs {:?} {admins:?} {commands:?}", machine.running.get("").ok())
    };
    fleet(model).hosts.iter().map(|host| (host.name.to_string(), of(host))).collect()
}

/// Returns the changes that began and have no known end, from the ledgers of hosts and balancers.
pub fn open(model: &Model) -> Vec<String> {
    let of_hosts = model.machines.values().map(|machine| &machine.ledger);
    let ledgers = of_hosts.chain(model.states.values().flat_map(|state| state.ledgers.values()));
    let books = ledgers.map(|lines| Book::read(&lines.join("\n")));
    books.flat_map(|book| book.unfinished().into_iter().map(LedgerLine::text).collect::<Vec<_>>()).collect()
}

/// A line, the world before it, and how it ends without a fault.
struct Whole<'a> {
    shop: &'a Shop,
    words: &'a str,
    before: Model,
    seed: u64,
    pause: Option<Pausing>,
    folder: tempfile::TempDir,
    effects: u32,
    end: BTreeMap<String, String>,
}

impl<'a> Whole<'a> {
    fn of(shop: &'a Shop, words: &'a str, before: &Model, seed: u64) -> Self {
        let mut whole = Whole {
            shop,
            words,
            before: Model { runs: before.runs + 1, ..before.clone() },
            seed,
            pause: None,
            folder: journals(),
            effects: 0,
            end: BTreeMap::new(),
        };
        let calm = whole.attempt(whole.before.clone(), None, "whole");
        assert_eq!(calm.ended.exit, Exit::Done, "{:?}", failures(&calm));
        (whole.effects, whole.end) = (calm.effects, end(&calm.model));
        whole
    }

    /// Makes one attempt at the line, with the journal in that file.
    fn attempt(&self, model: Model, fault: Option<Fault>, file: &str) -> Simulation {
        self.attempt_in_doubt(model, fault, file, OnUnknownOutcome::Ask)
    }

    fn attempt_in_doubt(&self, model: Model, fault: Option<Fault>, file: &str, doubt: OnUnknownOutcome) -> Simulation {
        let file = self.folder.path().join(file);
        let words: Vec<String> = self.words.split(' ').map(str::to_owned).collect();
        let line = line::parse(&words, None, &self.shop.project.tasks).unwrap();
        let keep = if !file.exists() {
            Journaling::new(Journal::create(&file).unwrap(), EarlierAttempts::default(), DigestKey::default())
        } else {
            Journaling::new(reopen(&file), EarlierAttempts::of(records(&file).unwrap()), DigestKey::default())
        };
        if keep.past.attempts > 0 {
            keep.journal.append(RESUMED.as_bytes(), false).unwrap();
        }
        let keep = Journaling { doubt, ..keep };
        let wish = Scenario { seed: self.seed, fault, pause: self.pause, ..Scenario::default() };
        simulate_attempt(&self.shop.project, &line, model, wish, Some(keep))
    }

    /// Runs the line with each of these faults in turn, with `between` after each; the next attempt must end it well.
    fn disturbed(&self, faults: &[Fault], between: fn(&mut Model)) -> Result<(), String> {
        let file = faults.iter().map(|fault| format!("{fault:?}")).collect::<Vec<_>>().join(" ");
        let mut model = self.before.clone();
        for fault in faults {
            let disturbed = self.attempt(model, Some(*fault), &file);
            model = disturbed.model;
            between(&mut model);
        }
        let resumed = self.attempt(model, None, &file);
        let (ended, harmed) = (end(&resumed.model), &resumed.model.harmed);
        let open = open(&resumed.model);
        if resumed.ended.exit == Exit::Done && ended == self.end && harmed.is_empty() && open.is_empty() {
            return Ok(());
        }
        let differs: Vec<_> = ended.iter().filter(|(host, end)| self.end[*host] != **end).collect();
        Err(format!(
            "seed {} {file}: {:?} {:?} {differs:#?} {harmed:?} {open:?}",
            self.seed,
            resumed.ended.exit,
            failures(&resumed)
        ))
    }
}

pub const RESUMED: &str =
    r#"{"resumed":{"who":"tester","on_behalf_of":null,"from":"simulator","since":"1970-01-01T00:00:00Z"}}"#;

fn journals() -> tempfile::TempDir {
    // No test reads these files after a crash of this machine, so they needn't reach a disk.
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}

/// Tries the seeds, with as many threads as processors, and returns what ended otherwise.
fn explore(seeds: u64, shop: &Shop, words: &str, each: impl Fn(&Whole<'_>) -> Vec<String> + Sync) -> Vec<String> {
    explore_after(shop.known(), 0..seeds, shop, words, each)
}

fn explore_after(
    before: Model,
    seeds: impl Iterator<Item = u64> + Send,
    shop: &Shop,
    words: &str,
    each: impl Fn(&Whole<'_>) -> Vec<String> + Sync,
) -> Vec<String> {
    let (waiting, found) = (Mutex::new(seeds), Mutex::new(Vec::new()));
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let Some(seed) = waiting.lock().unwrap().next() else { break };
                    let mut wrong = each(&Whole::of(shop, words, &before, seed));
                    found.lock().unwrap().append(&mut wrong);
                }
            });
        }
    });
    found.into_inner().unwrap()
}

/// Returns a death at each effect of a line; the kind depends on the effect and the seed.
fn deaths<'a>(whole: &'a Whole<'_>) -> impl Iterator<Item = Fault> + 'a {
    (0..whole.effects).map(|at| DEATHS[(u64::from(at) + whole.seed) as usize % 3](at))
}

/// Returns a death for the attempt after one that met a fault at this effect.
fn second(whole: &Whole<'_>, at: u32) -> Fault {
    DEATHS[(at / 7) as usize % 3]((at * 37 + whole.seed as u32 * 11) % 40)
}

/// Restarts the balancer, which then has every host live.
fn forget(model: &mut Model) {
    model.forget(&"prod".into(), &"lb1".into());
}

fn none(found: Vec<String>) {
    assert!(found.is_empty(), "{} ended otherwise: {}", found.len(), found[..found.len().min(4)].join("\n"));
}

const RELEASE: &str = "prod release:stable";

#[test]
fn a_release_that_died_anywhere_and_is_resumed_ends_as_if_nothing_had_happened() {
    let shop = Shop::four("");
    none(explore(1, &shop, RELEASE, |whole| {
        assert!(whole.effects > 100, "{} effects", whole.effects);
        let all = DEATHS.iter().flat_map(|death| (0..whole.effects).map(death));
        all.filter_map(|death| whole.disturbed(&[death], |_| ()).err()).collect()
    }));
}

#[test]
fn a_build_is_made_anew_by_the_attempt_that_goes_on() {
    let build = "fn built(reference) { deploying::release(reference, hooks() + #{ build: |folder| git::fetch(), built: \"dist\" }); }";
    let shop = Shop::four(build);
    none(explore(1, &shop, "prod built:stable", |whole| {
        deaths(whole).filter_map(|death| whole.disturbed(&[death], |_| ()).err()).collect()
    }));
}

#[test]
fn a_stage_without_a_deploy_that_died_anywhere_goes_on() {
    let wanted = "let wanted = release::number(release::resolve(\"stable\"));";
    let staged = format!("fn staged() {{ {wanted} targets().parallel(|host| release::stage(host, wanted)); }}");
    let shop = Shop::four(&staged);
    none(explore(1, &shop, "prod staged", |whole| {
        let all = DEATHS.iter().flat_map(|death| (0..whole.effects).map(death));
        all.filter_map(|death| whole.disturbed(&[death], |_| ()).err()).collect()
    }));
}

#[test]
fn a_balancer_that_forgot_everything_in_between_is_told_again() {
    let shop = Shop::four("");
    none(explore(1, &shop, RELEASE, |whole| {
        deaths(whole).filter_map(|death| whole.disturbed(&[death], forget).err()).collect()
    }));
}

/// Returns whether all servers of a host are ready.
fn is_live(model: &Model, name: &str) -> bool {
    let mut mine = model.servers.iter().filter(|(at, _)| &*at.3 == name);
    mine.all(|(_, server)| matches!(server.admin.get(""), Ok(rfab::effect::Admin::Ready)))
}

#[test]
fn a_host_that_somebody_takes_out_by_hand_before_the_run_goes_on_stays_out_and_is_named() {
    let shop = Shop::of(&[("prod", &made_up::FOUR.replace("min_live = 2", "min_live = 1"))], "");
    let (mut tried, mut put_back) = (AtomicU64::new(0), AtomicU64::new(0));
    none(explore(1, &shop, "prod deploy:stable", |whole| {
        let mut wrong = Vec::new();
        for (death, name) in deaths(whole).zip(["web1", "web3"].iter().cycle()) {
            let file = format!("{death:?}");
            let mut model = whole.attempt(whole.before.clone(), Some(death), &file).model;
            let home = model.states["prod"].ledgers.get("lb1").cloned().unwrap_or_default();
            let of = |line: &&String| line.contains(&format!(r#""host":"{name}""#)) && line.contains(r#""ready""#);
            let last = home.iter().rfind(of);
            // rfab can't tell this if the run died between the two lines.
            if !is_live(&model, name) || last.is_some_and(|line| line.contains(r#""intent""#)) {
                continue;
            }
            tried.fetch_add(1, Relaxed);
            put_back.fetch_add(u64::from(last.is_some()), Relaxed);
            model.take_out(&made_up::host(&model, name));
            let resumed = whole.attempt(model, None, &file);
            let all: Vec<_> =
                ["web1", "web2", "web3", "web4"].into_iter().filter(|n| !is_live(&resumed.model, n)).collect();
            let named = resumed.events.iter().any(|event| match &event.what {
                rfab::event::EventKind::Warned { text, .. } => text.contains(&format!("`{name}`")),
                _ => false,
            });
            let harmed = &resumed.model.harmed;
            let exit = resumed.ended.exit;
            // A host that was out before the run reached it counts as in any deploy.
            let told = (exit == Exit::LeftOut && named) || (exit == Exit::Done && last.is_none());
            if !told || all != [*name] || !harmed.is_empty() {
                wrong.push(format!("{file} {name}: {exit:?} out {all:?} {named} {harmed:?} {:?}", failures(&resumed)));
            }
        }
        wrong
    }));
    assert!(*tried.get_mut() > 40 && *put_back.get_mut() > 10, "{tried:?} {put_back:?}");
}

#[test]
fn an_effect_that_failed_is_tried_again() {
    let shop = Shop::four("");
    none(explore(1, &shop, RELEASE, |whole| {
        (0..whole.effects).filter_map(|at| whole.disturbed(&[Fault::FailsAt(at)], |_| ()).err()).collect()
    }));
}

#[test]
fn a_release_that_was_interrupted_anywhere_once_or_twice_goes_on() {
    let shop = Shop::four("");
    none(explore(1, &shop, RELEASE, |whole| {
        let kinds: [Kind; 3] = [Fault::InterruptedAt, Fault::StoppedBefore, Fault::StoppedAfter];
        let all = kinds.iter().flat_map(|kind| (0..whole.effects).map(kind));
        all.filter_map(|fault| whole.disturbed(&[fault], |_| ()).err()).collect()
    }));
}

#[test]
fn a_resumed_run_may_die_again() {
    let shop = Shop::four("");
    none(explore(1, &shop, RELEASE, |whole| {
        deaths(whole)
            .zip(0..)
            .filter_map(|(death, n)| whole.disturbed(&[death, second(whole, n)], |_| ()).err())
            .collect()
    }));
}

#[test]
fn whatever_happens_to_a_release_anywhere_it_goes_on_under_every_order_of_its_lanes() {
    let shop = Shop::four("");
    // Four of the twenty orders run each day.
    let seeds = (0..20).filter(|seed| made_up::is_turn(*seed, 5));
    none(explore_after(shop.known(), seeds, &shop, RELEASE, |whole| {
        let disturbed = |death: Fault, at: u32| match (u64::from(at) / 3 + whole.seed) % 6 {
            0 => whole.disturbed(&[death], forget),
            1 => whole.disturbed(&[Fault::FailsAt(at)], |_| ()),
            2 => whole.disturbed(&[Fault::InterruptedAt(at)], |_| ()),
            3 => whole.disturbed(&[death, second(whole, at)], |_| ()),
            _ => whole.disturbed(&[death], |_| ()),
        };
        deaths(whole).zip(0..).filter_map(|(death, at)| disturbed(death, at).err()).collect()
    }));
}

#[test]
fn a_rollback_that_died_or_failed_anywhere_and_is_resumed_ends_as_if_nothing_had_happened() {
    let shop = Shop::four("");
    let before = shop.done("prod release:v3.0.1", shop.done("prod release:v3.0.0", shop.known()));
    none(explore_after(before, 0..1, &shop, "prod rollback", |whole| {
        let failed = (0..whole.effects).map(Fault::FailsAt);
        let turns =
            deaths(whole).zip(failed).zip(0..).map(|((died, failed), n)| if n % 2 == 0 { died } else { failed });
        turns.filter_map(|fault| whole.disturbed(&[fault], |_| ()).err()).collect()
    }));
}

#[test]
fn hosts_that_another_run_took_out_are_put_back_by_a_run_that_died_anywhere_and_is_resumed() {
    let shop = Shop::four("");
    let before = shop.done("prod proxy.group2", shop.known());
    for words in ["prod proxy.flip", "prod proxy.all"] {
        none(explore_after(before.clone(), 0..1, &shop, words, |whole| {
            let all = DEATHS.iter().flat_map(|death| (0..whole.effects).map(death));
            all.filter_map(|death| whole.disturbed(&[death], |_| ()).err()).collect()
        }));
    }
}

#[test]
fn a_pause_is_waited_anew_unless_the_next_group_was_begun() {
    let shop = Shop::four("");
    let whole = Whole { pause: Some(Pausing::For(600_000)), ..Whole::of(&shop, RELEASE, &shop.known(), 1) };
    let waited = |ran: &Simulation| {
        let pauses = |event: &&rfab::event::Event| match &event.what {
            rfab::event::EventKind::EffectFinished { effect, took, .. } => *effect == "pause" && *took > 0,
            _ => false,
        };
        ran.events.iter().filter(pauses).count()
    };
    // The attempt that resumes it finds this step begun, even if nothing came of it.
    let begins_next = |event: &rfab::event::Event| match &event.what {
        rfab::event::EventKind::EffectStarted { text, .. } => text.starts_with("drain web3"),
        _ => false,
    };
    let calm = whole.attempt(whole.before.clone(), None, "paused");
    assert_eq!((calm.ended.exit, waited(&calm), end(&calm.model)), (Exit::Done, 1, whole.end.clone()));
    let mut seen = [0, 0];
    for at in (0..calm.effects).filter(|at| at % 3 == 0) {
        let kind: Kind = if at % 2 == 0 { Fault::KilledBefore } else { Fault::StoppedBefore };
        let cut = whole.attempt(whole.before.clone(), Some(kind(at)), &format!("cut {at}"));
        let over = waited(&cut);
        let next = cut.events.iter().any(begins_next);
        let resumed = whole.attempt(cut.model, None, &format!("cut {at}"));
        assert_eq!((resumed.ended.exit, end(&resumed.model)), (Exit::Done, whole.end.clone()), "{at}");
        assert!(resumed.model.harmed.is_empty(), "{at}: {:?}", resumed.model.harmed);
        seen[usize::from(next)] += 1;
        assert_eq!(waited(&resumed), usize::from(!next), "{at}: {over}");
    }
    assert!(seen[0] > 10 && seen[1] > 10, "{seen:?}");
}

#[test]
fn what_a_dead_attempt_deferred_is_not_replayed_and_what_it_undid_is_done_again() {
    let shop = Shop::four(
        r#"
fn serviced() {
    for group in balancer::pooled(targets()).groups() {
        balancer::drain(group, "service");
        defer(|| group.parallel(|host| { balancer::ready(host); balancer::wait_up(host); }));
        group.parallel(|host| {
            balancer::wait_drained(host);
            host.run("bin/before");
            service::restart(host);
            balancer::wait_up(host);
            host.run("bin/after");
        });
        group.parallel(|host| { balancer::ready(host); balancer::wait_up(host); });
    }
}
"#,
    );
    none(explore(2, &shop, "prod serviced", |whole| {
        let interrupted = (0..whole.effects).map(Fault::InterruptedAt);
        let failed = (0..whole.effects).map(Fault::FailsAt);
        let all: Vec<Fault> = deaths(whole).chain(interrupted).chain(failed).collect();
        all.into_iter().filter_map(|fault| whole.disturbed(&[fault], |_| ()).err()).collect()
    }));
}

#[test]
fn a_run_is_not_gone_on_with_once_another_has_changed_the_fleet() {
    let shop = Shop::four("fn serviced() { targets().role(\"worker\").each(|host| service::restart(host)); }");
    let whole = Whole::of(&shop, RELEASE, &shop.known(), 1);
    let died = whole.attempt(whole.before.clone(), Some(Fault::KilledBefore(83)), "died");
    let told = |ran: &Simulation| {
        let warned = ran.events.iter().filter_map(|event| match &event.what {
            rfab::event::EventKind::Warned { text, .. } => Some(text.clone()),
            _ => None,
        });
        warned.collect::<Vec<_>>()
    };
    // The next run warns of it, and a run that only looks leaves it as it is.
    let looked = shop.run("prod proxy.status", died.model);
    let unfinished = "tester's run sim-2 isn't done: `rfab prod release:stable`, started at 1970-01-01T00:00:00Z; its last step was `switch` on web3, at 1970-01-01T00:00:27Z. On simulator, `rfab --resume sim-2` continues it, and `rfab --abort sim-2` undoes it";
    assert_eq!(told(&looked), [unfinished]);
    let again =
        |model: &Model, file: &str| whole.attempt(Model { runs: whole.before.runs, ..model.clone() }, None, file);
    std::fs::copy(whole.folder.path().join("died"), whole.folder.path().join("copy")).unwrap();
    let resumed = again(&looked.model, "copy");
    assert_eq!((resumed.ended.exit, end(&resumed.model)), (Exit::Done, whole.end.clone()));
    // After it ends, the warning is gone.
    assert_eq!(told(&shop.run("prod proxy.status", resumed.model)), [""; 0]);

    let other = shop.run("prod serviced", looked.model);
    assert_eq!((other.ended.exit, told(&other)), (Exit::Done, vec![unfinished.to_owned()]));
    let refused = again(&other.model, "died");
    assert_eq!(refused.ended.exit, Exit::Refused);
    assert_eq!(end(&refused.model), end(&other.model));
    let why = &refused.ended.failures[0];
    assert_eq!(
        why.message,
        "fleet `prod` was changed after run `sim-2`, by tester's run `sim-4` from simulator at 1970-01-01T00:00:29Z"
    );
}

#[test]
fn a_run_whose_lines_are_lost_with_the_ledger_is_not_gone_on_with() {
    let shop = Shop::four("");
    let whole = Whole::of(&shop, RELEASE, &shop.known(), 1);
    let at = whole.effects / 2;
    let mut died = whole.attempt(whole.before.clone(), Some(Fault::KilledAfter(at)), "died");
    died.model.hang_up();
    // A new balancer's machine; then another run as well.
    died.model.states.values_mut().for_each(|state| state.ledgers.clear());
    for (model, what) in
        [(died.model.clone(), "emptied"), (shop.run("prod serviced", died.model).model, "with another run")]
    {
        std::fs::copy(whole.folder.path().join("died"), whole.folder.path().join(what)).unwrap();
        let refused = whole.attempt(model.clone(), None, what);
        assert_eq!(refused.ended.exit, Exit::Refused, "{what}");
        assert_eq!(end(&refused.model), end(&model), "{what}");
        let why = &refused.ended.failures[0].message;
        assert!(why.starts_with("the ledger of fleet `prod` no longer has run `sim-"), "{what}: {why}");
    }
}

#[test]
fn a_command_that_nobody_knows_the_end_of_is_not_repeated_unasked_and_a_flag_decides() {
    let shop = Shop::four("fn hello() { targets().role(\"worker\").each(|host| host.run(\"bin/hello\")); }");
    let whole = Whole::of(&shop, "prod hello", &shop.known(), 1);
    let commands = |model: &Model| model.machines[&("prod".into(), "jobs1".into())].changes.clone();
    let hello = |at: &u32| {
        let died = whole.attempt(whole.before.clone(), Some(Fault::KilledAmid(*at)), &format!("at {at}"));
        commands(&died.model) == ["`bin/hello`"] && died.ended.exit != Exit::Done
    };
    let at = (0..whole.effects).find(hello).expect("it is done at some time");
    for (doubt, file, exit, done) in [
        (OnUnknownOutcome::Ask, "ask", Exit::Unknown, 1),
        (OnUnknownOutcome::Retry, "retry", Exit::Done, 2),
        (OnUnknownOutcome::Skip, "skip", Exit::Done, 1),
    ] {
        let mut died = whole.attempt(whole.before.clone(), Some(Fault::KilledAmid(at)), file);
        // The host was restarted, so it no longer knows how the command ended.
        for machine in died.model.machines.values_mut() {
            machine.lost = machine.ended.keys().cloned().collect();
        }
        let resumed = whole.attempt_in_doubt(died.model, None, file, doubt);
        assert_eq!((resumed.ended.exit, commands(&resumed.model).len()), (exit, done), "{:?}", failures(&resumed));
        if doubt == OnUnknownOutcome::Ask {
            let why = &resumed.ended.failures[0];
            assert_eq!(why.message, "rfab can't tell whether this was done: run `bin/hello`");
            let help = "check the host; then resume with `--retry` to do it again, or with `--skip` if it's done";
            assert_eq!(why.help.as_deref(), Some(help));
        }
    }
}

#[test]
fn a_host_that_lost_its_notes_of_commands_is_where_a_command_is_done_twice_and_that_is_seen() {
    let forget = |model: &mut Model| model.machines.values_mut().for_each(|machine| machine.ended.clear());
    let found = explore(1, &Shop::four(""), RELEASE, |whole| {
        let all = (0..whole.effects).map(Fault::KilledAfter);
        all.filter_map(|death| whole.disturbed(&[death], forget).err()).collect()
    });
    assert!(!found.is_empty());
}
