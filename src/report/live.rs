//! The live view on a terminal: what happened scrolls, and what is in progress stands below it.
mod balance;
mod in_hand;
mod line;
mod many;
mod progress;
mod screen;
#[cfg(test)]
mod tests;

use super::{
    Palette,
    lines::{Loud, Wording},
};
use crate::{
    event::{Event, EventKind, Listener},
    model::Time,
};
use in_hand::InHand;
use screen::Screen;
pub(super) use screen::Size;
use std::{
    io::{self, Write},
    sync::{Arc, Condvar, Mutex},
    thread,
    time::{Duration, Instant},
};

/// The least time that a picture stays.
const EVERY: Duration = Duration::from_millis(100);

/// The most bytes per second that live lines may send over a link; scrolling lines have no limit.
const LINK: u64 = 8 << 10;

/// How many bytes may wait to be shown before the sender must wait, too.
const WAITING: usize = 1 << 20;

/// Shows a run on a terminal; hosts don't wait for a slow terminal.
pub(super) struct Live<W: Write + Send + 'static> {
    view: Arc<LiveView<W>>,
    drawer: Option<thread::JoinHandle<()>>,
}

impl<W: Write + Send + 'static> Live<W> {
    /// Starts the view. Fails if no thread can be started.
    pub(super) fn new(to: W, size: Size, rewraps: bool, loud: Loud, palette: Palette) -> io::Result<Self> {
        let view = Arc::new(LiveView::new(to, size, rewraps, loud, palette));
        let drawn = view.clone();
        let drawer = thread::Builder::new().name("live".into()).spawn(move || drawn.draw_on())?;
        Ok(Self { view, drawer: Some(drawer) })
    }
}

impl<W: Write + Send + 'static> Listener for Live<W> {
    fn tell(&self, event: &Event) {
        self.view.told(event);
        if matches!(event.what, EventKind::RunFinished { .. }) {
            self.view.end();
        }
    }

    fn aside(&self, talk: &mut dyn FnMut()) {
        self.view.aside(talk);
    }
}

/// A run that ends without an event leaves no live line behind.
impl<W: Write + Send + 'static> Drop for Live<W> {
    fn drop(&mut self) {
        self.view.end();
        let _ = self.drawer.take().map(thread::JoinHandle::join);
    }
}

/// Draws what a terminal shows at time `until` of a run, from the run's events.
pub fn play<W: Write + Send + 'static>(to: W, events: &[Event], until: Time, size: (usize, usize), palette: Palette) {
    let view = LiveView::new(to, Arc::new(move || size), true, Loud::Normal, palette);
    for event in events.iter().filter(|event| event.at <= until) {
        view.told(event);
        if matches!(event.what, EventKind::RunFinished { .. }) {
            return view.end();
        }
    }
    view.frame(&mut view.screen.lock().unwrap(), until);
}

struct LiveView<W: Write + Send + 'static> {
    palette: Palette,
    told: Mutex<Told>,
    changed: Condvar,
    screen: Mutex<Screen<W>>,
}

/// What was told and isn't shown yet.
struct Told {
    wording: Wording,
    in_hand: InHand,
    /// Lines that will scroll.
    scrolled: String,
    began: Instant,
    over: bool,
}

impl Told {
    fn now(&self) -> Time {
        self.began.elapsed().as_millis() as Time
    }
}

impl<W: Write + Send + 'static> LiveView<W> {
    fn new(to: W, size: Size, rewraps: bool, loud: Loud, palette: Palette) -> Self {
        let (wording, in_hand) = (Wording::new(loud, palette), InHand::default());
        let told = Told { wording, in_hand, scrolled: String::new(), began: Instant::now(), over: false };
        let screen = Mutex::new(Screen::new(to, size, rewraps));
        Self { palette, told: Mutex::new(told), changed: Condvar::new(), screen }
    }

    fn told(&self, event: &Event) {
        let told = self.told.lock().unwrap();
        let full = |told: &mut Told| told.scrolled.len() > WAITING && !told.over;
        let mut told = self.changed.wait_while(told, full).unwrap();
        if matches!(event.what, EventKind::RunStarted { .. }) {
            told.began = Instant::now().checked_sub(Duration::from_millis(event.at)).unwrap_or(told.began);
        }
        if let Some(text) = told.wording.of(&event.what) {
            told.scrolled.push_str(&text);
        }
        told.in_hand.take(event);
    }

    fn draw_on(&self) {
        let mut pause = EVERY;
        loop {
            let told = self.told.lock().unwrap();
            let (told, _) = self.changed.wait_timeout_while(told, pause, |told| !told.over).unwrap();
            if told.over {
                return;
            }
            let now = told.now();
            drop(told);
            pause = self.frame(&mut self.screen.lock().unwrap(), now);
        }
    }

    /// Shows what was told so far; returns how long this picture must stay.
    fn frame(&self, screen: &mut Screen<W>, now: Time) -> Duration {
        let size = screen.size();
        let mut told = self.told.lock().unwrap();
        told.in_hand.forget(now);
        let lines = if told.over { Vec::new() } else { told.in_hand.lines(now, size, self.palette) };
        let scrolled = std::mem::take(&mut told.scrolled);
        drop(told);
        self.changed.notify_all();
        match screen.show(&scrolled, lines, size.0) {
            Ok(bytes) => EVERY.max(Duration::from_millis(bytes as u64 * 1_000 / LINK)),
            Err(_) => {
                self.told.lock().unwrap().over = true;
                self.changed.notify_all();
                EVERY
            }
        }
    }

    /// Shows the rest, and no live line from now on.
    fn end(&self) {
        let mut screen = self.screen.lock().unwrap();
        self.told.lock().unwrap().over = true;
        self.frame(&mut screen, 0);
    }

    fn aside(&self, talk: &mut dyn FnMut()) {
        let mut screen = self.screen.lock().unwrap();
        let scrolled = std::mem::take(&mut self.told.lock().unwrap().scrolled);
        let (width, _) = screen.size();
        let _ = screen.show(&scrolled, Vec::new(), width);
        talk();
    }
}
