//! Events as JSON, one per line.
use super::{ci::harmless_json, outlet::Outlet};
use crate::control::hidden;
use crate::event::{Event, Listener};
use std::{io::Write, sync::Mutex};

/// Writes each event as it arrives.
pub struct Json<W: Write + Send>(Mutex<Outlet<W>>);

impl<W: Write + Send> Json<W> {
    pub fn new(out: W) -> Self {
        Self(Mutex::new(Outlet::new(out)))
    }
}

impl<W: Write + Send> Listener for Json<W> {
    fn tell(&self, event: &Event) {
        let mut out = self.0.lock().unwrap();
        out.write(&escaped(&serde_json::to_string(event).expect("an event is plain data")), &event.run);
    }
}

/// Escapes everything in a line of JSON that a terminal or a pipeline's runner would obey, or that reverses text.
fn escaped(json: &str) -> String {
    let mut line = String::with_capacity(json.len() + 1);
    for c in harmless_json(json).chars() {
        if hidden(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                line += &format!("\\u{unit:04x}");
            }
        } else {
            line.push(c);
        }
    }
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_json_leaves_as_it_is_and_a_terminal_obeys_is_escaped() {
        let text = "a\u{9b}2J\x7f\u{202e}\u{e0041}ü";
        let line = escaped(&serde_json::to_string(text).unwrap());
        assert_eq!(line, "\"a\\u009b2J\\u007f\\u202e\\udb40\\udc41ü\"\n");
        assert_eq!(serde_json::from_str::<String>(&line).unwrap(), text);
    }
}
