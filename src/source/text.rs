//! The text of a secret.
/// The longest secret, in bytes; what is longer is a file to be sent.
pub const LONGEST: usize = 64 << 10;

/// Takes the last line end from a text.
pub fn unended(mut text: String) -> String {
    if text.ends_with('\n') {
        text.pop();
    }
    if text.ends_with('\r') {
        text.pop();
    }
    text
}
