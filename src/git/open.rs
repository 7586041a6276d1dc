//! A repository that is open for reading.
use super::{
    Entry, EntryKind, Error, Logged, Named, Names, Repository,
    branch::Branch,
    by_git::ByGit,
    cat_file::Blob,
    entry::{Node, kind_of, lacking},
    id::many,
    repository::not_one,
};
use std::{io::Read, path::Path};

/// Read in this process by libgit2; what that cannot open (sha256, reftable, extensions to come) by the user's git.
pub(super) enum Open {
    Here(git2::Repository),
    ByGit(ByGit),
}

/// Deeper than any tree that people make, and far from the end of the stack.
const DEEPEST: usize = 200;

impl Open {
    pub fn of(repository: &Repository) -> Result<Open, Error> {
        let at = repository.work.as_deref().unwrap_or(&repository.folder);
        match git2::Repository::open(at) {
            Ok(open) => Ok(Open::Here(open)),
            Err(e) if e.code() == git2::ErrorCode::NotFound => Err(not_one(at, e.message())),
            Err(_) => Ok(Open::ByGit(ByGit::new(repository))),
        }
    }

    /// The refs below a prefix and the commits that they name in the end; others are left out.
    pub fn below(&self, prefix: &str) -> Result<Vec<Named>, Error> {
        let open = match self {
            Open::Here(open) => open,
            Open::ByGit(git) => return git.below(prefix),
        };
        let mut found = Vec::new();
        for reference in open.references_glob(&format!("{prefix}*"))? {
            let reference = reference?;
            let Some(name) = reference.name().ok().and_then(|name| name.strip_prefix(prefix)) else { continue };
            if let Ok(commit) = reference.peel_to_commit() {
                found.push(Named { name: name.to_owned(), commit: commit.id().to_string() });
            }
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    /// The commit that a ref, given by its full name, means in the end.
    pub fn peeled(&self, name: &str) -> Option<String> {
        match self {
            Open::Here(open) => Some(open.find_reference(name).ok()?.peel_to_commit().ok()?.id().to_string()),
            Open::ByGit(git) => git.peeled(name),
        }
    }

    /// The commit that is checked out.
    pub fn head(&self) -> Result<String, Error> {
        match self {
            Open::Here(open) => Ok(open.head()?.peel_to_commit()?.id().to_string()),
            Open::ByGit(git) => git.peeled("HEAD").ok_or_else(|| Error::Read("nothing is checked out".to_owned())),
        }
    }

    /// The whole id of the commit that begins with these digits, of which there are at least 7.
    pub fn beginning(&self, digits: &str) -> Result<Option<String>, Error> {
        let open = match self {
            Open::Here(open) if digits.len() <= 40 => open,
            Open::Here(_) => return Ok(None),
            Open::ByGit(git) => return git.beginning(digits),
        };
        match open.find_commit_by_prefix(digits) {
            Ok(commit) => Ok(Some(commit.id().to_string())),
            Err(e) if e.code() == git2::ErrorCode::Ambiguous => Err(many(digits)),
            Err(e) if e.code() == git2::ErrorCode::NotFound => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    /// Whether there is a commit of that id, given in full.
    pub fn has(&self, commit: &str) -> bool {
        match self {
            Open::Here(open) => commit.len() == 40 && id(commit).is_ok_and(|id| open.find_commit(id).is_ok()),
            Open::ByGit(git) => git.at(commit).is_ok(),
        }
    }

    /// When a commit was made, in seconds since 1970.
    pub fn at(&self, commit: &str) -> Result<i64, Error> {
        match self {
            Open::Here(open) => Ok(open.find_commit(id(commit)?)?.time().seconds()),
            Open::ByGit(git) => git.at(commit),
        }
    }

    /// Whether any of the branches and tags holds a commit.
    pub fn holds(&self, names: &Names, commit: &str) -> Result<bool, Error> {
        let tips = || names.branches.iter().chain(&names.tags).map(|named| named.commit.as_str());
        if tips().any(|tip| tip == commit) {
            return Ok(true);
        }
        let open = match self {
            Open::Here(open) => open,
            Open::ByGit(git) => return git.holds(tips(), commit),
        };
        let wanted = id(commit)?;
        let mut walk = open.revwalk()?;
        for tip in tips() {
            walk.push(id(tip)?)?;
        }
        for id in walk {
            if id? == wanted {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What a commit has and another has not, newest first, and whether there is more than `most`.
    pub fn only_in(&self, here: &str, not_here: &str, most: usize) -> Result<(Vec<Logged>, bool), Error> {
        let open = match self {
            Open::Here(open) => open,
            Open::ByGit(git) => return git.only_in(here, not_here, most),
        };
        let mut walk = open.revwalk()?;
        walk.set_sorting(git2::Sort::TOPOLOGICAL | git2::Sort::TIME)?;
        walk.push(id(here)?)?;
        walk.hide(id(not_here)?)?;
        let mut found = Vec::new();
        for id in walk {
            if found.len() == most {
                return Ok((found, true));
            }
            let commit = open.find_commit(id?)?;
            found.push(Logged {
                commit: commit.id().to_string(),
                subject: text(commit.message_bytes()).lines().next().unwrap_or_default().to_owned(),
                author: text(commit.author().name_bytes()),
                at: commit.time().seconds(),
            });
        }
        Ok((found, false))
    }

    /// How many commits one has and another has not.
    pub fn ahead(&self, here: &str, not_here: &str) -> Result<usize, Error> {
        match self {
            Open::Here(open) => Ok(open.graph_ahead_behind(id(here)?, id(not_here)?)?.0),
            Open::ByGit(git) => git.ahead(here, not_here),
        }
    }

    /// The branch that is checked out, if it follows another.
    pub fn followed(&self) -> Result<Option<Branch>, Error> {
        let open = match self {
            Open::Here(open) => open,
            Open::ByGit(git) => return git.followed(),
        };
        let head = open.head()?;
        let (Some(name), Some(own)) = (head.name().ok().filter(|_| head.is_branch()), head.target()) else {
            return Ok(None);
        };
        let text = |buffer: git2::Buf| buffer.as_str().map(str::to_owned).ok();
        let remote = text(open.branch_upstream_remote(name)?);
        let upstream = git2::Branch::wrap(open.find_reference(name)?).upstream()?;
        let key = format!("branch.{}.merge", name.trim_start_matches("refs/heads/"));
        let merge = open.config()?.get_string(&key)?;
        let (Some(remote), Some(known)) = (remote, upstream.get().target()) else { return Ok(None) };
        let shown = String::from_utf8_lossy(upstream.name_bytes()?).into_owned();
        Ok(Some(Branch { shown, remote, name: merge, own: own.to_string(), known: known.to_string() }))
    }

    /// All that is in a commit's tree, folders before what is in them.
    pub fn tree(&self, commit: &str) -> Result<Vec<Node>, Error> {
        let mut nodes = Vec::new();
        match self {
            Open::Here(open) => {
                let commit = open.find_commit(id(commit)?)?;
                let tree = commit.tree().map_err(|e| lacking(&e))?;
                collect(open, &tree, &[], 0, &mut nodes)?;
            }
            Open::ByGit(git) => git.tree(commit, &mut nodes)?,
        }
        let deep = |(entry, ..): &Node| entry.path.iter().filter(|byte| **byte == b'/').count() > DEEPEST;
        if nodes.iter().any(deep) {
            return Err(too_deep());
        }
        Ok(nodes)
    }

    /// Whether a commit has a folder of that name; nothing if it has nothing there.
    pub fn has_folder(&self, commit: &str, path: &str) -> Option<bool> {
        match self {
            Open::Here(open) => {
                let tree = open.find_commit(id(commit).ok()?).ok()?.tree().ok()?;
                Some(tree.get_path(Path::new(path)).ok()?.kind() == Some(git2::ObjectType::Tree))
            }
            Open::ByGit(git) => git.has_folder(commit, path),
        }
    }

    /// How many bytes a file has.
    pub fn size(&self, file: &str) -> Result<u64, Error> {
        match self {
            Open::Here(open) => Ok(open.odb()?.read_header(id(file)?)?.0 as u64),
            Open::ByGit(git) => git.size(file),
        }
    }

    /// What a small file holds.
    pub fn content(&self, file: &str) -> Result<Vec<u8>, Error> {
        match self {
            Open::Here(open) => Ok(open.find_blob(id(file)?)?.content().to_vec()),
            Open::ByGit(git) => git.content(file),
        }
    }

    /// What a large file holds, piece by piece: libgit2 has no way to read a packed one so.
    pub fn reader(&self, repository: &Repository, file: &str) -> Result<Box<dyn Read>, Error> {
        Ok(Box::new(Blob::open(repository, file)?))
    }
}

fn id(digits: &str) -> Result<git2::Oid, Error> {
    Ok(git2::Oid::from_str(digits)?)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

fn too_deep() -> Error {
    Error::Read(format!("a tree deeper than {DEEPEST} folders"))
}

fn collect(
    open: &git2::Repository,
    tree: &git2::Tree<'_>,
    above: &[u8],
    depth: usize,
    into: &mut Vec<Node>,
) -> Result<(), Error> {
    if depth > DEEPEST {
        return Err(too_deep());
    }
    for entry in tree {
        let path =
            if above.is_empty() { entry.name_bytes().to_vec() } else { [above, b"/", entry.name_bytes()].concat() };
        let kind = kind_of(entry.filemode_raw() as u32)?;
        into.push((Entry { path: path.clone(), kind }, entry.id().to_string(), None));
        if kind == EntryKind::Folder {
            let tree = open.find_tree(entry.id()).map_err(|e| lacking(&e))?;
            collect(open, &tree, &path, depth + 1, into)?;
        }
    }
    Ok(())
}
