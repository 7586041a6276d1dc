//! Sends a file or a folder of this machine to a host.
use super::{
    On,
    digest::digest,
    file::{Content, PathKind, replace},
    look::InspectPath,
    model_file::written,
};
use crate::{
    effect::*,
    event::EventKind,
    failure::Failure,
    model::{Model, Predicted},
    port::Input,
    temporary::TemporaryFile,
};
use serde::Serialize;
use std::{
    fs,
    fs::File,
    io,
    path::{Path, PathBuf},
};

/// Sends a file or a folder of this machine to a host.
#[derive(Clone, Debug, Serialize)]
pub struct Put {
    pub on: On,
    pub from: PathBuf,
    pub to: String,
}

impl Effect for Put {
    type Outcome = ();
    const NAME: &'static str = "put";
    const KIND: EffectKind = EffectKind::Change;

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.on.host)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Written { host: &self.on.host, path: &self.to }
    }

    fn describe(&self) -> String {
        format!("put {}", self.to)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<(), Failure> {
        let host = self.on.host.name.clone();
        let sent = |done, total| {
            at.tell(EventKind::Progressed {
                host: Some(host.clone()),
                what: "sent".into(),
                done,
                total,
                unit: "bytes",
            });
        };
        let folder = self.from.is_dir();
        let temp = if folder { Some(packed(&self.from).map_err(|e| self.unpacked(&e))?) } else { None };
        let file = temp.as_ref().map_or(&*self.from, |t| t.path());
        let (digest, bytes) =
            File::open(file).and_then(|mut file| digest(&mut file)).map_err(|e| self.unreadable(&e))?;
        let what = if folder { Content::Folder } else { Content::File };
        replace(&at, &self.on, &self.to, Input::File(file, &sent), what, (&digest, bytes)).await
    }

    fn look(&self, ask: Ask<'_>) -> Result<Happened<()>, Failure> {
        if self.from.is_dir() {
            return Ok(Happened::Not);
        }
        let (digest, _) =
            File::open(&self.from).and_then(|mut file| digest(&mut file)).map_err(|e| self.unreadable(&e))?;
        let lies = ask.read(InspectPath { on: self.on.clone(), path: self.to.clone() })?;
        Ok(if lies == PathKind::File(digest) { Happened::Done(()) } else { Happened::Not })
    }

    fn predict(&self, model: &mut Model) -> Predicted<()> {
        let content =
            if self.from.is_dir() { fs::read_dir(&self.from).map(|_| None) } else { fs::read(&self.from).map(Some) };
        let content = content.map_err(|e| self.unreadable(&e))?;
        written(model, &self.on, &self.to, content)
    }
}

impl Put {
    fn unreadable(&self, e: &io::Error) -> Failure {
        Failure::failed(format!("`{}` can't be read: {e}", self.from.display()))
    }

    fn unpacked(&self, e: &io::Error) -> Failure {
        let full = [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded, io::ErrorKind::FileTooLarge];
        if !full.contains(&e.kind()) {
            return self.unreadable(e);
        }
        Failure::failed(format!("`{}` can't be packed here: {e}", self.from.display())).help(format!(
            "nothing was sent; free some space in `{}`, or name another folder as `TMPDIR`",
            std::env::temp_dir().display()
        ))
    }
}

/// Packs a folder as a tar, in a temporary file.
fn packed(folder: &Path) -> io::Result<TemporaryFile> {
    let mut builder = tar::Builder::new(TemporaryFile::make()?);
    builder.follow_symlinks(false);
    builder.append_dir_all(".", folder)?;
    builder.into_inner()
}
