//! Foldable sections of a GitLab job's log.

/// Returns the start of an open section.
pub(super) fn section(number: u32, now: i64, title: &str) -> String {
    format!("\x1b[0Ksection_start:{now}:rfab_{number}[collapsed=false]\r\x1b[0K{title}\n")
}

pub(super) fn end_of_section(number: u32, now: i64) -> String {
    format!("\x1b[0Ksection_end:{now}:rfab_{number}\r\x1b[0K\n")
}
