//! The logs of a run's hosts, written during the run: everything that is reported about a host, with the time.
use super::filter::visible;
use crate::{
    duration,
    event::{Event, EventKind, Listener, LogFile, Stream},
    host::Name,
    store::{Log, Logs},
};
use std::{
    collections::BTreeMap,
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

/// Writes each host's log, then passes the event on; the last event also names the logs.
pub struct HostLogs {
    shown: Arc<dyn Listener>,
    logs: Logs,
    /// The fleet of each host, by the host's name.
    fleets: Mutex<BTreeMap<Name, Name>>,
    files: Mutex<BTreeMap<LogOwner, Arc<Mutex<OpenLog>>>>,
    warned: AtomicBool,
}

/// The fleet, if it is known, and the host.
type LogOwner = (Option<Name>, Name);

/// A log; without `file` after a write failed.
struct OpenLog {
    file: Option<Log>,
    path: String,
    /// The second that was last written, and its text.
    second: (i64, String),
}

impl HostLogs {
    pub fn new(shown: Arc<dyn Listener>, logs: Logs) -> Self {
        let (fleets, files, warned) = (Mutex::default(), Mutex::default(), AtomicBool::new(false));
        Self { shown, logs, fleets, files, warned }
    }

    fn write(&self, event: &Event, host: &Name, text: &str) {
        let fleet = self.fleets.lock().unwrap().get(host).cloned();
        let written = self.files.lock().unwrap().entry((fleet, host.clone())).or_default().clone();
        let mut written = written.lock().unwrap();
        let failed = if written.path.is_empty() { self.open(event, host, &mut written) } else { Ok(()) };
        if let Err(e) = failed.and_then(|()| written.write(text)) {
            written.file = None;
            self.warn(event, host, &e);
        }
    }

    fn open(&self, event: &Event, host: &Name, written: &mut OpenLog) -> io::Result<()> {
        let fleet = self.fleets.lock().unwrap().get(host).cloned();
        let name = fleet.map_or(host.to_string(), |fleet| format!("{fleet}.{host}"));
        written.path = self.logs.path(&event.run, &name).display().to_string();
        written.file = Some(self.logs.open(&event.run, &name)?);
        Ok(())
    }

    /// Warns once: logs don't make a run fail.
    fn warn(&self, event: &Event, host: &Name, e: &io::Error) {
        if !self.warned.swap(true, Relaxed) {
            let text = format!("the log of `{host}` can't be written, so the run continues without it: {e}");
            self.shown.tell(&Event { what: EventKind::Warned { host: None, text }, ..event.clone() });
        }
    }

    /// Returns every log, by fleet and host.
    fn all(&self) -> Vec<LogFile> {
        let files = self.files.lock().unwrap();
        let of = |((_, host), written): (&LogOwner, &Arc<Mutex<OpenLog>>)| {
            let written = written.lock().unwrap();
            written.file.is_some().then(|| LogFile { host: host.clone(), file: written.path.clone() })
        };
        files.iter().filter_map(of).collect()
    }
}

impl Default for OpenLog {
    fn default() -> Self {
        Self { file: None, path: String::new(), second: (i64::MIN, String::new()) }
    }
}

impl OpenLog {
    fn write(&mut self, text: &str) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let now = jiff::Timestamp::now();
        if self.second.0 != now.as_second() {
            self.second = (now.as_second(), now.strftime("%Y-%m-%dT%H:%M:%S").to_string());
        }
        let line = format!("{}.{:03}Z {text}\n", self.second.1, now.subsec_millisecond());
        file.write(line.as_bytes())
    }
}

/// Returns the host whose log gets an event, and the text: a mark, and what happened.
///
/// A host's output is written as it came; by the mark, a reader can tell that it isn't rfab's.
fn line(what: &EventKind) -> Option<(&Name, String)> {
    Some(match what {
        EventKind::Printed { host, stream: Stream::Out, line } => (host, format!("| {line}")),
        EventKind::Printed { host, stream: Stream::Err, line } => (host, format!("! {line}")),
        EventKind::EffectStarted { host: Some(host), text, .. } => (host, format!("> {}", visible(text, false))),
        EventKind::EffectFinished { host: Some(host), text, took, failure, .. } => {
            let how = match failure {
                None => format!("done after {}", duration::took(*took)),
                Some(f) => format!("failed after {}: {}", duration::took(*took), visible(&f.beside(Some(host)), false)),
            };
            (host, format!("< {}  {how}", visible(text, false)))
        }
        EventKind::Noted { host: Some(host), text } => (host, format!("# {text}")),
        EventKind::Warned { host: Some(host), text } => (host, format!("# warning: {text}")),
        EventKind::HostUnreachable { host, message } => (host, format!("# {}", visible(message, false))),
        _ => return None,
    })
}

impl Listener for HostLogs {
    fn tell(&self, event: &Event) {
        if let EventKind::TargetsChanged { fleet, hosts, .. } = &event.what {
            let mut fleets = self.fleets.lock().unwrap();
            hosts.iter().for_each(|host| _ = fleets.insert(host.clone(), fleet.clone()));
        }
        if let Some((host, text)) = line(&event.what) {
            self.write(event, host, &text);
        }
        match &event.what {
            EventKind::RunFinished { .. } => {
                let mut last = event.clone();
                if let EventKind::RunFinished { logs, .. } = &mut last.what {
                    *logs = self.all();
                }
                self.shown.tell(&last);
            }
            _ => self.shown.tell(event),
        }
    }

    fn aside(&self, talk: &mut dyn FnMut()) {
        self.shown.aside(talk);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event::EffectKind,
        failure::{Exit, Failure},
    };
    use std::fs;

    #[derive(Default)]
    struct ToldEvents(Mutex<Vec<EventKind>>);

    impl Listener for ToldEvents {
        fn tell(&self, event: &Event) {
            self.0.lock().unwrap().push(event.what.clone());
        }
    }

    fn tell(logged: &HostLogs, what: EventKind) {
        logged.tell(&Event { v: 1, at: 0, run: "r1".into(), lane: "".into(), what });
    }

    fn printed(host: &str, stream: Stream, line: &str) -> EventKind {
        EventKind::Printed { host: host.into(), stream, line: line.into() }
    }

    fn finished() -> EventKind {
        let (table, next, failures, logs) = (vec![], vec![], vec![], vec![]);
        EventKind::RunFinished { exit: Exit::Failed, took: 1, table, next, failures, logs }
    }

    #[test]
    fn a_log_has_what_is_told_of_its_host_as_it_comes_and_the_last_event_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let shown = Arc::new(ToldEvents::default());
        let logged = HostLogs::new(shown.clone(), Logs::new(folder.path().join("runs")));
        let (effect, kind, host, text) = ("exec", EffectKind::Once, Some("web1".into()), "run `make\nall`".to_owned());
        let targets = |fleet: &str| EventKind::TargetsChanged {
            fleet: fleet.into(),
            hosts: vec!["web1".into()],
            of: 1,
            selection: "all".into(),
        };
        let path = folder.path().join("runs/r1.logs/prod.web1.log");
        let read = |path: &std::path::Path| -> Vec<String> {
            let text = fs::read_to_string(path).unwrap();
            let lines = text.lines().map(|line| {
                let (at, rest) = line.split_at(24);
                assert!(at.parse::<jiff::Timestamp>().is_ok(), "{line}");
                rest.to_owned()
            });
            lines.collect()
        };
        tell(&logged, targets("prod"));
        tell(&logged, EventKind::EffectStarted { effect, kind, host: host.clone(), text: text.clone() });
        tell(&logged, printed("web1", Stream::Out, "\x1b[2Jone"));
        assert_eq!(read(&path), [" > run `make␊all`", " | \x1b[2Jone"], "it is there before the next one comes");
        tell(&logged, printed("web1", Stream::Err, "two"));
        tell(&logged, printed("lb1", Stream::Out, "other"));
        let failure = Some(Failure::failed("no rule"));
        tell(&logged, EventKind::EffectFinished { effect, kind, host: host.clone(), text, took: 1_500, failure });
        tell(&logged, EventKind::Noted { host, text: "a note".into() });
        tell(&logged, targets("testing"));
        tell(&logged, printed("web1", Stream::Out, "of another fleet"));
        assert_eq!(read(&path)[2..], [" ! two", " < run `make␊all`  failed after 1.5 s: no rule", " # a note"]);
        tell(&logged, finished());
        let told = shown.0.lock().unwrap();
        let Some(EventKind::RunFinished { logs, .. }) = told.last() else { panic!("{told:?}") };
        let named: Vec<(&str, &str)> = logs.iter().map(|l| (&*l.host, l.file.rsplit('/').next().unwrap())).collect();
        assert_eq!(named, [("lb1", "lb1.log"), ("web1", "prod.web1.log"), ("web1", "testing.web1.log")]);
        assert_eq!(told.len(), 10, "every event was shown");
    }

    #[test]
    fn a_log_that_cannot_be_written_is_a_warning_and_only_one() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("runs"), "in the way").unwrap();
        let shown = Arc::new(ToldEvents::default());
        let logged = HostLogs::new(shown.clone(), Logs::new(folder.path().join("runs")));
        for host in ["web1", "web1", "web2"] {
            tell(&logged, printed(host, Stream::Out, "x"));
        }
        tell(&logged, finished());
        let told = shown.0.lock().unwrap();
        let warnings = told.iter().filter(|what| matches!(what, EventKind::Warned { .. })).count();
        assert_eq!((warnings, told.len()), (1, 5), "{told:?}");
        assert!(matches!(told.last(), Some(EventKind::RunFinished { logs, .. }) if logs.is_empty()), "{told:?}");
    }
}
