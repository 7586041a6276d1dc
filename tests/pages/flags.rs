//! The flags as people read them: the help, and the page that is made from it.
use clap::Arg;
use lab::page;
use rfab::cli::{beside, flags};

#[test]
fn the_help_is_made_from_the_flags() {
    page::check("../src/cli/help.txt", &flags::help());
}

/// A flag as the page names it: `-f`, `--fabfile FILE`.
fn named(flag: &Arg) -> String {
    let long = flag.get_long().expect("a flag");
    let value = flag.get_value_names().into_iter().flatten().next().filter(|_| flag.get_action().takes_values());
    let optional = flag.get_num_args().is_some_and(|count| count.min_values() == 0);
    let value = match value {
        None => String::new(),
        Some(value) if flag.is_require_equals_set() => format!("[={value}]"),
        Some(value) if optional => format!(" [{value}]"),
        Some(value) => format!(" {value}"),
    };
    let short = flag.get_short().map(|short| format!("`-{short}`, ")).unwrap_or_default();
    format!("{short}`--{long}{value}`")
}

#[test]
fn the_page_of_flags_is_made_from_their_definition() {
    let definition = flags::command();
    let flags: Vec<&Arg> = definition.get_arguments().filter(|flag| flag.get_long().is_some()).collect();
    let mut text = "# Flags\n\n<!-- Made by `scripts/pages` from `src/cli/`; don't edit. -->\n\n\
        `rfab --help` shows the same in the terminal. rfab refuses a flag that means nothing with the rest of the line\n\
        (exit code 2), and the error says what the flag is for.\n"
        .to_owned();
    let mut heading = None;
    for flag in flags {
        if heading != flag.get_help_heading() {
            heading = flag.get_help_heading();
            text += &format!("\n## {}\n\n| flag | what it does | for |\n|---|---|---|\n", heading.expect("a heading"));
        }
        let help = flag.get_help().map(ToString::to_string).unwrap_or_default();
        let purpose = beside::purpose(flag.get_id().as_str()).unwrap_or_else(|| "instead of tasks".to_owned());
        let cells = [named(flag), help, purpose.replace("'--", "`--").replace('\'', "`")];
        text += &format!("| {} |\n", cells.map(|cell| cell.replace('|', "\\|")).join(" | "));
    }
    page::check("flags.md", &text);
}
