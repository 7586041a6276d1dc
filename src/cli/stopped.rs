//! Why a request ends before it is a run.
use crate::failure::{Exit, Failure};

/// A failure, and the exit code that it makes.
pub type Stopped = (Failure, Exit);

/// A failure whose kind says the exit code.
pub fn of_reason(failure: Failure) -> Stopped {
    let exit = failure.reason().exit();
    (failure, exit)
}
