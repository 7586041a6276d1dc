//! Closures, and how functions are called.
use super::super::row::{Habit, RhaiMessage::*, row};

const CLOSURE: &str = "write a closure: `|host| …`, as in `targets().each(|host| host.run(\"uptime\"))`";
const MAP: &str = "write a map as `#{ key: value }`";
const ARGUMENTS: &str = "arguments have no names: write the values in order, and options as a map, `#{ at_once: 2 }`";

pub(super) const CLOSURES: &[Habit] = &[
    row("fn f() { targets().each(lambda host: host.name); }", Variable, &["lambda"], &[], &[], CLOSURE),
    row("fn f() { targets().each(function(host) { 1 }); }", Variable, &[], &["function ("], &[], CLOSURE),
    row("fn f() { targets().each(fn(host) { 1 }); }", Else, &["fn"], &["(", ",", "="], &[], CLOSURE),
    row("fn f() { targets().each(def host: 1); }", Variable, &["def", "function"], &["(", ",", "="], &[], CLOSURE),
    row("fn f() { targets().each(host => host.name); }", Variable, &[], &["(", ",", "="], &["=>", "->"], CLOSURE),
    row(
        "fn f() { targets().each((host) => host.name); }",
        Variable,
        &[],
        &["("],
        &[") =>", ") ->", ", _ ) =>"],
        CLOSURE,
    ),
    row("fn f(x) { let g = x => x; }", Missing(";", ""), &["=>", "->"], &[], &[], CLOSURE),
    row("fn f(x) { targets().each(x => x); }", Missing(",", "arguments"), &["=>", "->"], &[], &[], CLOSURE),
    row("fn f() { targets().each do |host| host.name end }", Missing(";", ""), &["do"], &[")", "_"], &["|"], CLOSURE),
    row("fn f() { targets().each { |host| host.name } }", Missing(";", ""), &["{"], &[")", "_"], &["|"], CLOSURE),
];

pub(super) const CALLS: &[Habit] = &[
    row("fn f() { let x = { a: 1 }; }", Variable, &[], &["= {", "( {", ", {", "return {"], &[":"], MAP),
    row("fn f() { let x = {\"a\": 1}; }", Missing(";", ""), &[":"], &["{ \"", "{ `"], &[], MAP),
    row("fn f() { let x = #{ a = 1 }; }", Missing(":", "map"), &["=", "=>"], &[], &[], MAP),
    row("fn f() { targets().each(at_once=2, |host| 1); }", Variable, &[], &["(", ","], &["=", ":"], ARGUMENTS),
    row("fn f(x) { ui::note(x=1); }", Missing(",", "arguments"), &["=", ":"], &[], &[], ARGUMENTS),
];
