//! A script reaches the world only through its primitives, in a task.

use crate::project::{self, Project};
use rfab::failure::{Exit, Reason};

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
    for name in
        ["run", "capture", "sudo", "targets", "fleet", "select", "defer", "step", "mode", "terminal", "test", "groups"]
    {
        let failure = Project::bare(&format!("fn {name}(x) {{ }}")).load().err().unwrap();
        assert_eq!(failure.message, format!("function `{name}` would be called instead of the primitive `{name}`"));
        assert_eq!(failure.help.unwrap(), format!("write it `fn {name}_()`; it is still typed `{name}`"));
    }
    let project = Project::of("fn run_(x) { ui::note(`ran ${x}`); }\nfn sync_() { ui::note(\"synced\"); }");
    assert_eq!(project.notes("run:3 sync"), ["ran 3", "synced"]);
}
