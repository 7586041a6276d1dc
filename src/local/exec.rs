//! Runs commands on this machine: one kind may change anything, the other only reads.
use super::{LocalCall, here, process};
use crate::{
    command::Command,
    effect::*,
    event::EventKind,
    failure::Failure,
    model::{Model, Predicted},
    remote::Output,
};
use serde::Serialize;

/// A command that may change something.
#[derive(Clone, Debug, Serialize)]
pub struct LocalRun {
    pub local: LocalCall,
    pub command: Command,
}

impl Effect for LocalRun {
    type Outcome = Output;
    const NAME: &'static str = "local_run";
    const KIND: EffectKind = EffectKind::Once;

    fn subject(&self) -> Subject<'_> {
        Subject::Here
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Here
    }

    fn describe(&self) -> String {
        format!("run {} here", self.local.shown(&self.command))
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Output, Failure> {
        let heard = |stream, line: &str| at.tell(EventKind::Printed { host: here(), stream, line: line.to_owned() });
        let ended = process::run(&self.local, &self.command, Some(&heard), process::KEPT, &at.real.stops).await?;
        Output::from(ended).good(&self.local.shown(&self.command))
    }

    /// The command leaves no trace, so rfab can't tell whether one that was interrupted was done. It asks the user.
    fn look(&self, _: Ask<'_>) -> Result<Happened<Output>, Failure> {
        Ok(Happened::Cannot)
    }

    fn assumed(&self) -> Option<Output> {
        Some(Output::default())
    }

    /// A dry run runs nothing: the command ends well and prints nothing, unless the simulation sets another outcome.
    fn predict(&self, model: &mut Model) -> Predicted<Output> {
        model.takes(200);
        let said = model.here.said(&self.command.shown()).ok().flatten();
        model.here.changes.push(self.local.shown(&self.command));
        Ok(said.map(Output::from).unwrap_or_default().good(&self.local.shown(&self.command))?)
    }
}

/// A command that only reads.
#[derive(Clone, Debug, Serialize)]
pub struct LocalCapture {
    pub local: LocalCall,
    pub command: Command,
    /// Whether a status other than 0 is an outcome instead of a failure.
    pub any_status: bool,
}

impl Read for LocalCapture {
    type Outcome = Output;
    const NAME: &'static str = "local_capture";

    fn subject(&self) -> Subject<'_> {
        Subject::Here
    }

    fn describe(&self) -> String {
        format!("read {} here", self.local.shown(&self.command))
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Output, Failure> {
        let output = process::run(&self.local, &self.command, None, process::KEPT, &at.real.stops).await?.into();
        self.judged(output)
    }

    fn predict(&self, model: &mut Model) -> Predicted<Output> {
        let said = model.here.said(&self.command.shown())?;
        Ok(self.judged(said.map(Output::from).unwrap_or_default())?)
    }
}

impl LocalCapture {
    fn judged(&self, output: Output) -> Result<Output, Failure> {
        if self.any_status { Ok(output) } else { output.good(&self.local.shown(&self.command)) }
    }
}
