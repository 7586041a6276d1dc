//! Writes text to a host's file.
use super::{
    On,
    file::{Content, PathKind, replace, sha256},
    look::InspectPath,
    model_file::written,
};
use crate::{
    effect::*,
    failure::Failure,
    model::{Model, Predicted},
    port::Input,
    secret::Secret,
};
use serde::Serialize;

/// Writes text to a file, completely or not at all.
#[derive(Clone, Debug, Serialize)]
pub struct WriteFile {
    pub on: On,
    pub path: String,
    /// The file's content, which may be a password.
    pub text: Secret,
    /// Whether the text is or contains a secret.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub secret: bool,
}

impl Effect for WriteFile {
    type Outcome = ();
    const NAME: &'static str = "write_file";
    const KIND: EffectKind = EffectKind::Change;

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.on.host)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Written { host: &self.on.host, path: &self.path }
    }

    fn describe(&self) -> String {
        format!("write {}", self.path)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<(), Failure> {
        let bytes = self.text.reveal().as_bytes();
        let what = if self.secret { Content::Secret } else { Content::File };
        let digest = sha256(bytes);
        replace(&at, &self.on, &self.path, Input::Bytes(bytes), what, (&digest, bytes.len() as u64)).await
    }

    fn look(&self, ask: Ask<'_>) -> Result<Happened<()>, Failure> {
        let lies = ask.read(InspectPath { on: self.on.clone(), path: self.path.clone() })?;
        Ok(if lies == PathKind::File(sha256(self.text.reveal().as_bytes())) {
            Happened::Done(())
        } else {
            Happened::Not
        })
    }

    fn predict(&self, model: &mut Model) -> Predicted<()> {
        written(model, &self.on, &self.path, Some(self.text.reveal().as_bytes().to_vec()))
    }
}
