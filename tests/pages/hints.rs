//! Habits from other languages: each row of the table is found in its example, and correct Rhai gets no hint.

use crate::project::Project;
use lab::page;
use rfab::{
    failure::{Exit, Failure},
    report::{self, Palette},
    script::hints,
};
use std::env;

/// Returns what is wrong with a file, before any of it runs.
fn wrong(text: &str) -> Option<Failure> {
    match Project::bare(text).load() {
        Err(failure) => Some(failure),
        Ok(project) => project.check().err(),
    }
}

/// Returns the whole report on a file.
fn shown(text: &str) -> String {
    let failure = wrong(text).unwrap_or_else(|| panic!("nothing is wrong with: {text}"));
    report::failure(&failure, Palette { color: false })
}

#[test]
fn each_row_is_what_its_example_is_told() {
    let mut missed = String::new();
    for row in hints::rows() {
        let help = wrong(row.example).and_then(|failure| failure.help);
        let said = row.hint.split("{word}").all(|part| help.as_ref().is_some_and(|help| help.contains(part)));
        if !said {
            missed += &format!("{:?}\n  wanted: {}\n  got:    {help:?}\n", row.example, row.hint);
        }
    }
    assert!(missed.is_empty(), "{missed}");
}

#[test]
fn the_page_of_habits_is_made_from_the_rows() {
    let mut text = "# Habits of other languages\n\n<!-- Made by `scripts/pages` from `src/script/hints/rows.rs`; don't edit. -->\n\n\
        Rhai spells some things differently from Python, Ruby and JavaScript. If a fabfile doesn't compile because of that, rfab\n\
        shows the spelling of Rhai. This page lists what it shows.\n"
        .to_owned();
    for row in hints::rows() {
        let report = shown(row.example);
        let lines: Vec<&str> = report.lines().map(str::trim_end).collect();
        text += &format!("\n```text\n{}\n```\n", lines.join("\n"));
    }
    text += "\n## Functions by the names that they have elsewhere\n\n| function | what rfab shows |\n|---|---|\n";
    for (names, hint) in hints::functions() {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        text += &format!("| {} | {} |\n", names.join(", "), hint.replace('|', "\\|"));
    }
    page::check("habits.md", &text);
}

#[test]
fn a_function_of_another_language_is_told_the_one_of_rhai() {
    for (names, hint) in hints::functions() {
        for name in *names {
            let help = wrong(&format!("fn f(x) {{ {name}(x, 1, 2, 3) }}")).and_then(|failure| failure.help);
            assert_eq!(help.as_deref(), Some(*hint), "{name}");
        }
    }
}

#[test]
fn what_rhai_has_too_is_left_alone() {
    for body in [
        "if a { 1 } else if b { 2 } else { 3 };",
        "let c = 1; c += 1; c -= 1; c *= 2;",
        "let last = [1, 2][-1];",
        "len([1]) + [1].len() + \"x\".len;",
        "{ 1 };",
        "for (x, i) in [1] { if x in [1] { continue; } if x !in [1] { break; } }",
        "let c = 'x'; let t = \"it's\"; let u = `${a} 'b' # c`; let r = #\"a\\b\"#;",
        "do { a += 1; } until a > 3;",
        "let m = #{ \"public\": 1, and: 2, None: 3 }; m.None; m?.x; m[\"and\"] ?? 1;",
        "try { throw #{ code: 1 } } catch (failure) { throw }",
        "switch a { 1 => 2, \"x\" if b => 3, _ => 4 }",
        "let f = |x, y| x + y; f.call(1, 2); [1].map(|x| x ** 2).filter(|x| x > 1);",
        "let not_yet = 1; let elif_ = 2; let end_ = not_yet + elif_; /* and, or, not: None */",
    ] {
        assert_eq!(wrong(&format!("fn f(a, b) {{ {body} }}")), None, "{body}");
    }
}

#[test]
fn a_mistake_that_is_no_habit_gets_no_hint_of_one() {
    for (body, help) in [
        ("let x = not_there;", None),
        ("let value = 1; valeu + 1", Some("did you mean `value`?")),
        ("let value = 1; valeu = 2;", Some("did you mean `value`?")),
        ("let x = ;", None),
        ("switch a { 1 => 2, other => 3 }", None),
        ("switch a { other => 3 }", None),
        ("let x = a[;", None),
        ("let x = f(a b);", None),
        ("if a b { }", None),
        ("let x = #{ a 1 };", None),
        ("let match = 1;", Some("write `match_`; a task of that name is still typed `match`")),
        ("let new = 1;", Some("write `new_`; a task of that name is still typed `new`")),
        ("let x = case;", Some("write `case_`; a task of that name is still typed `case`")),
        ("let x = ~a;", None),
        ("ui::note(\"x\"", Some("look for a `{`, `(`, `[`, `` ` `` or `\"` that isn't closed")),
    ] {
        let (head, tail) = if body.starts_with("ui") { ("fn f(a) { ", "") } else { ("fn f(a) { ", " }") };
        let failure = wrong(&format!("{head}{body}{tail}")).unwrap_or_else(|| panic!("{body}"));
        let said = failure.help.as_deref();
        assert_eq!(said, help, "{body}: {}", failure.message);
    }
}

#[test]
fn a_file_that_stops_in_the_middle_of_a_character_or_a_line_is_no_panic() {
    for row in hints::rows() {
        let text = row.example.replace("x", "é");
        for (end, _) in text.char_indices().step_by(5) {
            wrong(&text[..end]);
        }
    }
}

#[test]
fn a_value_of_another_kind_than_the_habit_thinks_is_told_when_it_is_used() {
    for (body, message, help) in [
        (
            "'x'.len()",
            "no function `len` takes (char)",
            "single quotes are for a single character; write a string in double quotes: `\"x\"`",
        ),
        ("int(\"7\")", "no function `int` takes (text)", "write `number(text)`"),
        ("let list = [1]; list.length", "there is no property `length` of this value", "write `list.len()`"),
    ] {
        let failure = Project::of(&format!("fn act() {{ {body} }}")).fails("act").1;
        assert_eq!((failure.message.as_str(), failure.help.as_deref()), (message, Some(help)), "{body}");
    }
}

#[test]
fn a_text_that_nothing_fills_is_shown_with_the_way_to_fill_it() {
    assert_eq!(
        shown("fn f(reference) {\n    ui::note(\"deploying ${reference}\");\n}\n"),
        "\
error: `reference` isn't inserted: strings in double quotes are literal
   ╭─[fabfile.rhai:2:14]
 1 │ fn f(reference) {
 2 │     ui::note(\"deploying ${reference}\");
   ·              ────────────────────────
 3 │ }
   ╰────
  help: write the text in backticks: `` `to ${name}` ``
"
    );
    assert_eq!(
        shown("fn f(host, path) {\n    host.run(\"ls #{path}\");\n}\n"),
        "\
error: `path` isn't inserted: strings in double quotes are literal
   ╭─[fabfile.rhai:2:14]
 1 │ fn f(host, path) {
 2 │     host.run(\"ls #{path}\");
   ·              ────────────
 3 │ }
   ╰────
  help: write `host.run(\"ls {folder}\", #{ folder: path })`: each value stays one word
"
    );
}

#[test]
fn a_file_that_wants_another_rfab_says_so_before_anything_else() {
    assert_eq!(
        shown("// Deploys of the shop.\n//! rfab >= 99.4\n\nnew words of a later rfab\n"),
        format!(
            "\
error: `fabfile.rhai` requires rfab >= 99.4, but this is {}
   ╭─[fabfile.rhai:2:10]
 1 │ // Deploys of the shop.
 2 │ //! rfab >= 99.4
   ·          ───────
 3 │ 
   ╰────
  help: install an rfab of that version, or change this line if the file works with this one
",
            env!("CARGO_PKG_VERSION")
        )
    );
    let module = Project::bare("import \"shop\" as shop;").with("shop.rhai", "//! rfab < 0.0.1\n");
    let failure = module.load().err().unwrap();
    assert!(failure.message.starts_with("`shop.rhai` requires rfab < 0.0.1, but this is "), "{failure:?}");
    assert_eq!(failure.reason().exit(), Exit::Fabfile);
}

#[test]
fn a_slip_in_the_name_of_a_module_or_a_dot_for_a_namespace_is_told() {
    let module = Project::bare("import \"shp\" as shop;").with("shop.rhai", "");
    for (project, message, help) in [
        (module, "module `shp` isn't there", "did you mean `shop`?"),
        (
            Project::bare("import \"std/deplo\" as d; fn f() { d::deploy(1, #{}) }"),
            "module `std/deplo` isn't in the stdlib",
            "did you mean `std/deploy`?",
        ),
        (
            Project::bare("fn f() { ui.note(\"x\") }"),
            "there is no variable `ui`",
            "`ui` is a namespace: write `ui::…(…)`, with `::`",
        ),
    ] {
        let failure = project.load().and_then(|project| project.check()).unwrap_err();
        assert_eq!((failure.message.as_str(), failure.help.as_deref()), (message, Some(help)));
    }
}
