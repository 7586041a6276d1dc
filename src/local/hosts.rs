//! Reads a fleet's hosts from a command of the project, which may ask an inventory.
use super::{LocalCall, process};
use crate::{
    command::Command,
    control::brief,
    effect::*,
    failure::{Cause, Failure},
    model::{Model, Predicted},
    remote::Output,
};
use serde::Serialize;
use std::{collections::BTreeMap, time::Duration};

/// The most that the command may print, in bytes, as for a fleet file.
const LARGEST: usize = 4 << 20;

/// How long the command may take.
const WITHIN: Duration = Duration::from_secs(30);

/// Runs a fleet's `hosts_from`. The outcome is what it printed.
///
/// It only reads, so a resumed run gets the output from its journal and has the same hosts as at its beginning.
#[derive(Clone, Debug, Serialize)]
pub struct ReadHosts {
    pub fleet: String,
    pub local: LocalCall,
    pub command: Command,
}

/// The outputs of commands in this run, by command.
#[derive(Default)]
struct PrintedInventories(tokio::sync::Mutex<BTreeMap<String, String>>);

impl ReadHosts {
    pub fn new(fleet: &str, words: &[String], local: LocalCall) -> ReadHosts {
        let command = Command::Words(words.to_vec());
        ReadHosts { fleet: fleet.to_owned(), local: LocalCall { timeout: Some(WITHIN), ..local }, command }
    }

    fn failure(&self, why: &str) -> Failure {
        let message = format!("fleet `{}` has no hosts: {why}", self.fleet);
        Failure::new(Cause::Fabfile, message)
    }

    fn judged(&self, output: Output) -> Result<String, Failure> {
        let shown = self.local.shown(&self.command);
        if output.cut {
            return Err(self
                .failure(&format!("{shown} printed more than {} MiB", LARGEST >> 20))
                .help("let it print only hosts"));
        }
        let Output { status, out, err, .. } = output;
        if status == 0 {
            return Ok(out);
        }
        // The reason of the failure comes after what it may have printed already.
        let said: Vec<&str> = out.lines().chain(err.lines()).filter(|line| !line.trim().is_empty()).collect();
        let failure = self.failure(&format!("{shown} ended with status {status}"));
        Err(match said.last() {
            Some(last) => failure.help(format!("its last line was: {}", brief(last, 200))),
            None => failure.help("it printed nothing; run it by hand in the fabfile's folder"),
        })
    }
}

impl Read for ReadHosts {
    type Outcome = String;
    const NAME: &'static str = "read_hosts";

    fn subject(&self) -> Subject<'_> {
        Subject::Here
    }

    fn describe(&self) -> String {
        format!("read the hosts of {} from {}", self.fleet, self.local.shown(&self.command))
    }

    /// Runs the command once in a run, even if the fleet is named more often, because the inventory may change.
    async fn carry_out(&self, at: At<'_>) -> Result<String, Failure> {
        let printed = at.real.kept.get::<PrintedInventories>();
        let mut said = printed.0.lock().await;
        if let Some(known) = said.get(&self.command.shown()) {
            return Ok(known.clone());
        }
        let ended = process::run(&self.local, &self.command, None, LARGEST, &at.real.stops).await;
        let ended = ended.map_err(|e| Failure { help: e.help.clone(), ..self.failure(&e.message) })?;
        let printed = self.judged(ended.into())?;
        said.insert(self.command.shown(), printed.clone());
        Ok(printed)
    }

    /// A dry run runs no command, not even one that only reads: an inventory may answer differently tomorrow, and the
    /// same seed must give the same run. The simulation sets what the command prints.
    fn predict(&self, model: &mut Model) -> Predicted<String> {
        match model.here.said(&self.command.shown())? {
            Some(said) => Ok(self.judged(said.into())?),
            None => {
                let failure = self.failure(&format!("the simulator doesn't run {}", self.local.shown(&self.command)));
                Err(failure.help("use a fleet for the simulator, with its hosts under `[hosts]`").into())
            }
        }
    }
}
