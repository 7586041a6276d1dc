//! A tag that has no name yet.
use super::{
    GitError, Repository,
    process::{git, read},
    reading::{WITHIN, here},
    write::{named, text, whole_commit},
};
use crate::{
    effect::*,
    failure::Failure,
    model::{Model, Predicted},
    temporary::TemporaryFolder,
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
    /// Whether it is signed, even if the user's settings don't say so.
    pub sign: bool,
    /// The key to sign with; `None` for the one that the user's settings name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// The settings that say who makes a tag, and how it's signed. None of them is a secret.
const WHO: &str = r"^(user|author|committer|gpg|tag|i18n)\.";

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
        let repository = Repository::of(&self.repository, &at)?;
        self.make(&repository).await.map_err(GitError::unmoved)
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
        [&self.message].into_iter().chain(&self.key).try_for_each(|one| text(one))?;
        // Read where the repository is: a condition such as `gitdir:` wouldn't fit the other place.
        let (_, who) = read(repository, &["config", "--includes", "-z", "--get-regexp", WHO], "")?;
        let who: Vec<String> = String::from_utf8_lossy(&who).split_terminator('\0').map(setting).collect();
        let failed = |e: std::io::Error| GitError::Read(format!("a folder for the tag can't be made: {e}"));
        let folder = TemporaryFolder::make().map_err(failed)?;
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
        // Nothing has the tag's name yet, so no hook is told of it.
        let mut args =
            vec!["-c", &include, "-c", "core.bare=true", "-c", "core.worktree=", "-c", "core.hooksPath=/dev/null"];
        args.extend(who.iter().flat_map(|one| ["-c", one.as_str()]));
        args.extend(["tag", if self.sign { "--sign" } else { "--annotate" }]);
        let key = self.key.as_ref().map(|key| format!("--local-user={key}"));
        args.extend(key.as_deref());
        args.extend([message.as_str(), "--", &self.name, commit]);
        run(&apart, &args).await?;
        Ok(run(&apart, &["rev-parse", "--verify", &full]).await?.trim().to_owned())
    }
}

/// Returns a setting as git takes it on its command line, from a line of `git config -z`.
fn setting(line: &str) -> String {
    line.split_once('\n').map_or_else(|| line.to_owned(), |(name, value)| format!("{name}={value}"))
}

async fn run(repository: &Repository, args: &[&str]) -> Result<String, GitError> {
    let ended = git(repository, args, WITHIN).await?;
    if ended.ok { Ok(ended.out) } else { Err(GitError::Git { what: "tag".to_owned(), why: ended.why() }) }
}
