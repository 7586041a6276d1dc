//! How functions and classes are made.
use super::{
    super::row::{Habit, RhaiMessage::*, row},
    spelling::NO_CLASSES,
};

const FUNCTION: &str = "write `fn name(parameter) { … }`";
const BODY: &str = "write a function's body in braces: `fn name(parameter) { … }`";

pub(super) const FUNCTIONS_MADE: &[Habit] = &[
    row(
        "fn f(x = 1) { }",
        Missing(",", "parameters"),
        &["="],
        &[],
        &[],
        "a parameter has no default; write a second function, `fn name() { name(1) }`",
    ),
    row(
        "fn f(x: string) { }",
        Missing(",", "parameters"),
        &[":"],
        &[],
        &[],
        "a parameter has no type; write its name alone",
    ),
    row(
        "fn f(x, *rest) { }",
        Missing(")", "parameters"),
        &["*", "**", "..."],
        &[],
        &[],
        "write every parameter; if the last one is `options`, it gets each `name=value` of the line, as a map",
    ),
    row("fn f(x) -> int { x }", Else, &["->"], &[], &[], "a function's value has no type; leave `-> …` out"),
    row("fn f() = 1;", Else, &["=", "=>", ":"], &[")"], &[], BODY),
    row("fn f()\n    ui::note(\"x\");\nend", Else, &["ui"], &["^"], &["::"], BODY),
    row(
        "def deploy(reference):\n    pass",
        Variable,
        &["def", "function", "func", "fun", "defn", "sub", "proc"],
        &["^"],
        &["_"],
        FUNCTION,
    ),
    row(
        "task :deploy do\nend",
        Variable,
        &["task", "desc", "namespace"],
        &["^"],
        &[":", "\"", "'"],
        "write `fn deploy() { … }`: every function of a fabfile is a task",
    ),
    row(
        "@task\nfn f() { }",
        Reserved,
        &["@"],
        &["^"],
        &[],
        "leave this out: every function of a fabfile is a task, unless it is a `private fn`",
    ),
    row(
        "pub fn f() { }",
        Variable,
        &["pub"],
        &["^"],
        &["fn"],
        "write `fn`: every function is public, unless it is a `private fn`",
    ),
    row(
        "public fn f() { }",
        Reserved,
        &["public"],
        &["^"],
        &["fn", "function"],
        "write `fn`: every function is public, unless it is a `private fn`",
    ),
    row(
        "export fn f() { }",
        Else,
        &["fn"],
        &["export"],
        &[],
        "write `fn`: every function is public, unless it is a `private fn`",
    ),
    row(
        "async fn f() { }",
        Reserved,
        &["async"],
        &["^"],
        &["fn", "function"],
        "write `fn`; to work on hosts in parallel, write `targets().parallel(|host| …)`",
    ),
    row(
        "fn take-out() { }",
        Else,
        &["-"],
        &["fn _"],
        &[],
        "a name has letters, digits and `_`; you can also type a task `take_out` as `take-out`",
    ),
    row("class Deploy { }", Variable, &["class"], &["^"], &["_"], NO_CLASSES),
];
