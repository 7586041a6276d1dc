//! Makes a linked file that is missing in `shared/`.
use super::{
    Home, ReleaseError,
    answer::AnswerLines,
    machine::set_up,
    on_host::{id, on, plain, run},
    program::{Program, checked},
    tree::linked,
};
use crate::{
    command::Command,
    control::shown,
    effect::*,
    failure::{Cause, Failure},
    host::Host,
    model::{Fact, Model, Predicted},
    port::{Ended, Input, Job},
    secret::Secret,
};
use serde::Serialize;

/// Makes a linked file, and never touches an existing one: no running program can have read a new file.
#[derive(Clone, Debug, Serialize)]
pub struct Share {
    pub host: Host,
    pub home: Home,
    /// Its path below `shared/`.
    pub path: String,
    /// The file's content, which may be a password.
    pub text: Secret,
    /// Whether the text is or contains a secret.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub secret: bool,
    /// The file's permissions, such as `640`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
}

/// Returns where a linked file is on a host.
///
/// `Fabfile` for a path that can't be linked.
pub fn shared(home: &Home, path: &str) -> Result<String, Failure> {
    match linked::refused(path, &Default::default()) {
        None => Ok(format!("{}/shared/{path}", home.path)),
        Some(why) => {
            let message = format!("`{}` can't be in `shared`: {why}", shown(path));
            Err(Failure::new(Cause::Fabfile, message).help("write it as in `linked` of the fleet file"))
        }
    }
}

impl Effect for Share {
    /// Whether the file was made; if not, it existed.
    type Outcome = bool;
    const NAME: &'static str = "share";
    const KIND: EffectKind = EffectKind::Change;

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.host)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Staged { host: &self.host }
    }

    fn describe(&self) -> String {
        format!("make shared/{} if it is missing", self.path)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<bool, Failure> {
        let (host, home, bytes) = (&self.host, &self.home, self.text.reveal().as_bytes());
        let length = bytes.len() as u64;
        let (mode, secret) = (self.mode.as_deref(), self.secret);
        let command = share(&home.path, &self.path, &id(&at), length, mode, secret).map_err(on(host))?;
        let ended = run(&at, host, &home.user, Job { stdin: Input::Bytes(bytes), ..plain(&command) }).await?;
        made(&ended, length).map_err(on(host))
    }

    /// Who made the file doesn't matter: a second call does no harm.
    fn look(&self, _: Ask<'_>) -> Result<Happened<bool>, Failure> {
        Ok(Happened::Not)
    }

    fn predict(&self, model: &mut Model) -> Predicted<bool> {
        let file = shared(&self.home, &self.path)?;
        let machine = set_up(model, &self.host, "`releases`, `shared` or `.rfab`")?;
        if machine.full {
            return Err(on(&self.host)(ReleaseError::Host("write".to_owned())).into());
        }
        let there = |fact: &Fact<Option<Vec<u8>>>| matches!(fact.get("a file"), Ok(Some(_)));
        // A host with a current release has all linked files.
        let served = machine.current.get("its current release")?.is_some();
        if machine.files.get(&file).map_or(served, there) {
            return Ok(false);
        }
        machine.files.insert(file, Fact::Predicted(Some(self.text.reveal().as_bytes().to_vec())));
        Ok(true)
    }
}

/// Makes a linked file from `bytes` bytes on stdin, unless something exists at its path.
///
/// `mode` is its permissions; by default, they are `600` for a secret and `644` for any other text.
pub(super) fn share(
    path: &str,
    file: &str,
    id: &str,
    bytes: u64,
    mode: Option<&str>,
    secret: bool,
) -> Result<Command, ReleaseError> {
    let mut args = vec![file.to_owned(), checked(id)?, bytes.to_string(), mode.unwrap_or("-").to_owned()];
    args.extend(secret.then(|| "secret".to_owned()));
    Program::Share.command(path, &args)
}

/// Reads the answer of `share`: whether it made the file.
pub(super) fn made(ended: &Ended, bytes: u64) -> Result<bool, ReleaseError> {
    let lines = AnswerLines::of(Program::Share, ended).map_err(|error| match error {
        ReleaseError::Short { got, .. } => ReleaseError::Short { got, bytes },
        other => other,
    })?;
    let said = lines.each(|word, rest| match (word, rest) {
        ("made", []) => Some(true),
        ("already", []) => Some(false),
        _ => None,
    })?;
    if let [one] = said[..] { Ok(one) } else { Err(lines.nonsense("not one answer")) }
}
