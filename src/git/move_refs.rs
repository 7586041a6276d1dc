//! Several refs that move at once.
use super::{
    GitError, Repository,
    local::ReadRef,
    process::git_given,
    reading::{WITHIN, here},
    write::{named, whole_commit},
};
use crate::{
    effect::*,
    failure::Failure,
    model::{Model, Predicted},
};
use serde::Serialize;

/// Where a ref goes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RefMove {
    /// The full name, such as `refs/heads/main`.
    pub name: String,
    /// The object that it must name before; `None` if it must not be there.
    pub old: Option<String>,
    /// The object that it names then; `None` if it is deleted.
    pub new: Option<String>,
    /// The commit that it means then; another one than `new` for an annotated tag.
    pub commit: Option<String>,
}

impl RefMove {
    /// Returns the name as people say it.
    pub(super) fn short(&self) -> &str {
        RefMove::short_name(&self.name)
    }

    /// Returns a ref's full name as people say it.
    pub(super) fn short_name(name: &str) -> &str {
        ["refs/heads/", "refs/tags/"].into_iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name)
    }
}

/// Moves refs of a repository in one transaction: all of them, or none.
#[derive(Clone, Debug, Serialize)]
pub struct MoveRefs {
    pub repository: String,
    pub moves: Vec<RefMove>,
    /// What the reflog says of it.
    pub why: String,
}

impl Effect for MoveRefs {
    type Outcome = ();
    const NAME: &'static str = "move_refs";
    const KIND: EffectKind = EffectKind::Once;

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.repository)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Here
    }

    fn describe(&self) -> String {
        let said = |one: &RefMove| {
            let name = one.short();
            match (&one.old, &one.new) {
                (_, None) => format!("delete {name}"),
                (None, _) => format!("make {name}"),
                _ => format!("move {name}"),
            }
        };
        self.moves.iter().map(said).collect::<Vec<_>>().join(", ")
    }

    /// A transaction moved all of them or none, so one that isn't where it was or will be was moved by somebody else.
    fn look(&self, ask: Ask<'_>) -> Result<Happened<()>, Failure> {
        let mut moved = 0;
        for one in &self.moves {
            let named = |object| ReadRef { repository: self.repository.clone(), name: one.name.clone(), object };
            // A script may name a tag's object without its commit.
            if ask.read(named(false))? == one.commit || one.new.is_some() && ask.read(named(true))? == one.new {
                moved += 1;
            }
        }
        Ok(match moved {
            0 => Happened::Not,
            all if all == self.moves.len() => Happened::Done(()),
            _ => Happened::Cannot,
        })
    }

    fn assumed(&self) -> Option<()> {
        Some(())
    }

    async fn carry_out(&self, at: At<'_>) -> Result<(), Failure> {
        let repository = Repository::of(&self.repository, &at)?;
        let lines = self.lines()?;
        let why = format!("-m{}", self.why.replace('\n', " "));
        let ended = git_given(&repository, &["update-ref", &why, "--stdin"], &lines, WITHIN).await?;
        if ended.ok {
            return Ok(());
        }
        Err(GitError::Git { what: "update-ref".to_owned(), why: ended.why() }.into())
    }

    fn predict(&self, model: &mut Model) -> Predicted<()> {
        here(&self.repository)?;
        self.lines().map_err(Failure::from)?;
        for one in &self.moves {
            let commit = one.commit.as_deref().map(Into::into);
            model.refs.insert((self.repository.clone(), one.name.clone()), commit);
        }
        Ok(())
    }
}

impl MoveRefs {
    /// Writes the transaction as `git update-ref --stdin` reads it.
    fn lines(&self) -> Result<String, GitError> {
        let mut lines = "start\n".to_owned();
        for RefMove { name, old, new, .. } in &self.moves {
            let name = named("", name)?;
            let old = old.as_deref().map(whole_commit).transpose()?;
            let new = new.as_deref().map(whole_commit).transpose()?;
            lines += &match (old, new) {
                (None, Some(new)) => format!("create {name} {new}\n"),
                (Some(old), Some(new)) => format!("update {name} {new} {old}\n"),
                (Some(old), None) => format!("delete {name} {old}\n"),
                (None, None) => return Err(GitError::BadName(name)),
            };
        }
        Ok(lines + "prepare\ncommit\n")
    }
}
