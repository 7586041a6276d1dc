//! Feeds a file of this machine to a command on a host.
use super::{
    On, Output,
    on::{good, trace},
    traced::{ReadTrace, seen},
};
use crate::{
    command::Command,
    effect::*,
    event::EventKind,
    failure::Failure,
    model::{Model, Predicted},
    port::{Input, Job},
};
use serde::Serialize;
use std::path::PathBuf;

/// Runs a command that reads a file of this machine.
#[derive(Clone, Debug, Serialize)]
pub struct Load {
    pub on: On,
    pub command: Command,
    pub from: PathBuf,
    /// The fleet's state folder on hosts.
    pub state: String,
}

impl Effect for Load {
    type Outcome = Output;
    const NAME: &'static str = "load";
    const KIND: EffectKind = EffectKind::Once;

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.on.host)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Anything { host: &self.on.host }
    }

    fn describe(&self) -> String {
        let file = self.from.file_name().unwrap_or_default().to_string_lossy();
        format!("put {file} into {}", self.on.shown(&self.command))
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Output, Failure> {
        self.check()?;
        let host = &self.on.host;
        let sent = |done, total| {
            at.tell(EventKind::Progressed {
                host: Some(host.name.clone()),
                what: "sent".into(),
                done,
                total,
                unit: "bytes",
            });
        };
        let job = Job { stdin: Input::File(&self.from, &sent), ..self.on.job(&self.command) };
        good(self.on.change_by(&at, job, &self.state).await?, &self.on, &self.command)
    }

    fn look(&self, ask: Ask<'_>) -> Result<Happened<Output>, Failure> {
        let host = self.on.host.clone();
        let trace = trace(&self.state, &host.fleet, ask.run(), ask.id());
        seen(ask.read(ReadTrace::new(host, trace, ask))?, false, &self.on, &self.command)
    }

    fn assumed(&self) -> Option<Output> {
        Some(Output::default())
    }

    /// An earlier step of the run may write a file that isn't there.
    fn predict(&self, model: &mut Model) -> Predicted<Output> {
        if self.from.exists() {
            self.check()?;
        }
        let (id, shown) = (model.id.clone(), self.on.shown(&self.command));
        model.takes(200);
        let machine = model.machine(&self.on.host)?;
        let output = machine.said(&self.command.shown()).ok().flatten().map(Output::from).unwrap_or_default();
        machine.ended.insert(id, output.status);
        machine.changes.push(shown);
        Ok(good(output, &self.on, &self.command)?)
    }
}

impl Load {
    fn check(&self) -> Result<(), Failure> {
        if self.from.is_file() {
            return Ok(());
        }
        Err(Failure::failed(format!("`{}` isn't a file", self.from.display()))
            .help("only a file goes into a command; to send a folder, write `host.put(folder, path)`"))
    }
}
