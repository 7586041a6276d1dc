//! A host, and how the next call runs on it.
use super::Output;
use crate::{
    command::Command,
    effect::{At, Id},
    event::EventKind,
    failure::Failure,
    host::{Host, Name},
    port::{Ended, Input, Job, LineSink, Trace},
    secret::Secret,
};
use serde::Serialize;
use std::{collections::BTreeMap, time::Duration};

/// A host with the folder, user, environment and time limit of a call.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct On {
    pub host: Host,
    /// The user that the call runs as, by sudo; the login user if absent.
    pub user: Option<Name>,
    pub cd: Option<String>,
    pub env: BTreeMap<String, Secret>,
    pub timeout: Option<Duration>,
    /// The stdin of a command; empty if absent.
    pub stdin: Option<Secret>,
    /// The permissions of written files, such as `640`; an existing file keeps its own if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
}

impl From<Host> for On {
    fn from(host: Host) -> Self {
        Self { host, user: None, cd: None, env: BTreeMap::new(), timeout: None, stdin: None, mode: None }
    }
}

impl On {
    /// Makes the job of a command that leaves no trace on the host.
    pub fn job<'a>(&'a self, command: &'a Command) -> Job<'a> {
        Job {
            user: self.user.clone(),
            cd: self.cd.clone(),
            env: self.env.iter().map(|(name, value)| (name.clone(), value.reveal().to_owned())).collect(),
            timeout: self.timeout,
            stdin: self.stdin.as_ref().map_or(Input::Empty, |text| Input::Bytes(text.reveal().as_bytes())),
            ..Job::new(command)
        }
    }

    /// Runs a job on the host.
    pub async fn run(&self, at: &At<'_>, job: Job<'_>) -> Result<Ended, Failure> {
        at.real.site(&self.host.fleet).transport.run(&self.host, job).await
    }

    /// Runs a command that may change something: it leaves a trace and a note in the ledger, and people see its
    /// output.
    ///
    /// `state` is the fleet's state folder on hosts.
    pub async fn change(&self, at: &At<'_>, command: &Command, state: &str) -> Result<Output, Failure> {
        self.change_by(at, self.job(command), state).await
    }

    /// Runs a job that may change something, in the same way.
    pub async fn change_by(&self, at: &At<'_>, job: Job<'_>, state: &str) -> Result<Output, Failure> {
        let host = &self.host;
        let heard = |stream, line: &str| {
            at.tell(EventKind::Printed { host: host.name.clone(), stream, line: line.to_owned() });
        };
        let trace = Some(trace(state, &host.fleet, at.lane.run(), at.id));
        let (ledger, heard) = (at.ledger_lines(), Some(&heard as &LineSink<'_>));
        Ok(self.run(at, Job { trace, ledger, heard, changes_logins: true, ..job }).await?.into())
    }

    /// Returns a path as the host sees it from the folder of the call.
    pub fn place(&self, path: &str) -> String {
        match &self.cd {
            Some(folder) if !path.starts_with('/') && !path.is_empty() => {
                format!("{}/{path}", folder.trim_end_matches('/'))
            }
            _ => path.to_owned(),
        }
    }

    /// Returns the call as people see it.
    pub fn shown(&self, command: &Command) -> String {
        let user = self.user.as_ref().map(|u| format!(" as {u}")).unwrap_or_default();
        let cd = self.cd.as_ref().map(|d| format!(" in {d}")).unwrap_or_default();
        format!("`{}`{user}{cd}", command.shown())
    }
}

/// Returns where a call of this run leaves its trace on a host of the fleet.
pub fn trace(state: &str, fleet: &str, run: &str, id: Id<'_>) -> Trace {
    let lane: String =
        id.lane.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' }).collect();
    let again = if id.attempt > 0 { format!(".{}", id.attempt) } else { String::new() };
    Trace { id: format!("{run}-{lane}-{}{again}", id.number), folder: format!("{state}/{fleet}/run") }
}

/// Turns a status other than 0 into a failure that names the host and the command.
pub fn good(output: Output, on: &On, command: &Command) -> Result<Output, Failure> {
    output.good(&on.shown(command)).map_err(|failure| failure.on(&on.host.name))
}
