//! A script's secrets: where they may go, what is refused, and that no output and no file contains them.

use crate::journals;
use crate::project;
use crate::project::{Project, notes};
use rfab::{
    event::{Event, EventKind},
    failure::{Cause, Exit},
    line,
    model::{Fact, Model, ModelOutput},
    secret::DigestKey,
    session::{Journaling, OnUnknownOutcome},
    simulate::{Scenario, Simulation, simulate_attempt},
    store::{EarlierAttempts, Journal, records},
};
use std::{fs, path::Path, sync::Arc};

const TAKE: &str = "fn taken() { secret::env(\"SHOP_DB\") }\n";

/// Returns what `secret::env("SHOP_DB")` is in the simulator.
fn made_up() -> String {
    let project = Project::of(&format!("{TAKE}fn t() {{ targets().host(\"jobs1\").write(\"/x\", taken()); }}"));
    let ran = project.run("prod t");
    assert_eq!(ran.ended.exit, Exit::Done, "{:?}", ran.ended.failures);
    written(&ran, "/x")
}

fn written(ran: &Simulation, path: &str) -> String {
    let machine = &ran.model.machines[&("fleet".into(), "jobs1".into())];
    String::from_utf8(machine.files[path].get("a file").unwrap().clone().unwrap()).unwrap()
}

fn said(events: &[Event]) -> String {
    events.iter().map(|event| serde_json::to_string(event).unwrap() + "\n").collect()
}

#[test]
fn the_made_up_worlds_secrets_are_the_same_each_time_and_none_is_read() {
    let text = made_up();
    assert_eq!((text.len(), made_up()), (32, text), "this machine has no variable of that name");
    let project = Project::of(
        r#"fn t() {
            let host = targets().host("jobs1");
            host.write("/file", secret::file("not/there"));
            host.write("/words", secret::command(["false", "x"]));
            host.write("/text", secret::command("false x"));
            host.write("/ask", secret::ask("the password"));
        }"#,
    );
    let ran = project.run("prod t");
    assert_eq!(ran.ended.exit, Exit::Done, "{:?}", ran.ended.failures);
    let texts = ["/file", "/words", "/ask"].map(|path| written(&ran, path));
    assert_eq!(texts[1], written(&ran, "/text"));
    assert!(texts[0] != texts[1] && texts[1] != texts[2]);
}

#[test]
fn a_secret_goes_where_nobody_sees_it() {
    let project = Project::of(&format!(
        r#"{TAKE}
        fn t() {{
            let s = taken();
            let host = targets().host("jobs1");
            host.env(#{{ X: s, Y: 1 }}).run("one");
            host.stdin(s).run("two");
            host.run(sh("three \"$x\" $y", #{{ x: s, y: 2 }}));
            host.test(sh("four", #{{ x: s }}));
            host.sudo(sh("five", #{{ x: s }}));
            host.write("/written", s);
            host.template("shop.j2", "/filled", #{{ a: s, deep: [#{{ b: s }}], n: 1 }});
            let all = [s];
            targets().parallel(|host| if host.name == "jobs1" {{ host.env(#{{ X: all[0] }}).run("six") }});
        }}"#
    ))
    .with("shop.j2", "{{ a }} {{ deep[0].b }} {{ n }}");
    let ran = project.run("prod t");
    assert_eq!(ran.ended.exit, Exit::Done, "{:?}", ran.ended.failures);
    let secret = made_up();
    assert_eq!(written(&ran, "/written"), secret);
    assert_eq!(written(&ran, "/filled"), format!("{secret} {secret} 1"));
    let changes = &ran.model.machines[&("fleet".into(), "jobs1".into())].changes;
    assert_eq!(*changes, ["`one`", "`two`", "`three \"$x\" $y`", "`five` as root", "`six`"]);
    assert!(!said(&ran.events).contains(&secret));
}

#[test]
fn in_a_text_a_secret_is_stars_and_it_tells_nothing() {
    let project = Project::of(&format!(
        r#"{TAKE}
        fn t() {{
            let s = taken();
            ui::note(`${{s}}`); ui::note("a" + s); ui::note(s + "b"); ui::note(s.to_string()); ui::note([s].to_string());
            ui::note(`${{#{{ x: s }}}}`); ui::note(type_of(s)); let t = "c"; t += s; ui::note(t); ui::table([["x"], [s]]);
        }}
        fn compare() {{ taken() == "x" }}
        fn behind() {{ "x" != taken() }}
        fn alike() {{ taken() == taken() }}
        fn less() {{ taken() < 1 }}
        fn within() {{ taken() in ["x"] }}
        fn length() {{ taken().len() }}
        fn index() {{ taken()[0] }}
        fn choose() {{ switch taken() {{ "x" => 1, _ => 2 }} }}"#
    ));
    let ran = project.run("prod t");
    assert_eq!(ran.ended.exit, Exit::Done, "{:?}", ran.ended.failures);
    assert_eq!(notes(&ran), ["***", "a***", "***b", "***", "[***]", "#{\"x\": ***}", "Secret", "c***", "x", "***"]);
    let compared = "a secret can't be compared: what the script does next would give it away";
    for task in ["compare", "behind", "alike", "less", "within"] {
        assert_eq!(project.fails(&format!("prod {task}")).1.message, compared, "{task}");
    }
    assert_eq!(project.fails("prod length").1.message, "no function `len` takes (Secret)");
    assert_eq!(project.fails("prod index").0, Exit::Fabfile);
}

#[test]
fn a_word_of_a_command_is_no_secret_and_stars_reach_no_host() {
    let word = "is a secret, and every user of the host can see the words of a command";
    let here = "a word of this command is a secret, and every user of this machine can see the words of a command";
    let stars = "a string for a host contains `***`, which stands for a secret that was put into a string";
    for (code, message) in [
        ("host.run(\"login {x}\", #{ x: s })", format!("the value of `x` {word}")),
        ("host.capture(\"login {x}\", #{ x: s })", format!("the value of `x` {word}")),
        ("host.test(\"login {x}\", #{ x: s })", format!("the value of `x` {word}")),
        ("host.sudo([\"login\", s])", format!("a word {word}")),
        ("host.run([\"login\", s])", format!("a word {word}")),
        ("secret::command([\"login\", s])", here.to_owned()),
        ("host.run(\"login {x}\", #{ x: `a${s}` })", stars.to_owned()),
        ("host.run(sh(\"login $x\", #{ x: \"a\" + s }))", stars.to_owned()),
        ("host.env(#{ X: s.to_string() }).run(\"login\")", stars.to_owned()),
        ("host.stdin(`${s}\\n`).capture(\"login\")", stars.to_owned()),
        ("host.write(\"/x\", `password=${s}`)", stars.to_owned()),
        ("host.template(\"x.j2\", \"/x\", #{ x: [`${s}`] })", stars.to_owned()),
        ("host.cd(s)", "no function `cd` takes (Host, Secret)".to_owned()),
        ("host.env(#{ X: [s] })", "`X` must be text, but its type is array".to_owned()),
        ("secret::env(\"A=B\")", "`A=B` isn't a variable name".to_owned()),
        ("secret::file(\"../x\")", "`../x` isn't inside the fabfile's folder".to_owned()),
        ("secret::command(\"'a\")", "a quote in `'a` isn't closed".to_owned()),
        ("secret::command([])", "a command needs at least one word".to_owned()),
    ] {
        let project =
            Project::of(&format!("{TAKE}fn t() {{ let s = taken(); let host = targets().host(\"jobs1\"); {code}; }}"));
        let project = project.with("x.j2", "{{ x[0] }}");
        let (exit, failure) = project.fails("prod t");
        assert_eq!((exit, failure.cause, failure.message), (Exit::Fabfile, Cause::Fabfile, message), "{code}");
    }
    let plain = Project::of("fn t() { let host = targets().host(\"jobs1\"); host.write(\"/x\", \"a *** b\"); }");
    assert_eq!(plain.run("prod t").ended.exit, Exit::Done, "stars that are no secret's are a text");
}

/// Returns a world in which commands of `jobs1` print this, and end with this status.
fn saying(all: &[(&str, &str, i32)]) -> Model {
    let mut model = Model::new();
    let project = Project::of("");
    let fleet = rfab::fleet::read("fleet.toml", project.path(), &[]).unwrap_or_else(|wrong| panic!("{wrong:?}"));
    model.admit(&Arc::new(fleet));
    says(&mut model, all);
    model
}

fn says(model: &mut Model, all: &[(&str, &str, i32)]) {
    let said = |(command, out, status): &(&str, &str, i32)| {
        (command.to_string(), ModelOutput { out: out.to_string(), status: *status, ..ModelOutput::default() })
    };
    let machine = model.machines.get_mut(&("fleet".into(), "jobs1".into())).unwrap();
    machine.says = Fact::Told(all.iter().map(said).collect());
}

#[test]
fn a_script_reads_what_is_true_and_whoever_is_told_of_it_reads_stars() {
    let secret = made_up();
    let project = Project::of(&format!(
        r#"{TAKE}
        fn t() {{
            let s = taken();
            let host = targets().host("jobs1");
            let read = host.capture("cat config");
            ui::note(`${{read.len()}} ${{read}}`);
            ui::warn(read);
            step(read, || host.run("echo {{x}}", #{{ x: read }}));
            ui::next(read);
            throw `no ${{read}}`;
        }}"#
    ));
    let config = format!("db={secret}");
    let ran =
        project.run_on("prod t", saying(&[("cat config", &config, 0)]), Scenario { seed: 1, ..Scenario::default() });
    assert_eq!(notes(&ran)[0], "35 db=***");
    assert_eq!(ran.ended.failures[0].message, "no db=***");
    let told = said(&ran.events);
    assert!(!told.contains(&secret), "{told}");
    assert!(told.contains("run `echo db=***`") && told.contains("\"next\":[\"db=***\"]"), "{told}");
    assert!(
        ran.events.iter().any(|event| matches!(&event.what, EventKind::StepStarted { step, .. } if step == "db=***"))
    );
}

/// Makes the next attempt at a run with its journal in this file.
fn attempt(project: &Project, model: Model, file: &Path, doubt: OnUnknownOutcome) -> Simulation {
    let loaded = project.load().unwrap();
    let line = line::parse(&["prod".to_owned(), "t".to_owned()], None, &loaded.tasks).unwrap();
    let keep = if !file.exists() {
        Journaling::new(Journal::create(file).unwrap(), EarlierAttempts::default(), DigestKey::default())
    } else {
        Journaling::new(journals::reopen(file), EarlierAttempts::of(records(file).unwrap()), DigestKey::default())
    };
    simulate_attempt(
        &loaded,
        &line,
        model,
        Scenario { seed: 1, ..Scenario::default() },
        Some(Journaling { doubt, ..keep }),
    )
}

fn changes(ran: &Simulation) -> String {
    ran.model.machines[&("fleet".into(), "jobs1".into())].changes.join(" ")
}

#[test]
fn no_journal_has_a_secret_and_what_it_has_in_its_place_is_not_handed_back() {
    let secret = made_up();
    let project = Project::of(&format!(
        r#"{TAKE}
        fn t() {{
            let s = taken();
            let host = targets().host("jobs1");
            let read = host.capture("cat config");
            ui::note(`${{read.len()}}`);
            host.env(#{{ X: s }}).run("one");
            host.write("/" + read, read);
            try {{ host.run("two {{x}}", #{{ x: read }}); }} catch (failure) {{ ui::note(failure.help); }}
            step(read, || host.run("three"));
            throw read;
        }}"#
    ));
    let folder = tempfile::tempdir().unwrap();
    let (config, two) = (format!("db={secret}"), format!("two db={secret}"));
    let model = saying(&[("cat config", &config, 0), (&two, &secret, 1), ("three", "", 1)]);
    let file = folder.path().join("run");
    let failed = attempt(&project, model, &file, OnUnknownOutcome::Ask);
    assert_eq!(failed.ended.exit, Exit::Failed, "{:?}", failed.ended.failures);
    let kept = String::from_utf8_lossy(&fs::read(&file).unwrap()).into_owned();
    assert!(!kept.contains(&secret) && kept.contains("its last line was: ***") && kept.contains("db=***"), "{kept}");
    assert!(kept.contains(r#"{"status":0,"out":"db=***","err":"","cut":false},"masked":true"#), "{kept}");

    // The next attempt gets the real text when it reads it, and knows what was done although the texts were masked.
    let mut model = failed.model;
    says(&mut model, &[("cat config", &config, 0)]);
    let again = attempt(&project, model, &file, OnUnknownOutcome::Ask);
    assert_eq!(again.ended.failures[0].message, "db=***", "{:?}", again.ended.failures);
    assert_eq!(notes(&again)[0], "35");
    assert_eq!(changes(&again), format!("`one` `{two}` `three` `three`"));
    assert!(!String::from_utf8_lossy(&fs::read(&file).unwrap()).contains(&secret));
}

#[test]
fn a_command_that_printed_a_secret_is_not_taken_for_done_unasked() {
    let secret = made_up();
    let project = Project::of(&format!(
        r#"{TAKE}
        fn t() {{
            let s = taken();
            let host = targets().host("jobs1");
            let out = host.env(#{{ X: s }}).run("show");
            ui::note(`${{out.len()}}`);
            host.run("then");
        }}"#
    ));
    let folder = tempfile::tempdir().unwrap();
    for (doubt, exit, done, length) in [
        (OnUnknownOutcome::Ask, Exit::Unknown, "`show` `then`", None),
        (OnUnknownOutcome::Retry, Exit::Done, "`show` `then` `show` `then`", Some("32")),
        (OnUnknownOutcome::Skip, Exit::Done, "`show` `then` `then`", Some("0")),
    ] {
        let file = folder.path().join(format!("{doubt:?}"));
        let failed = attempt(&project, saying(&[("show", &secret, 0), ("then", "", 1)]), &file, OnUnknownOutcome::Ask);
        assert_eq!(failed.ended.exit, Exit::Failed);
        let mut model = failed.model;
        says(&mut model, &[("show", &secret, 0)]);
        let again = attempt(&project, model, &file, doubt);
        assert_eq!(again.ended.exit, exit, "{:?}", again.ended.failures);
        assert_eq!((changes(&again).as_str(), notes(&again).first().map(String::as_str)), (done, length), "{doubt:?}");
        if exit == Exit::Unknown {
            let failure = &again.ended.failures[0];
            let why = "this was done, and what it printed isn't kept, because it contained a secret: run `show`";
            assert_eq!(failure.message, why);
        }
    }
}

#[test]
fn a_run_is_not_resumed_with_another_secret() {
    let tasks = |name: &str| {
        format!(
            "fn t() {{ let s = secret::env(\"{name}\"); let host = targets().host(\"jobs1\"); host.env(#{{ X: s }}).run(\"one\"); host.run(\"two\"); }}"
        )
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run");
    let project = Project::of(&tasks("A"));
    let failed = attempt(&project, saying(&[("two", "", 1)]), &file, OnUnknownOutcome::Ask);
    assert_eq!(failed.ended.exit, Exit::Failed);
    let project = project.with("fabfile.rhai", &format!("{}{}", project::HEAD, tasks("B")));
    let again = attempt(&project, failed.model, &file, OnUnknownOutcome::Ask);
    let failure = &again.ended.failures[0];
    assert_eq!(failure.message, "this run did `run `one`` with other values than the script has now");
    assert_eq!((again.ended.exit, changes(&again).as_str()), (Exit::Fabfile, "`one` `two`"));
}
