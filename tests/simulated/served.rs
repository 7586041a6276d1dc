//! Any later run knows what a host should serve, in each form in which a service reports it, after any kind of deploy.

use crate::journals;
use crate::made_up::{FIVE, FOUR, Shop, changes, done, failures, host};
use rfab::{
    event::{Event, EventKind},
    failure::Exit,
    line,
    model::{FIRST, Fact, Machine, Model, Release},
    secret::DigestKey,
    session::{Fault, Journaling},
    simulate::{Scenario, Simulation, simulate_abort, simulate_attempt},
    store::{EarlierAttempts, Journal, records},
};

const OLD: &str = "/srv/shop/releases/20240101120000";

/// Makes hosts with another tool's `current`, which they serve.
fn foreign() -> (Shop, Model) {
    let shop = Shop::four("");
    let mut model = shop.known();
    for (key, machine) in &mut model.machines {
        if &*key.1 != "lb1" {
            let up_at = Fact::Told(Some(0));
            *machine = Machine { foreign: Some(OLD.to_owned()), up_at, ..Machine::bare() };
        }
    }
    (shop, model)
}

#[test]
fn a_setup_that_is_not_told_so_leaves_another_tools_folder_and_names_what_takes_it_over() {
    let (shop, model) = foreign();
    let run = shop.run("prod setup", model);
    assert_eq!((run.ended.exit, changes(&run.events)), (Exit::Failed, vec![]));
    assert!(failures(&run)[0].starts_with("host `web1`: this is another tool's layout"), "{:?}", failures(&run));
    let help = "nothing was changed; `setup:adopt` takes it over as it is (`release::adopt(host)`)";
    assert_eq!(run.ended.failures[0].advice().as_deref(), Some(help));
    let typo = shop.run("prod setup:adpot", foreign().1);
    assert!(failures(&typo)[0].starts_with("type setup, or setup:adopt; there is no setup:adpot"));
}

#[test]
fn adopted_hosts_are_deployed_to_group_by_group_and_status_names_what_they_serve_until_then() {
    let (shop, model) = foreign();
    let model = done(shop.run("prod setup:adopt", model));
    let status = shop.run("prod status", model.clone());
    let shown = |event: &Event| matches!(&event.what, EventKind::Noted { text, .. } if text.contains(OLD));
    assert!(status.events.iter().any(shown), "{:?}", status.events);
    // What the other tool deployed doesn't name a release.
    assert_eq!(shop.run("prod release:stable", model.clone()).ended.exit, Exit::Refused);
    let model =
        done(shop.run_with("prod release:stable", model, Scenario { seed: 1, unproven: true, ..Scenario::default() }));
    let web1 = &model.machines[&rfab::model::key(&host(&model, "web1"))];
    let current = web1.current.get("").unwrap().as_ref().map(Release::to_string);
    assert_eq!((current, &web1.foreign), (Some(format!("0001-{}", &shop.stable[..12])), &None));
}

const TASKS: &str = r#"
import "std/package" as packaging;
fn archive(sha256) { deploying::deploy(release::archive("shop.tar", sha256, #{ version: "3.1" }), hooks()); }
fn archive_of(reference, sha256) {
    deploying::deploy(release::archive("shop.tar", sha256, #{ commit: release::resolve(reference) }), hooks());
}
fn install(version) { packaging::deploy(version, #{}); }
"#;

const SHA256: &str = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";

/// The forms in which a service may report its release.
const FORMS: [&str; 6] = ["{commit}", "{short}", "{folder}", "{tag}", "{bare}", "v{bare}-2-g{short}"];

/// Makes a shop of four hosts, with a commit that has no tag.
fn shop(package: bool) -> Shop {
    let keys = "install = \"apt-get install --yes shop={version}\"\ninstalled = [\"dpkg-query\", \"-W\", \"shop\"]\n";
    let fleet = if package { FOUR.replace("[app.health]", &format!("{keys}[app.health]")) } else { FOUR.to_owned() };
    let shop = Shop::of(&[("prod", &fleet)], TASKS);
    shop.git(&["checkout", "-q", "-b", "side"]);
    shop.git(&["commit", "-q", "--allow-empty", "-m", "untagged"]);
    shop
}

/// Returns a world in which services report their release in this form.
fn saying(shop: &Shop, form: &str) -> Model {
    let mut model = shop.known();
    model.says = form.to_owned();
    for tag in ["v3.0.0", "v3.0.1"] {
        model.tags.insert(shop.commit(tag).into(), tag.to_owned());
    }
    model.tags.insert(FIRST.into(), "v2.9.9".to_owned());
    model.tags.insert(SHA256[..40].into(), "3.1".to_owned());
    model.tags.insert("3.0.2-1".into(), "3.0.2".to_owned());
    model
}

/// Returns what is deployed, and the forms in which a service can prove it.
fn deployed(shop: &Shop) -> Vec<(String, &'static [&'static str])> {
    let side = shop.commit("side");
    vec![
        ("deploy:stable".to_owned(), &FORMS),
        ("deploy:v3.0.1".to_owned(), &FORMS),
        (format!("deploy:{}", shop.stable), &FORMS),
        ("deploy:main".to_owned(), &FORMS),
        (format!("deploy:{side}"), &["{commit}", "{short}", "{folder}", "v{bare}-2-g{short}"]),
        (format!("archive.of:stable,{SHA256}"), &FORMS),
        (format!("archive:{SHA256}"), &FORMS),
    ]
}

fn notes(run: &Simulation) -> Vec<Option<String>> {
    run.ended.table.iter().map(|row| row.note.clone()).collect()
}

#[test]
fn the_five_commands_put_each_group_back_in_every_form_that_a_service_may_say_what_was_deployed() {
    let shop = shop(false);
    for (deploy, forms) in deployed(&shop) {
        for form in FORMS {
            let mut model = saying(&shop, form);
            for command in FIVE {
                let run = shop.run(&command.replace("deploy:stable", &deploy), model);
                if !forms.contains(&form) {
                    // If nothing can prove the release, the first deploy finds that, and its group stays out.
                    if run.ended.exit == Exit::Done {
                        model = run.model;
                        continue;
                    }
                    assert!(command.starts_with("prod:out"), "{form} {deploy} {command}: {:?}", failures(&run));
                    let back = shop.run("prod proxy.all", run.model);
                    assert_ne!(back.ended.exit, Exit::Done, "{form} {deploy}");
                    break;
                }
                assert_eq!(run.ended.exit, Exit::Done, "{form} {deploy} {command}: {:?}", failures(&run));
                assert_eq!(notes(&run).iter().flatten().count(), 0, "{form} {deploy} {command}: {:?}", notes(&run));
                model = run.model;
            }
        }
    }
}

/// Runs lines one after another, which must all be done; returns the model, and the notes of the last table.
#[track_caller]
fn all_done(shop: &Shop, mut model: Model, lines: &[&str]) -> (Model, Vec<Option<String>>) {
    let mut noted = Vec::new();
    for words in lines {
        let run = shop.run(words, model);
        noted = notes(&run);
        assert_eq!(run.ended.exit, Exit::Done, "{words}: {:?}", failures(&run));
        model = done(run);
    }
    (model, noted)
}

#[test]
fn a_host_with_a_package_is_put_back_once_it_serves_what_is_installed() {
    let shop = shop(true);
    for form in ["{commit}", "{tag}", "{bare}"] {
        let lines = ["prod install:3.0.2-1", "prod proxy.group2", "prod proxy.flip", "prod proxy.all"];
        let (model, noted) = all_done(&shop, saying(&shop, form), &lines);
        assert_eq!(noted, [const { None }; 5], "{form}");
        // The service still runs the version that was installed before.
        let mut model = shop.done("prod proxy.group2", model);
        let web1 = model.machines.get_mut(&("prod".into(), "web1".into())).unwrap();
        web1.installed = Some("3.0.3-1".to_owned());
        let refused = shop.run("prod proxy.all", model);
        let said = &failures(&refused)[0];
        assert!(
            said.starts_with("host `web1` serves version `3.0.2") && said.contains("not `3.0.3-1`"),
            "{form} {said}"
        );
    }
}

#[test]
fn an_adopted_host_is_put_back_when_it_is_healthy_and_said_to_be_unproven_unless_its_revision_proves_it() {
    for (running, revision, note) in [
        (None, None, Some("version not proven")),
        (Some(FIRST), None, Some("version not proven")),
        (Some(FIRST), Some("22"), Some("version not proven")),
        (Some(FIRST), Some(FIRST), None),
    ] {
        let (shop, mut model) = foreign();
        for machine in model.machines.values_mut().filter(|machine| machine.foreign.is_some()) {
            machine.running = Fact::Told(running.map(Into::into));
            machine.revision = revision.map(|digits| format!("{digits:2<40}"));
        }
        let (_, noted) = all_done(&shop, model, &["prod setup:adopt", "prod proxy.group2", "prod proxy.all"]);
        let back = [note, note, None, None, None].map(|note| note.map(str::to_owned));
        assert_eq!(noted, back, "{running:?} {revision:?}");
    }
}

#[test]
fn a_host_that_is_sick_is_not_put_back_although_nobody_knows_what_it_should_serve() {
    let (shop, mut model) = foreign();
    for machine in model.machines.values_mut().filter(|machine| machine.foreign.is_some()) {
        machine.running = Fact::Told(Some(FIRST.into()));
    }
    let mut model = shop.done("prod proxy.group2", done(shop.run("prod setup:adopt", model)));
    model.sick.insert(FIRST.into());
    let run = shop.run("prod proxy.all", model);
    assert!(failures(&run)[0].starts_with("host `web1` isn't healthy"), "{:?}", failures(&run));
}

/// What happens to a world between two runs.
type Change<'a> = &'a dyn Fn(&mut Model);

#[test]
fn what_a_release_is_called_is_known_from_either_ledger_and_from_lines_of_an_older_rfab() {
    let shop = shop(false);
    let deployed = shop.done("prod proxy.group2", shop.done("prod release:v3.0.1", saying(&shop, "{bare}")));
    let unnamed = |lines: &mut Vec<String>| {
        lines.iter_mut().for_each(|line| *line = line.replace(r#""names":["v3.0.1"],"#, ""));
    };
    let of_fleet = |model: &mut Model, change: &dyn Fn(&mut Vec<String>)| {
        model.states.values_mut().flat_map(|state| state.ledgers.values_mut()).for_each(change);
    };
    let of_hosts = |model: &mut Model, change: &dyn Fn(&mut Vec<String>)| {
        model.machines.values_mut().for_each(|machine| change(&mut machine.ledger));
    };
    // The lines about the drain stay.
    let emptied = |lines: &mut Vec<String>| lines.retain(|line| line.contains("\"drain\""));
    let cases: [(&str, Change<'_>, Option<&str>); 4] = [
        ("the fleet's is emptied", &|model| of_fleet(model, &emptied), None),
        ("the hosts' are emptied", &|model| of_hosts(model, &|lines| lines.clear()), None),
        (
            "an older rfab wrote both",
            &|model| {
                of_fleet(model, &unnamed);
                of_hosts(model, &unnamed);
            },
            None,
        ),
        (
            "both are emptied",
            &|model| {
                of_fleet(model, &emptied);
                of_hosts(model, &|lines| lines.clear());
            },
            Some("version not proven"),
        ),
    ];
    for (case, change, note) in cases {
        let mut model = deployed.clone();
        change(&mut model);
        let (_, noted) = all_done(&shop, model, &["prod proxy.all"]);
        assert_eq!(noted[..2], [note.map(str::to_owned), note.map(str::to_owned)], "{case}");
    }
}

#[test]
fn a_host_that_says_another_release_is_left_out_in_every_form() {
    let shop = shop(false);
    for form in FORMS {
        let model = all_done(&shop, saying(&shop, form), &["prod release:v3.0.0", "prod release:v3.0.1"]).0;
        let mut model = shop.done("prod proxy.group2", model);
        let web1 = model.machines.get_mut(&("prod".into(), "web1".into())).unwrap();
        web1.running = Fact::Told(Some(shop.commit("v3.0.0").into()));
        let refused = shop.run("prod proxy.all", model);
        let said = &failures(&refused)[0];
        assert!(said.starts_with("host `web1` serves version `"), "{form} {said}");
    }
}

fn words(shop: &Shop, words: &str) -> line::CommandLine {
    let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
    line::parse(&words, None, &shop.project.tasks).unwrap()
}

#[test]
fn a_rollback_a_resumed_release_and_one_that_is_taken_back_know_the_release_by_its_tag() {
    let shop = shop(false);
    let wish = Scenario { seed: 1, ..Scenario::default() };
    let calm = all_done(&shop, saying(&shop, "{bare}"), &["prod release:v3.0.0"]).0;
    all_done(&shop, calm.clone(), &["prod release:v3.0.1", "prod rollback", "prod proxy.group2", "prod proxy.all"]);
    let line = words(&shop, "prod release:v3.0.1");
    let folder = tempfile::tempdir().unwrap();
    let effects = shop.run("prod release:v3.0.1", calm.clone()).effects;
    for at in (0..effects).step_by(effects as usize / 12) {
        let file = folder.path().join(at.to_string());
        let before = Model { runs: calm.runs + 1, ..calm.clone() };
        let keep = Journaling::new(Journal::create(&file).unwrap(), EarlierAttempts::default(), DigestKey::default());
        let fault = Scenario { fault: Some(Fault::KilledAfter(at)), ..wish };
        let died = simulate_attempt(&shop.project, &line, before.clone(), fault, Some(keep)).model;
        let kept = records(&file).unwrap();
        let aborted = simulate_abort(&shop.project, &format!("sim-{}", before.runs), &kept, died.clone(), wish);
        assert_eq!(aborted.ended.exit, Exit::Done, "taken back at {at}: {:?}", failures(&aborted));
        let keep = Journaling::new(journals::reopen(&file), EarlierAttempts::of(kept), DigestKey::default());
        let resumed = simulate_attempt(&shop.project, &line, died, wish, Some(keep));
        assert_eq!(resumed.ended.exit, Exit::Done, "resumed at {at}: {:?}", failures(&resumed));
    }
}

/// Returns a world in which services report this for every release.
fn answering(shop: &Shop, form: &str) -> Model {
    let mut model = saying(shop, form);
    model.tags.clear();
    model
}

#[test]
fn an_answer_that_could_name_no_release_is_refused_before_anything_is_changed() {
    let lines = ["prod deploy:stable", "prod release:stable", "prod restart", "prod rollback"];
    let shop = Shop::four("import \"std/service\" as units;\nfn restart() { units::rolling_restart(); }");
    let served = shop.done("prod release:stable", shop.done("prod release:v3.0.0", shop.known()));
    for (form, words) in [
        ("", "web1, web2, web3, web4: 200 without the header `X-Release`"),
        ("ok", "the header `X-Release` is `ok`, which doesn't look like a release"),
        ("shop = {bare}!", "the header `X-Release` is `shop = !`, which doesn't look like a release"),
    ] {
        for line in lines {
            let model = Model { says: form.to_owned(), ..served.clone() };
            let run = shop.run(line, model);
            assert_eq!((run.ended.exit, changes(&run.events)), (Exit::Refused, vec![]), "{line} {form}");
            let failure = &failures(&run)[0];
            assert!(failure.contains("could prove a release") && failure.contains(words), "{line} {form}: {failure}");
            let help = run.ended.failures[0].help.clone().unwrap_or_default();
            assert!(help.contains("`--unproven`"), "{help}");
        }
    }
}

#[test]
fn a_deploy_that_brings_the_name_goes_on_by_a_flag_and_one_that_names_another_release_never() {
    let shop = shop(false);
    let wish = Scenario { seed: 1, unproven: true, ..Scenario::default() };
    let line = "prod release:stable";
    // The service knows no tag for what it runs now; the next release has one.
    let mut brings = answering(&shop, "{tag}");
    brings.tags.insert(shop.stable.clone().into(), "v3.0.1".to_owned());
    assert_eq!(shop.run(line, brings.clone()).ended.exit, Exit::Refused);
    let run = shop.run_with(line, brings, wish);
    assert_eq!(run.ended.exit, Exit::Done, "{:?}", failures(&run));
    assert_eq!(notes(&run), [const { None }; 5]);
    // It never reports a release: the table notes that, and the hosts come back.
    let never = shop.run_with(line, answering(&shop, "healthy"), wish);
    assert_eq!(never.ended.exit, Exit::Done, "{:?}", failures(&never));
    let told = Some("version not proven".to_owned());
    assert_eq!(notes(&never), [told.clone(), told.clone(), told.clone(), told, None]);
    // It reports another release.
    let mut other = answering(&shop, "{tag}");
    other.tags.insert(shop.stable.clone().into(), "v3.0.0".to_owned());
    let run = shop.run_with(line, other, wish);
    assert!(failures(&run)[0].starts_with("host `web1` serves version `v3.0.0`"), "{:?}", failures(&run));
}

#[test]
fn an_app_that_is_down_or_broken_stops_no_deploy_and_one_host_that_names_a_release_speaks_for_all() {
    let shop = shop(false);
    let down: Change<'_> = &|model| model.machines.values_mut().for_each(|m| m.up_at = Fact::Told(None));
    let sick: Change<'_> = &|model| {
        model.sick.insert(FIRST.into());
    };
    for (case, change) in [("down", down), ("sick", sick)] {
        let mut model = answering(&shop, "{tag}");
        model.tags.insert(shop.stable.clone().into(), "v3.0.1".to_owned());
        change(&mut model);
        let run = shop.run("prod deploy:stable", model);
        let tried =
            |event: &&Event| matches!(&event.what, EventKind::EffectFinished { effect, .. } if *effect == "try_probe");
        assert_eq!(run.events.iter().filter(tried).count(), 4, "{case}");
        assert_ne!(run.ended.exit, Exit::Refused, "{case}: {:?}", failures(&run));
        assert!(!changes(&run.events).is_empty(), "{case}: {:?}", failures(&run));
    }
    let mut model = answering(&shop, "{tag}");
    model.tags.insert(FIRST.into(), "v2.9.9".to_owned());
    model.tags.insert(shop.stable.clone().into(), "v3.0.1".to_owned());
    let web1 = model.machines.get_mut(&("prod".into(), "web1".into())).unwrap();
    web1.running = Fact::Told(Some(shop.commit("v3.0.0").into()));
    let run = shop.run("prod release:stable", model);
    assert_eq!(run.ended.exit, Exit::Done, "{:?}", failures(&run));
    let warned = "a host's response doesn't prove a release yet: web1: 200 without the header `X-Release`";
    let said = |event: &Event| matches!(&event.what, EventKind::Warned { text, .. } if text == warned);
    assert!(run.events.iter().any(said));
}

#[test]
fn a_name_that_does_not_resolve_where_it_is_probed_is_told_before_anything_is_changed() {
    let shop = shop(false);
    let mut model = shop.known();
    model.unresolved = ["web1", "web3"].map(|name| ("prod".into(), name.into())).into();
    let run = shop.run("prod release:stable", model.clone());
    assert_eq!((run.ended.exit, changes(&run.events)), (Exit::Fabfile, vec![]));
    let said = &failures(&run)[0];
    for name in ["web1", "web3"] {
        assert!(said.contains(&format!("`{name}` doesn't resolve on `lb1`")), "{said}");
    }
    assert!(run.ended.failures[0].help.as_deref().unwrap_or_default().starts_with("add `address` of `web1`"));
    // To put a host back, rfab reports the same, and doesn't wait a minute.
    model.unresolved.clear();
    let mut model = shop.done("prod proxy.group2", model);
    model.unresolved = [("prod".into(), "web1".into())].into();
    let run = shop.run("prod proxy.all", model);
    assert!(failures(&run)[0].starts_with("host `web1`: `web1` doesn't resolve on `lb1`"), "{:?}", failures(&run));
}
