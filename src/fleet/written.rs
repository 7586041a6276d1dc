//! A fleet as it's written, in a file or in a script's map, before all its hosts are known.
use super::{
    Fleet, Folders, printed,
    read::{self},
    set::{self, Set},
    top,
    tree::{Node, NodeValue},
    wrong::{Problem, Wrong},
};
use crate::misspelled::did_you_mean;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The largest fleet file that rfab reads, in bytes.
const LARGEST: u64 = 4 << 20;

/// A fleet as written, which may not have the hosts of its `hosts_from` yet.
#[derive(Debug)]
pub struct WrittenFleet {
    /// The fleet's name.
    pub name: String,
    /// The name for errors.
    subject: String,
    text: Option<String>,
    tree: Node,
    project: PathBuf,
    folder: PathBuf,
    sets: Vec<Set>,
    /// Whether the hosts that its command printed are in.
    asked: bool,
}

impl WrittenFleet {
    /// Reads a fleet file; `shown` is its path as the user wrote it, which starts from the fabfile's folder `project`.
    ///
    /// The fleet's name is the file's, without its extension.
    pub fn in_file(shown: &str, project: &Path, sets: &[Set]) -> Result<WrittenFleet, Wrong> {
        let file = project.join(shown);
        let text = text_of(&file).map_err(|problem| Wrong::new(shown, None, vec![problem]))?;
        let name = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let folder = file.parent().unwrap_or(project);
        WrittenFleet::in_text(shown, name, &text, Folders { project, fleet: folder }, sets)
    }

    /// Reads a fleet from a script's map. Errors name keys instead of lines, and paths start from `project`.
    pub fn in_map(name: &str, map: &serde_json::Value, project: &Path, sets: &[Set]) -> Result<WrittenFleet, Wrong> {
        let subject = format!("fleet `{name}`");
        let tree = Node::from_json(map, "", &super::location::WrittenAt::Map);
        let tree = tree.map_err(|problem| Wrong::new(&subject, None, vec![problem]))?;
        let (name, folders) = (name.to_owned(), Folders { project, fleet: project });
        Ok(WrittenFleet::of(name, subject, None, tree, folders, sets))
    }

    pub(super) fn in_text(
        shown: &str,
        name: &str,
        text: &str,
        folders: Folders<'_>,
        sets: &[Set],
    ) -> Result<WrittenFleet, Wrong> {
        let tree = Node::from_toml(text).map_err(|problem| Wrong::new(shown, Some(text), vec![problem]))?;
        Ok(WrittenFleet::of(name.to_owned(), shown.to_owned(), Some(text.to_owned()), tree, folders, sets))
    }

    fn of(
        name: String,
        subject: String,
        text: Option<String>,
        tree: Node,
        folders: Folders<'_>,
        sets: &[Set],
    ) -> WrittenFleet {
        let (project, folder) = (folders.project.to_owned(), folders.fleet.to_owned());
        WrittenFleet { name, subject, text, tree, project, folder, sets: sets.to_vec(), asked: false }
    }

    /// Returns the words of the command that prints its hosts, if it names one. It runs in the fabfile's folder.
    pub fn hosts_from(&self) -> Result<Option<Vec<String>>, Wrong> {
        let words = self.command().as_ref().map(top::command).transpose();
        words.map_err(|problem| self.wrong(vec![problem]))
    }

    /// Adds the hosts that the command printed to those that are written.
    pub fn with(mut self, printed: &str) -> Result<WrittenFleet, Wrong> {
        let Some(command) = self.command() else { return Ok(self) };
        let by = top::command(&command).map(|words| printed::shown(&words)).unwrap_or_default();
        match printed::merge(&mut self.tree, &command, &by, printed) {
            Ok(()) => Ok(WrittenFleet { asked: true, ..self }),
            Err(problem) => Err(self.wrong(vec![problem])),
        }
    }

    /// Interprets the fleet. If it has `hosts_from`, the printed hosts must be in.
    pub fn fleet(&self) -> Result<Fleet, Wrong> {
        if let Some(command) = self.command().filter(|_| !self.asked) {
            // If it isn't a command, the error says that instead.
            let by = top::command(&command).map(|words| printed::shown(&words));
            let unasked = |by: String| {
                Problem::new(format!("its hosts come from {by}, which rfab asks only in a run"), command.place("here"))
            };
            return Err(self.wrong(vec![by.map_or_else(|problem| problem, unasked)]));
        }
        let folders = Folders { project: &self.project, fleet: &self.folder };
        read::fleet(&self.name, self.tree.clone(), folders, &self.sets).map_err(|problems| self.wrong(problems))
    }

    /// Returns the value of `hosts_from` after `--set`.
    fn command(&self) -> Option<Node> {
        let mut tree = self.tree.clone();
        // The reading of the fleet reports a wrong `--set`.
        self.sets.iter().for_each(|set| drop(set::apply(&mut tree, set)));
        let NodeValue::Table(entries) = tree.value else { return None };
        entries.into_iter().find(|entry| entry.key == "hosts_from").map(|entry| entry.node)
    }

    fn wrong(&self, problems: Vec<Problem>) -> Wrong {
        Wrong::new(&self.subject, self.text.as_deref(), problems)
    }
}

/// Reads a fleet file that names all its hosts.
pub fn read(shown: &str, project: &Path, sets: &[Set]) -> Result<Fleet, Wrong> {
    WrittenFleet::in_file(shown, project, sets)?.fleet()
}

/// Reads the text of a fleet file that is called `shown` in errors.
pub fn parse(shown: &str, name: &str, text: &str, folders: Folders<'_>, sets: &[Set]) -> Result<Fleet, Wrong> {
    WrittenFleet::in_text(shown, name, text, folders, sets)?.fleet()
}

/// Reads a fleet from a script's map that names all its hosts.
pub fn from_map(name: &str, map: &serde_json::Value, project: &Path, sets: &[Set]) -> Result<Fleet, Wrong> {
    WrittenFleet::in_map(name, map, project, sets)?.fleet()
}

fn text_of(file: &Path) -> Result<String, Problem> {
    let unreadable = |error: std::io::Error| Problem::bare(format!("the fleet can't be read: {error}"));
    let about = match fs::metadata(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(Problem::bare("there is no such fleet file").perhaps(neighbour(file)));
        }
        about => about.map_err(unreadable)?,
    };
    if !about.is_file() {
        return Err(Problem::bare("the fleet isn't a file"));
    }
    if about.len() > LARGEST {
        return Err(Problem::bare(format!("the fleet file has {} bytes, which is too much", about.len())));
    }
    fs::read_to_string(file).map_err(unreadable)
}

/// Names the file in the same folder that the user probably meant, otherwise all of its fleet files.
fn neighbour(file: &Path) -> Option<String> {
    let mut names: Vec<String> = fs::read_dir(file.parent()?)
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".toml"))
        .collect();
    names.sort();
    let near = did_you_mean(file.file_name()?.to_str()?, names.iter().map(String::as_str));
    let few = || match names.len() {
        0 | 21.. => None,
        1 => Some(format!("there is `{}`", names[0])),
        _ => Some(format!("there are `{}`", names.join("`, `"))),
    };
    near.or_else(few)
}
