//! Events as JSON, one a line.
use crate::event::{Event, Listener};
use std::{io::Write, sync::Mutex};

/// Writes each event as it comes; a reader that went away is not written to any more.
pub struct Json<W: Write + Send>(Mutex<Option<W>>);

impl<W: Write + Send> Json<W> {
    pub fn new(out: W) -> Self {
        Self(Mutex::new(Some(out)))
    }
}

impl<W: Write + Send> Listener for Json<W> {
    fn tell(&self, event: &Event) {
        let mut out = self.0.lock().unwrap();
        let mut line = serde_json::to_vec(event).expect("an event is plain data");
        line.push(b'\n');
        if out.as_mut().is_some_and(|out| out.write_all(&line).and_then(|()| out.flush()).is_err()) {
            *out = None;
        }
    }
}
