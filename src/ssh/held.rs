//! What sudo says, kept back until it is known whether it is news.
use crate::{event::Stream, port::Hears};
use std::sync::Mutex;

/// Hears a call, and keeps sudo's own lines back until it is known whether they are news.
pub struct HeldBack<'a> {
    heard: Option<&'a Hears<'a>>,
    lines: Mutex<Vec<String>>,
}

impl<'a> HeldBack<'a> {
    /// Hears for `heard`.
    pub fn new(heard: Option<&'a Hears<'a>>) -> Self {
        Self { heard, lines: Mutex::default() }
    }

    /// Hears a line, or keeps it back if it's sudo's own.
    pub fn hear(&self, stream: Stream, line: &str) {
        let mut lines = self.lines.lock().unwrap();
        let own = ["sudo:", "Sorry, "].iter().any(|own| line.starts_with(own)) || line.is_empty();
        if stream == Stream::Err && own && lines.len() < 10 {
            lines.push(line.to_owned());
        } else if let Some(heard) = self.heard {
            heard(stream, line);
        }
    }

    /// Forgets what was kept back.
    pub fn forget(&self) {
        self.lines.lock().unwrap().clear();
    }

    /// Tells what was kept back.
    pub fn let_go(&self) {
        for line in self.lines.lock().unwrap().drain(..) {
            self.heard.iter().for_each(|heard| heard(Stream::Err, &line));
        }
    }
}
