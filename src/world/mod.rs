//! The innermost layer: real or simulated.
pub mod lanes;
pub mod nowhere;
pub mod real;
pub mod simulated;
pub mod threads;

/// The stack of every lane and of the task: enough for the deepest script that the engine's limits let through.
/// Only what is touched costs memory.
pub const STACK: usize = 64 << 20;
