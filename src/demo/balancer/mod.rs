//! An HTTP balancer that takes HAProxy's commands over a unix socket: drain, ready, weights.
//!
//! It behaves like HAProxy 2.6 with `retries 0`, `no option redispatch`, and checks of `rise 2 fall 3`.
mod admin;
mod check;
mod proxy;
mod server;
mod service;
mod socket;

pub use server::{DemoServer, Pool};
pub use service::{all_up, start};
