//! Raw commands on hosts: one that may change anything, and one that only reads.
use super::{On, ReadTrace, on};
use crate::{
    command::Command,
    effect::*,
    event::What,
    failure::{Cause, Failure},
    model::{Model, Predicted, Said},
    port::{Ended, Traced},
};
use serde::{Deserialize, Serialize};

/// What a command printed and how it ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Output {
    pub status: i32,
    /// Without the last line end.
    pub out: String,
    pub err: String,
    /// Whether the middle was left out, for it was too much.
    pub cut: bool,
}

impl From<Ended> for Output {
    fn from(ended: Ended) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end_matches(['\n', '\r']).to_owned();
        Output { status: ended.status, out: text(&ended.out), err: text(&ended.err), cut: ended.cut }
    }
}

impl From<Said> for Output {
    fn from(Said { status, out, err }: Said) -> Self {
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

/// The same, of a host's command.
pub fn good(output: Output, on: &On, command: &Command) -> Result<Output, Failure> {
    output.good(&on.shown(command)).map_err(|failure| failure.on(&on.host.name))
}

/// What a trace says of a command's end.
pub(super) fn seen(traced: Traced, any_status: bool, on: &On, command: &Command) -> Result<Seen<Output>, Failure> {
    Ok(match traced {
        Traced::NeverStarted => Seen::Not,
        Traced::Running => Seen::Running,
        Traced::Ended(0) => Seen::Done(Output::default()),
        Traced::Ended(status) if any_status => Seen::Done(Output { status, ..Output::default() }),
        Traced::Ended(status) => return Err(good(Output { status, ..Output::default() }, on, command).unwrap_err()),
        Traced::Lost => Seen::Cannot,
    })
}

/// A command that may change something.
#[derive(Clone, Debug, Serialize)]
pub struct Exec {
    pub on: On,
    pub command: Command,
    /// Whether a status other than 0 is an outcome rather than a failure.
    pub any_status: bool,
    /// The fleet's state folder on hosts.
    pub state: String,
}

impl Effect for Exec {
    type Outcome = Output;
    const NAME: &'static str = "exec";
    const KIND: Kind = Kind::Once;

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

    fn look(&self, ask: Ask<'_>) -> Result<Seen<Output>, Failure> {
        let host = self.on.host.clone();
        let trace = on::trace(&self.state, &host.fleet, ask.run(), ask.id());
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
        // What a change comes to, a plan takes to be well.
        let output = machine.said(&self.command.shown(), false).ok().flatten().map(Output::from).unwrap_or_default();
        machine.ended.insert(id, output.status);
        machine.changes.push(shown.clone());
        model.disturb(&self.on.host, &shown);
        if self.any_status { Ok(output) } else { Ok(good(output, &self.on, &self.command)?) }
    }
}

/// A command that only reads.
#[derive(Clone, Debug, Serialize)]
pub struct Capture {
    pub on: On,
    pub command: Command,
    pub any_status: bool,
    /// Whether its lines are shown as they come.
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
            at.tell(What::Printed { host: host.name.clone(), stream, line: line.to_owned() });
        };
        let mut job = self.on.job(&self.command);
        if self.shown {
            job.heard = Some(&heard);
        }
        let output = self.on.run(&at, job).await?.into();
        if self.any_status { Ok(output) } else { good(output, &self.on, &self.command) }
    }

    fn predict(&self, model: &mut Model) -> Predicted<Output> {
        let partial = model.partial;
        let said = model.machine(&self.on.host)?.said(&self.command.shown(), partial)?;
        let output = said.map(Output::from).unwrap_or_default();
        if self.any_status { Ok(output) } else { Ok(good(output, &self.on, &self.command)?) }
    }

    fn learn(&self, outcome: &Output, model: &mut Model) {
        if let Ok(machine) = model.machine(&self.on.host) {
            let mut says = machine.says.get("").cloned().unwrap_or_default();
            let Output { status, out, err, .. } = outcome.clone();
            says.insert(self.command.shown(), Said { status, out, err });
            machine.says.tell(says);
        }
    }
}
