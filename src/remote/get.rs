//! Copies a file or a folder from a host into a folder of this machine.
use super::{
    On,
    arriving::{arrived, place, unwritable},
    digest::digest,
    file::{PathKind, lies, unfit},
    look::InspectPath,
    model_file,
    original::{CHANGED, cat, remote_digest},
    unpack,
};
use crate::{
    command::Command,
    effect::*,
    failure::Failure,
    model::{Model, Predicted},
    port::Ended,
    temporary::{TemporaryFile, TemporaryFolder},
};
use serde::Serialize;
use std::{
    fs,
    fs::File,
    io,
    path::{Path, PathBuf},
};

/// Copies a file or a folder into a folder of this machine, in one step or not at all.
#[derive(Clone, Debug, Serialize)]
pub struct Get {
    pub on: On,
    pub from: String,
    pub to: PathBuf,
}

impl Effect for Get {
    type Outcome = ();
    const NAME: &'static str = "get";
    const KIND: EffectKind = EffectKind::Change;

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.on.host)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Here
    }

    fn describe(&self) -> String {
        format!("get {}", self.from)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<(), Failure> {
        match lies(&at, &self.on, &self.from).await? {
            PathKind::Folder => self.folder(&at).await,
            _ => self.file(&at).await,
        }
    }

    fn look(&self, ask: Ask<'_>) -> Result<Happened<()>, Failure> {
        let lies = ask.read(InspectPath { on: self.on.clone(), path: self.from.clone() })?;
        let mine =
            File::open(&self.to).and_then(|mut file| digest(&mut file)).map(|(digest, _)| PathKind::File(digest)).ok();
        Ok(if mine == Some(lies) { Happened::Done(()) } else { Happened::Not })
    }

    /// A simulated file isn't written to this machine.
    fn predict(&self, model: &mut Model) -> Predicted<()> {
        if model_file::lies(model, &self.on, &self.from)? != PathKind::Folder {
            model_file::text(model, &self.on, &self.from)?;
        }
        Ok(place(&self.to)?)
    }
}

impl Get {
    async fn file(&self, at: &At<'_>) -> Result<(), Failure> {
        let command = cat(&self.from);
        let (wanted, total) = (remote_digest(at, &self.on, &self.from).await?, self.size(at).await?);
        let (temp, digest) = self.arrived(at, &command, total).await?;
        if digest != wanted {
            return Err(unfit(&self.on, &self.from, CHANGED));
        }
        temp.persist(&self.to).map_err(|e| self.unwritable(e))
    }

    async fn folder(&self, at: &At<'_>) -> Result<(), Failure> {
        let words = ["tar", "-cf", "-", "-C", &self.from, "."].map(str::to_owned);
        let (tar, _) = self.arrived(at, &Command::of(words.to_vec()).expect("words"), 0).await?;
        let beside = self.to.parent().unwrap_or(Path::new("."));
        let temp = TemporaryFolder::make_in(beside).map_err(|e| self.unwritable(e))?;
        let new = temp.path().join("new");
        fs::create_dir(&new).map_err(|e| self.unwritable(e))?;
        let tar = tar.reopen().map_err(|e| self.unwritable(e))?;
        unpack::unpack(io::BufReader::new(tar), &new).map_err(|why| unfit(&self.on, &self.from, &why))?;
        unpack::replace(&new, &self.to).map_err(|e| self.unwritable(e))
    }

    /// Writes what a command prints into a file beside the target; `total` is its length, if it is known.
    async fn arrived(&self, at: &At<'_>, command: &Command, total: u64) -> Result<(TemporaryFile, String), Failure> {
        match arrived(at, &self.on, command, &self.to, total, None).await? {
            (Ended { status: 0, .. }, file, digest) => Ok((file, digest)),
            _ => Err(unfit(&self.on, &self.from, CHANGED)),
        }
    }

    fn unwritable(&self, e: io::Error) -> Failure {
        unwritable(&self.to, &e)
    }

    /// Returns a file's size; 0 if the host doesn't tell.
    async fn size(&self, at: &At<'_>) -> Result<u64, Failure> {
        let command = Command::of(["wc", "-c", &self.from].map(str::to_owned).to_vec()).expect("words");
        let ended = self.on.run(at, self.on.job(&command)).await?;
        let said = String::from_utf8_lossy(&ended.out);
        Ok(said.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(0))
    }
}
