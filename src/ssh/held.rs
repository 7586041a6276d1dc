//! Holds sudo's output back until rfab knows whether it is news.
use crate::{event::Stream, port::LineSink};
use std::sync::Mutex;

/// Passes on a call's output, and holds sudo's own lines back until rfab knows whether they are news.
pub(super) struct HeldBack<'a> {
    heard: Option<&'a LineSink<'a>>,
    lines: Mutex<Vec<String>>,
}

impl<'a> HeldBack<'a> {
    /// Makes a filter in front of `heard`.
    pub(super) fn new(heard: Option<&'a LineSink<'a>>) -> Self {
        Self { heard, lines: Mutex::default() }
    }

    /// Passes a line on, or holds it back if it is sudo's own.
    pub(super) fn hear(&self, stream: Stream, line: &str) {
        let mut lines = self.lines.lock().unwrap();
        let own = ["sudo:", "Sorry, "].iter().any(|own| line.starts_with(own)) || line.is_empty();
        if stream == Stream::Err && own && lines.len() < 10 {
            lines.push(line.to_owned());
        } else if let Some(heard) = self.heard {
            heard(stream, line);
        }
    }

    /// Drops the lines that were held back.
    pub(super) fn forget(&self) {
        self.lines.lock().unwrap().clear();
    }

    /// Passes on the lines that were held back.
    pub(super) fn let_go(&self) {
        for line in self.lines.lock().unwrap().drain(..) {
            self.heard.iter().for_each(|heard| heard(Stream::Err, &line));
        }
    }
}
