//! An app's folder that another tool deployed to, taken over as it is.
use super::{Error, Home, ReadReleases, on_host};
use crate::{
    effect::*,
    event::What,
    failure::Failure,
    host::Host,
    model::{Model, Predicted},
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Makes what rfab's folders lack; `current`, releases and `shared` stay as they are.
#[derive(Clone, Debug, Serialize)]
pub struct Adopt {
    pub host: Host,
    pub home: Home,
}

/// What was found in the folder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adopted {
    /// Whose layout it is, for people; nothing for a folder that is rfab's or empty.
    pub tool: Option<String>,
    /// Where `current` leads, if it is no release of rfab's.
    pub current: Option<String>,
    /// The commit that its `REVISION` names.
    pub commit: Option<String>,
    /// How many releases there are that are not rfab's.
    pub others: u64,
}

impl fmt::Display for Adopted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(tool) = &self.tool else { return write!(f, "nothing of another tool is there") };
        write!(f, "{tool}: {} releases", self.others)?;
        if let Some(current) = &self.current {
            write!(f, ", `current` leads to {}", current.escape_debug())?;
        }
        match &self.commit {
            Some(commit) => write!(f, " ({})", &commit[..12]),
            None => Ok(()),
        }
    }
}

impl Effect for Adopt {
    type Outcome = Adopted;
    const NAME: &'static str = "adopt";
    const KIND: Kind = Kind::Change;

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
        let adopted = on_host::adopt(&at, self).await?;
        at.tell(What::Noted { host: Some(self.host.name.clone()), text: adopted.to_string() });
        Ok(adopted)
    }

    /// To take it over once more says again what is there.
    fn look(&self, ask: Ask<'_>) -> Result<Seen<Adopted>, Failure> {
        let there = ask.read(ReadReleases { host: self.host.clone(), home: self.home.clone() })?;
        Ok(if there.set_up { Seen::Cannot } else { Seen::Not })
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

/// Why a folder that is another tool's is not set up unasked.
pub(super) fn refused(host: &Host, tool: &str) -> Failure {
    on_host::on(host)(Error::Foreign(tool.to_owned()))
}
