//! Every form that a repository comes in, on a machine of any settings.
mod forms;
mod hostile;
