//! Starts, stops and restarts a unit.
use super::units;
use crate::{
    command::Command,
    effect::*,
    failure::Failure,
    fleet::Fleet,
    host::{Host, Name},
    model::{Model, Predicted},
    port::Traced,
    remote::{On, Output, ReadTrace, trace},
};
use serde::Serialize;

/// A change of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ServiceChange {
    Restart,
    Start,
    Stop,
    /// Accepts no new work, and finishes its current work.
    Quiet,
}

/// Changes one unit of a host.
#[derive(Clone, Debug, Serialize)]
pub struct ChangeService {
    pub host: Host,
    pub unit: Name,
    pub change: ServiceChange,
    on: On,
    command: Command,
    state: String,
}

impl ChangeService {
    /// Makes the change with the command in the fleet file.
    pub fn of(fleet: &Fleet, host: &Host, unit: &Name, change: ServiceChange) -> Result<Self, Failure> {
        let service = units::service(fleet)?;
        let verb = match change {
            ServiceChange::Restart => &service.restart,
            ServiceChange::Start => &service.start,
            ServiceChange::Stop => &service.stop,
            ServiceChange::Quiet => service.quiet.as_ref().ok_or_else(|| units::no_quiet(fleet))?,
        };
        let (on, command) = units::command(verb, &[("unit", &**unit)], host)?;
        Ok(Self { host: host.clone(), unit: unit.clone(), change, on, command, state: fleet.state.clone() })
    }

    fn word(&self) -> &'static str {
        match self.change {
            ServiceChange::Restart => "restart",
            ServiceChange::Start => "start",
            ServiceChange::Stop => "stop",
            ServiceChange::Quiet => "quiet",
        }
    }

    fn failure(&self, output: Output) -> Failure {
        let message = format!(
            "{} didn't {} on `{}`: {} ended with status {}",
            self.unit,
            self.word(),
            self.host,
            self.on.shown(&self.command),
            output.status
        );
        let last = output.err.lines().chain(output.out.lines()).last().map(str::to_owned);
        let failure = Failure::failed(message).on(&self.host.name).status(output.status);
        match last {
            Some(last) => failure.help(format!("its last line was: {last}")),
            None => failure,
        }
    }
}

impl Effect for ChangeService {
    type Outcome = ();
    const NAME: &'static str = "service";
    const KIND: EffectKind = EffectKind::Change;

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.host)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Served { host: &self.host }
    }

    fn describe(&self) -> String {
        format!("{} {}", self.word(), self.unit)
    }

    fn ledger_detail(&self) -> LedgerDetail {
        LedgerDetail { word: Some(self.word()), reason: Some(self.unit.to_string()), ..LedgerDetail::default() }
    }

    async fn carry_out(&self, at: At<'_>) -> Result<(), Failure> {
        let output = self.on.change(&at, &self.command, &self.state).await?;
        if output.status == 0 { Ok(()) } else { Err(self.failure(output)) }
    }

    fn look(&self, ask: Ask<'_>) -> Result<Happened<()>, Failure> {
        let trace = trace(&self.state, &self.host.fleet, ask.run(), ask.id());
        Ok(match ask.read(ReadTrace::new(self.host.clone(), trace, ask))? {
            Traced::Ended(0) => Happened::Done(()),
            Traced::Running => Happened::Running,
            Traced::NeverStarted | Traced::Ended(_) | Traced::Lost => Happened::Not,
        })
    }

    fn predict(&self, model: &mut Model) -> Predicted<()> {
        let (now, id) = (model.now, model.id.clone());
        model.harms(&self.host, &format!("{} of {}", self.word(), self.unit));
        model.takes(1_000);
        let machine = model.machine(&self.host)?;
        if let Some(said) = machine.said(&self.command.shown()).ok().flatten().filter(|said| said.status != 0) {
            machine.ended.insert(id, said.status);
            return Err(self.failure(said.into()).into());
        }
        match self.change {
            ServiceChange::Stop => machine.up_at.predict(None),
            ServiceChange::Quiet => {}
            ServiceChange::Start if machine.up_at.get("whether its service runs")?.is_some() => {}
            ServiceChange::Start | ServiceChange::Restart => {
                let current = machine.current.get("the current release")?.as_ref().map(|r| r.commit.clone());
                let current = machine.installed.as_deref().map(Name::from).or(current);
                machine.running.predict(current);
                machine.up_at.predict(Some(now + 3_000));
                machine.restarts += 1;
            }
        }
        machine.ended.insert(id, 0);
        model.watch();
        Ok(())
    }
}
