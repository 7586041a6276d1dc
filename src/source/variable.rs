//! A secret in a variable of rfab's own environment.
use crate::failure::Failure;
use std::env;

/// Reads the variable.
pub(super) fn read(name: &str) -> Result<String, Failure> {
    let why = match env::var(name) {
        Ok(text) if !text.is_empty() => return Ok(text),
        Ok(_) => "is empty",
        Err(env::VarError::NotPresent) => "isn't set",
        Err(env::VarError::NotUnicode(_)) => "isn't UTF-8 text",
    };
    let help = format!(
        "set it where rfab is started, such as `{name}=\"$(pass show …)\" rfab …`; or take the secret from \
         `secret::file`, `secret::command` or `secret::ask`"
    );
    Err(Failure::failed(format!("the variable `{name}`, which holds a secret, {why}")).help(help))
}
