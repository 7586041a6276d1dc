//! What a function that a script calls returns.

/// Rhai's own alias of this name is private, and its name is what `.d.rhai` files leave out.
pub type RhaiResultOf<T> = Result<T, Box<rhai::EvalAltResult>>;
