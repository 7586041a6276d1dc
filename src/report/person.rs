//! The person before the terminal.
use super::filter::visible;
use crate::{event::Listener, world::real::Person};
use rustix::termios::{LocalModes, OptionalActions, isatty, tcgetattr, tcsetattr, ttyname};
use std::{
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, Write},
    sync::Arc,
};

/// Asks on the terminal itself, whatever stdin and stdout are; nobody is there unless stdin is a terminal.
pub struct Terminal;

impl Terminal {
    fn open() -> Option<File> {
        isatty(std::io::stdin()).then_some(())?;
        OpenOptions::new().read(true).write(true).open("/dev/tty").ok()
    }
}

fn asked(terminal: &File, question: &str) -> Option<String> {
    for line in question.lines() {
        writeln!(&*terminal, "{}", visible(line, false)).ok()?;
    }
    let mut answer = String::new();
    let read = BufReader::new(terminal).read_line(&mut answer).ok()?;
    (read > 0).then(|| answer.trim_end_matches(['\n', '\r']).to_owned())
}

impl Person for Terminal {
    fn confirm(&self, question: &str) -> Option<bool> {
        let terminal = Self::open()?;
        let answer = asked(&terminal, &format!("{question} [y/N]"))?;
        Some(matches!(&*answer.trim().to_lowercase(), "y" | "yes"))
    }

    fn terminal(&self) -> Option<String> {
        isatty(std::io::stdin()).then_some(())?;
        let name = ttyname(std::io::stdin(), Vec::new()).ok()?;
        let session = rustix::process::getsid(None).ok()?;
        Some(format!("{}-{}", name.to_string_lossy(), session.as_raw_nonzero()))
    }

    fn ask(&self, question: &str, secret: bool) -> Option<String> {
        let terminal = Self::open()?;
        if !secret {
            return asked(&terminal, question);
        }
        let before = tcgetattr(&terminal).ok()?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&terminal, OptionalActions::Flush, &hidden).ok()?;
        let answer = asked(&terminal, &format!("{question}:"));
        let _ = tcsetattr(&terminal, OptionalActions::Flush, &before);
        answer
    }
}

/// The same person, asked while the reader of the events shows nothing else.
pub struct Beside(pub Arc<dyn Listener>);

impl Beside {
    fn aside<T>(&self, talk: impl Fn() -> Option<T>) -> Option<T> {
        let mut answer = None;
        self.0.aside(&mut || answer = talk());
        answer
    }
}

impl Person for Beside {
    fn confirm(&self, question: &str) -> Option<bool> {
        self.aside(|| Terminal.confirm(question))
    }

    fn terminal(&self) -> Option<String> {
        Terminal.terminal()
    }

    fn ask(&self, question: &str, secret: bool) -> Option<String> {
        self.aside(|| Terminal.ask(question, secret))
    }
}
