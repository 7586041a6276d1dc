//! Assigns the text after a task's first `:` to the task's parameters.
use super::LineError;
use crate::{
    fabfile::task::{Overload, Signature},
    misspelled,
};

/// Values for the parameters of one overload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bound {
    pub arguments: Vec<String>,
    /// By name.
    pub options: Vec<(String, String)>,
    pub takes_options: bool,
}

/// A value, and the name before its `=`.
struct ArgumentPiece {
    name: Option<String>,
    value: String,
}

/// Assigns the text after a task's `:` to its parameters.
pub(super) fn from_text(task: &Signature, text: &str) -> Result<Bound, LineError> {
    let mut values = Vec::new();
    let mut named: Vec<(String, String)> = Vec::new();
    for ArgumentPiece { name, value } in pieces(text) {
        match name {
            None => values.push(value),
            Some(name) if name.is_empty() => return Err(LineError::NoName { task: task.name.clone(), value }),
            Some(name) if named.iter().any(|(other, _)| *other == name) => {
                return Err(LineError::GivenTwice { task: Box::new(task.clone()), name });
            }
            Some(name) => named.push((name, value)),
        }
    }
    let counts = task.counts();
    if named.is_empty() && values.len() > 1 && !counts.contains(&values.len()) && counts.contains(&1) {
        values = vec![values.join(",")];
    }
    fit(task, &values, &named).ok_or_else(|| misfit(task, values.len(), named))
}

/// Finds the overload that fits the values and named values, with the fewest left for `options`.
pub(super) fn fit(task: &Signature, values: &[String], named: &[(String, String)]) -> Option<Bound> {
    let all = task.overloads.iter().filter_map(|overload| fit_one(overload, values, named));
    all.min_by_key(|bound| (bound.options.len(), bound.takes_options))
}

/// Escapes a value, so that it's a single value without a name after a `:`.
pub(super) fn escaped(value: &str) -> String {
    value.replace(',', "\\,").replace('=', "\\=")
}

fn fit_one(overload: &Overload, values: &[String], named: &[(String, String)]) -> Option<Bound> {
    let mut places: Vec<Option<String>> = values.iter().cloned().map(Some).collect();
    if places.len() > overload.parameters.len() {
        return None;
    }
    places.resize(overload.parameters.len(), None);
    let mut options = Vec::new();
    for (name, value) in named {
        match overload.parameters.iter().position(|parameter| parameter == name) {
            Some(place) if places[place].is_some() => return None,
            Some(place) => places[place] = Some(value.clone()),
            None if overload.options => options.push((name.clone(), value.clone())),
            None => return None,
        }
    }
    options.sort();
    Some(Bound { arguments: places.into_iter().collect::<Option<_>>()?, options, takes_options: overload.options })
}

/// Explains why no overload fits.
fn misfit(task: &Signature, values: usize, named: Vec<(String, String)>) -> LineError {
    let parameters: Vec<&str> =
        task.overloads.iter().flat_map(|overload| overload.parameters.iter().map(String::as_str)).collect();
    let is_parameter = |name: &str| parameters.contains(&name);
    let takes_options = task.overloads.iter().any(|overload| overload.options);
    let boxed = || Box::new(task.clone());
    let stray = named.iter().find(|(name, _)| !is_parameter(name));
    let likely = stray.and_then(|(name, _)| misspelled::nearest(name, parameters.iter().copied()).map(str::to_owned));
    if let (Some((name, value)), false) = (stray, takes_options) {
        return LineError::UnknownName { task: boxed(), name: name.clone(), value: value.clone(), near: likely };
    }
    let placed = |name: &str| {
        let mut having = task.overloads.iter().filter_map(|one| one.parameters.iter().position(|p| p == name));
        is_parameter(name) && having.all(|place| place < values)
    };
    if let Some((name, _)) = named.iter().find(|(name, _)| placed(name)) {
        return LineError::GivenTwice { task: boxed(), name: name.clone() };
    }
    let given = values + named.iter().filter(|(name, _)| is_parameter(name)).count();
    if task.counts().contains(&given) {
        return LineError::NoOverload { task: boxed(), names: named.into_iter().map(|(name, _)| name).collect() };
    }
    let misspelt = stray.map(|(name, _)| name.clone()).zip(likely);
    LineError::WrongCount { task: boxed(), given, misspelt, misread: Vec::new() }
}

/// Splits at `,` and at the first `=` of each part. `\,` and `\=` are a comma and an equals sign, other `\` are text.
fn pieces(text: &str) -> Vec<ArgumentPiece> {
    let mut pieces = Vec::new();
    let mut piece = ArgumentPiece { name: None, value: String::new() };
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => piece.value.push(chars.next_if(|next| matches!(next, ',' | '=')).unwrap_or('\\')),
            ',' => pieces.push(std::mem::replace(&mut piece, ArgumentPiece { name: None, value: String::new() })),
            '=' if piece.name.is_none() => piece.name = Some(std::mem::take(&mut piece.value)),
            c => piece.value.push(c),
        }
    }
    pieces.push(piece);
    pieces
}
