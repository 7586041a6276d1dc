//! Finds a project's fabfile, compiles it and lists its tasks.
mod calls;
mod find;
mod keys;
mod load;
mod locking;
mod taken;
pub mod task;
mod tasks;
mod unknown;

pub use find::{find, nearest};
pub use load::{Options, Project, load};
pub use taken::is_taken;
pub use task::{Overload, Signature};
