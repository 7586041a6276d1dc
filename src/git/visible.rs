//! A text of others, fit to be shown.
use crate::control::brief;

/// The most characters of a text that a message has.
const MOST: usize = 400;

/// Makes visible what a terminal obeys or hides in a text of others, and cuts it to 400 characters.
pub(super) fn visible(text: &str) -> String {
    brief(text, MOST)
}
