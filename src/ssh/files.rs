//! Files of hosts, read, written, sent and got.
use super::{
    On,
    arriving::{arrived, unwritable},
    file::{Content, PathKind, exists, lies, replace, sha256},
    unpack,
};
use crate::{
    command::Command,
    effect::*,
    event::What,
    failure::Failure,
    model::{Fact, Miss, Model, Predicted},
    port::{Ended, Input, Job},
    secret::Secret,
};
use serde::Serialize;
use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

/// The largest file that is read into a script.
const LARGEST: usize = 8 << 20;

/// What lies at a path of a host.
#[derive(Clone, Debug, Serialize)]
pub struct Look {
    pub on: On,
    pub path: String,
}

impl crate::effect::Read for Look {
    type Outcome = PathKind;
    const NAME: &'static str = "look";

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.on.host)
    }

    fn describe(&self) -> String {
        format!("check what is at {}", self.path)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<PathKind, Failure> {
        lies(&at, &self.on, &self.path).await
    }

    fn predict(&self, model: &mut Model) -> Predicted<PathKind> {
        let content = content(model, &self.on, &self.path)?;
        Ok(content.map_or(PathKind::Absent, |bytes| PathKind::File(sha256(&bytes))))
    }
}

/// The model's file; one that it was never told of is not there, in a made-up world.
fn content(model: &mut Model, on: &On, path: &str) -> Predicted<Option<Vec<u8>>> {
    let partial = model.partial;
    let machine = model.machine(&on.host)?;
    match machine.files.get(path) {
        Some(fact) => Ok(fact.get("a file")?.clone()),
        None if partial => Err(Miss::Untold("a file")),
        None => Ok(None),
    }
}

/// Puts a file into the model, if its disk has room.
fn written(model: &mut Model, on: &On, path: &str, content: Vec<u8>) -> Predicted<()> {
    let machine = model.machine(&on.host)?;
    if machine.full {
        return Err(unfit(on, path, "it can't be written there; what was there is unchanged").into());
    }
    machine.files.insert(path.to_owned(), Fact::Predicted(Some(content)));
    Ok(())
}

/// Whether anything lies at a path.
#[derive(Clone, Debug, Serialize)]
pub struct Exists {
    pub on: On,
    pub path: String,
}

impl crate::effect::Read for Exists {
    type Outcome = bool;
    const NAME: &'static str = "exists";

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.on.host)
    }

    fn describe(&self) -> String {
        format!("check whether {} is there", self.path)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<bool, Failure> {
        exists(&at, &self.on, &self.path).await
    }

    fn predict(&self, model: &mut Model) -> Predicted<bool> {
        Ok(content(model, &self.on, &self.path)?.is_some())
    }
}

/// Reads a file as text.
#[derive(Clone, Debug, Serialize)]
pub struct ReadFile {
    pub on: On,
    pub path: String,
}

impl crate::effect::Read for ReadFile {
    type Outcome = String;
    const NAME: &'static str = "read_file";

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.on.host)
    }

    fn describe(&self) -> String {
        format!("read {}", self.path)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<String, Failure> {
        let bytes = fetch(&at, &self.on, &self.path).await?;
        String::from_utf8(bytes).map_err(|_| unfit(&self.on, &self.path, "it isn't text in UTF-8"))
    }

    fn predict(&self, model: &mut Model) -> Predicted<String> {
        let bytes =
            content(model, &self.on, &self.path)?.ok_or_else(|| unfit(&self.on, &self.path, "it isn't there"))?;
        String::from_utf8(bytes).map_err(|_| unfit(&self.on, &self.path, "it isn't text in UTF-8").into())
    }
}

fn unfit(on: &On, path: &str, why: &str) -> Failure {
    Failure::failed(format!("`{path}`: {why}")).on(&on.host.name)
}

/// The digest that the host has of a file.
async fn remote_digest(at: &At<'_>, on: &On, path: &str) -> Result<String, Failure> {
    match lies(at, on, path).await? {
        PathKind::File(digest) => Ok(digest),
        PathKind::Absent => Err(unfit(on, path, "it isn't there")),
        PathKind::Folder => Err(unfit(on, path, "it is a folder")),
        PathKind::Other => Err(unfit(on, path, "it isn't a file")),
    }
}

fn cat(path: &str) -> Command {
    Command::of(["cat", "--", path].map(str::to_owned).to_vec()).expect("words")
}

/// Gets a file's bytes, checked against the digest that the host has of it.
async fn fetch(at: &At<'_>, on: &On, path: &str) -> Result<Vec<u8>, Failure> {
    let (digest, command) = (remote_digest(at, on, path).await?, cat(path));
    let ended = on.run(at, Job { keep: LARGEST, ..on.job(&command) }).await?;
    if ended.cut {
        return Err(unfit(on, path, "it is larger than 8 MiB").help("get it as a file with `get`"));
    }
    if ended.status != 0 || sha256(&ended.out) != digest {
        return Err(unfit(on, path, CHANGED));
    }
    Ok(ended.out)
}

const CHANGED: &str = "it changed while it was read, or arrived changed";

/// Writes a text to a file, at once or not at all.
#[derive(Clone, Debug, Serialize)]
pub struct WriteFile {
    pub on: On,
    pub path: String,
    /// What is written may be a password.
    pub text: Secret,
    /// Whether it is one, or has one in it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub secret: bool,
}

impl Effect for WriteFile {
    type Outcome = ();
    const NAME: &'static str = "write_file";
    const KIND: Kind = Kind::Change;

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.on.host)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Written { host: &self.on.host, path: &self.path }
    }

    fn describe(&self) -> String {
        format!("write {}", self.path)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<(), Failure> {
        let bytes = self.text.reveal().as_bytes();
        let what = if self.secret { Content::Secret } else { Content::File };
        let digest = sha256(bytes);
        replace(&at, &self.on, &self.path, Input::Bytes(bytes), what, (&digest, bytes.len() as u64)).await
    }

    fn look(&self, ask: Ask<'_>) -> Result<Seen<()>, Failure> {
        let lies = ask.read(Look { on: self.on.clone(), path: self.path.clone() })?;
        Ok(if lies == PathKind::File(sha256(self.text.reveal().as_bytes())) { Seen::Done(()) } else { Seen::Not })
    }

    fn predict(&self, model: &mut Model) -> Predicted<()> {
        written(model, &self.on, &self.path, self.text.reveal().as_bytes().to_vec())
    }
}

/// Sends a file or a folder of this machine.
#[derive(Clone, Debug, Serialize)]
pub struct Put {
    pub on: On,
    pub from: PathBuf,
    pub to: String,
}

impl Effect for Put {
    type Outcome = ();
    const NAME: &'static str = "put";
    const KIND: Kind = Kind::Change;

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
            at.tell(What::Progressed { host: Some(host.clone()), what: "sent".into(), done, total, unit: "bytes" });
        };
        let folder = self.from.is_dir();
        let temp = if folder { Some(packed(&self.from).map_err(|e| self.unpacked(&e))?) } else { None };
        let file = temp.as_ref().map_or(&*self.from, |t| t.path());
        let (digest, bytes) = digest(file).map_err(|e| self.unreadable(&e))?;
        let what = if folder { Content::Folder } else { Content::File };
        replace(&at, &self.on, &self.to, Input::File(file, &sent), what, (&digest, bytes)).await
    }

    fn look(&self, ask: Ask<'_>) -> Result<Seen<()>, Failure> {
        if self.from.is_dir() {
            return Ok(Seen::Not);
        }
        let (digest, _) = digest(&self.from).map_err(|e| self.unreadable(&e))?;
        let lies = ask.read(Look { on: self.on.clone(), path: self.to.clone() })?;
        Ok(if lies == PathKind::File(digest) { Seen::Done(()) } else { Seen::Not })
    }

    fn predict(&self, model: &mut Model) -> Predicted<()> {
        let content = if self.from.is_dir() { Ok(Vec::new()) } else { fs::read(&self.from) };
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
            "nothing was sent; make room in `{}`, or name another folder as `TMPDIR`",
            std::env::temp_dir().display()
        ))
    }
}

/// A folder as a tar, in a file of this process's own.
fn packed(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tar::Builder::new(tempfile::NamedTempFile::new()?);
    builder.follow_symlinks(false);
    builder.append_dir_all(".", folder)?;
    builder.into_inner()
}

fn digest(file: &Path) -> io::Result<(String, u64)> {
    use sha2::{Digest, Sha256};
    let (mut file, mut hasher, mut bytes) = (fs::File::open(file)?, Sha256::new(), 0);
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok((hex::encode(hasher.finalize()), bytes)),
            n => {
                hasher.update(&buffer[..n]);
                bytes += n as u64;
            }
        }
    }
}

/// Gets a file or a folder into a folder of this machine, at once or not at all.
#[derive(Clone, Debug, Serialize)]
pub struct Get {
    pub on: On,
    pub from: String,
    pub to: PathBuf,
}

impl Effect for Get {
    type Outcome = ();
    const NAME: &'static str = "get";
    const KIND: Kind = Kind::Change;

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

    fn look(&self, ask: Ask<'_>) -> Result<Seen<()>, Failure> {
        let lies = ask.read(Look { on: self.on.clone(), path: self.from.clone() })?;
        let mine = digest(&self.to).map(|(digest, _)| PathKind::File(digest)).ok();
        Ok(if mine == Some(lies) { Seen::Done(()) } else { Seen::Not })
    }

    /// A made-up file is not written to this machine.
    fn predict(&self, model: &mut Model) -> Predicted<()> {
        let there = content(model, &self.on, &self.from)?;
        there.map(drop).ok_or_else(|| unfit(&self.on, &self.from, "it isn't there").into())
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
        temp.persist(&self.to).map(drop).map_err(|e| self.unwritable(e.error))
    }

    async fn folder(&self, at: &At<'_>) -> Result<(), Failure> {
        let words = ["tar", "-cf", "-", "-C", &self.from, "."].map(str::to_owned);
        let (tar, _) = self.arrived(at, &Command::of(words.to_vec()).expect("words"), 0).await?;
        let beside = self.to.parent().unwrap_or(Path::new("."));
        let temp = tempfile::Builder::new().prefix(".rfab-").tempdir_in(beside).map_err(|e| self.unwritable(e))?;
        let new = temp.path().join("new");
        fs::create_dir(&new).map_err(|e| self.unwritable(e))?;
        let tar = tar.reopen().map_err(|e| self.unwritable(e))?;
        unpack::unpack(io::BufReader::new(tar), &new).map_err(|why| unfit(&self.on, &self.from, &why))?;
        unpack::replace(&new, &self.to).map_err(|e| self.unwritable(e))
    }

    /// What a command prints, in a file beside the place; of how many bytes, if that is known.
    async fn arrived(
        &self,
        at: &At<'_>,
        command: &Command,
        total: u64,
    ) -> Result<(tempfile::NamedTempFile, String), Failure> {
        match arrived(at, &self.on, command, &self.to, total, None).await? {
            (Ended { status: 0, .. }, file, digest) => Ok((file, digest)),
            _ => Err(unfit(&self.on, &self.from, CHANGED)),
        }
    }

    fn unwritable(&self, e: io::Error) -> Failure {
        unwritable(&self.to, &e)
    }

    /// A file's size; 0 where the host does not say.
    async fn size(&self, at: &At<'_>) -> Result<u64, Failure> {
        let command = Command::of(["wc", "-c", &self.from].map(str::to_owned).to_vec()).expect("words");
        let ended = self.on.run(at, self.on.job(&command)).await?;
        let said = String::from_utf8_lossy(&ended.out);
        Ok(said.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(0))
    }
}
