//! Ids of commits.
use super::GitError;

/// Returns whether a text is a commit's whole id: 40 digits, or 64 by sha256.
pub(super) fn whole(commit: &str) -> bool {
    matches!(commit.len(), 40 | 64) && commit.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Words that several objects have an id that begins so.
pub(super) fn many(digits: &str) -> GitError {
    GitError::Ambiguous { reference: digits.to_owned(), meanings: vec!["several objects begin so".to_owned()] }
}
