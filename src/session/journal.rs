//! What comes through the door, and what came of it, for who goes on from there.
use super::{Layer, Rest};
use crate::{
    effect::{Answered, Call, Kind},
    failure::Failure,
    store::{Journal, Record},
};
use std::{io, sync::Arc};

/// The layer, which a run in the made-up world may do without.
pub struct Journaled(pub Arc<Journal>);

impl Layer for Journaled {
    fn pass(&self, call: Call<'_>, rest: Rest<'_>) -> Answered {
        let journal = &*self.0;
        let (effect, lane, number) = (call.effect, call.lane.path.clone(), call.number);
        let changes = matches!(effect.kind(), Kind::Change | Kind::Once);
        let begun = Record::Effect {
            lane: lane.clone(),
            number,
            name: effect.name().to_owned(),
            kind: effect.kind(),
            host: effect.subject().host().cloned(),
            text: effect.describe(),
            recorded: effect.recorded(),
        };
        // What only reads may go on without a journal; a change may not.
        write(journal, &begun, changes).or_else(|e| if changes { Err(unwritten(&e)) } else { Ok(()) })?;
        let began = rest.world().now(call.lane);
        let answered = rest.pass(call);
        let took = rest.world().now(call.lane).saturating_sub(began);
        let ended = match &answered {
            Ok(outcome) => Record::Answered { lane, number, took, outcome: outcome.json() },
            Err(failure) => Record::Failed { lane, number, took, failure: failure.clone() },
        };
        // If it cannot be written the next change finds that out; this one was made.
        let _ = write(journal, &ended, changes);
        answered
    }
}

fn write(journal: &Journal, record: &Record, durable: bool) -> io::Result<()> {
    journal.append(&serde_json::to_vec(record).map_err(io::Error::other)?, durable)
}

fn unwritten(e: &io::Error) -> Failure {
    Failure::failed(format!("this run's journal can no longer be written: {e}"))
        .help("nothing more is changed; make room for it, then type the line again")
}
