//! Sends HTTP requests from this machine.
mod answer;
mod client;
mod exchange;
mod fetch;
mod predicted;
mod request;
mod send;
#[cfg(test)]
mod tests;

pub use answer::Answer;
pub use client::{client, innermost};
pub use fetch::Fetch;
pub use request::{Method, Request};
pub use send::Send;
