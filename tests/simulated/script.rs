//! What a script can't do to the machine that it runs on, and what it can rely on.
mod commands;
mod door;
mod flow;
mod here;
mod limits;
mod modules;
