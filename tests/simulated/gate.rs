//! Gates in the simulator: when a deploy asks a made-up forge, and when it doesn't.

use crate::{
    journals,
    made_up::{FOUR, Shop, changes, done, failures},
};
use lab::forge::{Asked, COMMIT, Dialect, Pull, Report, Review, Story};
use rfab::{
    event::EventKind,
    failure::{Cause, Exit},
    line,
    model::{Model, ModelAnswer},
    secret::DigestKey,
    session::{Fault, Journaling},
    simulate::{Scenario, Simulation, simulate_abort, simulate_attempt},
    store::{EarlierAttempts, Journal, records},
};

const GATE: &str = r#"
[gate]
forge = "github"
project = "shop/web"
token = "env:FORGE_TOKEN"
branch = "main"
reviews = 1
within = "20m"
"#;

const CALM: Scenario = Scenario {
    seed: 1,
    fault: None,
    force: false,
    unproven: false,
    pause: None,
    without_balancer: None,
    without_gate: None,
};

fn shop(more: &str) -> Shop {
    Shop::of(&[("prod", &format!("{FOUR}{GATE}{more}"))], "")
}

/// Lets a forge tell this story about a commit, from a time on.
fn tell(model: &mut Model, from: u64, commit: &str, story: &Story) {
    tell_of("shop/web", model, from, commit, story);
}

/// Does the same about a commit of any project.
fn tell_of(project: &str, model: &mut Model, from: u64, commit: &str, story: &Story) {
    let commits = format!("/repos/shop/web/commits/{COMMIT}");
    let of = ["pulls/{}/reviews", "issues/{}/events"];
    let about = |pull: &Pull| of.map(|path| path.replace("{}", &pull.number.to_string()));
    let reviews = story.pulls.iter().flat_map(about).map(|path| format!("/repos/shop/web/{path}?per_page=100"));
    let paths = [
        "/repos/shop/web/rules/branches/main?per_page=100".to_owned(),
        "/repos/shop/web/branches/main".to_owned(),
        format!("{commits}/check-runs?per_page=50"),
        format!("{commits}/status?per_page=100"),
        format!("{commits}/pulls"),
    ];
    for path in paths.into_iter().chain(reviews) {
        let (method, case) = ("GET".to_owned(), String::new());
        let asked = Asked { method, path: path.clone(), case, authorization: String::new(), body: String::new() };
        let said = story.answer(Dialect::Github, &asked, "", 0);
        let shown = path.split_once('?').map_or(path.clone(), |(path, _)| format!("{path}?…"));
        let shown = shown.replace("/repos/shop/web/", &format!("/repos/{project}/"));
        let answers = model.answers.entry(format!("get https://api.github.com{shown}").replace(COMMIT, commit));
        let headers = said.headers.into_iter().collect();
        let body = said.body.replace(COMMIT, commit);
        answers.or_default().push(ModelAnswer { from, status: said.status, headers, body });
    }
}

/// Returns a model in which the forge tells this story about the commit that `stable` names.
fn told(shop: &Shop, story: &Story) -> Model {
    let mut model = shop.known();
    let now = model.now;
    tell(&mut model, now, &shop.stable, story);
    model
}

fn red() -> Story {
    Story::reported(&[Report::of("build", "failure"), Report::of("test", "success")])
}

fn waiting() -> Story {
    Story::reported(&[Report::of("build", "in_progress"), Report::of("test", "success")])
}

/// Returns how often a run asked the forge.
fn asked(ran: &Simulation) -> usize {
    let asks = |what: &EventKind| matches!(what, EventKind::EffectFinished { effect: "http_fetch", .. });
    ran.events.iter().filter(|event| asks(&event.what)).count()
}

/// Returns the notes and warnings of a run about its gate.
fn said(ran: &Simulation) -> Vec<String> {
    let text = |what: &EventKind| match what {
        EventKind::Noted { text, .. } | EventKind::Warned { text, .. } if text.contains("gate") => Some(text.clone()),
        _ => None,
    };
    ran.events.iter().filter_map(|event| text(&event.what)).collect()
}

#[test]
fn a_green_commit_passes_before_the_first_change_and_is_asked_for_once() {
    let shop = shop("");
    let ran = shop.run("prod release:stable", told(&shop, &Story::default()));
    assert_eq!(asked(&ran), 7, "{:?}", failures(&ran));
    let place = |wanted: &dyn Fn(&EventKind) -> bool| ran.events.iter().position(|event| wanted(&event.what));
    let passed = place(&|what| matches!(what, EventKind::EffectFinished { effect: "pass_gate", .. }));
    let locked = place(&|what| matches!(what, EventKind::EffectFinished { effect: "lock", .. }));
    assert!(passed.is_some() && locked.is_some() && passed < locked, "{passed:?} {locked:?}");
    let text: String = ran.events.iter().map(|event| serde_json::to_string(event).unwrap()).collect();
    assert!(!text.contains("Bearer"), "{text}");
    let model = done(ran);
    // All hosts serve it: what the forge says now doesn't matter.
    let mut model = shop.done("prod release:stable", model);
    tell(&mut model, 0, &shop.stable, &red());
    let again = shop.run("prod deploy:stable", model);
    assert_eq!(asked(&again), 0);
    done(again);
}

#[test]
fn an_app_with_a_gate_of_its_own_asks_that_one_and_the_others_ask_the_fleets() {
    let own = GATE.replace("[gate]", "[app.api.gate]").replace("shop/web", "shop/api");
    let apps = format!(
        "[app.shop]\npath = \"/srv/shop\"\nroles = [\"web\"]\n[app.shop.service]\nunits = {{ web = [\"shop\"] }}\n\
         [app.api]\npath = \"/srv/api\"\nroles = [\"api\"]\n[app.api.service]\nunits = {{ api = [\"api\"] }}\n{own}{GATE}\
         [hosts]\nweb1 = {{ roles = [\"web\"] }}\napi1 = {{ roles = [\"api\"] }}\n"
    );
    let tasks = r#"
fn shop() { fleet("fleets/apps.toml").app("shop") }
fn api() { fleet("fleets/apps.toml").app("api") }
"#;
    let shop = Shop::of(&[("prod", FOUR), ("apps", &apps)], tasks);
    let mut model = Model::new();
    tell(&mut model, 0, &shop.stable, &Story::default());
    tell_of("shop/api", &mut model, 0, &shop.stable, &red());
    let model = done(shop.run("shop deploy:stable", model));
    let refused = shop.run("api deploy:stable", model);
    assert_eq!(refused.ended.failures[0].cause, Cause::Gate);
    let said = &failures(&refused)[0];
    assert!(said.contains("doesn't pass the gate of shop/api: build: it's failure"), "{said}");
}

#[test]
fn a_red_commit_is_refused_and_nothing_is_changed() {
    let shop = shop("");
    for (story, why) in [
        (red(), "build: it's failure"),
        (Story::reviewed(&[Review::of("carl", "against")]), "#12: changes were asked for by carl"),
        (Story { pulls: vec![], ..Story::default() }, "no pull request into the branch has this commit"),
    ] {
        let before = told(&shop, &story);
        let was = before.end_state();
        let ran = shop.run("prod release:stable", before);
        assert_eq!(ran.ended.exit, Exit::Refused, "{why}");
        assert_eq!(ran.ended.failures[0].cause, Cause::Gate);
        let said = &failures(&ran)[0];
        assert!(said.contains("doesn't pass the gate of shop/web: ") && said.contains(why), "{said}");
        assert_eq!((changes(&ran.events), ran.model.end_state()), (Vec::new(), was));
    }
}

#[test]
fn a_deploy_waits_until_the_forge_says_green_and_names_what_it_waits_for() {
    let shop = shop("");
    let mut model = told(&shop, &waiting());
    let began = model.now;
    let unapproved = Story { pulls: Story::reviewed(&[]).pulls, ..Story::default() };
    tell(&mut model, began + 150_000, &shop.stable, &unapproved);
    tell(&mut model, began + 300_000, &shop.stable, &Story::default());
    let ran = shop.run("prod deploy:stable", model);
    let (first, last) = (
        "the gate of shop/web waits for build: it's in_progress",
        "the gate of shop/web waits for #12: 1 more person with write access, other than anna, must approve its head",
    );
    let said = said(&ran);
    assert_eq!((said.first().map(String::as_str), said.last().map(String::as_str)), (Some(first), Some(last)));
    assert!((4..=8).contains(&said.len()), "once a minute: {said:?}");
    assert!(ran.model.now - began > 300_000);
    done(ran);
}

#[test]
fn a_deploy_gives_up_when_the_time_is_over() {
    let shop = shop("");
    let before = told(&shop, &waiting());
    let (began, was) = (before.now, before.end_state());
    let ran = shop.run("prod deploy:stable", before);
    assert_eq!(ran.ended.exit, Exit::Refused, "{:?}", failures(&ran));
    assert!(failures(&ran)[0].contains("didn't pass the gate of shop/web in time: build: it's in_progress"));
    let waited = ran.model.now - began;
    assert!((1_100_000..1_300_000).contains(&waited), "{waited}");
    assert_eq!(ran.model.end_state(), was);
}

#[test]
fn a_rollback_and_an_abort_never_ask() {
    let shop = shop("");
    let mut model = told(&shop, &Story::default());
    let old = shop.commit("v3.0.0");
    let other = Pull { number: 11, ..Pull::default() };
    tell(&mut model, 0, &old, &Story { pulls: vec![other], ..Story::default() });
    let model = shop.done("prod release:v3.0.0", model);
    let mut model = shop.done("prod release:stable", model);
    model.answers.clear();
    let back = shop.run("prod rollback", model.clone());
    assert_eq!(asked(&back), 0);
    done(back);

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("journal");
    let mut before = told(&shop, &Story::default());
    before.runs += 1;
    let whole = attempt(&shop, &file, before.clone(), None, CALM);
    assert_eq!(whole.ended.exit, Exit::Done, "{:?}", failures(&whole));
    let mut after = whole.model;
    after.answers.clear();
    let aborted = simulate_abort(&shop.project, "sim-2", &records(&file).unwrap(), after, CALM);
    assert_eq!((aborted.ended.exit, asked(&aborted)), (Exit::Done, 0), "{:?}", failures(&aborted));
}

/// Makes an attempt at `prod release:stable`, with a journal.
fn attempt(shop: &Shop, file: &std::path::Path, model: Model, fault: Option<Fault>, wish: Scenario) -> Simulation {
    let words: Vec<String> = ["prod", "release:stable"].map(str::to_owned).to_vec();
    let line = line::parse(&words, None, &shop.project.tasks).unwrap();
    let keep = if file.exists() {
        let past = EarlierAttempts::of(records(file).unwrap());
        let journal = journals::reopen(file);
        let resumed =
            r#"{"resumed":{"who":"tester","on_behalf_of":null,"from":"simulator","since":"1970-01-01T00:00:00Z"}}"#;
        journal.append(resumed.as_bytes(), false).unwrap();
        Journaling::new(journal, past, DigestKey::default())
    } else {
        Journaling::new(Journal::create(file).unwrap(), EarlierAttempts::default(), DigestKey::default())
    };
    simulate_attempt(&shop.project, &line, model, Scenario { fault, ..wish }, Some(keep))
}

#[test]
fn a_resumed_run_asks_only_if_it_has_not_passed_wherever_it_died() {
    let shop = shop("");
    let mut before = told(&shop, &Story::default());
    before.runs += 1;
    let folder = tempfile::tempdir().unwrap();
    let calm = attempt(&shop, &folder.path().join("calm"), before.clone(), None, CALM);
    let (mut asks, mut silent) = (0, 0);
    for at in (0..calm.effects).step_by(7) {
        let file = folder.path().join(format!("{at}"));
        let mut died = attempt(&shop, &file, before.clone(), Some(Fault::KilledBefore(at)), CALM);
        let passed = !EarlierAttempts::of(records(&file).unwrap()).passed().is_empty();
        if passed {
            // A forge that can't be asked any more mustn't keep the run from its end.
            died.model.answers.clear();
        }
        died.model.hang_up();
        let resumed = attempt(&shop, &file, died.model, None, CALM);
        assert_eq!(resumed.ended.exit, Exit::Done, "{at}: {:?}", failures(&resumed));
        assert_eq!(asked(&resumed) == 0, passed, "{at}");
        *(if passed { &mut silent } else { &mut asks }) += 1;
    }
    assert!(asks > 0 && silent > 5, "{asks} {silent}");
}

#[test]
fn without_a_gate_the_reason_is_shown_and_recorded() {
    let shop = shop("");
    let wish = Scenario { without_gate: Some("the forge is down"), ..CALM };
    let ran = shop.run_with("prod release:stable", told(&shop, &red()), wish);
    assert_eq!(asked(&ran), 0);
    assert_eq!(said(&ran), ["rfab doesn't ask the gate whether this commit can be deployed: the forge is down"]);
    let passed = |what: &EventKind| match what {
        EventKind::EffectFinished { effect: "pass_gate", text, .. } => Some(text.clone()),
        _ => None,
    };
    let passed: Vec<String> = ran.events.iter().filter_map(|event| passed(&event.what)).collect();
    assert_eq!(passed, [format!("pass the gate with {} without asking it: the forge is down", &shop.stable[..12])]);
    let model = done(ran);
    let ledger = &model.machines[&("prod".into(), "web1".into())].ledger;
    assert!(ledger.iter().any(|line| line.contains("without the gate: the forge is down")), "{ledger:?}");
}

#[test]
fn a_deployment_is_reported_and_a_report_that_fails_stops_nothing() {
    let shop = shop("environment = \"production\"\n");
    let mut model = told(&shop, &Story::default());
    let answer =
        |body: &str| vec![ModelAnswer { from: 0, status: 201, headers: Default::default(), body: body.to_owned() }];
    let at = "https://api.github.com/repos/shop/web/deployments";
    let silent = shop.run("prod release:stable", model.clone());
    let warned = said_of(&silent, "the forge wasn't told");
    assert_eq!(warned.len(), 2, "{warned:?}");
    done(silent);
    model.answers.insert(format!("get {at}?…"), answer("[]"));
    model.answers.insert(format!("post {at}"), answer("{\"id\": 7}"));
    model.answers.insert(format!("post {at}/7/statuses"), answer("{\"id\": 1}"));
    let ran = shop.run("prod release:stable", model);
    assert_eq!(said_of(&ran, "the forge wasn't told"), Vec::<String>::new());
    let posts: Vec<String> =
        ran.model.here.changes.iter().filter(|change| change.starts_with("post")).cloned().collect();
    assert_eq!(
        posts,
        [format!("post {at}"), format!("post {at}/7/statuses"), format!("post {at}"), format!("post {at}/7/statuses")]
    );
    done(ran);
}

fn said_of(ran: &Simulation, begin: &str) -> Vec<String> {
    let text = |what: &EventKind| match what {
        EventKind::Warned { text, .. } if text.starts_with(begin) => Some(text.clone()),
        _ => None,
    };
    ran.events.iter().filter_map(|event| text(&event.what)).collect()
}

#[test]
fn a_merge_has_the_reviews_of_a_commit_with_its_tree_and_needs_its_own_checks() {
    let tasks = r#"
import "std/gate" as gate;
fn alone() { gate::pass(git::resolve("stable").id, "main"); }
fn merge() { gate::pass(git::resolve("stable"), "main", [git::resolve("v3.0.0").id]); }
"#;
    let shop = Shop::of(&[("prod", &format!("{FOUR}{GATE}"))], tasks);
    let mut model = told(&shop, &Story { pulls: vec![], ..Story::default() });
    tell(&mut model, 0, &shop.commit("v3.0.0"), &red());
    let alone = shop.run("prod alone", model.clone());
    assert!(failures(&alone)[0].contains("no pull request into the branch"), "{:?}", failures(&alone));
    let merge = shop.run("prod merge", model.clone());
    assert_eq!((merge.ended.exit, asked(&merge)), (Exit::Done, 8), "{:?}", failures(&merge));
    tell(&mut model, 0, &shop.stable, &Story { pulls: vec![], ..red() });
    let merge = shop.run("prod merge", model);
    assert!(failures(&merge)[0].contains("build: it's failure"), "{:?}", failures(&merge));
}

#[test]
fn a_commit_that_passed_the_rules_of_one_branch_is_asked_for_by_those_of_another() {
    let tasks = r#"
import "std/gate" as gate;
fn twice() {
    gate::pass(git::resolve("stable"), "main");
    gate::pass(git::resolve("stable"), "main");
    gate::pass(git::resolve("stable"), "other");
}
"#;
    let shop = Shop::of(&[("prod", &format!("{FOUR}{GATE}"))], tasks);
    let ran = shop.run("prod twice", told(&shop, &Story::default()));
    let passed =
        ran.events.iter().filter(|event| matches!(event.what, EventKind::EffectFinished { effect: "pass_gate", .. }));
    // Of `other` the forge knows nothing, so the commit doesn't pass.
    assert_eq!((passed.count(), ran.ended.failures[0].cause), (2, Cause::Gate), "{:?}", failures(&ran));
    assert!(asked(&ran) > 6 && failures(&ran)[0].contains("rules/branches/other"), "{:?}", failures(&ran));
}

#[test]
fn a_deploy_that_waits_for_a_person_tells_it_once_for_each_thing() {
    let tasks = r#"
import "std/deploy" as deploying;
import "std/notify" as notify;
fn told() {
    notify::about("told", [notify::webhook("https://chat.example.org/hook")]);
    deploying::deploy("stable", #{});
}
"#;
    let shop = Shop::of(&[("prod", &format!("{FOUR}{GATE}"))], tasks);
    let mut model = told(&shop, &waiting());
    let began = model.now;
    let unapproved = Story { pulls: Story::reviewed(&[]).pulls, ..Story::default() };
    tell(&mut model, began + 150_000, &shop.stable, &unapproved);
    tell(&mut model, began + 600_000, &shop.stable, &Story::default());
    let ran = shop.run("prod told", model);
    // The start, the review that it waited for, and the end; that it waited for CI is told to nobody.
    let sent = ran.model.here.changes.iter().filter(|change| *change == "tell webhook").count();
    assert_eq!(sent, 3, "{:?}", failures(&ran));
    done(ran);
}
