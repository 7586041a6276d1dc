//! The normal form of a call.
use super::argument::{Bound, escaped, from_text};
use crate::fabfile::task::Signature;

/// Returns words that mean this call and nothing else: `deploy:stable`.
///
/// Several values that end in `\` need separate words, because `\,` always is a comma.
pub(super) fn words(task: &Signature, bound: &Bound) -> Vec<String> {
    if bound.arguments.is_empty() && bound.options.is_empty() {
        return vec![task.name.clone()];
    }
    let means_it = |text: &String| from_text(task, text).as_ref() == Ok(bound);
    match [whole(bound), in_order(bound), by_name(task, bound)].into_iter().flatten().find(means_it) {
        Some(text) => vec![format!("{}:{text}", task.name)],
        None => [std::slice::from_ref(&task.name), &bound.arguments].concat(),
    }
}

/// Writes a single argument with its commas unescaped: `web1,web2`.
fn whole(bound: &Bound) -> Option<String> {
    match (&bound.arguments[..], &bound.options[..]) {
        ([one], []) => Some(one.replace('=', "\\=")),
        _ => None,
    }
}

fn in_order(bound: &Bound) -> Option<String> {
    let arguments = bound.arguments.iter().map(|value| escaped(value));
    Some(arguments.chain(options(bound)).collect::<Vec<_>>().join(","))
}

/// Writes all values by name. Those that end in `\` come last, because no comma follows there.
fn by_name(task: &Signature, bound: &Bound) -> Option<String> {
    let overload = task.overloads.iter().find(|overload| {
        overload.parameters.len() == bound.arguments.len() && overload.options == bound.takes_options
    })?;
    let arguments = overload.parameters.iter().zip(&bound.arguments);
    let mut pieces: Vec<String> =
        arguments.map(|(name, value)| format!("{name}={}", escaped(value))).chain(options(bound)).collect();
    pieces.sort_by_key(|piece| piece.ends_with('\\'));
    Some(pieces.join(","))
}

fn options(bound: &Bound) -> impl Iterator<Item = String> {
    bound.options.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value)))
}
