//! What habits of Python, Ruby and JavaScript are in Rhai: a table, read where a file does not compile.
mod context;
mod row;
mod rows;
mod table;

pub use table::{function, functions, hint, key, rows};
