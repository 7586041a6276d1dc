//! The text of a secret.
/// The longest secret, in bytes; what is longer is a file to be sent.
pub const LONGEST: usize = 64 << 10;

/// A text without its last line end.
pub fn unended(mut text: String) -> String {
    if text.ends_with('\n') {
        text.pop();
    }
    if text.ends_with('\r') {
        text.pop();
    }
    text
}
