//! The table of all that a user chooses, as data: names, texts for the page, and how each choice changes a lab.
mod balancing;
mod hosts;
mod proving;
mod releasing;

use crate::choices::{making::LabChoices, need::Need};

/// One thing that a user chooses.
pub struct Choice {
    pub name: &'static str,
    /// What is chosen, as a title on the page.
    pub title: &'static str,
    pub values: &'static [Value],
}

/// A value that a choice can have.
pub struct Value {
    pub name: &'static str,
    /// What is proven, or why it is refused, for the page.
    pub what: &'static str,
    /// How a day with this value is refused; `None` if it goes well.
    pub refused: Option<Refusal>,
    /// What this machine must have for it.
    pub need: Option<Need>,
    /// Whether a day with this value takes many minutes.
    pub slow: bool,
    pub make: fn(&mut LabChoices),
}

/// How the first release is refused, before anything is changed.
#[derive(Clone, Copy, Debug)]
pub struct Refusal {
    pub code: i32,
    pub says: &'static str,
}

/// Values of two choices that can't stand together. An empty list means all values.
pub struct Bar {
    pub one: (&'static str, &'static [&'static str]),
    pub other: (&'static str, &'static [&'static str]),
    pub why: &'static str,
}

impl Value {
    const fn of(name: &'static str, what: &'static str, make: fn(&mut LabChoices)) -> Value {
        Value { name, what, refused: None, need: None, slow: false, make }
    }

    const fn needs(self, need: Need) -> Value {
        Value { need: Some(need), ..self }
    }

    const fn slow(self) -> Value {
        Value { slow: true, ..self }
    }

    const fn refused(self, code: i32, says: &'static str) -> Value {
        Value { refused: Some(Refusal { code, says }), ..self }
    }
}

/// Returns all choices.
pub fn choices() -> Vec<&'static Choice> {
    let all = [proving::CHOICES, releasing::CHOICES, hosts::CHOICES, balancing::CHOICES];
    all.into_iter().flatten().collect()
}

/// Returns all pairs that can't stand together.
pub fn bars() -> Vec<&'static Bar> {
    [proving::BARS, releasing::BARS, hosts::BARS, balancing::BARS].into_iter().flatten().collect()
}
