//! Closures that listen to what the run tells people.
use super::{Here, RhaiResultOf, failure_of, run_defers};
use crate::{
    control::brief,
    failure::{Cause, Failure},
};
use rhai::{Dynamic, FnPtr, GlobalRuntimeState, Map, NativeCallContext, Position};
use std::{
    panic,
    sync::{Arc, Mutex},
};

/// The longest text that a listener gets, in characters.
const LONGEST: usize = 500;

/// What only some events have.
const UNKNOWN: [&str; 6] = ["task", "message", "outcome", "exit", "failure", "took"];

/// The closures that listen, and what couldn't be told.
#[derive(Default)]
pub struct Listeners(Mutex<HeardSoFar>);

#[derive(Default)]
struct HeardSoFar {
    /// Each closure with its name and the state it was made in.
    all: Vec<(String, FnPtr, GlobalRuntimeState)>,
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

    /// Calls each closure with the facts of the run and `more`. What goes wrong there doesn't stop the run.
    ///
    /// Fails only if the run itself ends here.
    pub fn tell(&self, here: &Here, more: Map) -> RhaiResultOf<()> {
        let all = self.0.lock().unwrap().all.clone();
        // Their effects have numbers of their own, so that those of the run don't depend on who listens.
        let inside = Here { lane: here.lane.inner("notice"), defers: Arc::default(), ..here.clone() };
        let mut told: Map = UNKNOWN.iter().map(|name| ((*name).into(), Dynamic::UNIT)).collect();
        told.extend(facts(here));
        told.extend(more);
        let told: Dynamic = told.into_iter().map(|(name, value)| (name, clean(here, value))).collect::<Map>().into();
        let mut ended = Ok(());
        for (_, f, global) in all {
            let call = panic::AssertUnwindSafe(|| called(&inside, f, global, told.flatten_clone()));
            let called = panic::catch_unwind(call).unwrap_or_else(|_| Err("internal error in a listener".into()));
            match called.map_err(|error| (failure_of(&error), error)) {
                Err((failure, error)) if !failure.catchable() => {
                    ended = Err(error);
                    break;
                }
                Err((failure, _)) => self.miss(failure.to_string()),
                Ok(_) => {}
            }
        }
        let failure = ended.is_err().then(|| Failure::new(Cause::Interrupted, "interrupted"));
        inside.lane.end(failure.as_ref());
        here.lane.advance(inside.lane.clock());
        ended
    }
}

/// Calls a closure on a lane, with copies of the values that it captured; then runs what it deferred.
fn called(here: &Here, mut f: FnPtr, mut global: GlobalRuntimeState, told: Dynamic) -> RhaiResultOf<Dynamic> {
    f.iter_curry_mut().for_each(|captured| *captured = captured.flatten_clone());
    global.tag = Dynamic::from(here.clone());
    let engine = &here.script.engine;
    let ctx = NativeCallContext::new_with_all_fields(engine, "listen", None, &global, Position::NONE);
    let result = f.call_within_context(&ctx, (told,));
    run_defers(here, result)
}

/// Returns the facts of a run that people want to know.
fn facts(here: &Here) -> Map {
    let (run, observed) = (&here.session.run, &here.session.observed);
    let mut fleets: Vec<String> = observed.targets().iter().map(|(fleet, _)| fleet.name.to_string()).collect();
    fleets.dedup();
    let by = match &run.on_behalf_of {
        Some(person) => format!("{person} (as {})", run.who),
        None => run.who.clone(),
    };
    let pinned = observed.pinned();
    let text = |text: Option<String>| text.map_or(Dynamic::UNIT, Dynamic::from);
    let facts: [(&str, Dynamic); 7] = [
        ("run", run.id.to_string().into()),
        ("line", run.line.clone().into()),
        ("by", by.into()),
        ("from", run.from.clone().into()),
        ("fleet", text((!fleets.is_empty()).then(|| fleets.join(", ")))),
        ("release", text(pinned.as_ref().map(|(name, _)| name.clone()))),
        ("commit", text(pinned.map(|(_, commit)| commit.to_string()))),
    ];
    facts.into_iter().map(|(name, value)| (name.into(), value)).collect()
}

/// Returns a value that may leave the run: a text has no secrets and no hidden characters, and isn't long.
fn clean(here: &Here, value: Dynamic) -> Dynamic {
    match value.as_immutable_string_ref() {
        Ok(text) => brief(&here.lane.masks().text(&text), LONGEST).into(),
        Err(_) => value.clone(),
    }
}
