//! Where secrets are taken from.
mod command;
mod file;
mod person;
mod take;
mod text;
mod variable;

pub use take::{SecretSource, Take};
