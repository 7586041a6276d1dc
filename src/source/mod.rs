//! Where secrets are taken from.
mod command;
mod file;

use crate::{
    effect::*,
    failure::{Cause, Failure},
    model::{Model, Predicted},
    secret::Secret,
};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::{env, path::PathBuf};

/// The longest secret, in bytes; what is longer is a file to be sent.
const LONGEST: usize = 64 << 10;

/// A place of this machine that has a secret.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// A variable of rfab's own environment.
    Env(String),
    /// A file, and its path as the script says it.
    File { file: PathBuf, path: String },
    /// What a program of this machine prints, begun in this folder.
    Command { words: Vec<String>, folder: PathBuf },
    /// The person, who is asked for this.
    Ask(String),
}

/// Takes a secret; a resumed run takes it anew, and nothing of it is written down.
#[derive(Clone, Debug, Serialize)]
pub struct Take(pub Source);

impl Effect for Take {
    type Outcome = Secret;
    const NAME: &'static str = "secret";
    const KIND: Kind = Kind::Hold;

    fn subject(&self) -> Subject<'_> {
        Subject::Here
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Nothing
    }

    fn describe(&self) -> String {
        match &self.0 {
            Source::Env(name) => format!("take a secret from the variable `{name}`"),
            Source::File { path, .. } => format!("take a secret from the file `{path}`"),
            Source::Command { words, .. } => format!("take a secret from what `{}` prints", words.join(" ")),
            Source::Ask(what) => format!("ask for a secret: {what}"),
        }
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Secret, Failure> {
        let text = match &self.0 {
            Source::Env(name) => of_variable(name)?,
            Source::File { file, path } => file::read(file, path)?,
            Source::Command { words, folder } => command::printed(&at, words, folder).await?,
            Source::Ask(what) => asked(&at, what).await?,
        };
        self.secret(text)
    }

    /// A made-up text: always the same for the same place, and like no other.
    fn predict(&self, _: &mut Model) -> Predicted<Secret> {
        Ok(hex::encode(&Sha256::digest(Effect::describe(self))[..16]).into())
    }
}

impl Take {
    fn secret(&self, text: String) -> Result<Secret, Failure> {
        let wrong = |why: &str| Err(Failure::failed(format!("{why}: {}", Effect::describe(self))));
        match () {
            () if text.is_empty() => wrong("the secret is empty"),
            () if text.contains('\0') => {
                wrong("it has the character NUL, so it isn't a secret that a shell could take")
            }
            () if text.len() > LONGEST => wrong("it is longer than 64 KiB, so it is a file rather than a secret"),
            () => Ok(text.into()),
        }
    }
}

fn of_variable(name: &str) -> Result<String, Failure> {
    let why = match env::var(name) {
        Ok(text) if !text.is_empty() => return Ok(text),
        Ok(_) => "is empty",
        Err(env::VarError::NotPresent) => "isn't set",
        Err(env::VarError::NotUnicode(_)) => "isn't text in UTF-8",
    };
    let help = format!(
        "set it where rfab is started, such as `{name}=\"$(pass show …)\" rfab …`; or take the secret by `secret::file`, `secret::command` or `secret::ask`"
    );
    Err(Failure::failed(format!("the variable `{name}`, which holds a secret, {why}")).help(help))
}

async fn asked(at: &At<'_>, what: &str) -> Result<String, Failure> {
    let (person, question) = (at.real.person.clone(), what.to_owned());
    let answer = tokio::task::spawn_blocking(move || person.ask(&question, true)).await.ok().flatten();
    match answer {
        Some(text) if text.is_empty() => Err(Failure::failed(format!("nothing was typed for {what}"))),
        Some(text) => Ok(text),
        None => Err(Failure::new(Cause::Refused, format!("nobody is there to ask for {what}: this isn't a terminal"))
            .help("use `secret::env`, `secret::file` or `secret::command` where nobody can answer")),
    }
}

/// A text without its last line end.
fn unended(mut text: String) -> String {
    if text.ends_with('\n') {
        text.pop();
    }
    if text.ends_with('\r') {
        text.pop();
    }
    text
}
