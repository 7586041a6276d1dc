//! Plain lines, one per event, each starting with the host: for pipes, CI and terminals.
use super::{
    Palette, failure::failures as report_all, filter::visible, last_words::LastWords, outlet::Outlet, table::table,
    words::count,
};
use crate::{
    bookkeeping::Mark,
    duration,
    effect::Effect,
    event::{EffectKind, Event, EventKind, Listener, Stream},
    failure::Reason,
    host::Name,
    release::RecordNumber,
};
use std::{collections::BTreeSet, io::Write, sync::Mutex};
use unicode_width::UnicodeWidthStr;

/// How much is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Loud {
    /// Warnings, failures and the table.
    Quiet,
    /// Changes, steps and what commands print, too.
    Normal,
    /// Reads, too.
    Verbose,
}

/// Explains a flag that can be typed next.
fn meaning(next: &str) -> Option<&'static str> {
    match next.split(' ').next() {
        Some("--resume") => Some("continues where it stopped; what is done isn't repeated"),
        Some("--abort") => Some("undoes it: hosts are put back as they were before"),
        _ => None,
    }
}

/// Changes that only record other changes.
const WRITTEN_DOWN: [&str; 2] = [Mark::NAME, RecordNumber::NAME];

/// Writes lines.
pub struct Lines<W: Write + Send>(Mutex<LinesOut<W>>);

struct LinesOut<W> {
    to: Outlet<W>,
    wording: Wording,
}

impl<W: Write + Send> Lines<W> {
    pub fn new(to: W, loud: Loud, palette: Palette) -> Self {
        Self(Mutex::new(LinesOut { to: Outlet::new(to), wording: Wording::new(loud, palette) }))
    }
}

impl<W: Write + Send> Listener for Lines<W> {
    fn tell(&self, event: &Event) {
        let mut out = self.0.lock().unwrap();
        if let Some(text) = out.wording.of(&event.what) {
            out.to.write(&text, &event.run);
        }
    }

    /// Writes nothing while `talk` runs, so that a question stands alone.
    fn aside(&self, talk: &mut dyn FnMut()) {
        let _silent = self.0.lock().unwrap();
        talk();
    }
}

/// Turns events into lines of text.
pub(super) struct Wording {
    loud: Loud,
    palette: Palette,
    /// The width of the widest host name so far.
    width: usize,
    last_words: LastWords,
    /// The unreachable hosts that were reported, with the reason.
    unreachable: BTreeSet<Name>,
}

impl Wording {
    pub(super) fn new(loud: Loud, palette: Palette) -> Self {
        Self { loud, palette, width: 0, last_words: LastWords::default(), unreachable: BTreeSet::new() }
    }

    /// Turns an event into complete lines, or nothing.
    pub(super) fn of(&mut self, what: &EventKind) -> Option<String> {
        if self.loud < Loud::Verbose && self.is_told(what) {
            return None;
        }
        let said = self.said(what);
        let text = self.worded(what, said.as_deref());
        if let EventKind::Printed { host, .. } | EventKind::Noted { host: Some(host), .. } = what
            && let Some(line) = said
        {
            self.last_words.say(host, line, text.is_some());
        }
        self.last_words.shown(text.as_deref().map_or(0, |text| text.matches('\n').count()));
        text
    }

    /// Returns whether it was already reported that a host is unreachable. If that host is a balancer's machine, effects
    /// on other hosts fail because of it.
    fn is_told(&mut self, what: &EventKind) -> bool {
        match what {
            EventKind::HostUnreachable { host, .. } => !self.unreachable.insert(host.clone()),
            EventKind::EffectFinished { host: of, failure: Some(failure), .. } if failure.host != *of => {
                let told = failure.host.as_ref().is_some_and(|host| self.unreachable.contains(host));
                told && failure.reason() == Reason::Unreachable
            }
            _ => false,
        }
    }

    /// Returns what a host printed, shown or not.
    fn said(&self, what: &EventKind) -> Option<String> {
        let color = self.palette.color;
        Some(match what {
            EventKind::Printed { stream: Stream::Out, line, .. } => format!("| {}", visible(line, color)),
            EventKind::Printed { stream: Stream::Err, line, .. } => format!("! {}", visible(line, color)),
            EventKind::Noted { text, .. } => visible(text, color),
            _ => return None,
        })
    }

    fn worded(&mut self, what: &EventKind, said: Option<&str>) -> Option<String> {
        if let Some(end) = self.end(what) {
            return Some(end);
        }
        let (host, text) = self.line(what, said)?;
        let Some(host) = host.map(|host| visible(&host, false)) else { return Some(format!("{text}\n")) };
        self.width = self.width.max(host.width());
        let pad = " ".repeat(self.width - host.width());
        Some(format!("{}{pad}  {text}\n", self.palette.host(&host)))
    }

    /// Returns whether an effect is shown: changes always; reads, holds and records only with `--verbose`.
    fn shows(&self, effect: &str, kind: EffectKind) -> bool {
        let changes = matches!(kind, EffectKind::Change | EffectKind::Once) && !WRITTEN_DOWN.contains(&effect);
        self.loud == Loud::Verbose || self.loud == Loud::Normal && changes
    }

    fn line(&self, what: &EventKind, said: Option<&str>) -> Option<(Option<String>, String)> {
        let p = self.palette;
        let host = |h: &Option<crate::host::Name>| h.as_ref().map(|h| h.to_string());
        let normal = self.loud >= Loud::Normal;
        Some(match what {
            EventKind::RunStarted { line, world, .. } if normal => {
                let world = if *world == "real" { String::new() } else { p.faint(&format!("  ({world})")) };
                (None, format!("{}{world}", p.strong(&format!("rfab {}", visible(line, false)))))
            }
            EventKind::TargetsChanged { fleet, hosts, of, selection } if normal => {
                let selection =
                    if selection == "all" { String::new() } else { format!(" ({})", visible(selection, false)) };
                (None, format!("targets: {fleet}, {} of {}{selection}", hosts.len(), count(*of, "host")))
            }
            EventKind::HostUnreachable { host, message } => (Some(host.to_string()), p.warn(&visible(message, false))),
            EventKind::StepStarted { step, host: h } if normal => {
                (host(h), p.strong(&format!("{}:", visible(step, false))))
            }
            EventKind::EffectFinished { effect, kind, host: h, text, took, failure } => match failure {
                // The failure itself is reported once, at the end.
                Some(failed) if matches!(kind, EffectKind::Change | EffectKind::Once) || self.loud == Loud::Verbose => {
                    (
                        host(h),
                        format!(
                            "{} {}",
                            visible(text, false),
                            p.bad(&format!(
                                "failed: {}",
                                visible(failed.beside(h.as_ref()).lines().next().unwrap_or_default(), false)
                            ))
                        ),
                    )
                }
                None if self.shows(effect, *kind) => {
                    let took = if *took >= 1_000 || self.loud == Loud::Verbose {
                        p.faint(&format!("  {}", duration::took(*took)))
                    } else {
                        String::new()
                    };
                    (host(h), format!("{}{took}", visible(text, false)))
                }
                _ => return None,
            },
            EventKind::Printed { host, .. } if normal => (Some(host.to_string()), said?.to_owned()),
            EventKind::LockAwaited { holder, .. } => (None, p.warn(&format!("waiting: {}", visible(holder, false)))),
            EventKind::Noted { host: h, .. } if normal => (host(h), said?.to_owned()),
            EventKind::Warned { host: h, text } => {
                (host(h), format!("{} {}", p.warn("warning:"), visible(text, false)))
            }
            _ => return None,
        })
    }

    fn end(&self, event: &EventKind) -> Option<String> {
        let EventKind::RunFinished { took, table: rows, next, failures, logs, .. } = event else { return None };
        // The table and the next lines to type come last, so that nothing scrolls them away.
        let mut text = self.last_words.text(rows, failures, logs, self.palette);
        text += &report_all(failures, rows, self.palette);
        if !rows.is_empty() {
            text += &format!("\n{}", table(rows, self.palette));
        }
        if !next.is_empty() {
            let wide = next.iter().map(|n| n.chars().count()).max().unwrap_or_default();
            let lines = next.iter().map(|n| match meaning(n) {
                Some(meaning) => format!("rfab {:wide$}   {meaning}", visible(n, false)),
                None => format!("rfab {}", visible(n, false)),
            });
            let lines: Vec<String> = lines.collect();
            text += &format!("\nnext: {}\n", lines.join("\n      "));
        }
        if self.loud == Loud::Verbose {
            text += &format!("{}\n", self.palette.faint(&format!("took {}", duration::took(*took))));
        }
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event::{HostRow, Outcome, PoolState},
        failure::{Exit, Failure},
    };
    use std::sync::Arc;

    #[derive(Clone, Default)]
    struct WrittenBytes(Arc<Mutex<Vec<u8>>>);

    impl Write for WrittenBytes {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn shown(loud: Loud, events: Vec<EventKind>) -> String {
        let screen = WrittenBytes::default();
        let lines = Lines::new(screen.clone(), loud, Palette { color: false });
        for what in events {
            lines.tell(&Event { v: 1, at: 0, run: "r".into(), lane: "".into(), what });
        }
        String::from_utf8(screen.0.lock().unwrap().clone()).unwrap()
    }

    fn effect(host: &str, kind: EffectKind, text: &str, took: u64) -> EventKind {
        EventKind::EffectFinished { effect: "x", kind, host: Some(host.into()), text: text.into(), took, failure: None }
    }

    fn row(host: &str, result: Outcome, note: Option<&str>) -> HostRow {
        HostRow {
            host: host.into(),
            old: Some("0001-aaaaaaaaaaaa".into()),
            new: Some("0002-bbbbbbbbbbbb".into()),
            balancer: PoolState::Out,
            result,
            note: note.map(str::to_owned),
            looked: None,
            old_name: None,
            new_name: None,
        }
    }

    const TOLD: &str = "\
rfab prod:out deploy:stable
targets: prod, 2 of 4 hosts (out)
stage 0002-bbbbbbbbbbbb:
web1  stage 0002-bbbbbbbbbbbb  1.2 s
web10  ! ␛[2Jcleared␍
warning: a tag moved

error: host `web2` doesn't become healthy within 60 s (it gets no traffic)
  help: look at its log

host  old                new                balancer  result
web1  0001-aaaaaaaaaaaa  0002-bbbbbbbbbbbb  out       ok
web2  0001-aaaaaaaaaaaa  0002-bbbbbbbbbbbb  out       failed  doesn't become healthy
2 hosts: 1 ok, 1 failed; 2 out of the balancer

next: rfab prod:out deploy:stable
";

    #[test]
    fn a_run_is_told_with_hosts_in_front_and_ends_with_its_table_its_failures_and_the_next_command() {
        let failed = Failure::failed("doesn't become healthy within 60 s").on(&"web2".into());
        let failed = failed.help("look at its log");
        let text = shown(
            Loud::Normal,
            vec![
                EventKind::RunStarted { line: "prod:out deploy:stable".into(), who: "anna".into(), world: "real" },
                EventKind::TargetsChanged {
                    fleet: "prod".into(),
                    hosts: vec!["web1".into(), "web2".into()],
                    of: 4,
                    selection: "out".into(),
                },
                EventKind::StepStarted { step: "stage 0002-bbbbbbbbbbbb".into(), host: None },
                effect("web1", EffectKind::Change, "stage 0002-bbbbbbbbbbbb", 1_250),
                effect("web1", EffectKind::Read, "list its releases", 4),
                EventKind::Printed { host: "web10".into(), stream: Stream::Err, line: "\x1b[2Jcleared\r".into() },
                EventKind::Warned { host: None, text: "a tag moved".into() },
                EventKind::RunFinished {
                    exit: Exit::Failed,
                    took: 10,
                    table: vec![
                        row("web1", Outcome::Ok, None),
                        row("web2", Outcome::Failed, Some("doesn't become healthy")),
                    ],
                    next: vec!["prod:out deploy:stable".into()],
                    failures: vec![failed],
                    logs: vec![],
                },
            ],
        );
        assert_eq!(text, TOLD);
    }

    #[test]
    fn quiet_says_warnings_and_the_end_and_verbose_says_what_is_read() {
        let events = || {
            vec![
                effect("web1", EffectKind::Change, "activate", 1),
                effect("web1", EffectKind::Read, "list its releases", 4),
                EventKind::Warned { host: Some("web1".into()), text: "look".into() },
            ]
        };
        assert_eq!(shown(Loud::Quiet, events()), "web1  warning: look\n");
        assert_eq!(
            shown(Loud::Verbose, events()),
            "web1  activate  1 ms\nweb1  list its releases  4 ms\nweb1  warning: look\n"
        );
    }
}
