//! Finds a project's fabfile, compiles it, and knows its tasks.
mod calls;
mod find;
mod forbidden;
mod load;
pub mod task;
mod tasks;

pub use find::{find, owned_well};
pub use load::{Options, Project, Wrong, load};
pub use task::{Overload, Signature};
