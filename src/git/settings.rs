//! The settings of a repository, as the user's git reads them.
use super::{GitError, Repository, process::read, reading::here, visible::visible};
use crate::{
    effect::*,
    failure::Failure,
    model::{Model, Predicted},
};
use serde::Serialize;
use std::{collections::BTreeMap, path::Component};

/// Reads the settings whose names begin with a prefix, such as `gitflow.`: the repository's, the user's, the machine's.
#[derive(Clone, Debug, Serialize)]
pub struct ReadSettings {
    pub repository: String,
    pub prefix: String,
    /// A file of the work tree that has them instead, such as `.gitflow`.
    pub file: Option<String>,
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
        Ok(self.read(&Repository::of(&self.repository, &at)?)?)
    }

    fn predict(&self, model: &mut Model) -> Predicted<Self::Outcome> {
        let mut all = self.read(&here(&self.repository)?).map_err(Failure::from)?;
        for ((repository, name), value) in model.settings.iter().filter(|_| self.file.is_none()) {
            if *repository != self.repository || !name.starts_with(&self.prefix) {
                continue;
            }
            match value {
                Some(value) => drop(all.insert(name.clone(), value.clone())),
                None => drop(all.remove(name)),
            }
        }
        Ok(all)
    }
}

impl ReadSettings {
    fn read(&self, repository: &Repository) -> Result<BTreeMap<String, String>, GitError> {
        let Some(file) = &self.file else { return settings(repository, &self.prefix, None) };
        let work = repository.work.as_ref().ok_or(GitError::NoWorkTree)?;
        let path = work.join(file);
        let plain = std::path::Path::new(file).components().all(|part| matches!(part, Component::Normal(_)));
        if !plain {
            return Err(GitError::BadName(visible(file)));
        }
        match path.symlink_metadata() {
            Ok(found) if found.is_file() => settings(repository, &self.prefix, path.to_str()),
            _ => Ok(BTreeMap::new()),
        }
    }
}

fn settings(repository: &Repository, prefix: &str, file: Option<&str>) -> Result<BTreeMap<String, String>, GitError> {
    if prefix.is_empty() || !prefix.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-')) {
        return Err(GitError::BadName(visible(prefix)));
    }
    let pattern = format!("^{}", prefix.to_ascii_lowercase().replace('.', "\\."));
    let mut args = vec!["config", "--null"];
    args.extend(file.iter().flat_map(|file| ["--no-includes", "--file", file]));
    args.extend(["--get-regexp", &pattern]);
    let (ended, out) = read(repository, &args, "")?;
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
        assert_eq!(settings(&at, "gitflow.", None).unwrap(), BTreeMap::new());
        sample.git(&["config", "gitflow.prefix.hotfix", "hot\nfix/"]);
        sample.git(&["config", "--add", "gitflow.branch.Main.type", "base"]);
        sample.git(&["config", "--add", "gitflow.branch.Main.type", "topic"]);
        sample.git(&["config", "gitflowx.prefix.hotfix", "another"]);
        let found = settings(&at, "gitflow.", None).unwrap();
        let expected = [("gitflow.branch.Main.type", "topic"), ("gitflow.prefix.hotfix", "hot\nfix/")];
        assert_eq!(found, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
        for bad in ["", "gitflow.*", "--list", "a b", "^x"] {
            let refused = settings(&at, bad, None);
            assert!(
                matches!(refused, Err(GitError::BadName(_))) || bad == "--list" && refused == Ok(BTreeMap::new()),
                "{bad}"
            );
        }
    }
}
