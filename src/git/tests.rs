//! Tests all forms of repositories, on a machine with any settings.
mod forms;
mod hostile;
