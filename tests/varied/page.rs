//! The page that lists what rfab is tested with, made from the table.
use lab::{
    choices::{
        rows::Rows,
        table::{bars, choices},
    },
    page,
};
use std::fmt::Write as _;

fn text() -> String {
    let rows = Rows::of(1);
    let mut text = String::from(
        "# What rfab is tested with\n\n<!-- Made by `scripts/pages` from the table in `tests/lab/choices`; don't edit. -->\n\n\
         People set up their hosts, their HAProxy and their repositories in many ways. This page lists the ways\n\
         that a test tries, and the result that each must have.\n\n\
         The test plays through whole days of work. A day has a first release, the five commands of the README,\n\
         and a broken release. One run dies and is resumed, and another dies and is aborted. Then come a rollback\n\
         and `status`. Clients send requests all the time, and no request may fail. At the end, every host must be\n\
         in the right state.\n\n\
         There are too many combinations to try them all. So a generator makes a covering set: any two values below\n\
         occur together in at least one day, unless they're listed under\n\
         [What can't be combined](#what-cant-be-combined). If a day must end with a refusal, the table shows which\n\
         one, and the run must not have changed anything.\n",
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
        "\nThe test never combines two refused values, because a run ends at the first refusal.\n\n\
         ## Run the days\n\n\
         CI plays two of the {} days each calendar day, and different ones the next day. Over a slow network, a day\n\
         can take 17 minutes, so CI plays all of its days over a fast one. To play them yourself:\n\n\
         \x20   RFAB_VARIED=rows cargo test --test varied    # print all\n\
         \x20   RFAB_VARIED=all cargo test --test varied     # play all; what has passed isn't repeated when you type it again\n\
         \x20   RFAB_SEED=2 RFAB_VARIED=all cargo test --test varied    # other combinations\n\n\
         The programs of a Debian release come from `debootstrap`, which takes minutes for each release.\n\
         `RFAB_VARIED=all` makes the missing ones and keeps them below `target`, or in the folder that `RFAB_ROOTS`\n\
         names. If a release is missing in CI, the two days use the programs of CI's own machine instead, and\n\
         report it.\n",
        rows.count()
    );
    text
}

fn title(name: &str) -> &'static str {
    choices().into_iter().find(|choice| choice.name == name).map_or("", |choice| choice.title)
}

#[test]
fn the_page_of_what_is_tested_is_made_from_the_table() {
    page::check("tested.md", &text());
}
