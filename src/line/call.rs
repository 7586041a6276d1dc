//! A task that a line calls.
use super::{argument::Bound, normal};
use crate::{command::quoted, fabfile::task::Signature};
use std::fmt;

/// A task with its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskCall {
    /// The name in its `Signature`.
    pub task: String,
    /// The function's name in a script.
    pub function: String,
    /// Whether its value becomes the targets.
    pub names_hosts: bool,
    /// One for each parameter of the overload.
    pub arguments: Vec<String>,
    /// By name. If `takes_options`, a script gets them as a map after the arguments.
    pub options: Vec<(String, String)>,
    /// Whether the overload has a last parameter `options`.
    pub takes_options: bool,
    pub(super) normal: Vec<String>,
}

impl TaskCall {
    pub(super) fn new(task: &Signature, bound: Bound) -> TaskCall {
        let normal = normal::words(task, &bound);
        let Bound { arguments, options, takes_options } = bound;
        let (name, function) = (task.name.clone(), task.function.clone());
        TaskCall { task: name, function, names_hosts: task.names_hosts, arguments, options, takes_options, normal }
    }
}

impl fmt::Display for TaskCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.normal.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" "))
    }
}
