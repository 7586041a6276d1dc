//! The table of what users are free to choose, and a shop in a lab for any row of it.

pub mod cover;
pub mod end;
pub mod making;
pub mod need;
mod packaged;
pub mod rows;
pub mod shop;
pub mod table;
