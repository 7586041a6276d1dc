//! Names that stay in `shared/` from release to release.
use super::manifest::ManifestKind;
use crate::{
    control::shown,
    fleet::TreeRules,
    git::{Repository, Tree},
    release::error::TreeProblem,
};
use std::collections::BTreeMap;

/// Something in `shared/` that a release links to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SharedLink {
    pub path: String,
    pub what: ManifestKind,
}

/// What a tree has under a name; linking needs no more.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum FoundInTree {
    Folder,
    Other,
}

/// Determines for each linked name whether it is a folder or a file, and the target of its link.
///
/// A name with a `/` at its end is a folder. Otherwise the commit decides, if it has that name. Otherwise a name with a
/// dot in its last part is a file, and any other name is a folder.
pub(crate) fn shared(
    linked: &[String],
    tree: &BTreeMap<&str, FoundInTree>,
) -> Result<Vec<SharedLink>, Vec<TreeProblem>> {
    let (mut all, mut problems) = (Vec::<SharedLink>::new(), Vec::new());
    for given in linked {
        let path = given.strip_suffix('/').unwrap_or(given);
        let why = refused(path, tree).or_else(|| {
            let overlaps = |other: &SharedLink| within(path, &other.path) || within(&other.path, path);
            all.iter().any(overlaps).then_some("another linked name contains it")
        });
        if let Some(why) = why {
            problems.push(TreeProblem::Linked { path: shown(given), why });
            continue;
        }
        let last = path.rsplit('/').next().unwrap_or(path);
        let folder =
            given.ends_with('/') || tree.get(path).map_or(!last.contains('.'), |found| *found == FoundInTree::Folder);
        let target = format!("{}../shared/{path}", "../".repeat(path.split('/').count()));
        let what = if folder { ManifestKind::SharedFolder { target } } else { ManifestKind::SharedFile { target } };
        all.push(SharedLink { path: path.to_owned(), what });
    }
    if problems.is_empty() { Ok(all) } else { Err(problems) }
}

/// Finds the linked names that are files; each must be in `shared/` before a release of the commit is staged.
pub(crate) fn files(repository: &Repository, commit: &str, rules: &TreeRules) -> Vec<String> {
    let linked = &rules.linked;
    let found: Vec<(&str, FoundInTree)> = linked
        .iter()
        .filter_map(|name| {
            let folder = Tree::has_folder(repository, commit, &rules.in_repository(name))?;
            Some((name.as_str(), if folder { FoundInTree::Folder } else { FoundInTree::Other }))
        })
        .collect();
    // A name that can't be linked is reported when the tree is packed.
    let all = shared(linked, &found.into_iter().collect()).unwrap_or_default();
    all.into_iter().filter(|one| matches!(one.what, ManifestKind::SharedFile { .. })).map(|one| one.path).collect()
}

/// Returns whether a path is `above` or lies below it.
pub(crate) fn within(path: &str, above: &str) -> bool {
    path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Returns why a name can't be linked, or nothing if it can.
pub(crate) fn refused(path: &str, tree: &BTreeMap<&str, FoundInTree>) -> Option<&'static str> {
    if path.split('/').any(|part| matches!(part, "" | "." | "..") || part.eq_ignore_ascii_case(".git")) {
        return Some("it isn't a path below the release");
    }
    if path.chars().any(char::is_control) || path.len() > 1000 {
        return Some("it has control characters or is too long");
    }
    let above = path.match_indices('/').map(|(slash, _)| &path[..slash]);
    let blocked = above.into_iter().any(|above| tree.get(above) == Some(&FoundInTree::Other));
    blocked.then_some("a file or link is where its folder would be")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_folder_or_a_file_by_one_rule() {
        let tree = BTreeMap::from([("logs.d", FoundInTree::Folder), ("secret", FoundInTree::Other)]);
        let linked = ["public/uploads", "config/database.yml", ".env", "logs.d", "secret", "a.b/"].map(str::to_owned);
        let kinds: Vec<_> = shared(&linked, &tree).unwrap().into_iter().map(|shared| shared.what).collect();
        let folder = |target: &str| ManifestKind::SharedFolder { target: target.to_owned() };
        let file = |target: &str| ManifestKind::SharedFile { target: target.to_owned() };
        assert_eq!(
            kinds,
            [
                folder("../../../shared/public/uploads"),
                file("../../../shared/config/database.yml"),
                file("../../shared/.env"),
                folder("../../shared/logs.d"),
                file("../../shared/secret"),
                folder("../../shared/a.b"),
            ]
        );
    }

    #[test]
    fn a_name_that_leaves_the_release_or_overlaps_is_refused() {
        let tree = BTreeMap::from([("file", FoundInTree::Other)]);
        for bad in [
            &["/etc"][..],
            &["../x"],
            &["a//b"],
            &[""],
            &["a\nb"],
            &["file/x"],
            &["a", "a/b"],
            &["a/b", "a"],
            &["a", "a/"],
            &[".git"],
        ] {
            let linked: Vec<String> = bad.iter().map(|name| name.to_string()).collect();
            assert_eq!(shared(&linked, &tree).unwrap_err().len(), 1, "{bad:?}");
        }
    }
}
