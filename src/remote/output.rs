//! What a command printed and how it ended.
use crate::{
    failure::{Cause, Failure},
    model::ModelOutput,
    port::Ended,
};
use serde::{Deserialize, Serialize};

/// What a command printed and how it ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Output {
    pub status: i32,
    /// Its stdout, without the last newline.
    pub out: String,
    pub err: String,
    /// Whether the middle was left out because the output was too long.
    pub cut: bool,
}

impl From<Ended> for Output {
    fn from(ended: Ended) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end_matches(['\n', '\r']).to_owned();
        Output { status: ended.status, out: text(&ended.out), err: text(&ended.err), cut: ended.cut }
    }
}

impl From<ModelOutput> for Output {
    fn from(ModelOutput { status, out, err }: ModelOutput) -> Self {
        Output { status, out, err, cut: false }
    }
}

impl Output {
    /// Turns a status other than 0 into a failure that names the command.
    pub fn good(self, shown: &str) -> Result<Output, Failure> {
        if self.status == 0 {
            return Ok(self);
        }
        let failure =
            Failure::new(Cause::Command, format!("{shown} ended with status {}", self.status)).status(self.status);
        let lines: Vec<&str> = self.err.lines().chain(self.out.lines()).collect();
        Err(match lines.last() {
            Some(last) => failure.help(format!("its last line was: {last}")),
            None => failure,
        })
    }
}
