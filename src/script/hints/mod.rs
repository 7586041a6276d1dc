//! What habits of Python, Ruby and JavaScript are in Rhai: a table, read where a file does not compile.
mod context;
mod lookup;
mod row;
mod rows;

pub use lookup::{function, functions, hint, key, rows};
