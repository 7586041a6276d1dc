//! `rfab --demo`, as whoever types it sees it; and its balancer beside a real HAProxy.
mod haproxy;
mod program;
