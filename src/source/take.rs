//! Takes a secret from its source.
use super::{command, file, person, text::LONGEST, variable};
use crate::{
    effect::*,
    failure::Failure,
    model::{Model, Predicted},
    secret::Secret,
};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::path::PathBuf;

/// A place on this machine that has a secret.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SecretSource {
    /// A variable in rfab's own environment.
    Env(String),
    /// A file, and its path as the script gives it.
    File { file: PathBuf, path: String },
    /// The output of a program on this machine, started in `folder`.
    Command { words: Vec<String>, folder: PathBuf },
    /// The person, who is asked for what the text names.
    Ask(String),
}

/// Takes a secret; a resumed run takes it again, and nothing of it is written down.
#[derive(Clone, Debug, Serialize)]
pub struct Take(pub SecretSource);

impl Effect for Take {
    type Outcome = Secret;
    const NAME: &'static str = "secret";
    const KIND: EffectKind = EffectKind::Hold;

    fn subject(&self) -> Subject<'_> {
        Subject::Here
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Nothing
    }

    fn describe(&self) -> String {
        match &self.0 {
            SecretSource::Env(name) => format!("take a secret from the variable `{name}`"),
            SecretSource::File { path, .. } => format!("take a secret from the file `{path}`"),
            SecretSource::Command { words, .. } => format!("take a secret from what `{}` prints", words.join(" ")),
            SecretSource::Ask(what) => format!("ask for a secret: {what}"),
        }
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Secret, Failure> {
        let text = match &self.0 {
            SecretSource::Env(name) => variable::read(name)?,
            SecretSource::File { file, path } => file::read(file, path)?,
            SecretSource::Command { words, folder } => command::printed(&at, words, folder).await?,
            SecretSource::Ask(what) => person::asked(&at, what).await?,
        };
        self.secret(text)
    }

    /// Returns a made-up text: always the same for a source, and different from any other.
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
