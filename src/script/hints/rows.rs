//! The table: what was written, and its Rhai spelling.
mod blocks;
mod closures;
mod functions;
mod names;
mod spelling;
mod statements;
mod values;
mod words;

pub(super) use names::{FUNCTIONS, KEYS};

use super::row::Habit;
use blocks::BLOCKS;
use closures::{CALLS, CLOSURES};
use functions::FUNCTIONS_MADE;
use statements::{MODULES, STATEMENTS};
use values::{TEXTS, VALUES};
use words::WORDS;

/// Every row, grouped by topic; specific rows come before general ones.
pub(super) const ALL: &[&[Habit]] =
    &[VALUES, TEXTS, CLOSURES, CALLS, FUNCTIONS_MADE, BLOCKS, MODULES, WORDS, STATEMENTS];
