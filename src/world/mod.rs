//! The innermost layer: real or simulated.
pub mod lanes;
pub mod nowhere;
pub mod real;
pub mod simulated;
pub mod threads;

/// The stack size of every lane and of the task: enough for the deepest script that the engine's limits allow.
/// Only the pages that are used cost memory.
pub const STACK: usize = 64 << 20;
