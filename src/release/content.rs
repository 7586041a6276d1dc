//! What a release of an app in a folder of its repository is made from.
use super::{name::short, tree};
use crate::{
    effect::*,
    failure::Failure,
    fleet::TreeRules,
    git::{self, Repository},
    model::{Commit, Model, Predicted},
};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// Computes a digest of everything that a commit's release is made from: the folder, the attributes above it, and the
/// rules of the fleet file. Two commits with the same digest give releases with the same files. If placeholders in a
/// file are substituted, the commit counts, too.
///
/// `None` if the app is all of its repository: then each commit is a release of its own.
#[derive(Clone, Debug, Serialize)]
pub struct ReadContent {
    pub repository: String,
    pub commit: Commit,
    #[serde(flatten)]
    pub rules: TreeRules,
}

impl Read for ReadContent {
    type Outcome = Option<String>;
    const NAME: &'static str = "read_content";

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.repository)
    }

    fn describe(&self) -> String {
        format!("read what a release of {} is made from", short(&self.commit))
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Option<String>, Failure> {
        self.digest(&Repository::of(&self.repository, &at)?)
    }

    /// A dry run reads the real repository.
    fn predict(&self, model: &mut Model) -> Predicted<Option<String>> {
        let read = ReadContent { commit: model.prepared.stand_in(&self.commit).into(), ..self.clone() };
        Ok(read.digest(&git::here(&self.repository)?)?)
    }
}

impl ReadContent {
    fn digest(&self, repository: &Repository) -> Result<Option<String>, Failure> {
        let Some(tree) = &self.rules.tree else { return Ok(None) };
        let mut paths = vec![format!("{tree}/")];
        let above = tree.match_indices('/').map(|(slash, _)| &tree[..=slash]);
        paths.extend(std::iter::once("").chain(above).map(|folder| format!("{folder}.gitattributes")));
        let ids = git::ids(repository, &self.commit, &paths)?;
        if ids[0].is_none() {
            return Ok(None);
        }
        let parts = if tree::substitutes(repository, &self.commit, &self.rules)? {
            serde_json::to_vec(&(ids, &self.rules, &self.commit))
        } else {
            serde_json::to_vec(&(ids, &self.rules))
        };
        let parts = parts.expect("it is plain data");
        Ok(Some(hex::encode(Sha256::digest(parts))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::sample::Sample;

    #[test]
    fn a_release_is_made_from_its_folder_the_attributes_above_it_and_the_rules() {
        let sample = Sample::new();
        let read = |rules: &TreeRules| {
            let commit = sample.git(&["rev-parse", "HEAD"]).as_str().into();
            ReadContent { repository: String::new(), commit, rules: rules.clone() }
                .digest(&sample.repository())
                .unwrap()
        };
        let rules = TreeRules { tree: Some("services/web".into()), ..TreeRules::default() };
        assert_eq!([read(&rules), read(&TreeRules::default())], [None, None]);
        sample.write("services/web/app", b"1");
        sample.commit_all();
        let first = read(&rules);
        assert!(first.is_some());
        for (file, same) in [
            ("other", true),
            ("services/other", true),
            ("services/web2/app", true),
            ("services/web/app", false),
            (".gitattributes", false),
            ("services/.gitattributes", false),
        ] {
            sample.write(file, b"x");
            sample.commit_all();
            assert_eq!(read(&rules) == first, same, "{file}");
            sample.git(&["reset", "-q", "--hard", "HEAD~"]);
        }
        assert_ne!(read(&TreeRules { linked: vec!["log".into()], ..rules.clone() }), first);
        assert_eq!(read(&rules), first);
        let subst = TreeRules { export_subst: true, ..rules.clone() };
        sample.write("services/web/.gitattributes", b"version export-subst\n");
        sample.commit_all();
        let [before, plain] = [&subst, &rules].map(&read);
        sample.git(&["commit", "-q", "--allow-empty", "-m", "nothing"]);
        assert_eq!(read(&subst), before, "no file has the attribute");
        assert_eq!(read(&rules), plain);
        sample.write("services/web/version", b"$Format:%H$");
        sample.commit_all();
        let [before, plain] = [&subst, &rules].map(&read);
        sample.git(&["commit", "-q", "--allow-empty", "-m", "nothing"]);
        assert_ne!(read(&subst), before, "each commit gives another file");
        assert_eq!(read(&rules), plain);
    }
}
