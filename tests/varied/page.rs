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
         ## Run the days\n\nCI plays two of the {} days on each calendar day, and different ones on the next. Over a slow network,\n\
         a day takes up to 17 minutes, so CI plays its days over a fast one. Play the others yourself:\n\n\
         \x20   RFAB_VARIED=rows cargo test --test varied    # print all\n\
         \x20   RFAB_VARIED=all cargo test --test varied     # play all; what has passed isn't repeated when you type it again\n\
         \x20   RFAB_SEED=2 RFAB_VARIED=all cargo test --test varied    # other combinations\n\n\
         The programs of a Debian release come from `debootstrap`, which takes minutes for each release.\n\
         `RFAB_VARIED=all` makes the releases that are missing. It keeps them below `target`, or in the folder that\n\
         `RFAB_ROOTS` names. If a release is missing in CI, the two days use the programs of CI's own machine and\n\
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
