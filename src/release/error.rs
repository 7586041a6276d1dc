//! What can go wrong with a release, here and on a host.
use super::name::short;
use crate::{
    command,
    failure::{Cause, Failure, Unchanged},
    git,
};

/// Why a tree can't be packed, or why a host didn't do what it was asked.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ReleaseError {
    #[error(transparent)]
    Git(#[from] git::GitError),
    #[error("`{}` can't be released: {}", short(.commit), listed(.problems))]
    Unfit { commit: String, problems: Vec<TreeProblem> },
    #[error("`{}` has no folder `{tree}`", short(.commit))]
    NoTree { commit: String, tree: String },
    #[error("`{}` can't be released: git-lfs keeps {}, and {why}", short(.commit), some(.files))]
    Large { commit: String, files: Vec<String>, why: String, fetch: Option<String> },
    #[error("the archive can't be written to `{folder}`: {why}")]
    Write { folder: String, why: String },
    #[error("`{0}` can't be an app's path")]
    BadPath(String),
    #[error("`{0}` can't be a call's id")]
    BadId(String),
    #[error("at least one release must be kept")]
    KeepNone,
    #[error(transparent)]
    Command(#[from] command::CommandError),
    #[error("the app's folders don't exist: {0}")]
    NotSetUp(&'static str),
    #[error("the host has no `{0}`")]
    Missing(String),
    #[error("this user can't make `{0}`")]
    CannotMake(String),
    #[error("`{0}` belongs to another user")]
    Owner(String),
    #[error("another user can change `{0}`, and the app's user is root")]
    Others(String),
    #[error("another user can change a link in the path")]
    Led,
    #[error("`{0}` is a link, but must not be one")]
    IsLink(String),
    #[error("this is {0}")]
    Foreign(String),
    #[error("`{0}` is a folder, not a link to a release")]
    CurrentFolder(String),
    #[error("`releases` and `.rfab` are on different filesystems")]
    Apart,
    #[error("the disk has {free} free, but {need} are needed{}", takers(.biggest))]
    Full { need: Amount, free: Amount, biggest: Vec<(u64, String)> },
    #[error("the upload broke after {got} of {bytes} bytes")]
    Short { got: u64, bytes: u64 },
    #[error("the upload broke before all of its {bytes} bytes had arrived")]
    Cut { bytes: u64 },
    /// The earlier release can't be built upon; all is sent then.
    #[error("{0}")]
    Base(&'static str),
    /// Names that an earlier release doesn't have any more as it was staged.
    #[error("an earlier release has changed since it was staged: {}", .0.join(", "))]
    Drifted(Vec<String>),
    #[error("the archive isn't one of rfab's: {0}")]
    Archive(String),
    #[error("the archive can't be unpacked: {0}")]
    Unpack(String),
    #[error("the unpacked files differ from the packed ones: {}", .0.join(", "))]
    Differs(Vec<String>),
    #[error("`shared/{0}` is missing, but `linked` lists it")]
    LinkedFile(String),
    #[error("`shared/{0}` isn't a folder, but `linked` links it as one")]
    LinkedFolder(String),
    #[error("something else already has the release's name")]
    Taken,
    #[error(
        "the release already exists, but has different contents: its manifest is {}, but should be {}",
        short(.there), short(.wanted)
    )]
    Another { there: String, wanted: String },
    #[error("it lacks the release with manifest {}, and this machine didn't make it", short(.0))]
    NotMadeHere(String),
    #[error("this call is already running there, or died there")]
    IdTaken,
    #[error("the release isn't staged")]
    NotStaged,
    #[error("the release may be incomplete on the disk: the host went down, or a write failed")]
    Torn,
    #[error("`current` isn't a link to a release")]
    StrangeCurrent,
    #[error("the host couldn't {0}")]
    Host(String),
    /// rfab can't tell what the program did.
    #[error("the {program} program didn't finish: {why}")]
    NoEnd { program: &'static str, why: String },
    /// The program never gives such an answer.
    #[error("the {program} program gave an answer that rfab doesn't know: {line}")]
    Nonsense { program: &'static str, line: String },
}

/// An amount of something that a disk can run out of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    Bytes(u64),
    Inodes(u64),
}

/// What is wrong with a commit's tree.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TreeProblem {
    /// `missing` is whether only this machine lacks its files.
    #[error("`{path}` is a submodule, and {why}")]
    Submodule { path: String, why: String, missing: bool },
    /// `fetch` is a line that fetches it by hand.
    #[error("git-lfs keeps `{path}`, and its content isn't on this machine")]
    Large { path: String, fetch: Option<String> },
    #[error("`{0}` is a git-lfs pointer, and its content isn't there")]
    Bare(String),
    #[error("`{0}` starts like a git-lfs pointer, but rfab can't read it")]
    Pointer(String),
    #[error("the name `{name}` {why}")]
    Name { name: String, why: &'static str },
    #[error("`{0}` and `{1}` differ only in case")]
    Twins(String, String),
    #[error("the link `{path}` points outside the tree: `{target}`")]
    Leaves { path: String, target: String },
    #[error("`{0}` is neither a file, a folder nor a link")]
    Odd(String),
    #[error("`{path}` can't be linked: {why}")]
    Linked { path: String, why: &'static str },
}

/// What to do when the host has a release of the commit with another content.
pub const ANOTHER: &str =
    "deploy from the machine that made the release there, or type `--force`, which gives this one its own number";

impl From<ReleaseError> for Failure {
    fn from(error: ReleaseError) -> Self {
        let cause = match &error {
            ReleaseError::Git(inner) => return inner.clone().into(),
            ReleaseError::NoEnd { .. } | ReleaseError::Nonsense { .. } => Cause::Unknown,
            ReleaseError::BadPath(_) | ReleaseError::KeepNone => Cause::Fabfile,
            ReleaseError::Full { .. } => Cause::NoSpace,
            _ => Cause::Failed,
        };
        let unchanged = match &error {
            ReleaseError::Others(_)
            | ReleaseError::Led
            | ReleaseError::Foreign(_)
            | ReleaseError::CurrentFolder(_)
            | ReleaseError::Another { .. } => Some(Unchanged::Run),
            _ => None,
        };
        let help = match &error {
            ReleaseError::Unfit { problems, .. } => {
                return Failure { help: Some(help_for(problems)), ..Failure::new(cause, error.to_string()) };
            }
            ReleaseError::Large { fetch, .. } => {
                let fetch = fetch.as_ref().map(|line| format!(", and check it with `{line}`")).unwrap_or_default();
                let help = format!(
                    "install git-lfs if this machine lacks it, or push the content if the remote lacks it{fetch}"
                );
                return Failure { help: Some(help), ..Failure::new(cause, error.to_string()) };
            }
            ReleaseError::NoTree { .. } => {
                Some("correct `tree` in `[app]` of the fleet file, or deploy a commit that has it")
            }
            ReleaseError::NotSetUp(_) => {
                Some("a task that calls `release::set_up(host)` makes its folders; `rfab --init` writes one, `setup`")
            }
            ReleaseError::CannotMake(_) | ReleaseError::Owner(_) => {
                Some("make it as root and give it to the app's user")
            }
            ReleaseError::Others(_) => Some(
                "that user could point root somewhere else: give the folder to root (`chown -R root:`), or name the user it belongs to as `user` in `[app]`",
            ),
            ReleaseError::Led => Some("make that link as root, or name the place that it points to"),
            ReleaseError::Full { .. } => Some("remove what isn't needed, or keep fewer releases (`keep`)"),
            ReleaseError::LinkedFile(_) => Some("put it there once, then deploy again"),
            ReleaseError::Missing(_) => Some("install it on the host"),
            ReleaseError::Foreign(_) => Some("`setup:adopt` takes it over as it is (`release::adopt(host)`)"),
            ReleaseError::CurrentFolder(path) => {
                let help = format!(
                    "make it a release by hand, while the host is out: `cd {above} && mkdir -p releases \
                     && mv current releases/before && ln -s releases/before current`",
                    above = path.trim_end_matches("/current")
                );
                return Failure { help: Some(help), unchanged, ..Failure::new(cause, error.to_string()) };
            }
            ReleaseError::IdTaken => Some("try again"),
            ReleaseError::Torn => Some("deploy it again: rfab sends it again"),
            ReleaseError::Another { .. } => Some(ANOTHER),
            ReleaseError::NotMadeHere(_) => Some("add `--force` to build it again, under its own number"),
            _ => None,
        };
        Failure { help: help.map(str::to_owned), unchanged, ..Failure::new(cause, error.to_string()) }
    }
}

impl std::fmt::Display for Amount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Amount::Bytes(bytes) => write!(f, "{:.1} MiB", *bytes as f64 / f64::from(1 << 20)),
            Amount::Inodes(inodes) => write!(f, "{inodes} inodes"),
        }
    }
}

fn listed(problems: &[TreeProblem]) -> String {
    let shown: Vec<String> = problems.iter().take(5).map(TreeProblem::to_string).collect();
    let more = problems.len().saturating_sub(5);
    if more == 0 { shown.join("; ") } else { format!("{}; and {more} more", shown.join("; ")) }
}

fn some(files: &[String]) -> String {
    let shown: Vec<String> = files.iter().take(5).map(|file| format!("`{file}`")).collect();
    let more = files.len().saturating_sub(5);
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}

/// Returns what to do about a tree that can't be released.
fn help_for(problems: &[TreeProblem]) -> String {
    if problems.iter().any(lacking) {
        let fetch = problems.iter().find_map(fetch_by_hand);
        return fetch.map_or("type it again without `--no-fetch`".to_owned(), |line| format!("`{line}` fetches it"));
    }
    let submodule = problems.iter().any(|problem| matches!(problem, TreeProblem::Submodule { .. }));
    let mend = if submodule {
        "correct `.gitmodules`, or push that commit, so that your git can fetch it; or keep it out with `export-ignore` \
         in `.gitattributes`"
    } else {
        "keep it out with `export-ignore` in `.gitattributes`, or change it"
    };
    mend.to_owned()
}

/// Returns whether this machine only lacks what the tree names.
fn lacking(problem: &TreeProblem) -> bool {
    matches!(problem, TreeProblem::Submodule { missing: true, .. } | TreeProblem::Large { .. })
}

fn fetch_by_hand(problem: &TreeProblem) -> Option<String> {
    if let TreeProblem::Large { fetch, .. } = problem { fetch.clone() } else { None }
}

fn takers(biggest: &[(u64, String)]) -> String {
    if biggest.is_empty() {
        return String::new();
    }
    let each = |(kib, path): &(u64, String)| format!("`{path}` has {}", Amount::Bytes(kib * 1024));
    format!("; {}", biggest.iter().map(each).collect::<Vec<_>>().join(", "))
}
