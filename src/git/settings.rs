//! The settings of a repository, as the user's git reads them.
use super::{GitError, Repository, process::read, reading::here};
use crate::{
    effect::*,
    failure::Failure,
    model::{Model, Predicted},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// Reads the settings whose names begin with a prefix, such as `gitflow.`: the repository's, the user's, the machine's.
#[derive(Clone, Debug, Serialize)]
pub struct ReadSettings {
    pub repository: String,
    pub prefix: String,
}

impl Read for ReadSettings {
    /// The last value of each name. Names are as git prints them: only what is between the first and the last dot keeps
    /// its capitals.
    type Outcome = BTreeMap<String, String>;
    const NAME: &'static str = "read_settings";

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.repository)
    }

    fn describe(&self) -> String {
        format!("read the settings {}*", self.prefix)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Self::Outcome, Failure> {
        Ok(settings(&Repository::locate(&self.repository, &at.real.cache.join("mirrors"))?, &self.prefix)?)
    }

    fn predict(&self, _: &mut Model) -> Predicted<Self::Outcome> {
        Ok(settings(&here(&self.repository)?, &self.prefix).map_err(Failure::from)?)
    }
}

fn settings(repository: &Repository, prefix: &str) -> Result<BTreeMap<String, String>, GitError> {
    if prefix.is_empty() || !prefix.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-')) {
        return Err(GitError::BadName(super::visible::visible(prefix)));
    }
    let pattern = format!("^{}", prefix.to_ascii_lowercase().replace('.', "\\."));
    let (ended, out) = read(repository, &["config", "--null", "--get-regexp", &pattern], "")?;
    // With 1 and no words git says that there are none.
    if !ended.ok && !ended.err.is_empty() {
        return Err(GitError::Git { what: "config".to_owned(), why: ended.why() });
    }
    let text = String::from_utf8_lossy(&out);
    // A name without a value means true.
    let pair = |entry: &str| {
        let (name, value) = entry.split_once('\n').unwrap_or((entry, "true"));
        (name.to_owned(), value.to_owned())
    };
    Ok(text.split('\0').filter(|entry| !entry.is_empty()).map(pair).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::sample::Sample;

    #[test]
    fn settings_are_the_last_of_their_names_and_a_prefix_is_no_pattern() {
        let sample = Sample::new();
        let at = sample.repository();
        assert_eq!(settings(&at, "gitflow.").unwrap(), BTreeMap::new());
        sample.git(&["config", "gitflow.prefix.hotfix", "hot\nfix/"]);
        sample.git(&["config", "--add", "gitflow.branch.Main.type", "base"]);
        sample.git(&["config", "--add", "gitflow.branch.Main.type", "topic"]);
        sample.git(&["config", "gitflowx.prefix.hotfix", "another"]);
        let found = settings(&at, "gitflow.").unwrap();
        let expected = [("gitflow.branch.Main.type", "topic"), ("gitflow.prefix.hotfix", "hot\nfix/")];
        assert_eq!(found, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
        for bad in ["", "gitflow.*", "--list", "a b", "^x"] {
            let refused = settings(&at, bad);
            assert!(
                matches!(refused, Err(GitError::BadName(_))) || bad == "--list" && refused == Ok(BTreeMap::new()),
                "{bad}"
            );
        }
    }
}
