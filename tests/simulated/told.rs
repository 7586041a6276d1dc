//! What runs tell people, in the simulator: it tells nobody, and notes what a run would tell.
use crate::made_up::{FOUR, Shop, changes, failures};
use rfab::{
    event::EventKind,
    failure::Exit,
    line,
    secret::DigestKey,
    session::{Fault, Journaling},
    simulate::{Scenario, simulate_abort, simulate_attempt},
    store::{EarlierAttempts, Journal, records},
};

const FABFILE: &str = r#"
import "std/deploy" as deploying;
import "std/notify" as telling;
import "std/mail" as mailing;
import "std/markers" as marking;
import "std/proxy" as proxying;
fn proxy_status() { proxying::status() }
fn prod() { fleet("fleets/prod.toml") }
fn release(reference) {
    telling::about("release", told());
    deploying::release(reference, hooks());
}
fn quiet(reference) { deploying::release(reference, hooks()); }
private fn hooks() { #{ restart: |host| service::restart(host), tell: told() } }
private fn told() {
    let url = || secret::env("URL");
    [telling::slack(url), mailing::to("a@example.org"), marking::grafana("https://grafana.example.org", url),
     marking::sentry("example", ["shop"], "production", url)]
}
"#;

fn shop() -> Shop {
    Shop::dated(FABFILE, &[("prod", FOUR)], &[])
}

#[test]
fn the_start_goes_to_people_and_the_end_to_markers_too() {
    let shop = shop();
    let ran = shop.run("prod release:stable", shop.known());
    assert_eq!(ran.ended.exit, Exit::Done, "{:?}", failures(&ran));
    let told = ["tell slack", "tell mail", "tell slack", "tell mail", "tell grafana", "tell sentry", "tell sentry"];
    assert_eq!(ran.model.here.changes, told);
}

#[test]
fn a_message_that_fails_fails_no_deploy_and_takes_no_step_away() {
    let shop = shop();
    let known = shop.known();
    let calm = shop.run("prod release:stable", known.clone());
    let mut tried = 0;
    for at in 0..calm.effects {
        let wish = Scenario { seed: 1, fault: Some(Fault::FailsAt(at)), ..Scenario::default() };
        let ran = shop.run_with("prod release:stable", known.clone(), wish);
        let failed =
            |what: &EventKind| matches!(what, EventKind::EffectFinished { effect: "tell", failure: Some(_), .. });
        if !ran.events.iter().any(|event| failed(&event.what)) {
            continue;
        }
        tried += 1;
        assert_eq!(ran.ended.exit, Exit::Done, "{at}: {:?}", failures(&ran));
        assert_eq!(changes(&ran.events), changes(&calm.events), "{at}");
        let warned = ran.events.iter().filter(|event| matches!(event.what, EventKind::Warned { .. })).count();
        assert_eq!(warned, 1, "{at}");
    }
    assert_eq!(tried, 7);
}

#[test]
fn an_abort_is_told_to_the_services_of_the_hooks() {
    let shop = shop();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("journal");
    let words: Vec<String> = ["prod", "quiet:stable"].map(str::to_owned).into();
    let line = line::parse(&words, None, &shop.project.tasks).unwrap();
    let before = shop.done("prod quiet:v3.0.0", shop.known());
    let at = shop.run("prod quiet:stable", before.clone()).effects * 3 / 4;
    let wish = Scenario { seed: 1, fault: Some(Fault::KilledAfter(at)), ..Scenario::default() };
    let keep = Journaling::new(Journal::create(&file).unwrap(), EarlierAttempts::default(), DigestKey::default());
    let mut model = before;
    model.runs += 1;
    let run = format!("sim-{}", model.runs);
    let died = simulate_attempt(&shop.project, &line, model, wish, Some(keep));
    assert!(died.model.here.changes.is_empty(), "{:?}", died.model.here.changes);
    let wish = Scenario { seed: 1, ..Scenario::default() };
    let aborted = simulate_abort(&shop.project, &run, &records(&file).unwrap(), died.model, wish);
    assert_eq!(aborted.ended.exit, Exit::Done, "{:?}", failures(&aborted));
    assert_eq!(aborted.model.here.changes, ["tell slack", "tell mail", "tell slack", "tell mail", "tell grafana"]);
}
