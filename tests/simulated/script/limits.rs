//! How much a script may compute, and how large and how deep its values may get.

use crate::project::Project;
use rfab::failure::Exit;
use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// More time than all these scripts together compute, in a build without optimization.
const LONGEST: Duration = Duration::from_secs(60);

/// Returns how long this process has computed, on all its threads; what else the machine does doesn't count.
fn computed() -> Duration {
    clock_gettime(ClockId::ProcessCPUTime).try_into().expect("no time before the process's own")
}

/// Checks that a task with this body ends soon, with a failure that contains this text.
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
        // Rhai doesn't check a map's size when a key is added.
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
