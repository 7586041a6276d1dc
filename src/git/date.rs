//! Reads when a commit was made.
use super::{Repository, open::OpenRepository};
use crate::{
    effect::*,
    failure::Failure,
    model::{Commit, Model, Predicted},
};
use serde::Serialize;
use std::path::Path;

/// Reads a commit's time by the committer's clock; `None` if there is no repository, or no such commit in it.
#[derive(Clone, Debug, Serialize)]
pub struct ReadDate {
    pub repository: String,
    /// The whole id of the commit, or its first 12 digits.
    pub commit: Commit,
}

impl ReadDate {
    fn date(&self, mirrors: &Path) -> Option<i64> {
        let open = OpenRepository::of(&Repository::locate(&self.repository, mirrors).ok()?).ok()?;
        open.at(&open.beginning(&self.commit).ok()??).ok()
    }
}

impl Read for ReadDate {
    /// In seconds since 1970.
    type Outcome = Option<i64>;
    const NAME: &'static str = "read_date";

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.repository)
    }

    fn describe(&self) -> String {
        format!("read when {} was made", &self.commit[..self.commit.len().min(12)])
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Option<i64>, Failure> {
        Ok(self.date(&at.real.cache.join("mirrors")))
    }

    fn predict(&self, model: &mut Model) -> Predicted<Option<i64>> {
        let read = ReadDate { commit: model.prepared.stand_in(&self.commit).into(), ..self.clone() };
        Ok(self.repository.starts_with('/').then(|| read.date(Path::new("/nonexistent"))).flatten())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::sample::Sample;

    #[test]
    fn a_commit_that_is_here_has_a_date_and_another_has_none() {
        let sample = Sample::new();
        let head = sample.git(&["rev-parse", "HEAD"]);
        let date: i64 = sample.git(&["log", "-1", "--format=%ct"]).parse().unwrap();
        let read = |commit: &str| {
            let repository = sample.work.to_str().unwrap().to_owned();
            ReadDate { repository, commit: commit.into() }.date(Path::new("/nonexistent"))
        };
        assert_eq!((read(&head), read(&head[..12])), (Some(date), Some(date)));
        assert_eq!(read("0123456789012345678901234567890123456789"), None);
        assert_eq!(ReadDate { repository: "/nonexistent".into(), commit: (*head).into() }.date(Path::new("/")), None);
    }
}
