//! A failure with the script lines that led to it.
use crate::{
    docs,
    failure::Failure,
    script::{Here, Located, ScriptPlace},
};

/// Returns the failure with the lines of the team's own scripts that led to it: the innermost one, and the last call in
/// the fabfile.
///
/// A line of the stdlib is only named, because nobody fixes anything there. It is shown if there is no other.
pub(super) fn shown(here: &Here, located: &Located) -> Failure {
    let mut failure = located.failure.clone();
    let written = located.missing.as_deref().filter(|_| failure.help.is_none()).and_then(docs::written);
    if let Some(written) = written {
        failure = failure.help(format!("usage:\n{written}"));
    }
    let resolver = &here.script.resolver;
    let place = |spot: &ScriptPlace| resolver.place(&spot.source, spot.at);
    let calls: Vec<&ScriptPlace> = located.calls.iter().chain(&located.spot).collect();
    let last = calls.len().saturating_sub(1);
    let own = calls.iter().rposition(|call| !call.source.starts_with("std/")).unwrap_or(last);
    let mut add = |at: usize, label: &str| {
        failure.places.extend(calls.get(at).and_then(|spot| place(spot)).map(|place| place.labelled(label)));
    };
    let mut outer = own;
    match located.failure.places.is_empty() {
        true if own < last => add(own, &format!("fails in {}", named(here, calls[last]))),
        true => add(last, ""),
        // The failure has a place already, such as a line of a fleet file: any call may have led there.
        false => outer = calls.len(),
    }
    let in_fabfile = |call: &&ScriptPlace| call.source.is_empty();
    if outer > own || own == last || !in_fabfile(&calls[own]) {
        let outer = calls[..outer].iter().rposition(in_fabfile);
        outer.into_iter().for_each(|at| add(at, "called here"));
    }
    failure
}

/// Returns a place in a script as `FILE:LINE`.
fn named(here: &Here, spot: &ScriptPlace) -> String {
    let source = here.script.resolver.shown(&spot.source);
    spot.at.line().map_or(source.clone(), |line| format!("{source}:{line}"))
}
