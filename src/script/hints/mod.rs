//! The Rhai spelling of habits from Python, Ruby and JavaScript: a table, searched when a file doesn't compile.
mod context;
mod lookup;
mod row;
mod rows;

pub use lookup::{function, functions, hint, key, rows};
