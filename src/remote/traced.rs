//! Finds out how a call ended that may have been cut off.
use super::{On, Output, on::good};
use crate::{
    command::Command,
    effect::*,
    failure::Failure,
    host::Host,
    model::{Model, Predicted},
    port::{Trace, Traced},
};
use serde::Serialize;

/// Reads the trace that the wrapper left of a call.
#[derive(Clone, Debug, Serialize)]
pub struct ReadTrace {
    pub host: Host,
    folder: String,
    file: String,
    /// The call's id in the model.
    id: String,
}

impl ReadTrace {
    /// Makes the reading for a call of this run.
    pub fn new(host: Host, trace: Trace, ask: Ask<'_>) -> Self {
        Self::of(host, trace, ask.run(), ask.id())
    }

    /// Makes the reading for a call of any run.
    pub fn of(host: Host, trace: Trace, run: &str, id: Id<'_>) -> Self {
        Self { host, folder: trace.folder, file: trace.id, id: format!("{run} {id}") }
    }
}

impl Read for ReadTrace {
    type Outcome = Traced;
    const NAME: &'static str = "read_trace";

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.host)
    }

    fn describe(&self) -> String {
        format!("look how call {} ended", self.id)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Traced, Failure> {
        let trace = Trace { id: self.file.clone(), folder: self.folder.clone() };
        at.real.site(&self.host.fleet).transport.traced(&self.host, &trace).await
    }

    fn predict(&self, model: &mut Model) -> Predicted<Traced> {
        let machine = model.machine(&self.host)?;
        if machine.lost.contains(&self.id) {
            return Ok(Traced::Lost);
        }
        let ended = machine.ended.get(&self.id).copied();
        Ok(ended.map_or(Traced::NeverStarted, Traced::Ended))
    }
}

/// Returns what a trace tells about a command's end.
pub(super) fn seen(traced: Traced, any_status: bool, on: &On, command: &Command) -> Result<Happened<Output>, Failure> {
    Ok(match traced {
        Traced::NeverStarted => Happened::Not,
        Traced::Running => Happened::Running,
        Traced::Ended(0) => Happened::Done(Output::default()),
        Traced::Ended(status) if any_status => Happened::Done(Output { status, ..Output::default() }),
        Traced::Ended(status) => return Err(good(Output { status, ..Output::default() }, on, command).unwrap_err()),
        Traced::Lost => Happened::Cannot,
    })
}
