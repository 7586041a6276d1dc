//! The innermost layer: real or simulated.
pub mod real;
