//! The settings of a project, which aren't a fleet's: `rfab.toml` beside the fabfile.
use super::{
    section::{Section, expected},
    tree::{Node, NodeValue},
    value,
    version_file::{FORMATS, VersionFile, VersionFormat, usual_keys, why_no_path},
    wrong::{Problem, Wrong},
};
use std::{fs, io, path::Path};

/// The name of the file.
pub const PROJECT_FILE: &str = "rfab.toml";

/// The largest file that rfab reads, in bytes.
const LARGEST: u64 = 1 << 20;

/// Reads which files hold the version; `None` if the project has no settings for that.
pub fn version_files(project: &Path) -> Result<Option<Vec<VersionFile>>, Wrong> {
    match text_of(&project.join(PROJECT_FILE)) {
        Ok(Some(text)) => version_files_in(&text),
        Ok(None) => Ok(None),
        Err(problem) => Err(Wrong::new(PROJECT_FILE, None, vec![problem])),
    }
}

fn text_of(file: &Path) -> Result<Option<String>, Problem> {
    let unreadable = |error: io::Error| Problem::bare(format!("it can't be read: {error}"));
    match fs::metadata(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Ok(about) if !about.is_file() => return Err(Problem::bare("it isn't a file")),
        Ok(about) if about.len() > LARGEST => return Err(Problem::bare("it is larger than 1 MiB")),
        about => about.map_err(unreadable)?,
    };
    fs::read_to_string(file).map(Some).map_err(unreadable)
}

fn version_files_in(text: &str) -> Result<Option<Vec<VersionFile>>, Wrong> {
    let wrong = |problems| Wrong::new(PROJECT_FILE, Some(text), problems);
    let tree = Node::from_toml(text).map_err(|problem| wrong(vec![problem]))?;
    let mut problems = Vec::new();
    let top = Section::of(&tree, &["version"], &mut problems);
    let files = top.and_then(|top| top.find("version")).map(|node| files(node, &mut problems));
    if problems.is_empty() { Ok(files) } else { Err(wrong(problems)) }
}

/// Reads one table, or a list of them.
fn files(node: &Node, problems: &mut Vec<Problem>) -> Vec<VersionFile> {
    let NodeValue::List(items) = &node.value else {
        return one(node, problems).into_iter().collect();
    };
    if items.is_empty() {
        problems.push(Problem::new("the list is empty", node.place("nothing in it")));
    }
    let mut files: Vec<VersionFile> = Vec::new();
    for item in items {
        let Some(file) = one(item, problems) else { continue };
        match files.iter().position(|earlier| earlier.file == file.file && earlier.key == file.key) {
            Some(_) => problems.push(Problem::new("this is listed twice", item.place("again"))),
            None => files.push(file),
        }
    }
    files
}

fn one(node: &Node, problems: &mut Vec<Problem>) -> Option<VersionFile> {
    if !matches!(node.value, NodeValue::Table(_)) {
        problems
            .push(expected("a table with `file`", node).help("write `[version]`, and below it `file = \"VERSION\"`"));
        return None;
    }
    let keys = Section::of(node, &["file", "key", "format"], problems)?;
    let format = keys.get("format", problems, |node| value::one_of(node, &FORMATS));
    let key = keys.get("key", problems, |node| value::text(node).map(str::to_owned));
    let file = keys.need("file", problems, path)?.to_owned();
    let at = keys.find("file")?;
    let Some(format) = format.or_else(|| VersionFormat::of(&file)) else {
        problems.push(
            Problem::new(format!("rfab can't tell the format of `{file}` from its name"), at.place("which format?"))
                .help("add `format`: `ini`, `toml`, `json`, `yaml`, `ruby` or `plain`"),
        );
        return None;
    };
    if key.is_none() && format != VersionFormat::Plain && usual_keys(&file).is_empty() {
        problems.push(
            Problem::new(format!("`{file}` needs a `key`"), at.place("where in it is the version?"))
                .help("add the keys that lead to the version, such as `key = \"package.version\"`"),
        );
    }
    if key.is_some() && format == VersionFormat::Plain {
        problems.push(
            Problem::new("a plain file has no keys", at.place("only the version is in it"))
                .help("remove `key`, or name the `format`"),
        );
    }
    Some(VersionFile { file, key, format })
}

fn path(node: &Node) -> Result<&str, Problem> {
    let path = value::text(node)?;
    match why_no_path(path) {
        Some(why) => Err(Problem::new(format!("`{path}` {why}"), node.place("not a path in the repository"))
            .help("write the path relative to the top of the repository, such as `app/VERSION`")),
        None => Ok(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Failure;

    fn read(text: &str) -> Vec<String> {
        let files = version_files_in(text).unwrap().unwrap_or_default();
        files.iter().map(|file| format!("{} {}", file.shown(), file.format.shown())).collect()
    }

    #[test]
    fn one_table_or_a_list_names_the_files() {
        assert_eq!(read("[version]\nfile = \"VERSION\"\n"), ["`VERSION` a plain file"]);
        assert_eq!(read("version = { file = \"a/package.json\" }"), ["`a/package.json` JSON"]);
        let both = "[[version]]\nfile = \"Cargo.toml\"\nkey = \"workspace.package.version\"\n\
                    [[version]]\nfile = \"app.conf\"\nformat = \"ini\"\nkey = \"app.version\"\n";
        assert_eq!(read(both), ["`workspace.package.version` in `Cargo.toml` TOML", "`app.version` in `app.conf` INI"]);
        assert!(version_files_in("").unwrap().is_none());
    }

    /// Returns each problem as people see it: its message, its place, and its help.
    fn refused(text: &str) -> Vec<String> {
        let failure = Failure::from(version_files_in(text).unwrap_err());
        let place = failure.places.iter().map(|at| format!("{}:{}:{}: {}", at.file, at.line, at.column, at.label));
        [Some(failure.message), failure.help].into_iter().flatten().chain(place).collect()
    }

    #[test]
    fn what_is_wrong_in_it_is_said_with_its_place() {
        assert_eq!(
            refused("[version]\nfiel = \"VERSION\"\n"),
            [
                "rfab.toml has 2 mistakes",
                "rfab.toml:2:1: unknown key `fiel`: did you mean `file`?",
                "rfab.toml:1:1: `version` has no `file`"
            ]
        );
        assert_eq!(
            refused("[versoin]\n"),
            ["unknown key `versoin`", "did you mean `version`?", "rfab.toml:1:2: not known here"]
        );
        assert_eq!(
            refused("[version]\nfile = \"../VERSION\"\n"),
            [
                "`../VERSION` isn't below the top of the repository",
                "write the path relative to the top of the repository, such as `app/VERSION`",
                "rfab.toml:2:8: not a path in the repository"
            ]
        );
        assert_eq!(
            refused("[version]\nfile = \"setup.py\"\n"),
            [
                "rfab can't tell the format of `setup.py` from its name",
                "add `format`: `ini`, `toml`, `json`, `yaml`, `ruby` or `plain`",
                "rfab.toml:2:8: which format?"
            ]
        );
        assert_eq!(
            refused("[version]\nfile = \"a.json\"\n"),
            [
                "`a.json` needs a `key`",
                "add the keys that lead to the version, such as `key = \"package.version\"`",
                "rfab.toml:2:8: where in it is the version?"
            ]
        );
        assert_eq!(refused("version = \"VERSION\"\n")[0], "expected a table with `file`, found a string");
        assert_eq!(refused("version = []\n")[0], "the list is empty");
        assert_eq!(refused("version = [{ file = \"A\" }, { file = \"A\" }]")[0], "this is listed twice");
        assert_eq!(refused("[version]\nfile = \"A\"\nkey = \"a\"")[0], "a plain file has no keys");
        assert_eq!(refused("[version]\nfile = \"A\"\nformat = \"jsn\"")[1], "did you mean `json`?");
        assert!(refused("[version\n")[0].starts_with("this isn't TOML: "));
    }
}
