//! The person at the terminal.
use super::filter::visible;
use crate::{
    event::Listener,
    port::Person,
    secret::{Masks, Secret},
    session::Stop,
};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{LocalModes, OptionalActions, isatty, tcgetattr, tcsetattr, ttyname};
use std::{
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, Write},
    sync::Arc,
};

/// Asks on the terminal itself, even if stdout is redirected; nobody answers unless stdin is a terminal.
pub struct Terminal;

impl Terminal {
    fn open() -> Option<File> {
        isatty(std::io::stdin()).then_some(())?;
        OpenOptions::new().read(true).write(true).open("/dev/tty").ok()
    }

    fn confirm(question: &str, stopped: &dyn Fn() -> bool) -> Option<bool> {
        let answer = asked(&Self::open()?, &format!("{question} [y/N]"), stopped)?;
        Some(matches!(&*answer.trim().to_lowercase(), "y" | "yes"))
    }

    fn ask(question: &str, secret: bool, stopped: &dyn Fn() -> bool) -> Option<String> {
        let terminal = Self::open()?;
        if !secret {
            return asked(&terminal, question, stopped);
        }
        let before = tcgetattr(&terminal).ok()?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&terminal, OptionalActions::Flush, &hidden).ok()?;
        let answer = asked(&terminal, &format!("{question}:"), stopped);
        let _ = tcsetattr(&terminal, OptionalActions::Flush, &before);
        answer
    }
}

/// How often a waiting question checks whether the run was stopped.
const EVERY: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// Returns the line that was typed; nothing if the terminal went away or the run was stopped meanwhile.
fn asked(terminal: &File, question: &str, stopped: &dyn Fn() -> bool) -> Option<String> {
    for line in question.lines() {
        writeln!(&*terminal, "{}", visible(line, false)).ok()?;
    }
    let mut typed = [PollFd::new(terminal, PollFlags::IN)];
    while poll(&mut typed, Some(&EVERY)) != Ok(1) {
        if stopped() {
            let _ = writeln!(&*terminal);
            return None;
        }
    }
    let mut answer = String::new();
    let read = BufReader::new(terminal).read_line(&mut answer).ok()?;
    (read > 0).then(|| answer.trim_end_matches(['\n', '\r']).to_owned())
}

impl Person for Terminal {
    fn confirm(&self, question: &str) -> Option<bool> {
        Self::confirm(question, &|| false)
    }

    fn terminal(&self) -> Option<String> {
        isatty(std::io::stdin()).then_some(())?;
        let name = ttyname(std::io::stdin(), Vec::new()).ok()?;
        let session = rustix::process::getsid(None).ok()?;
        Some(format!("{}-{}", name.to_string_lossy(), session.as_raw_nonzero()))
    }

    fn ask(&self, question: &str, secret: bool) -> Option<String> {
        Self::ask(question, secret, &|| false)
    }

    fn lend(&self, take: &mut dyn FnMut(&File)) {
        if let Some(terminal) = Self::open() {
            take(&terminal);
        }
    }
}

/// The same person, asked while the events' listener writes nothing; a stopped run asks no more questions.
pub struct Beside {
    pub listener: Arc<dyn Listener>,
    pub stop: Arc<Stop>,
    /// A secret answer is masked from then on; a question never shows a secret.
    pub masks: Masks,
}

impl Beside {
    fn aside<T>(&self, talk: impl Fn(&dyn Fn() -> bool) -> Option<T>) -> Option<T> {
        let mut answer = None;
        self.listener.aside(&mut || answer = talk(&|| self.stop.signal().is_some()));
        answer
    }
}

impl Person for Beside {
    /// A stopped run means no.
    fn confirm(&self, question: &str) -> Option<bool> {
        let question = self.masks.text(question);
        let answer = self.aside(|stopped| Terminal::confirm(&question, stopped));
        answer.or(self.stop.signal().map(|_| false))
    }

    fn terminal(&self) -> Option<String> {
        Terminal.terminal()
    }

    fn stops(&self) -> bool {
        self.stop.signal().is_some()
    }

    fn ask(&self, question: &str, secret: bool) -> Option<String> {
        let question = self.masks.text(question);
        let answer = self.aside(|stopped| Terminal::ask(&question, secret, stopped));
        if secret && let Some(answer) = &answer {
            self.masks.add(&Secret::from(answer.as_str()));
        }
        answer
    }

    fn lend(&self, take: &mut dyn FnMut(&File)) {
        self.listener.aside(&mut || Terminal.lend(take));
    }
}
