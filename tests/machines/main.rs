//! rfab against real parts: `sshd`, HAProxy, git and the services of a lab's machines.
mod allowed;
mod apps;
mod attacks;
mod behaviours;
mod concluded;
mod files;
mod flood;
mod history;
mod hosts;
mod hotfix;
mod keys;
mod locked;
mod logins;
mod logs;
mod looks;
#[path = "../simulated/made_up.rs"]
mod made_up;
mod old;
mod ops;
mod real;
mod reloads;
mod roll;
mod scarce;
mod sending;
mod shop;
mod sides;
mod ssh;
mod status;
mod strange;
mod terminal;
mod trouble;
mod unreachable;
mod unseen;
mod vanished;
mod walk;
mod worlds;

lab::suite!();
