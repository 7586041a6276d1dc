//! Blocks.
use super::super::row::{Habit, RhaiMessage::*, row};

const BRACES: &str = "write a block in braces: `if x { … } else { … }`, `for x in list { … }`, `while x { … }`";
const TRY: &str = "write `try { … } catch (failure) { … }`; `failure.kind` and `failure.message` describe the failure";

pub(super) const BLOCKS: &[Habit] = &[
    row("fn f(x) { if x { } elif x { } }", Variable, &["elif", "elsif", "elseif"], &[], &[], "write `else if`"),
    row("fn f() { try:\n 1\nexcept:\n 2 }", Missing("{", "block"), &[":"], &["try"], &[], TRY),
    row("fn f(x) { if x:\n 1 }", Missing("{", "block"), &[":", "then", "do"], &[], &[], BRACES),
    row("fn f(x) { if (x) ui::note(\"x\"); }", Missing("{", "block"), &[], &[")"], &["::", "(", ".", ";"], BRACES),
    row("fn f(x) { if x { }; else { } }", Else, &["else"], &["} ;"], &[], "leave out the `;` between `}` and `else`"),
    row("fn f(x) { unless x { } }", Variable, &["unless"], &[], &[], "write `if !x { … }`"),
    row("fn f(x) { until x { } }", Else, &["until"], &[], &[], "write `while !x { … }`"),
    row("fn f(x) { x += 1; end }", Variable, &["end"], &["^", ";", "}"], &[], "a block ends with `}`"),
    row("fn f() { try { 1 } except { 2 } }", Missing("catch", ""), &["except", "rescue"], &[], &[], TRY),
    row("fn f() { try { 1 } catch Exception { 2 } }", Missing("{", "block"), &[], &["catch"], &[], TRY),
    row("fn f() {\n    begin\n        1\n    rescue\n        2\n    end\n}", Variable, &["begin"], &["^"], &[], TRY),
    row(
        "fn f() { try { 1 } catch { 2 } finally { 3 } }",
        Variable,
        &["finally", "ensure"],
        &[],
        &[],
        "write `defer(|| …);` before it: the closure runs however the task ends",
    ),
    row("fn f(x) { for y of x { } }", Missing("in", ""), &["of"], &[], &[], "write `for x in list { … }`"),
    row(
        "fn f(x) { for k, v in x { } }",
        Missing("in", ""),
        &[","],
        &[],
        &[],
        "write `for key in map.keys() { … map[key] … }`, or `for (x, count) in list { … }`",
    ),
    row(
        "fn f() { for (let i = 0; i < 3; i += 1) { } }",
        Else,
        &["let", "var"],
        &["for ("],
        &[],
        "write `for i in 0..3 { … }`",
    ),
    row(
        "fn f(x) { switch x { case 1: 2 } }",
        Else,
        &["case", "when"],
        &["{", "^", ";"],
        &["_", "\"", "'"],
        "write `switch x { 1 => …, \"two\" => …, _ => … }`",
    ),
    row(
        "fn f(x) { match x { 1 => 2 } }",
        Reserved,
        &["match", "case"],
        &["^", "{", ";", "="],
        &["_"],
        "write `switch x { 1 => …, \"two\" => …, _ => … }`",
    ),
];
