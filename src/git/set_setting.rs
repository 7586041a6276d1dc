//! A setting of a repository that changes.
use super::{
    GitError, Repository,
    process::git,
    reading::{WITHIN, here},
    visible::visible,
    write::text,
};
use crate::{
    effect::*,
    failure::Failure,
    model::{Model, Predicted},
};
use serde::Serialize;

/// Writes a setting of a branch or of git-flow, or removes it.
#[derive(Clone, Debug, Serialize)]
pub struct SetSetting {
    pub repository: String,
    /// `gitflow.…` or `branch.…`; no other setting can be written.
    pub name: String,
    pub value: Option<String>,
}

impl Effect for SetSetting {
    type Outcome = ();
    const NAME: &'static str = "set_setting";
    const KIND: EffectKind = EffectKind::Change;

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.repository)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Here
    }

    fn describe(&self) -> String {
        match &self.value {
            Some(value) => format!("set {} to {value}", self.name),
            None => format!("remove the setting {}", self.name),
        }
    }

    /// To write it twice does no harm.
    fn look(&self, _: Ask<'_>) -> Result<Happened<()>, Failure> {
        Ok(Happened::Not)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<(), Failure> {
        let repository = Repository::of(&self.repository, &at)?;
        self.checked()?;
        let value = self.value.as_deref();
        let args = match value {
            Some(value) => ["config", "--local", "--replace-all", &self.name, value].to_vec(),
            None => ["config", "--local", "--unset-all", &self.name].to_vec(),
        };
        let ended = git(&repository, &args, WITHIN).await?;
        // Without a message, git says that the setting to remove isn't there.
        if ended.ok || value.is_none() && ended.err.is_empty() {
            return Ok(());
        }
        Err(GitError::Git { what: "config".to_owned(), why: ended.why() }.into())
    }

    fn predict(&self, model: &mut Model) -> Predicted<()> {
        here(&self.repository)?;
        self.checked().map_err(Failure::from)?;
        model.settings.insert((self.repository.clone(), self.name.clone()), self.value.clone());
        Ok(())
    }
}

impl SetSetting {
    /// Checks the name by the manual of `git config`: letters and `-` after the last dot, and no line end.
    fn checked(&self) -> Result<(), GitError> {
        text(self.value.as_deref().unwrap_or_default())?;
        let own = self.name.starts_with("gitflow.") || self.name.starts_with("branch.");
        let last = self.name.rsplit('.').next().unwrap_or_default();
        let word = last.starts_with(|c: char| c.is_ascii_alphabetic())
            && last.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if own && word && !self.name.contains(['\n', '\0']) {
            Ok(())
        } else {
            Err(GitError::BadName(visible(&self.name)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_settings_of_branches_and_of_git_flow_can_be_written() {
        let checked = |name: &str| {
            let (repository, name) = (String::new(), name.to_owned());
            SetSetting { repository, name, value: None }.checked().is_ok()
        };
        for good in ["gitflow.branch.master", "gitflow.branch.hotfix/3.0.1.base", "branch.a b.remote"] {
            assert!(checked(good), "{good}");
        }
        for bad in ["core.hooksPath", "gitflow.", "gitflow.a.", "gitflow.a\nb", "--unset", "branch.x.1a", "alias.x"] {
            assert!(!checked(bad), "{bad}");
        }
    }
}
