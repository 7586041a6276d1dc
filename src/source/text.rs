//! The text of a secret.
/// The longest secret, in bytes; a longer one should be sent as a file.
pub(super) const LONGEST: usize = 64 << 10;

/// Removes the last newline of a text.
pub(super) fn unended(mut text: String) -> String {
    if text.ends_with('\n') {
        text.pop();
    }
    if text.ends_with('\r') {
        text.pop();
    }
    text
}
