//! A terminal that keeps what is drawn until a picture is whole, and takes it in one write.
use indicatif::TermLike;
use std::{
    fmt,
    io::{self, Write},
    sync::{Arc, Mutex},
};

/// Columns and rows, asked for anew for each picture.
pub type Size = Arc<dyn Fn() -> (usize, usize) + Send + Sync>;

/// What indicatif draws on; a copy is the same screen.
pub struct Screen<W> {
    size: Size,
    pen: Arc<Mutex<Pen<W>>>,
}

impl<W> Clone for Screen<W> {
    fn clone(&self) -> Self {
        Self { size: self.size.clone(), pen: self.pen.clone() }
    }
}

struct Pen<W> {
    /// `None` once the terminal went away.
    to: Option<W>,
    picture: String,
    /// Whether the line that was last drawn has its end still to come.
    open: bool,
}

impl<W: Write + Send> Screen<W> {
    pub fn new(to: W, size: Size) -> Self {
        Self { size, pen: Arc::new(Mutex::new(Pen { to: Some(to), picture: String::new(), open: false })) }
    }

    pub fn size(&self) -> (usize, usize) {
        (self.size)()
    }

    /// Writes whole lines where the cursor is.
    pub fn lines(&self, text: &str) {
        self.draw(&text.replace('\n', "\r\n"));
    }

    /// Takes `rows` rows away that end with the cursor's, and goes to where the last of `lines` lines would be.
    pub fn wipe(&self, rows: usize, lines: usize) {
        let up = rows.saturating_sub(1);
        let up = if up > 0 { format!("\x1b[{up}A") } else { String::new() };
        self.draw(&format!("\r{up}\x1b[J{}", "\r\n".repeat(lines.saturating_sub(1))));
    }

    /// Shows what was drawn; false once the terminal went away.
    pub fn show(&self) -> bool {
        let mut pen = self.pen.lock().unwrap();
        let picture = std::mem::take(&mut pen.picture);
        let Some(to) = &mut pen.to else { return false };
        if picture.is_empty() || to.write_all(picture.as_bytes()).and_then(|()| to.flush()).is_ok() {
            return true;
        }
        pen.to = None;
        false
    }

    fn draw(&self, text: &str) {
        let mut pen = self.pen.lock().unwrap();
        pen.open = false;
        pen.picture.push_str(text);
    }

    fn moved(&self, by: usize, how: char) -> io::Result<()> {
        if by > 0 {
            self.draw(&format!("\x1b[{by}{how}"));
        }
        Ok(())
    }
}

impl<W> fmt::Debug for Screen<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Screen")
    }
}

impl<W: Write + Send> TermLike for Screen<W> {
    fn width(&self) -> u16 {
        self.size().0 as u16
    }

    fn height(&self) -> u16 {
        self.size().1 as u16
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.moved(n, 'A')
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.moved(n, 'B')
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.moved(n, 'C')
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.moved(n, 'D')
    }

    fn write_line(&self, s: &str) -> io::Result<()> {
        self.draw(&format!("{s}\r\n"));
        Ok(())
    }

    /// Draws a live line, or the blanks that indicatif fills each one up with.
    ///
    /// Blanks would make all lines one for a terminal that wraps lines anew when its width changes.
    fn write_str(&self, s: &str) -> io::Result<()> {
        let mut pen = self.pen.lock().unwrap();
        if s.trim_start_matches(' ').is_empty() {
            pen.open = true;
            return Ok(());
        }
        if std::mem::take(&mut pen.open) {
            pen.picture.push_str("\r\n");
        }
        pen.picture.push_str(s);
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        self.draw("\r\x1b[2K");
        Ok(())
    }

    /// The picture is shown when it is whole.
    fn flush(&self) -> io::Result<()> {
        self.pen.lock().unwrap().open = false;
        Ok(())
    }
}
