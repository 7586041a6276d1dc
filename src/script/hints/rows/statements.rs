//! Statements and modules.
use super::{
    super::row::{Habit, RhaiMessage::*, row},
    spelling::IMPORT,
};

pub(super) const STATEMENTS: &[Habit] = &[
    row(
        "fn f() { let [a, b] = [1, 2]; }",
        Else,
        &["[", "(", "{"],
        &["let", "const"],
        &[],
        "one name at a time: `let a = list[0];`",
    ),
    row(
        "fn f() { let x: int = 1; }",
        Missing(";", ""),
        &[":"],
        &["let _"],
        &[],
        "a variable has no type: `let x = 1;`",
    ),
    row("fn f() { const x = 1; x = 2; }", Constant, &[], &[], &[], "declare it with `let`: a `const` keeps its value"),
    row(
        "default_targets = \"prod\";",
        Variable,
        &["default_targets"],
        &["^"],
        &["="],
        "write `const default_targets = …;`",
    ),
    row(
        "fn f() { x = 1; }",
        New,
        &[],
        &["^", "{", ";", "}"],
        &["="],
        "write `let {word} = …;` where it gets its first value",
    ),
    row(
        "fn f(x) { ui::note(\"x\") if x; }",
        Missing(";", ""),
        &["if", "unless"],
        &[")", "_", "\""],
        &[],
        "write the condition first: `if x { … }`",
    ),
    row(
        "fn f() {\n    let x = 1\n    let y = 2;\n}",
        Missing(";", ""),
        &[],
        &["^"],
        &["_", "::", "(", ".", "=", "\""],
        "write `;` after the statement before it",
    ),
    row(
        "fn f() { fn g() { } }",
        Else,
        &["fn"],
        &["{", "^", ";"],
        &[],
        "move it out of the function, or write a closure: `let g = |x| …;` and `g.call(1)`",
    ),
];

pub(super) const MODULES: &[Habit] = &[
    row("from fabric import task", Variable, &["from"], &["^"], &["_"], IMPORT),
    row("import os", Variable, &[], &["^ import"], &[], IMPORT),
    row("import {x} from \"y\";", Variable, &[], &["import {"], &[], IMPORT),
    row(
        "require \"capistrano\"",
        Variable,
        &["require", "include", "load", "require_relative"],
        &["^"],
        &["\"", "'"],
        IMPORT,
    ),
    row("use std::deploy;", Reserved, &["use"], &["^"], &["_"], IMPORT),
];
