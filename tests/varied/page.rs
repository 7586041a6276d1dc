//! The page that says what rfab is tested with, made by the table.
use crate::choices::{
    rows::Rows,
    table::{bars, choices},
};
use std::{env, fmt::Write as _, fs, path::Path};

fn text() -> String {
    let rows = Rows::of(1);
    let mut text = String::from(
        "# What rfab is tested with\n\n<!-- Written by `tests/varied` from its table; do not edit. -->\n\n\
         People set up their hosts, their HAProxy and their repositories in many ways. This page lists the ways that a test takes in turn, two rows of them in each run, and how each row has to end. A row is a whole day:\n\
         the first release, the five commands, a release that is broken, one that dies and is resumed, one that dies and is taken back, a rollback, and `status`.\n\
         All the time customers send requests, and no request may fail. At the end every host must stand as it should.\n\n\
         No one can try every combination, so a generator makes a covering set: any two things below occur together in at least one day, unless\n\
         they are listed under [What can't stand together](#what-cant-stand-together). Where a day must end with a refusal, the table says which, and nothing may have been changed then.\n",
    );
    for choice in choices() {
        let _ = write!(text, "\n## {}\n\n| | what is tried | how it ends |\n|---|---|---|\n", choice.title);
        for value in choice.values {
            let end = match value.refused {
                None => "well".to_owned(),
                Some(refusal) => {
                    format!("refused with [exit code](exit-codes.md) {}: \"{}\"", refusal.code, refusal.says)
                }
            };
            let _ = writeln!(text, "| {} | {} | {end} |", value.name, value.what.replace('|', "\\|"));
        }
    }
    text.push_str("\n## What can't stand together\n\n| | | why |\n|---|---|---|\n");
    let named = |(choice, values): (&str, &[&str])| format!("{}: {}", title(choice), values.join(", "));
    for bar in bars() {
        let _ = writeln!(text, "| {} | {} | {} |", named(bar.one), named(bar.other), bar.why);
    }
    let _ = write!(
        text,
        "\nTwo things that are refused aren't tried together: a run ends at the first refusal.\n\n\
         ## Running them\n\nTwo of the {} days are lived each day in CI, other ones each day:\n\n\
         \x20   RFAB_VARIED=rows cargo test --test varied    # print all\n\
         \x20   RFAB_VARIED=all cargo test --test varied     # live all; what has passed isn't repeated when you type it again\n\
         \x20   RFAB_SEED=2 RFAB_VARIED=all cargo test --test varied    # other combinations\n\n\
         The programs of a release of Debian come from `debootstrap`, which takes minutes for each. `RFAB_VARIED=all` makes those that are\n\
         missing, and keeps them below `target` or in the folder that `RFAB_ROOTS` names. The two days of CI have the programs of its own machine for what is missing, and say so.\n",
        rows.len()
    );
    text
}

fn title(name: &str) -> &'static str {
    choices().into_iter().find(|choice| choice.name == name).map_or("", |choice| choice.title)
}

#[test]
fn the_page_says_what_the_table_has() {
    let file = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/tested.md"));
    if env::var_os("UPDATE").is_some_and(|update| update == "1") {
        fs::write(file, text()).expect("the page");
    }
    let found = fs::read_to_string(file).unwrap_or_default();
    assert!(
        found == text(),
        "docs/tested.md is not what the table says; write it by `UPDATE=1 cargo test --test varied page`"
    );
}
