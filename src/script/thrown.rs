//! Failures into scripts, and out of them again with the place where they happened.
use crate::failure::{Failure, Reason};
use rhai::{Dynamic, EvalAltResult, ParseError, Position};

/// A failure as a script throws it.
pub fn thrown(failure: Failure) -> Box<EvalAltResult> {
    let catchable = failure.catchable();
    let failure = Dynamic::from(failure);
    Box::new(if catchable {
        EvalAltResult::ErrorRuntime(failure, Position::NONE)
    } else {
        EvalAltResult::ErrorTerminated(failure, Position::NONE)
    })
}

/// A place in a script: the file's name, and line and column from 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Spot {
    /// Empty for the fabfile.
    pub source: String,
    pub line: usize,
    pub column: usize,
}

/// A failure, where it happened, and the calls that led there, outermost first.
#[derive(Clone, Debug, PartialEq)]
pub struct Located {
    pub failure: Failure,
    pub spot: Option<Spot>,
    pub calls: Vec<Spot>,
    /// Whether the script itself is wrong, rather than what it did.
    pub of_script: bool,
}

/// Takes the failure out of what Rhai says, with its places.
pub fn located(error: &EvalAltResult) -> Located {
    let mut calls = Vec::new();
    let (mut error, mut source) = (error, String::new());
    loop {
        match error {
            // The position is the caller's, the source is the callee's.
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
    let of_script = failure.reason == Reason::Fabfile;
    Located { failure, spot, calls, of_script }
}

fn spot(source: &str, at: Position) -> Option<Spot> {
    Some(Spot { source: source.to_owned(), line: at.line()?, column: at.position().unwrap_or(1) })
}

/// The failure at the bottom of what Rhai says.
pub fn failure_of(error: &EvalAltResult) -> Failure {
    match error {
        EvalAltResult::ErrorInFunctionCall(_, _, inner, _) | EvalAltResult::ErrorInModule(_, inner, _) => {
            failure_of(inner)
        }
        EvalAltResult::ErrorRuntime(value, _) | EvalAltResult::ErrorTerminated(value, _) => {
            let failure = value.clone().try_cast::<Failure>();
            failure.unwrap_or_else(|| Failure::failed(value.to_string()))
        }
        other => wrong(other),
    }
}

/// What is wrong with a script, in words of a person who does not know Rhai.
fn wrong(error: &EvalAltResult) -> Failure {
    let text = match error {
        EvalAltResult::ErrorParsing(parsing, _) => {
            return parse_failure(&ParseError(Box::new(parsing.clone()), Position::NONE));
        }
        EvalAltResult::ErrorVariableNotFound(name, _) => format!("there is no variable `{name}`"),
        EvalAltResult::ErrorModuleNotFound(name, _) => format!("there is no module `{name}`"),
        EvalAltResult::ErrorFunctionNotFound(signature, _) => match signature.split_once(" (") {
            Some((name, arguments)) => {
                let arguments = arguments.trim_end_matches(')');
                format!("there is no function `{}` that takes ({arguments})", name.trim())
            }
            None => format!("there is no function `{signature}`"),
        },
        EvalAltResult::ErrorTooManyOperations(_) => "the script computes without end".to_owned(),
        EvalAltResult::ErrorStackOverflow(_) => "functions call each other without end".to_owned(),
        EvalAltResult::ErrorDataRace(name, _) => {
            return Failure::new(Reason::Fabfile, format!("`{name}` is used in the closure and called on at once"))
                .help("write `each(all, |host| …)` instead of `all.each(|host| …)`");
        }
        // Rhai puts the place behind the text; the report shows it better.
        other => lower(other.to_string().split(" (line ").next().unwrap_or_default()),
    };
    Failure::new(Reason::Fabfile, text)
}

/// What a parse error says, without its place.
pub fn parse_failure(error: &ParseError) -> Failure {
    Failure::new(Reason::Fabfile, lower(&error.err_type().to_string()))
}

fn lower(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|c| c.to_lowercase().chain(chars).collect()).unwrap_or_default()
}
