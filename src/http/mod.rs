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

pub use answer::HttpResponse;
pub use client::{client, innermost};
pub use exchange::deliver;
pub use fetch::Fetch;
pub use request::{HttpRequest, Method};
pub use send::Send;
