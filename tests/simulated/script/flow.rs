//! What a script gets from its calls, and in which order its parts run.

use crate::project::{self, Project};

#[test]
fn what_is_printed_is_a_note() {
    let body = "print(\"two\\nlines\"); print(1); print(1.5); print(true); print('c'); print([1, \"a\"]); print(#{ a: 1 }); \
                print(targets()); print(); debug(\"x\"); [7].map(|x| print(x)); \
                targets().first().each(|host| { print(host.name); print(host) });";
    let notes = Project::of(&format!("fn act() {{ {body} }}")).notes("act");
    let all = [
        "two",
        "lines",
        "1",
        "1.5",
        "true",
        "c",
        "[1, \"a\"]",
        "#{\"a\": 1}",
        "all",
        "\"x\"",
        "7",
        "web1: web1",
        "web1: web1",
    ];
    assert_eq!(notes, all);
}

#[test]
fn a_caught_failure_has_a_kind_a_host_a_message_and_a_status() {
    let tasks = "
        private fn said(f) { ui::note(`${f.kind} ${f.host} ${f.status}: ${f.message}`) }
        fn act() {
            try { refuse(\"not today\"); } catch (f) { said(f); }
            try { throw \"a text\"; } catch (f) { said(f); }
            try { targets().select(\"web9\"); } catch (f) { said(f); }
            try { targets().select(\"group1+group2\"); } catch (f) { said(f); }
            try { service::restart(targets().host(\"web1\")); } catch (f) { said(f); }
        }";
    assert_eq!(
        Project::of(tasks).notes("act"),
        [
            "refused  : not today",
            "failed  : a text",
            "fabfile  : `fleet` has no host, group or role `web9`",
            "nohosts  : `group1+group2` selects no hosts of `fleet`",
            "refused web1 : host `web1` is live in `lb1/bk_web`, so what it serves can't be changed",
        ]
    );
}

#[test]
fn what_is_deferred_runs_last_first_however_the_task_ends() {
    let tasks = "
        fn good() { defer(|| ui::note(\"first deferred\")); defer(|| ui::note(\"last deferred\")); ui::note(\"body\"); }
        fn bad() { defer(|| ui::note(\"still\")); throw \"it broke\"; }
        fn wrong() { defer(|| ui::note(\"still\")); let a = [1]; a[7] }
        fn endless() { defer(|| ui::note(\"never: the script is stopped\")); loop { } }
        fn in_scope() { scope(|| { defer(|| ui::note(\"inner\")); ui::note(\"body\"); }); ui::note(\"after\"); }
        fn in_failed_scope() {
            try { scope(|| { defer(|| ui::note(\"inner\")); throw \"it broke\"; }); } catch (f) { ui::note(f.message); }
        }
        fn on_hosts() {
            targets().role(\"worker\").each(|host| { defer(|| ui::note(\"over\")); ui::note(\"on it\"); });
            ui::note(\"after\");
        }
        fn twice() { defer(|| { throw \"the cleaning broke\"; }); throw \"it broke\"; }
        fn cleaning() { defer(|| { throw \"the cleaning broke\"; }); }";
    let project = Project::of(tasks);
    assert_eq!(project.notes("good"), ["body", "last deferred", "first deferred"]);
    assert_eq!(project::notes(&project.run("bad")), ["still"]);
    assert_eq!(project::notes(&project.run("wrong")), ["still"]);
    assert_eq!(project.notes("in_scope"), ["body", "inner", "after"]);
    assert_eq!(project.notes("in_failed_scope"), ["inner", "it broke"]);
    assert_eq!(project.notes("on_hosts"), ["jobs1: on it", "jobs1: over", "after"]);
    assert_eq!(project.fails("twice").1.message, "it broke");
    assert_eq!(project.fails("cleaning").1.message, "the cleaning broke");
}

#[test]
fn a_step_is_told_also_when_it_fails() {
    let ran = Project::of("fn act() { step(\"warm up\", || { throw \"cold\" }) }").run("act");
    let steps: Vec<String> = ran
        .events
        .iter()
        .filter_map(|event| match &event.what {
            rfab::event::EventKind::StepStarted { step, .. } => Some(format!("{step} began")),
            rfab::event::EventKind::StepFinished { step, failed, .. } => Some(format!("{step} failed: {failed}")),
            _ => None,
        })
        .collect();
    assert_eq!(steps, ["warm up began", "warm up failed: true"]);
}

#[test]
fn a_closure_has_copies_of_what_it_captures_and_results_come_in_the_hosts_order() {
    let tasks = "
        fn act() {
            let count = 0;
            let names = targets().parallel(|host| {
                count += 1;
                // The later in the order, the sooner it ends.
                clock::wait(if host.name == \"web1\" { 4 } else { 1 });
                `${host}=${count}`
            });
            ui::note(`${count} ${names}`);
        }";
    assert_eq!(Project::of(tasks).notes("act"), [r#"0 ["web1=1", "web2=1", "web3=1", "web4=1", "jobs1=1"]"#]);
}

#[test]
fn each_stops_at_the_first_failure_and_within_its_limits() {
    let tasks = "
        private fn fail_on(host, names) { ui::note(\"tried\"); if host.name in names { throw `${host} broke`; } }
        fn one_by_one() { targets().each(|host| fail_on(host, [\"web2\"])) }
        fn side_by_side() { targets().parallel(|host| fail_on(host, [\"web2\", \"web4\"])) }
        fn some_may() { targets().each(#{ batches: [1, 2], max_failed: 1 }, |host| fail_on(host, [\"web1\", \"web3\"])) }
        fn share() { targets().each(#{ at_once: 2, batches: [\"40%\"] }, |host| fail_on(host, [\"web1\"])) }
        fn wrong() { targets().each(#{ at_onec: 2 }, |host| 1) }";
    let project = Project::of(tasks);
    let tried = |task: &str| {
        let ran = project.run(task);
        let mut tried: Vec<String> = project::notes(&ran).iter().map(|note| note.replace(": tried", "")).collect();
        tried.sort();
        let failure = ran.ended.failures.first().map(|f| f.message.clone());
        (tried.join(" "), failure.unwrap_or_default())
    };
    assert_eq!(tried("one_by_one"), ("web1 web2".into(), "web2 broke".into()));
    assert_eq!(tried("side_by_side"), ("jobs1 web1 web2 web3 web4".into(), "web2 broke".into()));
    assert_eq!(tried("some_may"), ("web1 web2 web3".into(), "web1 broke".into()));
    assert_eq!(tried("share"), ("web1 web2".into(), "web1 broke".into()));
    let (_, wrong) = tried("wrong");
    assert!(wrong.contains("at_onec") && wrong.contains("at_once"), "{wrong}");
}
