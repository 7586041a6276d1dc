//! Why a request ends before it becomes a run.
use crate::failure::{Exit, Failure};

/// A failure and its exit code.
pub(super) type Stopped = (Failure, Exit);

/// Returns a failure with the exit code of its kind.
pub(super) fn of_reason(failure: Failure) -> Stopped {
    let exit = failure.reason().exit();
    (failure, exit)
}
