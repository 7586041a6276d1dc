//! Which commits a text names, of those that a fleet's ledger knows.
use super::git::CommitValue;
use crate::{ledger::is_digest, session::CommitNames};

/// The fewest digits that name a commit.
const FEWEST: usize = 7;

/// Returns the commits that a text names, each once.
///
/// A text that is a name becomes the commit's name. If several commits have it, those that were last called so win.
pub(super) fn meant(commits: Vec<CommitValue>, text: &str, names: &CommitNames) -> Vec<CommitValue> {
    let mut found: Vec<CommitValue> = Vec::new();
    for commit in commits {
        let known = found.iter().any(|other| other.commit == commit.commit);
        if !known && (is_name(&commit, text) || digits(&commit, text)) {
            found.push(commit);
        }
    }
    if found.iter().any(|commit| commit.name == text) {
        found.retain(|commit| commit.name == text);
    }
    for commit in found.iter_mut().filter(|commit| commit.name != text && is_name(commit, text)) {
        names.learn(&commit.commit, text);
        (commit.name, commit.tag, commit.unsaid) = (text.to_owned(), Some(text.to_owned()), true);
    }
    found
}

/// Returns whether a text is a commit's name, and not the digits of another commit with the same files.
fn is_name(commit: &CommitValue, text: &str) -> bool {
    commit.name == text || commit.names.iter().any(|name| name == text && !is_digest(name))
}

/// Returns whether a text is digits of a commit, of another one with the same files, or of its archive. A release's
/// folder, such as `0007-9ab0c1d2e3f4`, has them, too.
fn digits(commit: &CommitValue, text: &str) -> bool {
    let of_folder = text.split_once('-').filter(|(number, short)| is_number(number) && short.len() == 12);
    let text = of_folder.map_or(text, |(_, short)| short);
    let others = commit.names.iter().filter(|name| is_digest(name)).map(String::as_str);
    text.len() >= FEWEST && others.chain([&*commit.commit]).any(|whole| whole.starts_with(text))
}

fn is_number(text: &str) -> bool {
    text.len() >= 4 && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "9ab0c1d2e3f4a5b6c7d8e9f00112233445566778";
    const ALIKE: &str = "77a0c1d2e3f4a5b6c7d8e9f00112233445566778";
    const LATER: &str = "9ab0ffd2e3f4a5b6c7d8e9f00112233445566778";

    fn commit(id: &str, name: &str, names: &[&str]) -> CommitValue {
        CommitValue::of(id.into(), name.into(), None).called(names.iter().map(|name| (*name).to_owned()))
    }

    #[test]
    fn each_name_that_a_release_ever_had_its_digits_and_its_folder_mean_it() {
        // `v1.1.0` was a commit with the same files; `v2` was moved from the first to the later one.
        let all = [commit(FIRST, "v1.1.0", &["v1.0.0", "v2", ALIKE]), commit(LATER, "v2", &["v2"])];
        let said = |text: &str| -> Vec<String> {
            let meant = meant(all.to_vec(), text, &CommitNames::default());
            meant.iter().map(|one| format!("{} {}", &one.commit[..6], one.name)).collect()
        };
        for (text, means) in [
            ("v1.0.0", &["9ab0c1 v1.0.0"][..]),
            ("v1.1.0", &["9ab0c1 v1.1.0"]),
            ("v2", &["9ab0ff v2"]),
            (FIRST, &["9ab0c1 v1.1.0"]),
            (&FIRST[..7], &["9ab0c1 v1.1.0"]),
            (&ALIKE[..12], &["9ab0c1 v1.1.0"]),
            (ALIKE, &["9ab0c1 v1.1.0"]),
            ("0007-9ab0c1d2e3f4", &["9ab0c1 v1.1.0"]),
            ("0007-9ab0", &[]),
            ("x-9ab0c1d2e3f4", &[]),
            (&FIRST[..6], &[]),
            ("v1.0", &[]),
            ("v1.0.0-9ab0c1d2e3f4", &[]),
            ("", &[]),
        ] {
            assert_eq!(said(text), means, "{text}");
        }
    }
}
