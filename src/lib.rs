//! Deploys software to groups of servers behind a load balancer, from a script.
#![deny(unreachable_pub)]
#![deny(clippy::dbg_macro, clippy::print_stderr, clippy::print_stdout, clippy::todo, clippy::unimplemented)]
pub mod api;
pub mod balancer;
pub mod bookkeeping;
pub mod cli;
pub mod command;
pub mod control;
pub mod demo;
pub mod docs;
pub mod duration;
pub mod effect;
pub mod event;
pub mod fabfile;
pub mod failure;
pub mod fan_out;
pub mod fleet;
pub mod git;
pub mod health;
pub mod host;
pub mod http;
pub mod init;
pub mod ledger;
pub mod line;
pub mod local;
pub mod misspelled;
pub mod model;
pub mod notice;
pub mod port;
pub mod release;
pub mod remote;
pub mod report;
pub mod run;
pub mod script;
pub mod secret;
pub mod service;
pub mod session;
pub mod simulate;
pub mod source;
pub mod ssh;
pub mod store;
pub mod template;
mod temporary;
pub mod ui;
pub mod version;
pub mod world;

#[cfg(test)]
lab::alone!();
