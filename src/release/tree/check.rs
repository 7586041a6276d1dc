//! What a tree may not contain.
use super::linked::within;
use crate::{control::shown, release::error::TreeProblem};
use std::collections::{BTreeMap, BTreeSet};

/// Returns a name as text, or why a release may not have it.
pub(super) fn name(path: &[u8]) -> Result<&str, TreeProblem> {
    let bad = |why| TreeProblem::Name { name: shown(&String::from_utf8_lossy(path)), why };
    let text = std::str::from_utf8(path).map_err(|_| bad("isn't UTF-8"))?;
    if text.chars().any(char::is_control) {
        return Err(bad("has control characters"));
    }
    for part in text.split('/') {
        match part {
            "" | "." | ".." => return Err(bad("leads out of its folder")),
            part if part.eq_ignore_ascii_case(".git") => return Err(bad("is reserved for git")),
            part if part.len() > 255 => return Err(bad("is too long")),
            _ => {}
        }
    }
    if text.len() > 2000 { Err(bad("is too long")) } else { Ok(text) }
}

/// Finds names that collide on a filesystem that ignores case.
pub(super) fn twins<'a>(paths: impl IntoIterator<Item = &'a str>) -> Vec<TreeProblem> {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    let mut problems = Vec::new();
    for path in paths {
        if let Some(first) = seen.insert(path.to_lowercase(), path) {
            problems.push(TreeProblem::Twins(first.to_owned(), path.to_owned()));
        }
    }
    problems
}

/// Finds links that point outside the tree, by following them through the tree's own links.
///
/// `shared` are the names that lead to `shared/`: a link may go to one and below it, but not back from there by `..`.
pub(super) fn links(links: &BTreeMap<String, Vec<u8>>, shared: &BTreeSet<&str>) -> Vec<TreeProblem> {
    let leaves = |(path, target): (&String, &Vec<u8>)| {
        let text =
            std::str::from_utf8(target).ok().filter(|text| !text.is_empty() && !text.chars().any(char::is_control));
        let above = path.rsplit_once('/').map_or("", |(above, _)| above);
        let stays = text.is_some_and(|text| stays(links, shared, above, text, &mut 0));
        let target = shown(&String::from_utf8_lossy(target));
        (!stays).then(|| TreeProblem::Leaves { path: path.clone(), target })
    };
    links.iter().filter_map(leaves).collect()
}

/// The limit for links in a chain; a kernel follows no more, either.
const MOST_HOPS: usize = 40;

fn stays(
    links: &BTreeMap<String, Vec<u8>>,
    shared: &BTreeSet<&str>,
    from: &str,
    target: &str,
    hops: &mut usize,
) -> bool {
    walk(links, shared, from, target, hops).is_some()
}

/// Follows a target from a folder of the tree; returns where it ends, or nothing if it leaves the tree or loops.
fn walk(
    links: &BTreeMap<String, Vec<u8>>,
    shared: &BTreeSet<&str>,
    from: &str,
    target: &str,
    hops: &mut usize,
) -> Option<String> {
    *hops += 1;
    if target.starts_with('/') || *hops > MOST_HOPS {
        return None;
    }
    let mut at = from.to_owned();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                if at.is_empty() || shared.iter().any(|shared| within(&at, shared)) {
                    return None;
                }
                at = at.rsplit_once('/').map_or(String::new(), |(above, _)| above.to_owned());
            }
            part => {
                let next = if at.is_empty() { part.to_owned() } else { format!("{at}/{part}") };
                at = match links.get(&next) {
                    Some(further) => walk(links, shared, &at, std::str::from_utf8(further).ok()?, hops)?,
                    None => next,
                };
            }
        }
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaving(all: &[(&str, &str)], shared: &[&str]) -> Vec<String> {
        let map = all.iter().map(|(path, target)| (path.to_string(), target.as_bytes().to_vec())).collect();
        let shared = shared.iter().copied().collect();
        let path = |problem| match problem {
            TreeProblem::Leaves { path, .. } => path,
            other => panic!("{other}"),
        };
        links(&map, &shared).into_iter().map(path).collect()
    }

    #[test]
    fn a_link_is_followed_not_read() {
        assert!(leaving(&[("a", "b"), ("x/y", "../b/./c"), ("d/e/f", "../../")], &[]).is_empty());
        for target in ["/etc/passwd", "..", "../x", "x/../../y", "", "a\nb", "x/../.."] {
            assert_eq!(leaving(&[("link", target)], &[]), ["link"], "{target}");
        }
        // Read as text, `deep/x/..` is `deep`; followed, it is above the top's folder `a`.
        assert_eq!(leaving(&[("deep/x", "../a"), ("b", "deep/x/../../etc")], &[]), ["b"]);
        assert_eq!(leaving(&[("a", "b"), ("b", "a")], &[]), ["a", "b"]);
    }

    #[test]
    fn a_link_may_go_to_what_is_shared_but_not_on_from_there() {
        assert!(leaving(&[("a", "public/uploads/logo")], &["public/uploads"]).is_empty());
        assert_eq!(leaving(&[("a", "public/uploads/../../x")], &["public/uploads"]), ["a"]);
    }

    #[test]
    fn names_that_a_release_may_not_have() {
        for bad in [
            &b"a/../b"[..],
            b"..",
            b"/a",
            b"a//b",
            b".git/config",
            b"x/.GIT",
            b"a\nb",
            b"a\x7f",
            b"\xff",
            "a\u{85}".as_bytes(),
        ] {
            assert!(name(bad).is_err(), "{bad:?}");
        }
        for good in ["a b", "-x", "ü", ".gitignore", "a\\b", "$(x)", "...", "~"] {
            assert_eq!(name(good.as_bytes()), Ok(good));
        }
        assert!(name("x".repeat(256).as_bytes()).is_err());
        assert_eq!(twins(["A", "a", "b"]), [TreeProblem::Twins("A".into(), "a".into())]);
    }
}
