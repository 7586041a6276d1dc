//! Turns failures into errors of scripts, and back again with the place where they happened.
use super::{argument, hints, home::CLOSURE, stdlib};
use crate::{
    failure::{Cause, Failure},
    misspelled::did_you_mean,
};
use rhai::{Dynamic, EvalAltResult, ParseError, ParseErrorType, Position};

/// Returns a failure as an error that a script throws.
pub fn thrown(failure: Failure) -> Box<EvalAltResult> {
    let catchable = failure.catchable();
    let failure = Dynamic::from(failure);
    Box::new(if catchable {
        EvalAltResult::ErrorRuntime(failure, Position::NONE)
    } else {
        EvalAltResult::ErrorTerminated(failure, Position::NONE)
    })
}

/// A place in a script.
#[derive(Clone, Debug, PartialEq)]
pub struct ScriptPlace {
    /// The file's name; empty for the fabfile.
    pub source: String,
    pub at: Position,
}

/// A failure, where it happened, and the calls that led there, outermost first.
#[derive(Clone, Debug, PartialEq)]
pub struct Located {
    pub failure: Failure,
    pub spot: Option<ScriptPlace>,
    pub calls: Vec<ScriptPlace>,
    /// The name of the called function, if none takes such arguments.
    pub missing: Option<String>,
}

impl Located {
    /// Makes a located failure that didn't come from a script.
    pub fn plain(failure: Failure) -> Box<Located> {
        Box::new(Located { failure, spot: None, calls: Vec::new(), missing: None })
    }
}

/// Extracts the failure from a Rhai error, with its places.
pub(super) fn located(error: &EvalAltResult) -> Located {
    let mut calls = Vec::new();
    let (mut error, mut source) = (error, String::new());
    loop {
        match error {
            // The position is in the caller, the source is the callee's.
            EvalAltResult::ErrorInFunctionCall(_, callee, inner, at) => {
                calls.extend(spot(&source, *at));
                source.clone_from(callee);
                error = inner;
            }
            EvalAltResult::ErrorInModule(name, inner, at) => {
                calls.extend(spot(&source, *at));
                source.clone_from(name);
                error = inner;
            }
            _ => break,
        }
    }
    let failure = failure_of(error);
    let spot = spot(&source, error.position());
    Located { failure, spot, calls, missing: missing(error).map(|(name, _)| name) }
}

fn spot(source: &str, at: Position) -> Option<ScriptPlace> {
    (!at.is_none()).then(|| ScriptPlace { source: source.to_owned(), at })
}

/// Extracts the failure at the bottom of a Rhai error.
pub fn failure_of(error: &EvalAltResult) -> Failure {
    match error {
        EvalAltResult::ErrorInFunctionCall(_, _, inner, _) | EvalAltResult::ErrorInModule(_, inner, _) => {
            failure_of(inner)
        }
        EvalAltResult::ErrorRuntime(value, _) | EvalAltResult::ErrorTerminated(value, _) => {
            let failure = value.clone().try_cast::<Failure>();
            failure.unwrap_or_else(|| Failure::new(Cause::Thrown, argument::worded(value)))
        }
        other => wrong(other),
    }
}

/// Describes what is wrong with a script, for a person who doesn't know Rhai.
fn wrong(error: &EvalAltResult) -> Failure {
    let text = match error {
        EvalAltResult::ErrorParsing(parsing, _) => {
            return parse_failure(&ParseError(Box::new(parsing.clone()), Position::NONE), "", &[]);
        }
        EvalAltResult::ErrorVariableNotFound(name, _) => format!("there is no variable `{name}`"),
        EvalAltResult::ErrorModuleNotFound(name, _) => format!("there is no module `{name}`"),
        EvalAltResult::ErrorFunctionNotFound(signature, _) => match missing(error) {
            Some((name, types)) if name == CLOSURE || name.starts_with("anon$") => {
                format!("this closure can't take the arguments that it gets: ({types})")
            }
            Some((name, types)) => {
                let failure = Failure::new(Cause::Fabfile, format!("no function `{name}` takes ({types})"));
                let character = "single quotes are for a single character; write a string in double quotes: `\"x\"`";
                let hint = if types.contains("char") { Some(character) } else { hints::function(&name) };
                return hint.into_iter().fold(failure, Failure::help);
            }
            None => format!("there is no function `{signature}`"),
        },
        EvalAltResult::ErrorPropertyNotFound(name, _) => format!("there is no property `{name}` in this map"),
        EvalAltResult::ErrorStackOverflow(_) => "functions call each other endlessly".to_owned(),
        EvalAltResult::ErrorDataTooLarge(what, _) => format!("the script makes too large a value: {}", lower(what)),
        EvalAltResult::ErrorDataRace(name, _) => {
            return Failure::new(
                Cause::Fabfile,
                format!("`{name}` is used in a closure that is passed to its own method"),
            )
            .help("write `each(all, |host| …)` instead of `all.each(|host| …)`");
        }
        EvalAltResult::ErrorDotExpr(said, _) if said.starts_with("Unknown property '") => {
            let name = said.split('\'').nth(1).unwrap_or_default();
            let failure = Failure::new(Cause::Fabfile, format!("there is no property `{name}` of this value"));
            return hints::function(name).into_iter().fold(failure, Failure::help);
        }
        // Rhai appends the place to the text; the report shows it better.
        other => lower(other.to_string().split(" (line ").next().unwrap_or_default()),
    };
    Failure::new(Cause::Fabfile, text)
}

/// Returns the name of a function that wasn't found, and the types of its arguments.
pub(super) fn missing(error: &EvalAltResult) -> Option<(String, String)> {
    let EvalAltResult::ErrorFunctionNotFound(signature, _) = error.unwrap_inner() else { return None };
    let (name, types) = signature.split_once(" (")?;
    let types: Vec<&str> = types.trim_end_matches(')').split(", ").map(kind).collect();
    Some((name.trim().to_owned(), types.join(", ")))
}

/// Returns the plain name of a type.
fn kind(name: &str) -> &str {
    match name {
        "&str | ImmutableString | String" => "text",
        "i64" => "whole number",
        "f64" => "number",
        "Fn" => "closure",
        other => other,
    }
}

/// Describes a parse error, without its place.
pub(super) fn parse_failure(error: &ParseError, text: &str, namespaces: &[String]) -> Failure {
    let (message, help) = match error.err_type() {
        ParseErrorType::Reserved(sign) if !sign.starts_with(char::is_alphabetic) => {
            (format!("`{sign}` means nothing in Rhai"), None)
        }
        ParseErrorType::Reserved(word) => (
            format!("`{word}` is a reserved word in Rhai"),
            Some(format!("write `{word}_`; a task of that name is still typed `{word}`")),
        ),
        ParseErrorType::VariableUndefined(name) if namespaces.contains(name) => {
            let help = format!("`{name}` is a namespace: write `{name}::…(…)`, with `::`");
            (format!("there is no variable `{name}`"), Some(help))
        }
        ParseErrorType::VariableUndefined(name) => (format!("there is no variable `{name}`"), like(name, text)),
        ParseErrorType::ModuleUndefined(name) => {
            let std = stdlib::MODULES.iter().find(|(module, _)| module.strip_prefix("std/") == Some(name));
            let import = std.map(|(module, _)| format!("write `import \"{module}\" as {name};` at the top"));
            let near = did_you_mean(name, namespaces.iter().map(String::as_str)).or(like(name, text));
            (format!("there is no namespace or module `{name}`"), import.or(near))
        }
        ParseErrorType::MissingToken(token, what) => (format!("`{token}` is missing {what}"), None),
        ParseErrorType::FnMissingParams(name) => (format!("the parameters of function `{name}` are missing"), None),
        ParseErrorType::UnexpectedEOF => ("the file ends too early".to_owned(), None),
        other => (lower(&other.to_string()), None),
    };
    let open = || ends(error, text).then(|| "look for a `{`, `(`, `[`, `` ` `` or `\"` that isn't closed".to_owned());
    let help = hints::hint(error, text, help.is_some()).or(help).or_else(open);
    Failure { help, ..Failure::new(Cause::Fabfile, message) }
}

/// Returns whether the error is at the end of the text.
fn ends(error: &ParseError, text: &str) -> bool {
    let last = text.trim_end().lines().count();
    let behind = |line: usize| {
        let rest = text.lines().nth(line - 1).unwrap_or_default();
        let at = error.position().position().unwrap_or(1) - 1;
        line > last || (line == last && rest.chars().skip(at).all(char::is_whitespace))
    };
    matches!(error.err_type(), ParseErrorType::UnexpectedEOF) || error.position().line().is_some_and(behind)
}

/// Returns the question whether a similar word of the text was meant.
fn like(name: &str, text: &str) -> Option<String> {
    let words = text.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    did_you_mean(name, words.filter(|word| *word != name))
}

fn lower(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|c| c.to_lowercase().chain(chars).collect()).unwrap_or_default()
}
