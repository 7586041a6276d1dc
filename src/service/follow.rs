//! Shows the logs of a host's units as they grow.
use super::units;
use crate::{
    command::Command,
    effect::*,
    event::EventKind,
    failure::Failure,
    fleet::Fleet,
    host::{Host, Name},
    model::{Model, Predicted},
    port::Job,
    remote::{On, Output, good},
};
use futures_util::future::join_all;
use serde::Serialize;

/// Follows the logs in parallel, until they end or the person stops the run.
#[derive(Clone, Debug, Serialize)]
pub struct FollowLogs {
    pub host: Host,
    pub units: Vec<Name>,
    commands: Vec<(On, Command)>,
}

impl FollowLogs {
    /// Makes the reading of the logs of a host's units, with the command in the fleet file.
    pub fn of(fleet: &Fleet, host: &Host) -> Result<Self, Failure> {
        let (service, units) = (units::service(fleet)?, units::units(fleet, host)?);
        let commands = units
            .iter()
            .map(|unit| units::command(&service.follow, &[("unit", unit)], host))
            .collect::<Result<_, _>>()?;
        Ok(Self { host: host.clone(), units, commands })
    }
}

impl Read for FollowLogs {
    type Outcome = ();
    const NAME: &'static str = "follow_logs";

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.host)
    }

    fn describe(&self) -> String {
        format!("follow the log of {}", self.units.join(", "))
    }

    async fn carry_out(&self, at: At<'_>) -> Result<(), Failure> {
        let heard = |stream, line: &str| {
            at.tell(EventKind::Printed { host: self.host.name.clone(), stream, line: line.to_owned() });
        };
        let ends = || at.real.person.stops();
        let follow = async |(on, command): &(On, Command)| {
            let job = Job { heard: Some(&heard), until: Some(&ends), keep: 4 << 10, ..on.job(command) };
            let output: Output = on.run(&at, job).await?.into();
            // A command that was stopped on request didn't fail.
            if ends() { Ok(()) } else { good(output, on, command).map(drop) }
        };
        join_all(self.commands.iter().map(follow)).await.into_iter().collect()
    }

    /// A simulated unit prints nothing.
    fn predict(&self, model: &mut Model) -> Predicted<()> {
        model.machine(&self.host)?;
        Ok(())
    }
}
