//! Which runs `--history` lists, as flags.
use super::when;
use crate::store::{Ending, Filter};
use clap::{
    Args,
    builder::{NonEmptyStringValueParser, PossibleValuesParser, TypedValueParser},
    value_parser,
};

/// The most runs to list by default.
const MOST: u32 = 30;

/// The flags beside `--history`.
#[derive(Args)]
#[command(next_help_heading = "Which runs --history lists")]
pub(super) struct HistoryFlags {
    /// List only runs on this fleet
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    fleet: Option<String>,
    /// List only runs with this task
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    task: Option<String>,
    /// List only runs with this outcome: done, left-out, failed, interrupted, aborted, unfinished, running; repeatable
    #[arg(long, value_name = "ENDING", value_parser = ending_parser(), hide_possible_values = true)]
    outcome: Vec<Ending>,
    /// List only runs that began at TIME or later: 2h, 3d, 2026-11-24, or 2026-11-24T18:00
    #[arg(long, value_name = "TIME", value_parser = when::read)]
    since: Option<i64>,
    /// List only runs that began before TIME
    #[arg(long, value_name = "TIME", value_parser = when::read)]
    until: Option<i64>,
    /// List at most the N newest runs [default: 30]
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..))]
    newest: Option<u32>,
}

impl HistoryFlags {
    /// Returns which runs to list, and at most how many.
    pub(super) fn chosen(&self) -> (Filter, usize) {
        let HistoryFlags { fleet, task, outcome, since, until, newest } = self;
        let (fleet, task, endings) = (fleet.clone(), task.clone(), outcome.clone());
        let filter = Filter { fleet, task, endings, since: *since, until: *until };
        (filter, newest.unwrap_or(MOST) as usize)
    }
}

fn ending_parser() -> impl TypedValueParser<Value = Ending> {
    let of = |word: String| Ending::ALL.into_iter().find(|ending| ending.word() == word);
    PossibleValuesParser::new(Ending::ALL.map(Ending::word)).map(move |word| of(word).expect("it is one of them"))
}
