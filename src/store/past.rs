//! What a run did in earlier attempts, to be handed back when it is resumed.
use super::Record;
use crate::{failure::Failure, host::Name};
use serde_json::value::RawValue;
use std::collections::HashMap;

/// The effects of earlier attempts, by lane and number; of none for a run that begins.
#[derive(Debug, Default)]
pub struct Past(HashMap<(Name, u32), Known>);

/// An effect that came to the door before.
#[derive(Debug)]
pub struct Known {
    pub name: String,
    pub text: String,
    pub recorded: Box<RawValue>,
    /// Whether it is the last change of something: whether it still holds is to be looked at.
    pub last: bool,
    /// None while nobody knows how it ended.
    pub end: Option<Result<Box<RawValue>, Failure>>,
}

impl Past {
    /// Reads what a journal has. What `defer`s did belongs to their attempt, and is left out.
    pub fn of(records: Vec<Record>) -> Past {
        let mut past = Past::default();
        let mut last: HashMap<String, (Name, u32)> = HashMap::new();
        // The latest effect of each lane.
        let mut latest: HashMap<Name, u32> = HashMap::new();
        for record in records {
            match record {
                Record::Effect { lane, number, name, text, recorded, things, .. } if !lane.contains('!') => {
                    for thing in things {
                        last.insert(thing, (lane.clone(), number));
                    }
                    latest.insert(lane.clone(), number);
                    past.0.insert((lane, number), Known { name, text, recorded, last: false, end: None });
                }
                Record::Answered { lane, number, outcome, .. } => past.end(lane, number, Ok(outcome)),
                Record::Failed { lane, number, failure, .. } => past.end(lane, number, Err(failure)),
                Record::Begun(_) | Record::Effect { .. } | Record::Step { .. } | Record::Ended(_) => {}
            }
        }
        for id in last.into_values() {
            past.0.entry(id).and_modify(|known| known.last = true);
        }
        // A failure that ended its lane is tried again.
        for id in latest {
            past.0.entry(id).and_modify(|known| {
                known.end.take_if(|end| end.is_err());
            });
        }
        past
    }

    fn end(&mut self, lane: Name, number: u32, end: Result<Box<RawValue>, Failure>) {
        self.0.entry((lane, number)).and_modify(|known| known.end = Some(end));
    }

    pub fn find(&self, lane: &Name, number: u32) -> Option<&Known> {
        self.0.get(&(lane.clone(), number))
    }
}
