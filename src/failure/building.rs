//! Builds failures.
use super::{Cause, Excerpt, Failure, Origin, Unchanged};
use crate::host::Name;

/// The place in a help for the words of the line that name hosts.
pub const HOSTS: &str = "{hosts}";

impl Failure {
    pub fn new(cause: Cause, message: impl Into<String>) -> Self {
        Self {
            cause,
            message: message.into(),
            help: None,
            unchanged: None,
            host: None,
            status: None,
            about: None,
            origin: None,
            sources: Vec::new(),
            places: Vec::new(),
        }
    }

    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(Cause::Failed, message)
    }

    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(Cause::Refused, message)
    }

    pub fn unknown(message: impl Into<String>) -> Self {
        Self::new(Cause::Unknown, message)
    }

    /// Fills the words that name hosts into the help, if it has a place for them.
    pub fn naming(mut self, words: &str) -> Self {
        if let Some(help) = self.help.as_mut().filter(|help| help.contains(HOSTS)) {
            let place = if words.is_empty() { format!("{HOSTS} ") } else { HOSTS.to_owned() };
            *help = help.replace(&place, words);
        }
        self
    }

    /// Adds that the run changed nothing.
    pub fn unchanged(self) -> Self {
        Self { unchanged: Some(Unchanged::Run), ..self }
    }

    /// Says instead that only the call changed nothing, because the run changed something before.
    pub fn after_changes(self) -> Self {
        Self { unchanged: self.unchanged.map(|_| Unchanged::Call), ..self }
    }

    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    pub fn on(self, host: &Name) -> Self {
        Self { host: Some(host.clone()), ..self }
    }

    /// Sets the name that the failure is about, as the user typed it.
    pub fn about(self, name: impl Into<String>) -> Self {
        Self { about: Some(name.into()), ..self }
    }

    /// Sets the effect that failed, unless one is already set.
    pub fn of(mut self, lane: &Name, number: u32) -> Self {
        self.origin.get_or_insert_with(|| Origin { lane: lane.clone(), number });
        self
    }

    /// Adds a place in a file.
    pub fn at(mut self, place: Excerpt) -> Self {
        self.places.push(place);
        self
    }

    pub fn status(self, status: i32) -> Self {
        Self { status: Some(status), ..self }
    }
}
