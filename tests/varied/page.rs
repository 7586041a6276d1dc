//! The page that says what rfab is tested with, made by the table.
use crate::choices::{
    rows::Rows,
    table::{bars, choices},
};
use std::{env, fmt::Write as _, fs, path::Path};

fn text() -> String {
    let rows = Rows::of(1);
    let mut text = String::from(
        "# What rfab is tested with\n\n<!-- Written by `tests/varied` from its table; don't edit. -->\n\n\
         People set up their hosts, their HAProxy and their repositories in many ways. This page lists the ways\n\
         that a test tries, and how each has to end.\n\n\
         The test plays whole days of work. A day has the first release, the five commands of the README, and a\n\
         release that is broken. One run dies and is resumed, and another dies and is aborted. Then come a rollback\n\
         and `status`. Clients send requests all the time, and no request may fail. At the end, every host must be\n\
         as it should be.\n\n\
         Nobody can try every combination. So a generator makes a covering set: any two things below occur together\n\
         in at least one day, unless they are listed under [What can't be combined](#what-cant-be-combined). If a\n\
         day must end with a refusal, the table shows which one, and then nothing may have changed.\n",
    );
    for choice in choices() {
        let _ = write!(text, "\n## {}\n\n| | what is tried | result |\n|---|---|---|\n", choice.title);
        for value in choice.values {
            let end = match value.refused {
                None => "passes".to_owned(),
                Some(refusal) => {
                    format!("refused with [exit code](exit-codes.md) {}: \"{}\"", refusal.code, refusal.says)
                }
            };
            let _ = writeln!(text, "| {} | {} | {end} |", value.name, value.what.replace('|', "\\|"));
        }
    }
    text.push_str("\n## What can't be combined\n\n| | | why |\n|---|---|---|\n");
    let named = |(choice, values): (&str, &[&str])| format!("{}: {}", title(choice), values.join(", "));
    for bar in bars() {
        let _ = writeln!(text, "| {} | {} | {} |", named(bar.one), named(bar.other), bar.why);
    }
    let _ = write!(
        text,
        "\nThe test never combines two things that are refused, because a run ends at the first refusal.\n\n\
         ## Run the days\n\nCI plays two of the {} days on each calendar day, and different ones on the next:\n\n\
         \x20   RFAB_VARIED=rows cargo test --test varied    # print all\n\
         \x20   RFAB_VARIED=all cargo test --test varied     # play all; what has passed isn't repeated when you type it again\n\
         \x20   RFAB_SEED=2 RFAB_VARIED=all cargo test --test varied    # other combinations\n\n\
         The programs of a Debian release come from `debootstrap`, which takes minutes for each release.\n\
         `RFAB_VARIED=all` makes the releases that are missing. It keeps them below `target`, or in the folder that\n\
         `RFAB_ROOTS` names. If a release is missing in CI, the two days use the programs of CI's own machine and\n\
         report it.\n",
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
        "docs/tested.md isn't what the table says; write it by `UPDATE=1 cargo test --test varied page`"
    );
}
