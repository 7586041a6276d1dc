//! `rfab --demo`: what a person sees of it, and its balancer beside a real HAProxy.
mod haproxy;
mod program;
