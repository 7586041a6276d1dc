//! Tells those who listen about the run.
use super::{Here, RhaiResultOf, failure_of, run_defers};
use crate::{
    control::brief,
    failure::{Cause, Exit, Failure},
};
use rhai::{Dynamic, FnPtr, GlobalRuntimeState, Map, NativeCallContext, Position};
use std::{panic, sync::Arc};

/// The longest text that a listener gets, in characters.
const LONGEST: usize = 500;

/// What only some events have.
const UNKNOWN: [&str; 6] = ["task", "message", "outcome", "exit", "failure", "took"];

/// How a run ended, for those who listen.
pub struct RunResult {
    pub exit: Exit,
    /// Why it didn't end well.
    pub failure: Option<String>,
    /// In seconds.
    pub took: u64,
    /// The release that all hosts have now, if that is known.
    pub release: Option<String>,
}

/// Tells those who listen how the run ended.
pub fn tell_end(here: &Here, end: RunResult) -> RhaiResultOf<()> {
    let event = match end.exit {
        Exit::Done if here.session.run.undoes.is_some() => "abort",
        Exit::Done => "success",
        _ => "failure",
    };
    let outcome = Exit::ALL.iter().find(|(of, _)| *of == end.exit).map_or("", |(_, words)| words);
    let first = |text: String| text.lines().next().unwrap_or_default().to_owned();
    let failure = end.failure.filter(|_| end.exit != Exit::Done).map(first);
    let mut told = Map::new();
    told.insert("event".into(), event.into());
    told.insert("outcome".into(), outcome.into());
    told.insert("exit".into(), i64::from(end.exit.code()).into());
    told.insert("failure".into(), failure.map_or(Dynamic::UNIT, Dynamic::from));
    told.insert("took".into(), (end.took as i64).into());
    if let Some(release) = end.release.filter(|_| here.session.observed.pinned().is_none()) {
        told.insert("release".into(), release.into());
    }
    tell(here, told)
}

/// Calls each closure that listens with the facts of the run and `more`. What goes wrong there doesn't stop the run.
///
/// Fails only if the run itself ends here.
pub fn tell(here: &Here, more: Map) -> RhaiResultOf<()> {
    // Their effects have numbers of their own, so that those of the run don't depend on who listens.
    let inside = Here { lane: here.lane.inner("notice"), defers: Arc::default(), ..here.clone() };
    let mut told: Map = UNKNOWN.iter().map(|name| ((*name).into(), Dynamic::UNIT)).collect();
    told.extend(facts(here));
    told.extend(more);
    let told: Dynamic = told.into_iter().map(|(name, value)| (name, clean(here, value))).collect::<Map>().into();
    let mut ended = Ok(());
    for (_, f, global) in here.listeners.all() {
        let call = panic::AssertUnwindSafe(|| called(&inside, f, global, told.flatten_clone()));
        let called = panic::catch_unwind(call).unwrap_or_else(|_| Err("internal error in a listener".into()));
        match called.map_err(|error| (failure_of(&error), error)) {
            Err((failure, error)) if !failure.catchable() => {
                ended = Err(error);
                break;
            }
            Err((failure, _)) => here.listeners.miss(failure.to_string()),
            Ok(_) => {}
        }
    }
    let failure = ended.is_err().then(|| Failure::new(Cause::Interrupted, "interrupted"));
    inside.lane.end(failure.as_ref());
    here.lane.advance(inside.lane.clock());
    ended
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
