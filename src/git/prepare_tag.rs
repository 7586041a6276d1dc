//! A tag that has no name yet.
use super::{
    GitError, Repository,
    process::git,
    reading::{WITHIN, here},
    write::{named, text, whole_commit},
};
use crate::{
    effect::*,
    failure::Failure,
    model::{Model, Predicted},
};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// Makes the object of an annotated tag, signed if the user's git signs tags, and no ref.
///
/// To do it twice does no harm: nothing names the first object.
#[derive(Clone, Debug, Serialize)]
pub struct PrepareTag {
    pub repository: String,
    pub name: String,
    pub commit: String,
    pub message: String,
    /// Whether it is signed, also if the user's settings don't say so.
    pub sign: bool,
}

impl Effect for PrepareTag {
    /// The id of the tag's object.
    type Outcome = String;
    const NAME: &'static str = "prepare_tag";
    const KIND: EffectKind = EffectKind::Change;

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.repository)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Here
    }

    fn describe(&self) -> String {
        format!("prepare the tag {}", self.name)
    }

    fn look(&self, _: Ask<'_>) -> Result<Happened<String>, Failure> {
        Ok(Happened::Not)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<String, Failure> {
        let repository = Repository::locate(&self.repository, &at.real.cache.join("mirrors"))?;
        Ok(self.make(&repository).await?)
    }

    fn predict(&self, model: &mut Model) -> Predicted<String> {
        here(&self.repository)?;
        let digest = Sha256::digest(format!("{} {} {}", self.name, self.commit, self.message));
        let object = hex::encode(digest)[..self.commit.len().min(64)].to_owned();
        model.prepared.tag(&object, &self.commit);
        Ok(object)
    }
}

impl PrepareTag {
    /// Has git make the tag in a repository that borrows the objects and the settings of the real one.
    async fn make(&self, repository: &Repository) -> Result<String, GitError> {
        let full = named("refs/tags/", &self.name)?;
        let commit = whole_commit(&self.commit)?;
        text(&self.message)?;
        let failed = |e: std::io::Error| GitError::Read(format!("a folder for the tag can't be made: {e}"));
        let folder = tempfile::Builder::new().prefix("rfab-tag-").tempdir().map_err(failed)?;
        let apart = Repository { folder: folder.path().join("tag.git"), work: None, ..repository.clone() };
        let at = apart.folder.to_str().ok_or_else(|| GitError::BadName(self.name.clone()))?;
        let format = git(repository, &["rev-parse", "--show-object-format"], WITHIN).await?;
        let format = format!("--object-format={}", format.out.trim());
        run(repository, &["init", "--quiet", "--bare", &format, at]).await?;
        std::os::unix::fs::symlink(repository.folder.join("config"), apart.folder.join("config.real"))
            .map_err(failed)?;
        std::fs::remove_dir_all(apart.folder.join("objects")).map_err(failed)?;
        std::os::unix::fs::symlink(repository.folder.join("objects"), apart.folder.join("objects")).map_err(failed)?;
        let include = format!("include.path={}", apart.folder.join("config.real").display());
        let message = format!("--message={}", self.message);
        let mut args = vec!["-c", &include, "-c", "core.bare=true", "-c", "core.worktree=", "tag"];
        args.push(if self.sign { "--sign" } else { "--annotate" });
        args.extend([message.as_str(), "--", &self.name, commit]);
        run(&apart, &args).await?;
        Ok(run(&apart, &["rev-parse", "--verify", &full]).await?.trim().to_owned())
    }
}

async fn run(repository: &Repository, args: &[&str]) -> Result<String, GitError> {
    let ended = git(repository, args, WITHIN).await?;
    if ended.ok { Ok(ended.out) } else { Err(GitError::Git { what: "tag".to_owned(), why: ended.why() }) }
}
