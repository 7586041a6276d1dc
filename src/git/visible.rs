//! Makes other people's texts safe to show.
use crate::control::brief;

/// The most characters of a text that a message has.
const MOST: usize = 400;

/// Makes characters visible that a terminal obeys or hides, and cuts the text to 400 characters.
pub(super) fn visible(text: &str) -> String {
    brief(text, MOST)
}
