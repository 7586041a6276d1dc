//! An HTTP balancer that is told what to do as HAProxy is: drain, ready, weights, over a unix socket.
//!
//! It behaves as HAProxy 2.6 does with `retries 0`, `no option redispatch`, and checks of `rise 2 fall 3`.
mod admin;
mod check;
mod proxy;
mod server;
mod service;
mod socket;

pub use server::{DemoServer, Pool};
pub use service::{all_up, start};
