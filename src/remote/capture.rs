//! A command on a host that only reads.
use super::{On, Output, on::good};
use crate::{
    command::Command,
    effect::*,
    event::EventKind,
    failure::Failure,
    model::{Model, ModelOutput, Predicted},
};
use serde::Serialize;

/// A command that only reads.
#[derive(Clone, Debug, Serialize)]
pub struct Capture {
    pub on: On,
    pub command: Command,
    pub any_status: bool,
    /// Whether its lines are shown as they arrive.
    pub shown: bool,
}

impl Read for Capture {
    type Outcome = Output;
    const NAME: &'static str = "capture";

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.on.host)
    }

    fn describe(&self) -> String {
        format!("read {}", self.on.shown(&self.command))
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Output, Failure> {
        let host = &self.on.host;
        let heard = |stream, line: &str| {
            at.tell(EventKind::Printed { host: host.name.clone(), stream, line: line.to_owned() });
        };
        let mut job = self.on.job(&self.command);
        if self.shown {
            job.heard = Some(&heard);
        }
        let output = self.on.run(&at, job).await?.into();
        if self.any_status { Ok(output) } else { good(output, &self.on, &self.command) }
    }

    fn predict(&self, model: &mut Model) -> Predicted<Output> {
        let said = model.machine(&self.on.host)?.said(&self.command.shown())?;
        let output = said.map(Output::from).unwrap_or_default();
        if self.any_status { Ok(output) } else { Ok(good(output, &self.on, &self.command)?) }
    }

    fn learn(&self, outcome: &Output, model: &mut Model) {
        if let Ok(machine) = model.machine(&self.on.host) {
            let mut says = machine.says.get("").cloned().unwrap_or_default();
            let Output { status, out, err, .. } = outcome.clone();
            says.insert(self.command.shown(), ModelOutput { status, out, err });
            machine.says.tell(says);
        }
    }
}
