//! `rfab --demo`, as whoever types it sees it; and its balancer beside a real HAProxy.
#[path = "../lab/alone.rs"]
mod alone;
mod haproxy;
mod program;
