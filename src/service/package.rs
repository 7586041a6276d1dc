//! The app as a package of the host's package manager.
use super::units;
use crate::{
    command::Command,
    control::shown,
    effect::*,
    failure::{Cause, Failure},
    fleet::{Fleet, Verb},
    host::Host,
    model::{Model, Predicted},
    port::Traced,
    remote::{On, Output, ReadTrace, trace},
};
use serde::Serialize;

/// Installs a version with the fleet file's command; packages restart their services, so the new version serves.
#[derive(Clone, Debug, Serialize)]
pub struct Install {
    pub host: Host,
    pub version: String,
    on: On,
    command: Command,
    state: String,
}

fn verb<'a>(fleet: &Fleet, key: &str, verb: Option<&'a Verb>) -> Result<&'a Verb, Failure> {
    verb.ok_or_else(|| {
        let message = format!("fleet `{}` doesn't set `{key}`, which a package needs", fleet.name);
        Failure::new(Cause::Fabfile, message)
            .help("add to `[app.service]`: `install = \"apt-get install --yes shop={version}\"` and `installed`")
    })
}

impl Install {
    /// Makes the installation.
    ///
    /// `Fabfile` if the fleet has no `install`, or if the text isn't a version.
    pub fn of(fleet: &Fleet, host: &Host, version: &str) -> Result<Self, Failure> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b".+:~_-".contains(&b);
        if version.is_empty() || version.starts_with('-') || version.len() > 200 || !version.bytes().all(plain) {
            let message = format!("`{}` isn't a version of a package", shown(version));
            return Err(Failure::new(Cause::Fabfile, message).help("it has letters, digits and `.+:~_-`"));
        }
        let install = verb(fleet, "install", units::service(fleet)?.install.as_ref())?;
        let (on, command) = units::command(install, &[("version", version)], host)?;
        let (version, state) = (version.to_owned(), fleet.state.clone());
        Ok(Self { host: host.clone(), version, on, command, state })
    }

    fn failure(&self, output: Output) -> Failure {
        let (shown, status) = (self.on.shown(&self.command), output.status);
        let message =
            format!("{} wasn't installed on `{}`: {shown} ended with status {status}", self.version, self.host);
        let failure = Failure::failed(message).on(&self.host.name).status(status);
        match output.err.lines().chain(output.out.lines()).last() {
            Some(last) => failure.help(format!("its last line was: {last}")),
            None => failure,
        }
    }
}

impl Effect for Install {
    type Outcome = ();
    const NAME: &'static str = "install";
    const KIND: EffectKind = EffectKind::Change;

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.host)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Served { host: &self.host }
    }

    fn describe(&self) -> String {
        format!("install {}", self.version)
    }

    fn ledger_detail(&self) -> LedgerDetail {
        LedgerDetail { reason: Some(self.version.clone()), ..LedgerDetail::default() }
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
        let id = model.id.clone();
        model.harms(&self.host, "installation");
        model.takes(5_000);
        let machine = model.machine(&self.host)?;
        if let Some(said) = machine.said(&self.command.shown()).ok().flatten().filter(|said| said.status != 0) {
            machine.ended.insert(id, said.status);
            return Err(self.failure(said.into()).into());
        }
        machine.installed = Some(self.version.clone());
        machine.ended.insert(id, 0);
        Ok(())
    }
}

/// Reads which version is installed.
#[derive(Clone, Debug, Serialize)]
pub struct ReadInstalled {
    pub host: Host,
    on: On,
    command: Command,
}

impl ReadInstalled {
    /// Makes the reading; `Fabfile` if the fleet has no `installed`.
    pub fn of(fleet: &Fleet, host: &Host) -> Result<Self, Failure> {
        let installed = verb(fleet, "installed", units::service(fleet)?.installed.as_ref())?;
        let (on, command) = units::command(installed, &[], host)?;
        Ok(Self { host: host.clone(), on, command })
    }
}

impl Read for ReadInstalled {
    /// What the command printed; nothing if it failed, as it does for a package that isn't installed.
    type Outcome = Option<String>;
    const NAME: &'static str = "read_installed";

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.host)
    }

    fn describe(&self) -> String {
        "read which version is installed".to_owned()
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Option<String>, Failure> {
        let output: Output = self.on.run(&at, self.on.job(&self.command)).await?.into();
        Ok((output.status == 0).then(|| output.out.trim().to_owned()).filter(|version| !version.is_empty()))
    }

    fn predict(&self, model: &mut Model) -> Predicted<Option<String>> {
        Ok(model.machine(&self.host)?.installed.clone())
    }
}
