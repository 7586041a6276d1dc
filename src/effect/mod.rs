//! What a script does to the outside, as values, and the lanes that such values come from.
mod answer;
mod door;
mod fleets;
mod id;
mod read;
mod subject;
mod work;

pub use crate::{event::EffectKind, port::Admin};
pub use answer::{Answered, AnyOutcome};
pub use door::{AnyEffect, Ask, At, Call, Door, Effect, Lane, World};
pub use fleets::Fleets;
pub use id::Id;
pub use read::Read;
pub use subject::{Happened, LedgerDetail, LedgerWrite, Subject, Touch};
pub use work::{Alone, LaneWork};
