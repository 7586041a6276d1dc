//! Servers in and out of their pools.
pub mod driver;
pub mod haproxy;
pub mod keeper;
