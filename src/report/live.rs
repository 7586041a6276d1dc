//! The live view of a terminal: what happened scrolls, what is in hand stands below it.
mod in_hand;
mod line;
mod screen;
#[cfg(test)]
mod tests;

use super::{
    Palette,
    lines::{Loud, Wording},
};
use crate::event::{Event, Listener, What};
use in_hand::{InHand, Time};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use screen::Screen;
pub use screen::Size;
use std::{
    io::{self, Write},
    sync::{Arc, Condvar, Mutex},
    thread,
    time::{Duration, Instant},
};
use unicode_width::UnicodeWidthStr;

/// How long a picture stands at least.
const EVERY: Duration = Duration::from_millis(100);

/// How much may wait to be shown before whoever speaks waits, too, in bytes.
const WAITING: usize = 1 << 20;

/// Shows a run on a terminal; hosts do not wait for a terminal that is slow.
pub struct Live<W: Write + Send + 'static> {
    view: Arc<View<W>>,
    drawer: Option<thread::JoinHandle<()>>,
}

impl<W: Write + Send + 'static> Live<W> {
    /// Fails where no thread can be started.
    pub fn new(to: W, size: Size, rewraps: bool, loud: Loud, palette: Palette) -> io::Result<Self> {
        let view = Arc::new(View::new(to, size, rewraps, loud, palette));
        let drawn = view.clone();
        let drawer = thread::Builder::new().name("live".into()).spawn(move || drawn.draw_on())?;
        Ok(Self { view, drawer: Some(drawer) })
    }
}

impl<W: Write + Send + 'static> Listener for Live<W> {
    fn tell(&self, event: &Event) {
        self.view.told(event);
        if matches!(event.what, What::RunFinished { .. }) {
            self.view.end();
        }
    }

    fn aside(&self, talk: &mut dyn FnMut()) {
        self.view.aside(talk);
    }
}

/// A run that ends without a word leaves no live line behind.
impl<W: Write + Send + 'static> Drop for Live<W> {
    fn drop(&mut self) {
        self.view.end();
        let _ = self.drawer.take().map(thread::JoinHandle::join);
    }
}

struct View<W: Write + Send + 'static> {
    palette: Palette,
    told: Mutex<Told>,
    changed: Condvar,
    picture: Mutex<Picture<W>>,
}

/// What was told, and not shown yet.
struct Told {
    wording: Wording,
    in_hand: InHand,
    /// Lines that are to scroll.
    scrolled: String,
    began: Instant,
    over: bool,
}

impl Told {
    fn now(&self) -> Time {
        self.began.elapsed().as_millis() as Time
    }
}

impl<W: Write + Send + 'static> View<W> {
    fn new(to: W, size: Size, rewraps: bool, loud: Loud, palette: Palette) -> Self {
        let (wording, in_hand) = (Wording::new(loud, palette), InHand::default());
        let told = Told { wording, in_hand, scrolled: String::new(), began: Instant::now(), over: false };
        let picture = Mutex::new(Picture::new(Screen::new(to, size), rewraps));
        Self { palette, told: Mutex::new(told), changed: Condvar::new(), picture }
    }

    fn told(&self, event: &Event) {
        let told = self.told.lock().unwrap();
        let full = |told: &mut Told| told.scrolled.len() > WAITING && !told.over;
        let mut told = self.changed.wait_while(told, full).unwrap();
        if matches!(event.what, What::RunStarted { .. }) {
            told.began = Instant::now().checked_sub(Duration::from_millis(event.at)).unwrap_or(told.began);
        }
        if let Some(text) = told.wording.of(&event.what) {
            told.scrolled.push_str(&text);
        }
        told.in_hand.take(event);
    }

    fn draw_on(&self) {
        loop {
            let told = self.told.lock().unwrap();
            let (told, _) = self.changed.wait_timeout_while(told, EVERY, |told| !told.over).unwrap();
            if told.over {
                return;
            }
            let now = told.now();
            drop(told);
            self.frame(&mut self.picture.lock().unwrap(), now);
        }
    }

    /// Shows what was told up to now.
    fn frame(&self, picture: &mut Picture<W>, now: Time) {
        let size = picture.screen.size();
        let mut told = self.told.lock().unwrap();
        told.in_hand.forget(now);
        let lines = if told.over { Vec::new() } else { told.in_hand.lines(now, size, self.palette) };
        let scrolled = std::mem::take(&mut told.scrolled);
        drop(told);
        self.changed.notify_all();
        if !picture.show(&scrolled, lines, size.0) {
            self.told.lock().unwrap().over = true;
            self.changed.notify_all();
        }
    }

    /// Shows the rest, without a live line from now on.
    fn end(&self) {
        let mut picture = self.picture.lock().unwrap();
        self.told.lock().unwrap().over = true;
        self.frame(&mut picture, 0);
    }

    fn aside(&self, talk: &mut dyn FnMut()) {
        let mut picture = self.picture.lock().unwrap();
        let scrolled = std::mem::take(&mut self.told.lock().unwrap().scrolled);
        let (width, _) = picture.screen.size();
        picture.show(&scrolled, Vec::new(), width);
        talk();
    }
}

/// The live lines as they stand on the screen.
struct Picture<W: Write + Send + 'static> {
    screen: Screen<W>,
    bar: ProgressBar,
    /// What indicatif draws next.
    next: Arc<Mutex<String>>,
    lines: Vec<String>,
    width: usize,
    /// Whether the terminal wraps lines anew when it gets narrower.
    rewraps: bool,
}

impl<W: Write + Send + 'static> Picture<W> {
    fn new(screen: Screen<W>, rewraps: bool) -> Self {
        let next = Arc::new(Mutex::new(String::new()));
        let target = ProgressDrawTarget::term_like(Box::new(screen.clone()));
        let bar = ProgressBar::with_draw_target(None, target);
        let lines = next.clone();
        let style = ProgressStyle::with_template("{live}").expect("a good template");
        bar.set_style(style.with_key("live", move |_: &_, to: &mut dyn std::fmt::Write| {
            let _ = to.write_str(&lines.lock().unwrap());
        }));
        Self { screen, bar, next, lines: Vec::new(), width: 0, rewraps }
    }

    /// Lets lines scroll, with others below them from now on; false once the terminal went away.
    fn show(&mut self, scrolled: &str, lines: Vec<String>, width: usize) -> bool {
        if scrolled.is_empty() && lines == self.lines && width == self.width {
            return true;
        }
        if width < self.width && self.rewraps {
            let rows = |line: &String| columns(line).div_ceil(width.max(1)).max(1);
            let rows: usize = self.lines.iter().map(rows).sum();
            if rows > self.lines.len() {
                self.screen.wipe(rows, self.lines.len());
            }
        }
        *self.next.lock().unwrap() = lines.join("\n");
        match scrolled {
            "" => self.bar.tick(),
            text => self.bar.suspend(|| self.screen.lines(text)),
        }
        (self.lines, self.width) = (lines, width);
        self.screen.show()
    }
}

/// The columns of a line with colours.
fn columns(line: &str) -> usize {
    line.split('\x1b')
        .enumerate()
        .map(|(i, part)| if i == 0 { part } else { part.split_once('m').map_or("", |p| p.1) })
        .map(UnicodeWidthStr::width)
        .sum()
}
