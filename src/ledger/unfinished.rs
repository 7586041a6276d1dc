//! Finds steps and runs in a ledger that began and didn't end.
use super::{Book, LedgerLine, Phase};
use crate::host::Name;
use std::collections::HashMap;

/// Returns what a line is about. A later line about the same replaces it.
pub(super) fn thing(line: &LedgerLine) -> Option<(&str, Option<&str>)> {
    let host = line.host.as_deref();
    match &*line.effect {
        "run" | "release" => None,
        "drain" | "ready" => Some(("admin", host)),
        "mark" => Some(("mark", line.reason.as_deref())),
        other => Some((other, host)),
    }
}

/// A run that isn't done.
pub(super) struct OpenRun<'a> {
    /// Its first line.
    pub line: &'a LedgerLine,
    /// The index of its last beginning; a run may be resumed.
    began: usize,
}

/// Lists the runs that took the lock and reported no end, and for each other run the runs that ended it.
pub(super) fn open_runs(lines: &[LedgerLine]) -> (Vec<OpenRun<'_>>, HashMap<&str, Vec<&str>>) {
    let (mut open, mut closed_by) = (Vec::<OpenRun>::new(), HashMap::<_, Vec<_>>::new());
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.effect == "run") {
        let known = open.iter().position(|other| other.line.run == line.run);
        let began = known.map(|index| open[index].began);
        match (line.phase, known) {
            (Phase::Intent, Some(index)) => open[index].began = at,
            (Phase::Intent, None) => open.push(OpenRun { line, began: at }),
            (Phase::Ok | Phase::Failed, _) => {
                let earlier = |before: usize| line.phase == Phase::Ok && began.is_some_and(|began| before < began);
                open.retain(|other| {
                    let stays = other.line.run != line.run && !earlier(other.began);
                    if !stays {
                        closed_by.entry(&*other.line.run).or_default().push(&*line.run);
                    }
                    stays
                });
            }
            (Phase::Unknown, _) => {}
        }
    }
    (open, closed_by)
}

impl Book {
    /// Lists the first lines of runs that took the lock and reported no end, oldest first.
    ///
    /// A later run that ended well closes them.
    pub fn unfinished_runs(&self) -> Vec<&LedgerLine> {
        open_runs(&self.lines).0.into_iter().map(|open| open.line).collect()
    }

    /// Lists the runs that were started to abort a run.
    pub fn undoing(&self, run: &str) -> Vec<&Name> {
        let typed = format!("--abort {run}");
        let of = |line: &&LedgerLine| line.effect == "run" && line.reason.as_deref() == Some(&*typed);
        self.lines.iter().filter(of).map(|line| &line.run).collect()
    }

    /// Returns the reason why a host was out when a run began, if it was out and the reason is recorded.
    pub fn reason_before(&self, run: &str, host: &str) -> Option<&str> {
        let began = self.lines.iter().position(|line| *line.run == *run)?;
        let of = |line: &&LedgerLine| line.host.as_deref() == Some(host) && line.phase == Phase::Ok;
        let last = self.lines[..began].iter().filter(of).rfind(|line| matches!(&*line.effect, "drain" | "ready"));
        last.filter(|line| line.effect == "drain")?.reason.as_deref()
    }

    /// Returns whether a run took the lock and didn't report that everything was done.
    pub fn ended_early(&self, run: &str) -> bool {
        let last = self.lines.iter().rfind(|line| *line.run == *run && line.effect == "run");
        last.is_some_and(|line| matches!(line.phase, Phase::Intent | Phase::Unknown))
    }

    /// Returns whether a run reported at its end that it changed nothing.
    pub fn changed_nothing(&self, run: &str) -> bool {
        let last = self.lines.iter().rfind(|line| *line.run == *run && line.effect == "run");
        last.is_some_and(|line| line.phase == Phase::Failed)
    }

    /// Lists the last line of each step without a known end: a drain, a switch, a migration; oldest first.
    pub fn unfinished(&self) -> Vec<&LedgerLine> {
        let mut last: HashMap<_, usize> = HashMap::new();
        for (at, line) in self.lines.iter().enumerate() {
            last.extend(thing(line).map(|thing| (thing, at)));
        }
        let mut open: Vec<usize> = last.into_values().collect();
        open.retain(|at| matches!(self.lines[*at].phase, Phase::Intent | Phase::Unknown));
        open.sort_unstable();
        open.into_iter().map(|at| &self.lines[at]).collect()
    }

    /// Returns the last activation of a host that was done.
    pub fn activated(&self, host: &str) -> Option<&LedgerLine> {
        let of = |l: &&LedgerLine| l.effect == "activate" && l.phase == Phase::Ok && l.host.as_deref() == Some(host);
        self.lines.iter().rev().find(of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(run: &str, effect: &str, host: Option<&str>, phase: Phase, reason: &str) -> LedgerLine {
        LedgerLine {
            v: 1,
            run: run.into(),
            seq: 0,
            at: "2026-11-23T10:00:00Z".into(),
            who: "anna".into(),
            on_behalf_of: Some("berta".into()),
            from: "mac".into(),
            effect: effect.into(),
            host: host.map(Into::into),
            pool: vec![],
            phase,
            commit: None,
            number: None,
            names: None,
            content: None,
            reason: Some(reason.into()),
            places: Vec::new(),
            epoch: None,
        }
    }

    fn runs(lines: &[(&str, Phase)]) -> Vec<String> {
        let lines = lines.iter().map(|(run, phase)| line(run, "run", None, *phase, "prod deploy:stable")).collect();
        Book { lines, unread: 0 }.unfinished_runs().iter().map(|line| line.run.to_string()).collect()
    }

    #[test]
    fn a_run_is_unfinished_until_it_ends_or_a_later_one_ends_well() {
        use Phase::{Failed, Intent, Ok, Unknown};
        let none: [&str; 0] = [];
        assert_eq!(runs(&[("a", Intent)]), ["a"]);
        assert_eq!(runs(&[("a", Intent), ("a", Ok)]), none);
        assert_eq!(runs(&[("a", Intent), ("a", Failed)]), none, "it has told how all stood");
        assert_eq!(runs(&[("a", Intent), ("b", Intent), ("b", Failed)]), ["a"]);
        assert_eq!(runs(&[("a", Intent), ("b", Intent), ("b", Ok)]), none);
        assert_eq!(runs(&[("a", Intent), ("b", Intent)]), ["a", "b"]);
        assert_eq!(runs(&[("a", Intent), ("a", Intent), ("a", Ok), ("b", Intent)]), ["b"], "it was resumed");
        assert_eq!(runs(&[("a", Intent), ("b", Intent), ("a", Ok)]), ["b"], "it began after the one that ended well");
        assert_eq!(runs(&[("a", Intent), ("b", Intent), ("a", Intent), ("a", Ok)]), none, "it went on after the other");
        assert_eq!(runs(&[("a", Ok), ("b", Intent), ("b", Unknown)]), ["b"]);
        assert_eq!(runs(&[("b", Intent), ("a", Ok)]), ["b"], "of `a` nobody knows when it began");
    }

    #[test]
    fn an_unfinished_run_tells_whose_it_is() {
        let book = Book { lines: vec![line("a", "run", None, Phase::Intent, "prod deploy:stable")], unread: 0 };
        let [run] = book.unfinished_runs()[..] else { panic!("{book:?}") };
        let said = (&*run.who, run.on_behalf_of.as_deref(), &*run.from, &*run.at, run.reason.as_deref());
        assert_eq!(said, ("anna", Some("berta"), "mac", "2026-11-23T10:00:00Z", Some("prod deploy:stable")));
    }

    #[test]
    fn an_effect_is_unfinished_until_the_same_thing_has_a_later_line_with_an_end() {
        use Phase::{Failed, Intent, Ok};
        let lines = vec![
            line("a", "run", None, Intent, "prod release:stable"),
            line("a", "release", None, Ok, "v3.0.1"),
            line("a", "drain", Some("web1"), Intent, "only"),
            line("a", "drain", Some("web2"), Intent, "only"),
            line("a", "mark", None, Intent, "migrate"),
            line("a", "mark", None, Intent, "switch web1"),
            line("a", "activate", Some("web1"), Intent, ""),
            line("a", "activate", Some("web1"), Failed, ""),
            line("b", "ready", Some("web1"), Ok, "ready"),
            line("b", "restart", Some("web1"), Intent, ""),
            line("b", "mark", None, Ok, "switch web1"),
        ];
        let book = Book { lines, unread: 0 };
        let open: Vec<(&str, Option<&str>)> =
            book.unfinished().iter().map(|l| (&*l.effect, l.host.as_deref().or(l.reason.as_deref()))).collect();
        assert_eq!(open, [("drain", Some("web2")), ("mark", Some("migrate")), ("restart", Some("web1"))]);
    }

    #[test]
    fn the_last_activation_that_was_done_tells_who_deployed() {
        let lines = vec![
            line("a", "activate", Some("web1"), Phase::Ok, ""),
            line("b", "activate", Some("web1"), Phase::Intent, ""),
            line("c", "activate", Some("web2"), Phase::Ok, ""),
        ];
        let book = Book { lines, unread: 0 };
        assert_eq!(book.activated("web1").map(|l| &*l.run), Some("a"));
        assert_eq!(book.activated("web3"), None);
    }
}
