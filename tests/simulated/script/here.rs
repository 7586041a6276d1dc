//! What a script does on this machine and asks of servers, in the simulator.

use crate::project::{self, Project};
use rfab::{
    failure::Exit,
    model::{Fact, Model, ModelOutput},
    simulate::Scenario,
};

/// Returns a world in which commands here, and servers, answer this; all others succeed without output.
fn saying(said: &[(&str, i32, &str)]) -> Model {
    let mut model = Model::new();
    let said = said.iter().map(|(what, status, out)| {
        (what.to_string(), ModelOutput { status: *status, out: out.to_string(), err: String::new() })
    });
    model.here.says = Fact::Told(said.collect());
    model
}

#[test]
fn in_a_made_up_world_nothing_is_run_here_nor_sent_and_whoever_makes_it_up_may_say_what_comes_of_it() {
    let tasks = r##"
        fn act() {
            local::run("touch made");
            ui::note(`[${local::capture("git describe")}] ${local::test("make check")} ${local::exists("made")} ${local::read("motd.txt")}`);
            let answer = http::get("https://example.org/flags?token=x");
            ui::note(`${answer.status} ${parse_json(answer.body)} ${answer.headers}`);
            let answer = http::delete("https://example.org/cache", #{ status: [204, 404] });
            ui::note(`${answer.status} ${answer.body}`);
            local::cd("web").run(["npm", "run", "a b"]);
            http::post("https://example.org/hook", #{ text: "out" });
        }"##;
    let project = Project::of(tasks).with("motd.txt", "welcome");
    assert_eq!(project.notes("act"), ["[] true false welcome", "200 #{} #{}", "204 {}"]);
    assert!(!project.path().join("made").exists());
    let said = [
        ("git describe", 0, "v3.0.1"),
        ("make check", 2, ""),
        ("get https://example.org/flags?…", 200, "{\"on\": true}"),
        ("delete https://example.org/cache", 404, "gone"),
        ("post https://example.org/hook", 500, "no such channel"),
    ];
    let ran = project.run_on("act", saying(&said), Scenario { seed: 1, ..Scenario::default() });
    assert_eq!(project::notes(&ran), ["[v3.0.1] false false welcome", "200 #{\"on\": true} #{}", "404 gone"]);
    let failure = &ran.ended.failures[0];
    assert_eq!(failure.message, "`post https://example.org/hook` was answered with 500 Internal Server Error");
    assert_eq!(failure.help.as_deref(), Some("the response begins: no such channel"));
    let changed =
        ["`touch made`", "delete https://example.org/cache", "`npm run 'a b'` in web", "post https://example.org/hook"];
    assert_eq!(ran.model.here.changes, changed);
}

#[test]
fn what_can_be_no_command_here_and_no_request_is_refused_where_it_stands() {
    for (body, message) in [
        ("local::run(5)", "`5` isn't a command"),
        ("local::run([])", "a command needs at least one word"),
        ("local::run(\"echo 'a\")", "a quote in `echo 'a` isn't closed"),
        ("local::env(#{ \"A-B\": 1 }).run(\"x\")", "`A-B` isn't a name for a shell variable"),
        ("local::timeout(\"soon\").run(\"x\")", "`soon` isn't a duration"),
        ("local::read(\"../x\")", "`../x` isn't inside the fabfile's folder"),
        ("local::exists(\"/etc\")", "`/etc` isn't inside the fabfile's folder"),
        ("let o = #{ json: 1 }; http::get(\"https://x\", o)", "there is no option `json`"),
        ("http::get(\"https://x\", #{ headers: 5 })", "`headers` isn't a map"),
        ("http::get(\"https://x\", #{ headers: #{ \"a b\": 1 } })", "`a b` isn't a header's name"),
        ("http::get(\"https://x\", #{ status: [20] })", "`status` contains something that isn't a status"),
        ("http::get(\"https://x\", #{ status: [] })", "`status` contains something that isn't a status"),
        ("http::post(\"https://x\", 5)", "`5` isn't a body"),
        (
            "http::post(\"https://a:b@x/y\", 5)",
            "the URL of `https://x/y` has a user or a password in it, which would be shown",
        ),
    ] {
        let (exit, failure) = Project::of(&format!("fn act() {{ {body}; }}")).fails("act");
        assert_eq!((exit, failure.message.as_str()), (Exit::Fabfile, message), "{body}");
        assert_eq!(failure.places.len(), 1, "{body}");
    }
}

#[test]
fn in_a_made_up_world_the_hosts_of_a_program_are_those_that_it_is_said_to_print() {
    let tasks = "
        fn made() { fleet(\"made\", #{ hosts_from: [\"bin/hosts\", \"a b\"] }) }
        fn who() { ui::note(targets().names().to_string()) }";
    let project = Project::of(tasks);
    let (exit, failure) = project.fails("made who");
    assert_eq!(
        (exit, &*failure.message, failure.help.as_deref()),
        (
            Exit::Fabfile,
            "fleet `made` has no hosts: the simulator doesn't run `bin/hosts 'a b'`",
            Some("use a fleet for the simulator, with its hosts under `[hosts]`")
        )
    );
    let printed = "{ \"web[1..2]\": {}, \"db1\": {} }";
    let ran = project.run_on(
        "made who",
        saying(&[("bin/hosts 'a b'", 0, printed)]),
        Scenario { seed: 1, ..Scenario::default() },
    );
    assert_eq!(project::notes(&ran), ["web1, web2, db1"], "{:?}", ran.ended.failures);
}
