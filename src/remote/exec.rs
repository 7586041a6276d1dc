//! A command on a host that may change anything.
use super::{
    On, Output,
    on::{good, trace},
    traced::{ReadTrace, seen},
};
use crate::{
    command::Command,
    effect::*,
    failure::Failure,
    model::{Model, Predicted},
};
use serde::Serialize;

/// A command that may change something.
#[derive(Clone, Debug, Serialize)]
pub struct Exec {
    pub on: On,
    pub command: Command,
    /// Whether a status other than 0 counts as an outcome, not as a failure.
    pub any_status: bool,
    /// The fleet's state folder on hosts.
    pub state: String,
}

impl Effect for Exec {
    type Outcome = Output;
    const NAME: &'static str = "exec";
    const KIND: EffectKind = EffectKind::Once;

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.on.host)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Anything { host: &self.on.host }
    }

    fn describe(&self) -> String {
        format!("run {}", self.on.shown(&self.command))
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Output, Failure> {
        let output = self.on.change(&at, &self.command, &self.state).await?;
        if self.any_status { Ok(output) } else { good(output, &self.on, &self.command) }
    }

    fn look(&self, ask: Ask<'_>) -> Result<Happened<Output>, Failure> {
        let host = self.on.host.clone();
        let trace = trace(&self.state, &host.fleet, ask.run(), ask.id());
        seen(ask.read(ReadTrace::new(host, trace, ask))?, self.any_status, &self.on, &self.command)
    }

    fn assumed(&self) -> Option<Output> {
        Some(Output::default())
    }

    fn predict(&self, model: &mut Model) -> Predicted<Output> {
        let id = model.id.clone();
        let shown = self.on.shown(&self.command);
        model.takes(200);
        let machine = model.machine(&self.on.host)?;
        // A command that nobody said anything of ends well.
        let output = machine.said(&self.command.shown()).ok().flatten().map(Output::from).unwrap_or_default();
        machine.ended.insert(id, output.status);
        machine.changes.push(shown);
        if self.any_status { Ok(output) } else { Ok(good(output, &self.on, &self.command)?) }
    }
}
