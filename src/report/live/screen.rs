//! The live lines as they stand on a terminal: a picture is one write, and has only what is new in it.
use std::{
    io::{self, Write},
    sync::Arc,
};
use unicode_width::UnicodeWidthStr;

/// Columns and rows, asked for anew for each picture.
pub type Size = Arc<dyn Fn() -> (usize, usize) + Send + Sync>;

/// A terminal with live lines at its end; the cursor stands behind the last one.
pub struct Screen<W> {
    /// `None` once the terminal went away.
    to: Option<W>,
    size: Size,
    lines: Vec<String>,
    width: usize,
    /// Whether the terminal wraps lines anew when it gets narrower.
    rewraps: bool,
}

impl<W: Write> Screen<W> {
    pub fn new(to: W, size: Size, rewraps: bool) -> Self {
        Self { to: Some(to), size, lines: Vec::new(), width: 0, rewraps }
    }

    pub fn size(&self) -> (usize, usize) {
        (self.size)()
    }

    /// Lets lines scroll, with others below them from now on; how many bytes the live ones took.
    ///
    /// Fails once the terminal went away.
    pub fn show(&mut self, scrolled: &str, lines: Vec<String>, width: usize) -> io::Result<usize> {
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
                // Behind the last one the cursor stands.
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

/// The rows that lines take where the terminal may have wrapped them anew.
fn rows(lines: &[String], width: usize, wrapped: bool) -> usize {
    if wrapped { lines.iter().map(|line| columns(line).div_ceil(width).max(1)).sum() } else { lines.len() }
}

/// To the beginning of the first of so many rows, of which the cursor is in the last.
fn up(rows: usize) -> String {
    if rows > 1 { format!("\x1b[{}A\r", rows - 1) } else { "\r".to_owned() }
}

/// Takes so many rows away.
fn wiped(rows: usize) -> String {
    // Never from the first row to the end at once: where that is a whole window, tmux keeps what it had above it.
    let others = if rows > 1 { "\r\n\x1b[J\x1b[A" } else { "" };
    format!("{}\x1b[2K{others}", up(rows))
}

/// The columns of a line with colours.
fn columns(line: &str) -> usize {
    line.split('\x1b')
        .enumerate()
        .map(|(i, part)| if i == 0 { part } else { part.split_once('m').map_or("", |p| p.1) })
        .map(UnicodeWidthStr::width)
        .sum()
}
