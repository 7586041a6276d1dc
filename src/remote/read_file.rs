//! Reads a host's file as text.
use super::{
    On,
    file::{sha256, unfit},
    model_file::text,
    original::{CHANGED, cat, remote_digest},
};
use crate::{
    effect::*,
    failure::Failure,
    model::{Model, Predicted},
    port::Job,
};
use serde::Serialize;

/// The largest file that a script can read.
const LARGEST: usize = 8 << 20;

/// Reads a file as text.
#[derive(Clone, Debug, Serialize)]
pub struct ReadFile {
    pub on: On,
    pub path: String,
}

impl Read for ReadFile {
    type Outcome = String;
    const NAME: &'static str = "read_file";

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.on.host)
    }

    fn describe(&self) -> String {
        format!("read {}", self.path)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<String, Failure> {
        let bytes = fetch(&at, &self.on, &self.path).await?;
        String::from_utf8(bytes).map_err(|_| unfit(&self.on, &self.path, "it isn't UTF-8 text"))
    }

    fn predict(&self, model: &mut Model) -> Predicted<String> {
        let bytes = text(model, &self.on, &self.path)?;
        if bytes.len() > LARGEST {
            return Err(large(&self.on, &self.path).into());
        }
        String::from_utf8(bytes).map_err(|_| unfit(&self.on, &self.path, "it isn't UTF-8 text").into())
    }
}

fn large(on: &On, path: &str) -> Failure {
    unfit(on, path, "it is larger than 8 MiB").help("get it as a file with `get`")
}

/// Returns a file's bytes, checked against the digest that the host computes for it.
async fn fetch(at: &At<'_>, on: &On, path: &str) -> Result<Vec<u8>, Failure> {
    let (digest, command) = (remote_digest(at, on, path).await?, cat(path));
    let ended = on.run(at, Job { keep: LARGEST, ..on.job(&command) }).await?;
    if ended.cut {
        return Err(large(on, path));
    }
    if ended.status != 0 || sha256(&ended.out) != digest {
        return Err(unfit(on, path, CHANGED));
    }
    Ok(ended.out)
}
