//! The live lines on a terminal: each picture is one write that contains only the changes.
use std::{
    io::{self, Write},
    sync::Arc,
};
use unicode_width::UnicodeWidthStr;

/// Returns columns and rows; asked again for each picture.
pub(crate) type Size = Arc<dyn Fn() -> (usize, usize) + Send + Sync>;

/// A terminal with live lines at its end; the cursor is after the last one.
pub(super) struct Screen<W> {
    /// `None` after the terminal went away.
    to: Option<W>,
    size: Size,
    lines: Vec<String>,
    width: usize,
    /// Whether the terminal rewraps lines when it gets narrower.
    rewraps: bool,
}

impl<W: Write> Screen<W> {
    pub(super) fn new(to: W, size: Size, rewraps: bool) -> Self {
        Self { to: Some(to), size, lines: Vec::new(), width: 0, rewraps }
    }

    pub(super) fn size(&self) -> (usize, usize) {
        (self.size)()
    }

    /// Scrolls lines, and puts new live lines below them; returns how many bytes the live lines took.
    ///
    /// Fails after the terminal went away.
    pub(super) fn show(&mut self, scrolled: &str, lines: Vec<String>, width: usize) -> io::Result<usize> {
        let Some(to) = &mut self.to else { return Err(io::ErrorKind::BrokenPipe.into()) };
        let rows = rows(&self.lines, width.max(1), self.rewraps && width < self.width);
        let mut picture = String::new();
        if rows != self.lines.len() || lines.len() != self.lines.len() || !scrolled.is_empty() {
            if rows > 0 {
                picture += &wiped(rows);
            }
            picture += &scrolled.replace('\n', "\r\n");
            picture += &lines.join("\r\n");
        } else if lines != self.lines {
            picture += &up(rows);
            let last = lines.len() - 1;
            for (i, (line, before)) in lines.iter().zip(&self.lines).enumerate() {
                // The last line is written in any case: the cursor must end after it.
                if line != before || i == last {
                    picture += &format!("\x1b[2K{line}");
                }
                picture += if i == last { "" } else { "\r\n" };
            }
        }
        (self.lines, self.width) = (lines, width);
        if picture.is_empty() {
            return Ok(0);
        }
        let written = to.write_all(picture.as_bytes()).and_then(|()| to.flush());
        if written.is_err() {
            self.to = None;
        }
        written.map(|()| picture.len().saturating_sub(scrolled.len()))
    }
}

/// Returns the rows that lines take; `wrapped` if the terminal may have rewrapped them.
fn rows(lines: &[String], width: usize, wrapped: bool) -> usize {
    if wrapped { lines.iter().map(|line| columns(line).div_ceil(width).max(1)).sum() } else { lines.len() }
}

/// Returns to the start of the first of `rows` rows; the cursor is in the last one.
fn up(rows: usize) -> String {
    if rows > 1 { format!("\x1b[{}A\r", rows - 1) } else { "\r".to_owned() }
}

/// Wipes `rows` rows.
fn wiped(rows: usize) -> String {
    // Not from the first row to the end in one step: if that is a whole window, tmux keeps the old rows above it.
    let others = if rows > 1 { "\r\n\x1b[J\x1b[A" } else { "" };
    format!("{}\x1b[2K{others}", up(rows))
}

/// Returns the width of a line with colors, in columns.
fn columns(line: &str) -> usize {
    line.split('\x1b')
        .enumerate()
        .map(|(i, part)| if i == 0 { part } else { part.split_once('m').map_or("", |p| p.1) })
        .map(UnicodeWidthStr::width)
        .sum()
}
