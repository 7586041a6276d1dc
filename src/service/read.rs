//! Reads the state of a unit.
use super::units;
use crate::{
    command::Command,
    effect::*,
    failure::Failure,
    fleet::Fleet,
    host::{Host, Name},
    model::{Model, Predicted},
    remote::{On, Output},
};
use serde::Serialize;

/// What is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ServiceRead {
    Status,
    /// Whether the unit has no work.
    Idle,
    /// The last lines of its log.
    Logs(u32),
}

/// Reads it from one unit of a host.
#[derive(Clone, Debug, Serialize)]
pub struct ReadService {
    pub host: Host,
    pub unit: Name,
    pub read: ServiceRead,
    on: On,
    command: Command,
}

impl ReadService {
    /// Makes the reading with the command in the fleet file.
    pub fn of(fleet: &Fleet, host: &Host, unit: &Name, read: ServiceRead) -> Result<Self, Failure> {
        let service = units::service(fleet)?;
        let (verb, lines) = match read {
            ServiceRead::Status => (&service.status, 0),
            ServiceRead::Idle => (service.idle.as_ref().ok_or_else(|| units::no_quiet(fleet))?, 0),
            ServiceRead::Logs(lines) => (&service.logs, lines),
        };
        let (on, command) = units::command(verb, &[("unit", &**unit), ("lines", &lines.to_string())], host)?;
        Ok(Self { host: host.clone(), unit: unit.clone(), read, on, command })
    }
}

impl Read for ReadService {
    type Outcome = Output;
    const NAME: &'static str = "read_service";

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.host)
    }

    fn describe(&self) -> String {
        match self.read {
            ServiceRead::Status => format!("read the status of {}", self.unit),
            ServiceRead::Idle => format!("ask whether {} has no work left", self.unit),
            ServiceRead::Logs(lines) => format!("read the last {lines} log lines of {}", self.unit),
        }
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Output, Failure> {
        Ok(self.on.run(&at, self.on.job(&self.command)).await?.into())
    }

    fn predict(&self, model: &mut Model) -> Predicted<Output> {
        let machine = model.machine(&self.host)?;
        let up = machine.up_at.get("when its service is up")?.is_some();
        let (status, out) = match self.read {
            ServiceRead::Status if up => (0, "active"),
            ServiceRead::Status => (3, "inactive"),
            // A test or a dry run may have set how the command ends.
            ServiceRead::Idle => (machine.said(&self.command.shown())?.map_or(0, |said| said.status), ""),
            ServiceRead::Logs(_) => (if up { 0 } else { 3 }, ""),
        };
        Ok(Output { status, out: out.to_owned(), ..Output::default() })
    }
}
