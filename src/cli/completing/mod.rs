//! What may be typed next, for shells: asked at each press of a key, so nothing is connected to, and nothing is told
//! but answers.
mod choice;
mod choices;
mod flag;
mod known;
mod shell;
mod sources;
mod typed;

pub use choices::choices;
pub use flag::{Answer, Flag, all, asked, parser};
pub use known::Known;
pub use shell::{Shell, shown};
pub use sources::stems;
