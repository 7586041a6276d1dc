//! Where a run's output goes, until its reader goes away.
use super::said::complain;
use crate::host::Name;
use std::io::Write;

/// A stream, until its reader goes away: a run that changes machines continues without it.
pub(super) struct Outlet<W>(Option<W>);

impl<W: Write> Outlet<W> {
    pub(super) fn new(to: W) -> Self {
        Self(Some(to))
    }

    /// Writes and flushes. If the reader went away, warns once on stderr.
    pub(super) fn write(&mut self, text: &str, run: &Name) {
        let Some(to) = &mut self.0 else { return };
        if to.write_all(text.as_bytes()).and_then(|()| to.flush()).is_err() {
            self.0 = None;
            let how = "its output can't be written any more, but the run continues";
            complain(&format!("warning: {how}; `rfab --show {run}` tells how it ends"));
        }
    }
}
