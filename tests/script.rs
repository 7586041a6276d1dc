//! What a script cannot do to the machine that it runs on, and what it can rely on.
mod project;

use project::Project;
use rfab::{
    failure::{Exit, Reason},
    model::{Fact, Model, Said},
    simulate::Scenario,
};
use rustix::time::{ClockId, clock_gettime};
use std::{fs, os::unix::fs::symlink, time::Duration};

/// Longer than all of these scripts together compute, in a build without optimization.
const LONGEST: Duration = Duration::from_secs(60);

/// How long this process has computed, on all its threads: what else a machine does meanwhile changes nothing of it.
fn computed() -> Duration {
    clock_gettime(ClockId::ProcessCPUTime).try_into().expect("no time before the process's own")
}

/// A task with this body ends soon, with a failure that says this.
#[track_caller]
fn stopped(body: &str, why: &str) {
    let began = computed();
    let (exit, failure) = Project::of(&format!("fn attack() {{ {body} }}\n{ENDLESS}")).fails("attack");
    let took = computed() - began;
    println!("{took:?} {body}");
    assert_eq!(exit, Exit::Fabfile, "{body}: {failure:?}");
    assert!(failure.message.contains(why), "{body}: {failure:?}");
    assert!(took < LONGEST, "{body}: {took:?}");
}

const ENDLESS: &str = "
    private fn down(n) { 1 + down(n + 1) }
    private fn one(n) { other(n) + 1 }
    private fn other(n) { one(n) + 1 }
";

#[test]
fn a_script_without_end_is_stopped() {
    for body in [
        "loop { }",
        "while true { let x = 1; }",
        "for i in 0..9_000_000_000_000 { let x = i; }",
        "do { } while true",
        "loop { [1].map(|x| { let i = 0; while i < 100_000 { i += 1; } x }); }",
        "targets().parallel(|host| { loop { } })",
        "let a = []; for i in 0..10_000 { a.push(i); } loop { a.sort(|x, y| y - x); }",
    ] {
        stopped(body, "never stops computing");
    }
}

#[test]
fn values_do_not_grow_without_end() {
    for (body, why) in [
        ("let s = \"x\"; loop { s += s; }", "too large a value"),
        ("let s = \"x\"; loop { s = `${s}${s}`; }", "too large a value"),
        ("let a = [1]; loop { a = [a, a]; }", "too large a value"),
        ("let a = [1]; loop { a += a; }", "too large a value"),
        // Rhai looks at no map's size when a key is put into it.
        ("let m = #{}; let i = 0; loop { m[`k${i}`] = i; i += 1; }", "never stops computing"),
        ("let b = blob(3_000_000_000);", "too large a value"),
        ("let s = \"\"; s.pad(3_000_000_000, 'x');", "too large a value"),
        ("let a = []; a.pad(3_000_000_000, 1);", "too large a value"),
        ("let s = \"x\"; s.pad(1_000_000, 'x'); let a = s.split(\"\");", "too large a value"),
        ("let a = []; for i in 0..100_000 { a.push(i); }", "too large a value"),
        ("let s = \"\"; s.pad(10_000_000, 'x'); let a = []; loop { a.push(s + \"y\"); }", "too large a value"),
    ] {
        stopped(body, why);
    }
}

#[test]
fn depth_does_not_grow_without_end() {
    stopped("down(1)", "endlessly");
    stopped("one(1)", "endlessly");
    stopped("let f = |g, n| g.call(g, n + 1); f.call(f, 1)", "endlessly");
    for (open, close) in [("(", ")"), ("[", "]"), ("#{ a: ", " }"), ("if true { ", " }"), ("|| ", ""), ("- ", "")] {
        let deep = format!("fn attack() {{ let x = {}1{}; }}", open.repeat(5_000), close.repeat(5_000));
        let failure = Project::of(&deep).load().err().unwrap_or_else(|| panic!("{open}"));
        assert!(failure.message.contains("maximum"), "{open}: {failure:?}");
    }
}

#[test]
fn what_stops_a_script_cannot_be_caught_by_it() {
    stopped("try { loop { } } catch { } ui::note(\"still here\");", "never stops computing");
    stopped("try { down(1) } catch (e) { } loop { try { down(1) } catch (e) { } }", "endlessly");
    stopped("loop { try { let s = \"x\"; loop { s += s; } } catch (e) { } }", "");
}

#[test]
fn deep_but_sane_scripts_run_the_same_in_every_build() {
    let deep = format!("{}1{}", "(".repeat(40), ")".repeat(40));
    let tasks = format!(
        "fn act() {{ ui::note(`${{{deep}}} ${{down(50)}}`); }} private fn down(n) {{ if n == 0 {{ 0 }} else {{ 1 + down(n - 1) }} }}"
    );
    assert_eq!(Project::of(&tasks).notes("act"), ["1 50"]);
}

#[test]
fn what_goes_around_the_door_is_not_there() {
    for (body, why) in [
        ("eval(\"1\")", "eval"),
        ("let f = Fn(\"eval\"); f.call(\"1\")", "eval"),
        ("sleep(3_000)", "there is no `sleep`"),
        ("let f = Fn(\"sleep\"); f.call(3_000)", "there is no `sleep`"),
        ("exit(0)", "there is no `exit`"),
        ("timestamp()", "there is no `timestamp`"),
        ("open_file(\"/etc/passwd\")", "there is no function `open_file`"),
    ] {
        let project = Project::of(&format!("fn attack() {{ {body}; }}"));
        let failure = match project.load() {
            Err(failure) => failure,
            Ok(loaded) => loaded.check().err().unwrap_or_else(|| project.fails("attack").1),
        };
        assert!(failure.message.contains(why), "{body}: {failure:?}");
        assert_eq!(failure.reason(), Reason::Fabfile, "{body}");
    }
}

/// Why a project that imports `name` cannot be used, and it must be so both at its top and from a name made at run time.
#[track_caller]
fn not_imported(project: &Project, name: &str) -> String {
    let text = |import: &str| format!("{}fn attack() {{ {import}; m::f() }}", project::HEAD);
    fs::write(project.path().join("fabfile.rhai"), text(&format!("import \"{name}\" as m"))).unwrap();
    let at_once = project.load().err().unwrap_or_else(|| project.fails("attack").1);
    fs::write(project.path().join("fabfile.rhai"), text(&format!("let name = \"{name}\"; import name as m"))).unwrap();
    let (exit, later) = project.fails("attack");
    assert_eq!((exit, &later.message), (Exit::Fabfile, &at_once.message), "{name}");
    at_once.message
}

#[test]
fn modules_come_from_below_the_fabfiles_folder_and_from_nowhere_else() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret.rhai"), "fn f() { }").unwrap();
    fs::write(outside.path().join("password"), "hunter2supersecret").unwrap();
    let project = Project::of("").with("lib/inner.rhai", "fn f() { }");
    symlink(outside.path().join("secret.rhai"), project.path().join("link.rhai")).unwrap();
    symlink(outside.path(), project.path().join("folder")).unwrap();
    symlink(outside.path().join("password"), project.path().join("password.rhai")).unwrap();
    let absolute = outside.path().join("secret").to_string_lossy().into_owned();
    for (name, why) in [
        ("../secret", "has a bad name"),
        ("lib/../../secret", "has a bad name"),
        ("./lib/inner", "has a bad name"),
        (&*absolute, "has a bad name"),
        ("/etc/passwd", "has a bad name"),
        ("lib/inner.rhai", "has a bad name"),
        ("Lib/inner", "has a bad name"),
        ("lib//inner", "has a bad name"),
        ("", "has a bad name"),
        ("link", "points outside the fabfile's folder"),
        ("folder/secret", "points outside the fabfile's folder"),
        ("password", "points outside the fabfile's folder"),
        ("nothing", "isn't there"),
        ("std/nothing", "isn't in the stdlib"),
        ("std/../lib/inner", "isn't in the stdlib"),
    ] {
        assert_eq!(not_imported(&project, name), format!("module `{name}` {why}"));
    }
}

#[test]
fn a_module_that_is_no_script_does_not_show_what_is_in_it() {
    let project = Project::of("").with("secret.rhai", "\n\npassword = hunter2supersecret\n");
    assert_eq!(not_imported(&project, "secret"), "there is no variable `password`");
    let project = Project::of("").with("binary.rhai", "hunter2\u{0}\u{1b}[2J'\"");
    not_imported(&project, "binary");
    let project = Project::of("").with("big.rhai", &" ".repeat((1 << 20) + 1));
    assert_eq!(not_imported(&project, "big"), "module `big` is larger than 1 MiB");
}

#[test]
fn modules_that_import_each_other_are_refused_by_their_path() {
    let own = Project::of("import \"a\" as a; fn act() { a::f() }").with("a.rhai", "import \"a\" as a; fn f() { }");
    assert_eq!(own.fails("act").1.message, "modules import each other: a → a");
    let three = Project::of("import \"a\" as a; fn act() { a::f() }")
        .with("a.rhai", "import \"b\" as b; fn f() { }")
        .with("b.rhai", "import \"c\" as c; fn f() { }")
        .with("c.rhai", "import \"a\" as a; fn f() { }");
    assert_eq!(three.fails("act").1.message, "modules import each other: a → b → c → a");
}

#[test]
fn modules_are_limited_in_depth_and_number() {
    let deep = (1..=20).fold(Project::of("import \"m0\" as m; fn act() { }").with("m20.rhai", ""), |project, i| {
        project.with(&format!("m{}.rhai", i - 1), &format!("import \"m{i}\" as m;"))
    });
    assert_eq!(deep.fails("act").1.message, "modules import each other more than 16 deep");
    let imports: String = (0..80).map(|i| format!("import \"m{i}\" as m{i};\n")).collect();
    let many = (0..80).fold(Project::of(&imports), |project, i| project.with(&format!("m{i}.rhai"), ""));
    assert_eq!(many.load().err().unwrap().message, "more than 64 modules are imported");
}

#[test]
fn a_command_put_together_from_texts_is_refused_before_anything_runs_wherever_it_stands() {
    let bad = "fn f(host, x) { host.run(`rm ${x}`) }";
    let direct = Project::of(bad).load().err().unwrap();
    let nested =
        Project::of("import \"a\" as a; fn act() { }").with("a.rhai", "import \"b\" as b;").with("b.rhai", bad);
    let nested = nested.load().err().unwrap();
    let later =
        Project::of("fn act() { ui::note(\"began\"); let name = \"b\"; import name as b; }").with("b.rhai", bad);
    for failure in [direct, nested, later.fails("act").1] {
        assert_eq!(failure.reason(), Reason::Fabfile);
        assert!(failure.message.starts_with("the command of `run` is put together from texts"), "{failure:?}");
        assert!(failure.help.unwrap().contains("{file}"));
    }
}

#[test]
fn a_line_for_a_shell_stands_in_a_file_however_sh_is_called() {
    let tools = "fn made(name, line) { Fn(name).call(line) } fn name() { \"sh\" }";
    for made in [
        "line.sh()",
        "(\"echo \" + x).sh()",
        "Fn(\"sh\").call(line)",
        "Fn(name).call(line)",
        "call(Fn(name), line)",
        "Fn(name).curry(line).call()",
        "curry(Fn(name), line).call()",
        "[line].map(name)[0]",
        "[line].map(Fn(name))[0]",
        "[#{}].map(Fn(name).curry(line))[0]",
        "#{ make: Fn(name) }.make.call(line)",
        "other::made(name, line)",
        "other::made(other::name(), line)",
        "sh(line)",
        "(|line| sh(line)).call(line)",
    ] {
        let act = format!(
            "import \"other\" as other; fn act(x) {{ let line = `echo ${{x}}`; let name = other::name(); let made = {made}; \
             targets().first().each(|host| host.run(made)); }}"
        );
        let project = Project::of(&act).with("other.rhai", tools);
        let failure = match project.load() {
            Err(failure) => failure,
            Ok(_) => project.fails("act:$(id)").1,
        };
        assert!(failure.message.starts_with("the line of `sh` isn't a literal"), "{made}: {failure:?}");
    }
    let good = "fn act(x) { let name = \"sh\"; ui::note(sh(\"echo $x\", #{ x: x }).to_string()); \
                ui::note(Fn(name).call(\"echo $x\").to_string()); }";
    assert_eq!(Project::of(good).run("act:1").ended.exit, Exit::Done);
}

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
fn an_effect_at_the_top_level_of_a_file_is_refused() {
    let call = "fn act() { }";
    for top in [
        "ui::note(\"x\");",
        "let x = fleet(\"fleet.toml\");",
        "for host in targets() { host.run(\"touch /tmp/x\"); }",
        "let x = [1].map(|i| ui::note(\"x\"));",
        "defer(|| 1);",
        "private fn f() { clock::now() } let x = f();",
    ] {
        let project = Project::of(&format!("{top} {call}"));
        let (exit, failure) = project.fails("act");
        assert_eq!(exit, Exit::Fabfile, "{top}: {failure:?}");
        assert!(failure.message.ends_with("is called at the top level of a file, where no task runs"), "{failure:?}");
        let ran = project.run("act");
        assert!(project::notes(&ran).is_empty() && ran.effects == 0, "{top}");
        let module = Project::of("import \"m\" as m; fn act() { }").with("m.rhai", top);
        let (exit, failure) = module.fails("act");
        assert!(exit == Exit::Fabfile && failure.message.contains("at the top level"), "{top}: {failure:?}");
    }
    assert_eq!(Project::of("const A = 20 + 1; fn act() { ui::note(`${A}`); }").notes("act"), ["21"]);
}

#[test]
fn a_function_that_would_be_called_instead_of_a_primitive_is_refused_and_written_with_an_underscore() {
    for name in ["run", "capture", "sudo", "targets", "fleet", "select", "defer", "step"] {
        let failure = Project::bare(&format!("fn {name}(x) {{ }}")).load().err().unwrap();
        assert_eq!(failure.message, format!("function `{name}` would be called instead of the primitive `{name}`"));
        assert_eq!(failure.help.unwrap(), format!("write it `fn {name}_()`; it is still typed `{name}`"));
    }
    let project = Project::of("fn run_(x) { ui::note(`ran ${x}`); }\nfn sync_() { ui::note(\"synced\"); }");
    assert_eq!(project.notes("run:3 sync"), ["ran 3", "synced"]);
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
            rfab::event::What::StepStarted { step, .. } => Some(format!("{step} began")),
            rfab::event::What::StepFinished { step, failed, .. } => Some(format!("{step} failed: {failed}")),
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

#[test]
fn a_closure_of_the_fabfile_means_the_fabfiles_imports_also_inside_the_stdlib() {
    let fabfile = "
        import \"std/deploy\" as deploying;
        import \"mine\" as units;
        fn release(reference) {
            deploying::release(reference, #{
                restart: |host| { units::hello(host); prepared(host, GREETING, 0); service::restart(host) }
            })
        }
        const GREETING = \"helped\";
        // Named like a function of std/deploy.
        private fn prepared(host, text, nothing) { ui::note(host, text); }
        fn broken(reference) { deploying::release(reference, #{ restart: |host| breaking(host) }) }
        private fn breaking(host) {
            throw `${host} breaks`;
        }";
    let project = Project::of(fabfile).with("mine.rhai", "fn hello(host) { ui::note(host, \"hello\"); }").tagged();
    let notes = project.notes("prod release:stable");
    assert_eq!(notes.iter().filter(|note| note.ends_with("hello")).count(), 5, "{notes:?}");
    assert_eq!(notes.iter().filter(|note| note.ends_with("helped")).count(), 5, "{notes:?}");
    let places = project.fails("prod broken:stable").1.places;
    let places: Vec<String> =
        places.iter().map(|p| format!("{}: {}", p.file, p.text.lines().nth(p.line - 1).unwrap().trim())).collect();
    assert_eq!(places[0], "fabfile.rhai: throw `${host} breaks`;", "{places:?}");
    assert!(places[1].starts_with("fabfile.rhai: fn broken(reference)"), "{places:?}");
}

/// A made-up world in which commands here, and servers, say this; all else ends well and says nothing.
fn saying(said: &[(&str, i32, &str)]) -> Model {
    let mut model = Model::new();
    let said = said.iter().map(|(what, status, out)| {
        (what.to_string(), Said { status: *status, out: out.to_string(), err: String::new() })
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
        ("local::read(\"../x\")", "`../x` isn't below the fabfile's folder"),
        ("local::exists(\"/etc\")", "`/etc` isn't below the fabfile's folder"),
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
            Some("write the hosts under `[hosts]` of a fleet that is made for it")
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
