//! Closures that listen to what the run tells people.
use rhai::{FnPtr, GlobalRuntimeState};
use std::sync::Mutex;

/// A closure with its name and the state it was made in.
pub(super) type ListeningClosure = (String, FnPtr, GlobalRuntimeState);

/// The closures that listen, and what couldn't be told.
#[derive(Default)]
pub struct Listeners(Mutex<HeardSoFar>);

#[derive(Default)]
struct HeardSoFar {
    all: Vec<ListeningClosure>,
    /// Whether anything was told, so that messages may be on their way.
    told: bool,
    missed: Vec<String>,
}

impl Listeners {
    /// Adds a closure; returns false if one of this name listens already.
    pub fn add(&self, name: &str, f: FnPtr, global: GlobalRuntimeState) -> bool {
        let mut heard = self.0.lock().unwrap();
        let new = !heard.all.iter().any(|(known, ..)| known == name);
        if new {
            heard.all.push((name.to_owned(), f, global));
        }
        new
    }

    pub(super) fn all(&self) -> Vec<ListeningClosure> {
        self.0.lock().unwrap().all.clone()
    }

    /// Notes that a message is on its way.
    pub fn is_told(&self) {
        self.0.lock().unwrap().told = true;
    }

    /// Returns whether there is something to do for them when the run ends.
    pub fn are_needed(&self) -> bool {
        let heard = self.0.lock().unwrap();
        heard.told || !heard.all.is_empty() || !heard.missed.is_empty()
    }

    /// Notes why something couldn't be told.
    pub fn miss(&self, why: String) {
        let mut heard = self.0.lock().unwrap();
        if !heard.missed.contains(&why) {
            heard.missed.push(why);
        }
    }

    /// Returns why something couldn't be told, each reason once.
    pub fn missed(&self) -> Vec<String> {
        self.0.lock().unwrap().missed.clone()
    }
}
