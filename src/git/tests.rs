//! Every form that a repository comes in.
mod forms;
