//! Commands and shell lines aren't put together from texts.

use crate::project::Project;
use rfab::failure::{Exit, Reason};

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
        assert!(failure.message.starts_with("the command of `run` is built by joining strings"), "{failure:?}");
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
