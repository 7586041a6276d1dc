//! Reads files of the project for scripts.
use crate::{
    effect::*,
    failure::Failure,
    model::{Model, Predicted},
};
use serde::Serialize;
use std::{
    fs::{self, File},
    io::Read as _,
    path::PathBuf,
};

/// The largest file that is read as a text, in bytes.
const LARGEST: u64 = 8 << 20;

/// Reads a file of the project as a text.
#[derive(Clone, Debug, Serialize)]
pub struct LocalReadFile {
    /// The path from the fabfile's folder.
    pub path: String,
    #[serde(skip)]
    pub whole: PathBuf,
}

/// Checks whether the project has a file or a folder.
#[derive(Clone, Debug, Serialize)]
pub struct LocalExists {
    /// The path from the fabfile's folder.
    pub path: String,
    #[serde(skip)]
    pub whole: PathBuf,
}

impl LocalReadFile {
    fn text(&self) -> Result<String, Failure> {
        let unreadable = |why: &dyn std::fmt::Display| Failure::failed(format!("`{}` can't be read: {why}", self.path));
        let about = fs::metadata(&self.whole).map_err(|e| unreadable(&e))?;
        if !about.is_file() {
            return Err(unreadable(&"it isn't a file"));
        }
        let mut bytes = Vec::new();
        let file = File::open(&self.whole).map_err(|e| unreadable(&e))?;
        file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|e| unreadable(&e))?;
        if bytes.len() as u64 > LARGEST {
            return Err(unreadable(&format!("it has more than {} MiB", LARGEST >> 20)));
        }
        String::from_utf8(bytes).map_err(|_| unreadable(&"it isn't text"))
    }
}

impl crate::effect::Read for LocalReadFile {
    type Outcome = String;
    const NAME: &'static str = "local_read";

    fn subject(&self) -> Subject<'_> {
        Subject::Here
    }

    fn describe(&self) -> String {
        format!("read {} here", self.path)
    }

    async fn carry_out(&self, _: At<'_>) -> Result<String, Failure> {
        self.text()
    }

    /// A dry run reads the project's real files, as it does for `host.put` and `host.template`.
    fn predict(&self, _: &mut Model) -> Predicted<String> {
        Ok(self.text()?)
    }
}

impl crate::effect::Read for LocalExists {
    type Outcome = bool;
    const NAME: &'static str = "local_exists";

    fn subject(&self) -> Subject<'_> {
        Subject::Here
    }

    fn describe(&self) -> String {
        format!("check for {} here", self.path)
    }

    async fn carry_out(&self, _: At<'_>) -> Result<bool, Failure> {
        Ok(self.whole.exists())
    }

    fn predict(&self, _: &mut Model) -> Predicted<bool> {
        Ok(self.whole.exists())
    }
}
