//! A secret that a person types.
use crate::{
    effect::At,
    failure::{Cause, Failure},
};

/// Asks for a secret; the input isn't shown.
pub(super) async fn asked(at: &At<'_>, what: &str) -> Result<String, Failure> {
    let (person, question) = (at.real.person.clone(), what.to_owned());
    let answer = tokio::task::spawn_blocking(move || person.ask(&question, true)).await.ok().flatten();
    match answer {
        Some(text) if text.is_empty() => Err(Failure::failed(format!("nothing was typed for {what}"))),
        Some(text) => Ok(text),
        None => Err(Failure::new(
            Cause::Refused,
            format!("typing {what} requires a terminal, and rfab isn't running in one"),
        )
        .help("use `secret::env`, `secret::file` or `secret::command` if there is no terminal")),
    }
}
