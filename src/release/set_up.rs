//! Makes the folders of an app on a host.
use super::{
    Adopted, Home, ReadReleases, ReleaseError,
    answer::{AnswerLines, text},
    name,
    on_host::{on, plain, run},
    program::Program,
};
use crate::{
    command::{Command, quoted},
    effect::*,
    failure::{Failure, HOSTS},
    host::Host,
    model::{Model, Predicted},
    port::Ended,
};
use serde::Serialize;

/// Makes the folders of an app on a new host; what exists stays as it is.
#[derive(Clone, Debug, Serialize)]
pub struct SetUp {
    pub host: Host,
    pub home: Home,
}

impl Effect for SetUp {
    type Outcome = ();
    const NAME: &'static str = "set_up";
    const KIND: EffectKind = EffectKind::Change;

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.host)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Staged { host: &self.host }
    }

    fn describe(&self) -> String {
        format!("make the folders of {}", self.home.path)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<(), Failure> {
        let (host, home) = (&self.host, &self.home);
        let command = setup(&home.path).map_err(on(host))?;
        let ended = run(&at, host, &home.user, plain(&command)).await?;
        set_up(&ended).map(drop).map_err(|error| {
            let cannot = matches!(error, ReleaseError::CannotMake(_));
            let failure = on(host)(error);
            let fleet = at.real.site(&host.fleet).fleet.clone();
            match home.user.as_ref().or(fleet.user.as_ref()).filter(|_| cannot) {
                Some(user) => {
                    let made = format!("install -d -o {user} {}", quoted(&home.path));
                    failure.help(format!(
                        "make it as root and give it to the app's user: `rfab {HOSTS} -- sudo {made}`; if sudo wants a \
                         password, use a task with `host.sudo(\"{made}\")`"
                    ))
                }
                None => failure,
            }
        })
    }

    fn look(&self, ask: Ask<'_>) -> Result<Happened<()>, Failure> {
        let there = ask.read(ReadReleases { host: self.host.clone(), home: self.home.clone() })?;
        Ok(if there.set_up { Happened::Done(()) } else { Happened::Not })
    }

    fn predict(&self, model: &mut Model) -> Predicted<()> {
        let machine = model.machine(&self.host)?;
        if machine.foreign.is_some() && !*machine.set_up.get("whether it is set up")? {
            return Err(refused(&self.host, "another tool's layout").into());
        }
        machine.set_up.predict(true);
        Ok(())
    }
}

/// Returns why another tool's folder is set up only on request.
fn refused(host: &Host, tool: &str) -> Failure {
    on(host)(ReleaseError::Foreign(tool.to_owned()))
}

/// Makes an app's folders: `releases`, `shared` and `.rfab`, and checks the tools and the filesystem.
///
/// The folders belong to the user that runs the program. A second call only corrects the modes of `releases` and
/// `.rfab`.
pub fn setup(path: &str) -> Result<Command, ReleaseError> {
    Program::Setup.command(path, &[])
}

/// Reads the answer of `setup`: the folders that it made, and what another tool left there.
pub fn set_up(ended: &Ended) -> Result<(Vec<String>, Adopted), ReleaseError> {
    let lines = AnswerLines::of(Program::Setup, ended)?;
    let (mut made, mut adopted) = (Vec::new(), Adopted::default());
    lines.each(|word, rest| {
        match (word, rest) {
            ("made", [folder @ ("releases" | "shared" | ".rfab" | ".rfab/tmp")]) => made.push(folder.to_string()),
            ("tool", [tool]) => adopted.tool = Some(text(tool)?),
            ("others", [number]) => adopted.others = number.parse().ok()?,
            ("foreign", [target]) => adopted.current = Some(text(target)?),
            ("revision", [commit]) if name::whole(commit) => adopted.commit = Some(commit.to_string()),
            _ => return None,
        }
        Some(())
    })?;
    Ok((made, adopted))
}
