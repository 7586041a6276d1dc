//! The hosts that a command of the project prints: an inventory that is kept elsewhere.
use super::{Local, process};
use crate::{
    command::Command,
    effect::*,
    failure::{Cause, Failure},
    model::{Model, Predicted},
    remote::Output,
};
use serde::Serialize;
use std::{collections::BTreeMap, time::Duration};

/// The most that it may print, in bytes: as much as a fleet file has.
const LARGEST: usize = 4 << 20;

/// How long such a command may take.
const WITHIN: Duration = Duration::from_secs(30);

/// Has a fleet's `hosts_from` say its hosts; the outcome is what it printed.
///
/// It only reads, so a resumed run is handed back what it printed then: its hosts are those that the run began with.
#[derive(Clone, Debug, Serialize)]
pub struct ReadHosts {
    pub fleet: String,
    pub local: Local,
    pub command: Command,
}

/// What inventories printed in this run, by their commands.
#[derive(Default)]
struct Printed(tokio::sync::Mutex<BTreeMap<String, String>>);

impl ReadHosts {
    pub fn new(fleet: &str, words: &[String], local: Local) -> ReadHosts {
        let command = Command::Words(words.to_vec());
        ReadHosts { fleet: fleet.to_owned(), local: Local { timeout: Some(WITHIN), ..local }, command }
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
                .help("let it print hosts alone"));
        }
        let Output { status, out, err, .. } = output;
        if status == 0 {
            return Ok(out);
        }
        // Why it failed stands behind what it may have printed already.
        let said: Vec<&str> = out.lines().chain(err.lines()).filter(|line| !line.trim().is_empty()).collect();
        let failure = self.failure(&format!("{shown} ended with status {status}"));
        Err(match said.last() {
            Some(last) => failure.help(format!("its last line was: {}", short(last))),
            None => failure.help("it printed nothing; run it by hand in the fabfile's folder"),
        })
    }
}

/// The beginning of what a command said.
fn short(text: &str) -> String {
    let short: String = text.chars().take(200).collect();
    if short.len() < text.len() { short + "…" } else { short }
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

    /// It is run once a run, however often the fleet is named: the inventory may change meanwhile.
    async fn carry_out(&self, at: At<'_>) -> Result<String, Failure> {
        let printed = at.real.kept.get::<Printed>();
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

    /// A made-up world runs nothing here, not even what only reads: an inventory is a service that answers otherwise
    /// tomorrow, and the same seed has to give the same run. Whoever makes the world up says what it prints.
    fn predict(&self, model: &mut Model) -> Predicted<String> {
        match model.here.said(&self.command.shown())? {
            Some(said) => Ok(self.judged(said.into())?),
            None => {
                let failure = self.failure(&format!("the simulator doesn't run {}", self.local.shown(&self.command)));
                Err(failure.help("write the hosts under `[hosts]` of a fleet that is made for it").into())
            }
        }
    }
}
