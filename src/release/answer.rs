//! What the programs on a host answer. Anything they never say is an error.
use super::{
    adopting::Adopted,
    error::{Amount, Error},
    name::{self, ReleaseName, lower_hex},
    program::Program,
    tree::Packed,
};
use crate::world::real::Ended;
use serde::{Deserialize, Serialize};

/// How staging ended well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Staged {
    New,
    /// It was there already, with the same manifest; nothing was done.
    Already,
}

/// A release on a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    pub name: ReleaseName,
    /// 40 hex digits, or 64 by sha256.
    pub commit: String,
    /// The digest of its manifest.
    pub manifest: String,
}

/// What `current` is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Current {
    None,
    Release(ReleaseName),
    /// A link to something else; empty where it is no link.
    Foreign(String),
}

/// The releases of an app on a host, the highest number first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    pub releases: Vec<Release>,
    pub current: Current,
    /// Named like a release, but without its manifest: not rfab's, or damaged.
    pub incomplete: Vec<ReleaseName>,
    /// Whatever else lies in `releases`; control characters are in it still.
    pub others: Vec<String>,
    /// The commit that the `REVISION` of a foreign `current` names.
    pub revision: Option<String>,
    /// Whether a folder is missing that `setup` makes.
    pub lacks_folders: bool,
}

impl Listed {
    /// The highest number of a release that is whole, or current: anybody can make a folder of any name.
    pub fn highest(&self) -> u32 {
        let current = match &self.current {
            Current::Release(name) => Some(name),
            Current::None | Current::Foreign(_) => None,
        };
        let names = self.releases.iter().map(|release| &release.name).chain(current);
        names.map(|name| name.number).max().unwrap_or(0)
    }

    /// Gives the release with the next lower number than the current one's.
    pub fn previous(&self) -> Option<&Release> {
        let Current::Release(current) = &self.current else { return None };
        self.releases.iter().find(|release| release.name.number < current.number)
    }

    /// Finds the release of a commit, given by its whole id.
    pub fn of(&self, commit: &str) -> Option<&Release> {
        self.releases.iter().find(|release| release.commit == commit)
    }
}

/// What was current before a release was activated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activated {
    pub old: Current,
    /// Whether it was current already.
    pub unchanged: bool,
}

/// What pruning did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pruned {
    pub removed: Vec<ReleaseName>,
    /// Spared because a process runs in them.
    pub running: Vec<ReleaseName>,
    /// Not removed, or not wholly: files of another user.
    pub left: Vec<ReleaseName>,
    /// Folders of removed releases in which something cannot be removed: files of another user.
    pub gone: Vec<String>,
    /// Leftovers of dead runs that were removed, by the call's id.
    pub cleaned: Vec<String>,
    /// Processes that this user may not look into; 0 if nothing was to be removed.
    pub unseen: u64,
}

/// What keeps a release from being staged on a host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lacks {
    /// Worded for people.
    pub problems: Vec<String>,
    /// Linked files that are not in `shared/`.
    pub files: Vec<String>,
}

/// How a release differs from its manifest; at most ten of each are named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verified {
    /// The digest of its manifest: to be compared with what was staged.
    pub manifest: String,
    /// In the manifest and not in the tree, or there with another kind, size or mode.
    pub missing: Vec<String>,
    /// In the tree and not in the manifest. What `prepare` made is here.
    pub extra: Vec<String>,
    /// Files whose content is another.
    pub changed: Vec<String>,
    /// How many differ in all.
    pub differences: u64,
}

impl Verified {
    /// Whether everything that was staged is there unchanged.
    pub fn whole(&self) -> bool {
        self.missing.is_empty() && self.changed.is_empty()
    }
}

/// Reads what `setup` answered: the folders that it made, and what is there of another tool.
pub fn set_up(ended: &Ended) -> Result<(Vec<String>, Adopted), Error> {
    let lines = Lines::of(Program::Setup, ended)?;
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

/// Reads what `share` answered: whether it made the file.
pub fn shared(ended: &Ended, bytes: u64) -> Result<bool, Error> {
    let lines = Lines::of(Program::Share, ended).map_err(|error| match error {
        Error::Short { got, .. } => Error::Short { got, bytes },
        other => other,
    })?;
    let said = lines.each(|word, rest| match (word, rest) {
        ("made", []) => Some(true),
        ("already", []) => Some(false),
        _ => None,
    })?;
    if let [one] = said[..] { Ok(one) } else { Err(lines.nonsense("not one answer")) }
}

/// Reads what `preflight` answered: each problem, worded for people, and the linked files that are missing.
pub fn preflighted(ended: &Ended) -> Result<Lacks, Error> {
    let mut lacks = Lacks::default();
    let (lines, mut folders) = match Lines::of(Program::Preflight, ended) {
        Err(Error::NotSetUp(_)) => {
            lacks.problems.push("the app's folders aren't there yet".to_owned());
            let out = String::from_utf8_lossy(&ended.out);
            lacks.files = out.lines().filter_map(|line| text(line.strip_prefix("lacks-file ")?)).collect();
            return Ok(lacks);
        }
        lines => (lines?, false),
    };
    let problems = lines.each(|word, rest| match (word, rest) {
        ("lacks-tool", [tool]) => Some(format!("it has no `{}`", tool.escape_debug())),
        ("lacks-file", [file]) => {
            lacks.files.push(text(file)?);
            Some(String::new())
        }
        ("lacks-folder", [_]) if folders => Some(String::new()),
        ("lacks-folder", [_]) => {
            folders = true;
            Some("the app's folders aren't there yet".to_owned())
        }
        ("unwritable", [folder]) => Some(format!("`{}` can't be written by the app's user", folder.escape_debug())),
        _ => None,
    })?;
    lacks.problems = problems.into_iter().filter(|problem| !problem.is_empty()).collect();
    Ok(lacks)
}

/// Reads what `stage` answered.
pub fn staged(ended: &Ended, packed: &Packed) -> Result<Staged, Error> {
    let lines = Lines::of(Program::Stage, ended).map_err(|error| match error {
        Error::Short { got, .. } => Error::Short { got, bytes: packed.archive_bytes },
        other => other,
    })?;
    let said = lines.each(|word, rest| match (word, rest) {
        ("staged", []) => Some(Staged::New),
        ("already", []) => Some(Staged::Already),
        _ => None,
    })?;
    match said[..] {
        [one] => Ok(one),
        _ => Err(lines.nonsense("not one answer")),
    }
}

/// Reads what `list` answered.
pub fn listed(ended: &Ended) -> Result<Listed, Error> {
    let lines = Lines::of(Program::List, ended)?;
    let mut listed = Listed {
        releases: vec![],
        current: Current::None,
        incomplete: vec![],
        others: vec![],
        revision: None,
        lacks_folders: false,
    };
    let mut currents = 0;
    lines.each(|word, rest| {
        match (word, rest) {
            ("release", [name, commit, manifest]) => {
                let name: ReleaseName = name.parse().ok()?;
                let good = name::whole(commit) && digits(manifest, 64) && commit.starts_with(name.short());
                good.then(|| {
                    listed.releases.push(Release { name, commit: commit.to_string(), manifest: manifest.to_string() })
                })?;
            }
            ("incomplete", [name]) => listed.incomplete.push(name.parse().ok()?),
            ("lacks-folders", []) => listed.lacks_folders = true,
            ("other", [name]) => listed.others.push(text(name)?),
            ("current", [name]) => (currents, listed.current) = (currents + 1, Current::Release(name.parse().ok()?)),
            ("current-foreign", ["-"]) => (currents, listed.current) = (currents + 1, Current::Foreign(String::new())),
            ("current-foreign", [target]) => {
                (currents, listed.current) = (currents + 1, Current::Foreign(text(target)?))
            }
            ("revision", [commit]) if name::whole(commit) => listed.revision = Some(commit.to_string()),
            ("current-none", []) => currents += 1,
            _ => return None,
        }
        Some(())
    })?;
    if currents != 1 {
        return Err(lines.nonsense("not one `current`"));
    }
    listed.releases.sort_by(|a, b| b.name.cmp(&a.name));
    Ok(listed)
}

/// Reads what `activate` answered.
pub fn activated(ended: &Ended, name: &ReleaseName) -> Result<Activated, Error> {
    let lines = Lines::of(Program::Activate, ended)?;
    let mut said = lines.each(|word, rest| match (word, rest) {
        ("unchanged", []) => Some(Activated { old: Current::Release(name.clone()), unchanged: true }),
        ("activated", ["-"]) => Some(Activated { old: Current::None, unchanged: false }),
        ("activated", [old]) => {
            let old = text(old)?;
            let release = old.strip_prefix("releases/").and_then(|name| name.parse().ok());
            Some(Activated { old: release.map_or(Current::Foreign(old), Current::Release), unchanged: false })
        }
        _ => None,
    })?;
    match (said.pop(), said.is_empty()) {
        (Some(one), true) => Ok(one),
        _ => Err(lines.nonsense("not one answer")),
    }
}

/// Reads what `prune` answered.
pub fn pruned(ended: &Ended) -> Result<Pruned, Error> {
    let mut pruned = Pruned::default();
    Lines::of(Program::Prune, ended)?.each(|word, rest| {
        match (word, rest) {
            ("removed", [name]) => pruned.removed.push(name.parse().ok()?),
            ("running", [name]) => pruned.running.push(name.parse().ok()?),
            ("left", [name]) => pruned.left.push(name.parse().ok()?),
            ("gone", [folder]) => pruned.gone.push(text(folder)?),
            ("cleaned", [id]) => pruned.cleaned.push(id.to_string()),
            ("hidden", [number]) => pruned.unseen = number.parse().ok()?,
            _ => return None,
        }
        Some(())
    })?;
    Ok(pruned)
}

/// Reads what `verify` answered.
pub fn verified(ended: &Ended) -> Result<Verified, Error> {
    let lines = Lines::of(Program::Verify, ended)?;
    let mut verified = Verified::default();
    lines.each(|word, rest| {
        match (word, rest) {
            ("manifest", [digest]) if digits(digest, 64) => verified.manifest = digest.to_string(),
            ("missing", [line]) => verified.missing.push(text(line)?),
            ("extra", [line]) => verified.extra.push(text(line)?),
            ("changed", [line]) => verified.changed.push(text(line)?),
            ("missing-count" | "extra-count" | "changed-count", [count]) => {
                verified.differences += count.parse::<u64>().ok()?;
            }
            _ => return None,
        }
        Some(())
    })?;
    if verified.manifest.is_empty() {
        return Err(lines.nonsense("no manifest"));
    }
    Ok(verified)
}

fn digits(text: &str, length: usize) -> bool {
    text.len() == length && lower_hex(text)
}

/// Reads a word in hex back as text.
fn text(word: &str) -> Option<String> {
    Some(String::from_utf8_lossy(&hex::decode(word).ok()?).into_owned())
}

/// A program's whole answer, without its trailer.
struct Lines<'a> {
    program: Program,
    lines: Vec<&'a str>,
}

impl<'a> Lines<'a> {
    /// Takes an answer that came to its end and is no failure.
    fn of(program: Program, ended: &'a Ended) -> Result<Self, Error> {
        let no_end = |why: String| Error::NoEnd { program: program.name(), why };
        let said = String::from_utf8_lossy(&ended.err);
        let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it gave no reason");
        let why = format!("status {}, {}", ended.status, last.chars().take(300).collect::<String>().escape_debug());
        if ended.cut {
            return Err(no_end("its answer is too long".to_owned()));
        }
        let out = std::str::from_utf8(&ended.out).map_err(|_| no_end("its answer isn't text".to_owned()))?;
        let trailer = format!("end {}\n", program.name());
        let Some(out) = out.strip_suffix(&trailer).filter(|out| out.is_empty() || out.ends_with('\n')) else {
            return Err(no_end(why));
        };
        let lines = Self { program, lines: out.lines().collect() };
        match (ended.status, lines.lines.split_last()) {
            (0, _) => Ok(lines),
            (3, Some((last, before))) => match last.strip_prefix("failed ") {
                Some(failure) => Err(failed(failure, before).unwrap_or_else(|| lines.nonsense(last))),
                None => Err(lines.nonsense(last)),
            },
            _ => Err(no_end(why)),
        }
    }

    /// Reads each line as a word and what follows it; a line that is none of the program's is an error.
    fn each<T>(&self, mut read: impl FnMut(&str, &[&str]) -> Option<T>) -> Result<Vec<T>, Error> {
        let one = |line: &&str| {
            let words: Vec<&str> = line.split(' ').collect();
            read(words[0], &words[1..]).ok_or_else(|| self.nonsense(line))
        };
        self.lines.iter().map(one).collect()
    }

    fn nonsense(&self, line: &str) -> Error {
        let line: String = line.chars().take(200).collect();
        Error::Nonsense { program: self.program.name(), line: format!("`{}`", line.escape_debug()) }
    }
}

/// What a program says it failed at; `before` are the lines that say more.
fn failed(failure: &str, before: &[&str]) -> Option<Error> {
    let words: Vec<&str> = failure.split(' ').collect();
    let shown = |word: &str| text(word).map(|text| text.escape_debug().to_string());
    let named = |kind: &str| -> Vec<String> {
        before.iter().filter_map(|line| shown(line.strip_prefix(kind)?.strip_prefix(' ')?)).collect()
    };
    Some(match words[..] {
        ["absent" | "no-folder"] => Error::NotSetUp("its path"),
        ["not-set-up"] => Error::NotSetUp("`releases`, `shared` or `.rfab`"),
        ["missing", ..] => Error::Missing(words[1..].join(" ").escape_debug().to_string()),
        ["make", path] => Error::CannotMake(shown(path)?),
        ["owner", path] => Error::Owner(shown(path)?),
        ["others", path] => Error::Others(shown(path)?),
        ["link"] => Error::Led,
        ["link", path] => Error::IsLink(shown(path)?),
        ["foreign", tool] => Error::Foreign(text(tool)?),
        ["current-folder", path] => Error::CurrentFolder(shown(path)?),
        ["apart"] => Error::Apart,
        ["space" | "inodes", need, free] => {
            let amount = if words[0] == "space" { Amount::Bytes } else { Amount::Inodes };
            let big = |line: &&str| {
                let (size, path) = line.strip_prefix("biggest ")?.split_once(' ')?;
                Some((size.parse().ok()?, shown(path)?))
            };
            let biggest = before.iter().filter_map(big).collect();
            Error::Full { need: amount(need.parse().ok()?), free: amount(free.parse().ok()?), biggest }
        }
        ["short", got] => Error::Short { got: got.parse().ok()?, bytes: 0 },
        ["long"] => Error::Changed("it is too long".to_owned()),
        ["digest", got] => Error::Changed(format!("its sha256 is {}", got.escape_debug())),
        ["manifest", ..] => Error::Archive("its manifest is another".to_owned()),
        ["archive", "name", name] => Error::Archive(format!("it has `{}`", shown(name)?)),
        ["archive", ..] => Error::Archive(words[1..].join(" ").escape_debug().to_string()),
        ["unpack", why] => Error::Unpack(shown(why)?),
        ["tree"] => Error::Differs([named("missing"), named("extra"), named("changed")].concat()),
        ["linked"] => match (named("linked-file").first(), named("linked-folder").first()) {
            (Some(_), _) => Error::LinkedFile(named("linked-file").join("`, `shared/")),
            (None, Some(folder)) => Error::LinkedFolder(folder.clone()),
            (None, None) => return None,
        },
        ["taken"] => Error::Taken,
        ["another", there, wanted] if digits(there, 64) && digits(wanted, 64) => {
            Error::Another { there: there.to_owned(), wanted: wanted.to_owned() }
        }
        ["id-taken"] => Error::IdTaken,
        ["not-staged"] => Error::NotStaged,
        ["not-a-link" | "current"] => Error::StrangeCurrent,
        ["write"] => Error::Host("write".to_owned()),
        ["assets"] => Error::Host("copy the assets of other releases".to_owned()),
        ["sync"] => Error::Host("bring the files to the disk".to_owned()),
        ["look" | "stat"] => Error::Host("read the tree".to_owned()),
        ["place" | "read-back"] => Error::Host("rename".to_owned()),
        ["proc"] => Error::Host("read `/proc`, to see which releases run".to_owned()),
        ["path" | "id" | "name" | "keep"] => Error::Host(format!("take its {}", words[0])),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(status: i32, out: &str) -> Ended {
        Ended { status, out: out.into(), err: b"sh: \x1b[2Jgone\n".to_vec(), cut: false }
    }

    #[test]
    fn an_answer_without_its_end_is_unknown() {
        for (status, out) in [
            (0, ""),
            (0, "current-none\n"),
            (0, "current-none\nend stage\n"),
            (0, "current-none\nend list"),
            (0, "current-none end list\n"),
            (255, "current-none\nend list\n"),
            (137, "current-none\nend list\n"),
        ] {
            let failed = listed(&ended(status, out)).unwrap_err();
            assert!(matches!(failed, Error::NoEnd { program: "list", .. }), "{out:?}: {failed:?}");
            assert!(!failed.to_string().contains('\x1b'));
            assert_eq!(crate::failure::Failure::from(failed).reason(), crate::failure::Reason::Unknown);
        }
        let cut = Ended { cut: true, ..ended(0, "current-none\nend list\n") };
        assert!(matches!(listed(&cut), Err(Error::NoEnd { .. })));
    }

    #[test]
    fn a_line_that_the_program_never_says_is_an_error() {
        let name = "0001-000000000000";
        let (commit, digest) = ("0".repeat(40), "1".repeat(64));
        let good = format!("release {name} {commit} {digest}\ncurrent {name}\nend list\n");
        assert_eq!(listed(&ended(0, &good)).unwrap().releases.len(), 1);
        for (from, to) in [
            ("current ", "currently "),
            ("release ", "Welcome to web1!\nrelease "),
            (&*commit, "1234567890123456789012345678901234567890"),
            (&*digest, "1"),
            ("current 0001-000000000000\n", ""),
            ("end list", "current-none\nend list"),
            ("end list", "\nend list"),
        ] {
            let bad = good.replacen(from, to, 1);
            assert!(matches!(listed(&ended(0, &bad)), Err(Error::Nonsense { .. })), "{bad:?}");
        }
        assert!(matches!(listed(&ended(3, "failed oddly\nend list\n")), Err(Error::Nonsense { .. })));
        assert!(matches!(listed(&ended(3, "end list\n")), Err(Error::NoEnd { .. })));
        assert_eq!(listed(&ended(3, "failed absent\nend list\n")), Err(Error::NotSetUp("its path")));
    }

    #[test]
    fn a_commit_has_40_digits_or_64_in_each_answer() {
        for length in [40, 64] {
            let (commit, digest) = ("0".repeat(length), "1".repeat(64));
            let release = format!("release 0001-000000000000 {commit} {digest}\ncurrent 0001-000000000000\nend list\n");
            assert_eq!(listed(&ended(0, &release)).unwrap().releases[0].commit, commit);
            let foreign = format!("current-foreign -\nrevision {commit}\nend list\n");
            assert_eq!(listed(&ended(0, &foreign)).unwrap().revision.as_ref(), Some(&commit));
            let adopted = format!("revision {commit}\nend setup\n");
            assert_eq!(set_up(&ended(0, &adopted)).unwrap().1.commit, Some(commit));
        }
        for length in [39, 41, 63, 65] {
            let foreign = format!("current-foreign -\nrevision {}\nend list\n", "0".repeat(length));
            assert!(listed(&ended(0, &foreign)).is_err(), "{length}");
        }
    }

    #[test]
    fn a_full_disk_names_what_takes_the_most() {
        let out = format!("biggest 2048 {}\nfailed space 3145728 1048576\nend setup\n", hex::encode("releases/x\n"));
        assert_eq!(
            set_up(&ended(3, &out)).unwrap_err().to_string(),
            "the disk has 1.0 MiB of the 3.0 MiB that are needed; `releases/x\\n` has 2.0 MiB"
        );
    }
}
