//! Primitives that talk to the person: notes, warnings and questions.
use super::HostValue;
use crate::{
    event::EventKind,
    script::{RhaiResultOf, here, worded},
    ui::{Confirm, Prompt},
};
use rhai::{Array, Dynamic, NativeCallContext, plugin::*};
use unicode_width::UnicodeWidthStr;

/// Aligns rows of cells, one line each.
fn aligned(mut rows: Vec<Vec<String>>) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    rows.iter_mut().for_each(|row| row.resize(columns, String::new()));
    let filled: Vec<usize> = (0..columns).filter(|c| rows.iter().skip(1).any(|row| !row[*c].is_empty())).collect();
    let width = |c: usize| rows.iter().map(|row| row[c].width()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = filled.iter().map(|c| format!("{}{}", row[*c], " ".repeat(widths[*c] - row[*c].width())));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

#[export_module(manifest)]
pub mod ui {
    /// Shows a note. Inside `each`, it appears under the host's name.
    ///
    /// # Example
    ///
    /// ```rhai
    /// ui::note("the cache is warm");
    /// ```
    #[rhai_fn(name = "note", return_raw)]
    pub(crate) fn note(ctx: NativeCallContext, text: &str) -> RhaiResultOf<()> {
        here(&ctx)?.note(text);
        Ok(())
    }

    /// Shows a note under a host's name.
    ///
    /// # Example
    ///
    /// ```rhai
    /// ui::note(host, "the cache is warm");
    /// ```
    #[rhai_fn(name = "note", return_raw)]
    pub(crate) fn note_of(ctx: NativeCallContext, host: HostValue, text: &str) -> RhaiResultOf<()> {
        let here = here(&ctx)?;
        for line in here.session.observed.names.told(text).lines() {
            here.lane.tell(EventKind::Noted { host: Some(host.0.host.name.clone()), text: line.to_owned() });
        }
        Ok(())
    }

    /// Shows rows as a table. The first row is the header. rfab leaves out columns that have nothing below the header.
    ///
    /// # Example
    ///
    /// ```rhai
    /// ui::table([["host", "roles"], [host.name, host.roles]]);
    /// ```
    #[rhai_fn(name = "table", return_raw)]
    pub(crate) fn table(ctx: NativeCallContext, rows: Array) -> RhaiResultOf<()> {
        let here = here(&ctx)?;
        let cell = |cell: &Dynamic| here.session.observed.names.told(&worded(cell));
        let cells = |row: Dynamic| match row.try_cast_result::<Array>() {
            Ok(cells) => cells.iter().map(cell).collect(),
            Err(alone) => vec![cell(&alone)],
        };
        for text in aligned(rows.into_iter().map(cells).collect()) {
            here.lane.tell(EventKind::Noted { host: here.lane.host.clone(), text });
        }
        Ok(())
    }

    /// Shows a warning.
    ///
    /// # Example
    ///
    /// ```rhai
    /// ui::warn("the disk is nearly full");
    /// ```
    #[rhai_fn(name = "warn", return_raw)]
    pub(crate) fn warn(ctx: NativeCallContext, text: &str) -> RhaiResultOf<()> {
        let here = here(&ctx)?;
        here.lane
            .tell(EventKind::Warned { host: here.lane.host.clone(), text: here.session.observed.names.told(text) });
        Ok(())
    }

    /// Sets the line that rfab suggests as the next one when the run ends.
    ///
    /// If the run fails, rfab suggests it instead of this run's own line. With an empty text, rfab suggests nothing.
    ///
    /// # Example
    ///
    /// ```rhai
    /// ui::next("prod proxy.flip");
    /// ```
    #[rhai_fn(name = "next", return_raw)]
    pub(crate) fn next(ctx: NativeCallContext, line: &str) -> RhaiResultOf<()> {
        here(&ctx)?.session.observed.next(line);
        Ok(())
    }

    /// Makes rfab suggest typing the same line again, instead of `--resume`, if this run fails.
    ///
    /// Call it before you throw a failure that a person fixes in the repository. A resumed run would still see the
    /// repository as it was when the run began.
    ///
    /// # Example
    ///
    /// ```rhai
    /// ui::next();
    /// ```
    #[rhai_fn(name = "next", return_raw)]
    pub(crate) fn next_is_again(ctx: NativeCallContext) -> RhaiResultOf<()> {
        here(&ctx)?.session.observed.type_again();
        Ok(())
    }

    /// Asks a yes-or-no question; `--yes` answers yes.
    ///
    /// # Example
    ///
    /// ```rhai
    /// if !ui::confirm("Continue?") { throw "not confirmed"; }
    /// ```
    #[rhai_fn(name = "confirm", return_raw)]
    pub(crate) fn confirm(ctx: NativeCallContext, question: &str) -> RhaiResultOf<bool> {
        let here = here(&ctx)?;
        let given = here.session.run.allowed.yes.given().is_some();
        here.perform(Confirm { question: question.to_owned(), given })
    }

    /// Asks a question and returns the answer as a string.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let why = ui::prompt("Why?");
    /// ```
    #[rhai_fn(name = "prompt", return_raw)]
    pub(crate) fn prompt(ctx: NativeCallContext, question: &str) -> RhaiResultOf<String> {
        here(&ctx)?.perform(Prompt { question: question.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_table_is_aligned_and_has_no_empty_column() {
        let rows = [&["host", "none", "why"][..], &["web1", "", "x"], &["ünü10", "", "a b", "more"], &["jobs1"]];
        let rows = rows.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect()).collect();
        assert_eq!(super::aligned(rows), ["host   why", "web1   x", "ünü10  a b  more", "jobs1"]);
        assert!(super::aligned(vec![]).is_empty());
    }
}
