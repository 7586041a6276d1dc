//! HTTP from here.
mod answer;
mod client;
mod exchange;
mod request;
#[cfg(test)]
mod tests;

pub use answer::Answer;
pub use client::{client, innermost};
pub use exchange::{Fetch, Send};
pub use request::{Method, Request};
