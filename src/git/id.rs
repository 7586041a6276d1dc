//! Ids of commits.
use super::GitError;

/// Returns whether a text is a whole commit id: 40 digits, or 64 with sha256.
pub(super) fn whole(commit: &str) -> bool {
    matches!(commit.len(), 40 | 64) && commit.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Builds the error of several objects with the same first digits.
pub(super) fn many(digits: &str) -> GitError {
    GitError::Ambiguous {
        reference: digits.to_owned(),
        meanings: vec!["several objects begin with these digits".to_owned()],
    }
}
