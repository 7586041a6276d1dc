//! The memory that a run may use, if a limit is set: `ulimit -v`.
use crate::failure::{Cause, Failure};
use rustix::process::{Resource, getrlimit};
use std::fs;

/// What a run needs besides the program itself: its threads' stacks and heaps, most of which it never touches. Measured
/// with four hosts.
const LEAST: u64 = 200 << 20;

/// Refuses a limit that leaves a run too little memory, which would end the run anywhere.
///
/// `Failed`, with the limit.
pub(super) fn enough() -> Result<(), Failure> {
    let Some(limit) = getrlimit(Resource::As).current else { return Ok(()) };
    let left = limit.saturating_sub(used());
    if left >= LEAST {
        return Ok(());
    }
    let message = format!("the memory limit is {} MB, and a run needs {} MB more", limit >> 20, (LEAST - left) >> 20);
    Err(Failure::new(Cause::NoSpace, message).unchanged().help("raise the limit: `ulimit -v unlimited`"))
}

/// Returns the address space that this process uses; 0 if the system doesn't tell.
fn used() -> u64 {
    let pages = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = pages.split(' ').next().and_then(|pages| pages.parse().ok()).unwrap_or(0);
    pages * rustix::param::page_size() as u64
}
