//! What may be typed next, for shells. They ask at each key, so rfab connects to nothing and prints only choices.
mod choice;
mod choices;
mod completer;
mod flag;
mod flag_choices;
mod shell;
mod sources;
mod typed;

pub use choices::choices;
pub use completer::Completer;
pub use flag::{Flag, FlagValue, all, asked, parser};
pub use shell::{Shell, shown};
pub use sources::stems;
