//! The result of a function that a script calls.

/// A result for Rhai. Its own alias with this name is private, and `.d.rhai` files leave out exactly this name.
pub type RhaiResultOf<T> = Result<T, Box<rhai::EvalAltResult>>;
