//! Writes what a command on a host prints into a file here.
use super::{
    On, Output,
    arriving::{arrived, place, unwritable},
    on::good,
};
use crate::{
    command::Command,
    effect::*,
    event::{EventKind, Stream},
    failure::Failure,
    model::{Model, Predicted},
};
use serde::Serialize;
use std::path::PathBuf;

/// Writes what a command prints into a file of this machine, completely or not at all; the command only reads.
#[derive(Clone, Debug, Serialize)]
pub struct Dump {
    pub on: On,
    pub command: Command,
    pub to: PathBuf,
}

impl Effect for Dump {
    type Outcome = ();
    const NAME: &'static str = "dump";
    const KIND: EffectKind = EffectKind::Change;

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.on.host)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Here
    }

    fn describe(&self) -> String {
        format!("get the output of {}", self.on.shown(&self.command))
    }

    async fn carry_out(&self, at: At<'_>) -> Result<(), Failure> {
        // Its stdout is the file; its stderr is for people.
        let heard = |stream, line: &str| {
            if stream == Stream::Err {
                at.tell(EventKind::Printed { host: self.on.host.name.clone(), stream, line: line.to_owned() });
            }
        };
        let (ended, file, _) = arrived(&at, &self.on, &self.command, &self.to, 0, Some(&heard)).await?;
        good(ended.into(), &self.on, &self.command)?;
        file.persist(&self.to).map_err(|e| unwritable(&self.to, &e))
    }

    /// The command may print something else this time.
    fn look(&self, _: Ask<'_>) -> Result<Happened<()>, Failure> {
        Ok(Happened::Not)
    }

    /// The output of a simulated command isn't written to this machine.
    fn predict(&self, model: &mut Model) -> Predicted<()> {
        let said = model.machine(&self.on.host)?.said(&self.command.shown())?;
        place(&self.to)?;
        good(said.map(Output::from).unwrap_or_default(), &self.on, &self.command)?;
        Ok(())
    }
}
