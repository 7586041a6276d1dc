//! Takes over an app's folder as another tool left it.
use super::{
    Adopted, Home, ReadReleases, ReleaseError,
    on_host::{on, plain, run},
    program::Program,
    set_up::set_up,
};
use crate::{
    command::Command,
    effect::*,
    event::EventKind,
    failure::Failure,
    host::Host,
    model::{Model, Predicted},
};
use serde::Serialize;

/// Makes the folders that rfab needs and that are missing; `current`, releases and `shared` stay as they are.
#[derive(Clone, Debug, Serialize)]
pub struct Adopt {
    pub host: Host,
    pub home: Home,
}

impl Effect for Adopt {
    type Outcome = Adopted;
    const NAME: &'static str = "adopt";
    const KIND: EffectKind = EffectKind::Change;

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.host)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Staged { host: &self.host }
    }

    fn describe(&self) -> String {
        format!("take over {} as it is", self.home.path)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Adopted, Failure> {
        let (host, home) = (&self.host, &self.home);
        let command = adopt(&home.path).map_err(on(host))?;
        let ended = run(&at, host, &home.user, plain(&command)).await?;
        let (_, adopted) = set_up(&ended).map_err(on(host))?;
        at.tell(EventKind::Noted { host: Some(self.host.name.clone()), text: adopted.to_string() });
        Ok(adopted)
    }

    /// A second takeover only reports again what is there.
    fn look(&self, ask: Ask<'_>) -> Result<Happened<Adopted>, Failure> {
        let there = ask.read(ReadReleases { host: self.host.clone(), home: self.home.clone() })?;
        Ok(if there.set_up { Happened::Cannot } else { Happened::Not })
    }

    fn predict(&self, model: &mut Model) -> Predicted<Adopted> {
        let machine = model.machine(&self.host)?;
        machine.set_up.predict(true);
        let current = machine.foreign.clone();
        let (tool, others) =
            (current.as_ref().map(|_| "another tool's layout".to_owned()), current.iter().count() as u64);
        Ok(Adopted { tool, current, commit: machine.revision.clone(), others })
    }
}

/// Makes the missing folders of an app that another tool deployed; its releases and `current` stay as they are.
pub fn adopt(path: &str) -> Result<Command, ReleaseError> {
    Program::Setup.command(path, &["adopt".to_owned()])
}
