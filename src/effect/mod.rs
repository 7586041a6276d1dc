//! What a script does to the outside, as values, and the lanes that such values come from.
mod answer;
mod door;
mod fleets;
mod id;
mod read;
mod subject;
mod work;

pub use crate::{event::Kind, port::Admin};
pub use answer::{Answer, Answered};
pub use door::{Ask, At, Call, Door, Effect, Lane, Record, World};
pub use fleets::Fleets;
pub use id::Id;
pub use read::Read;
pub use subject::{Noting, Seen, Story, Subject, Touch};
pub use work::{Alone, Work};
