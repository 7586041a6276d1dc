//! Which hosts that are out a run may put back, by the ledger and by their state.
use super::{InnerLayers, Observed, Run};
use crate::{
    balancer::{Balance, SetAdmin},
    bookkeeping::ReadLedger,
    effect::Call,
    event::PoolState,
    failure::Failure,
    host::{Host, Name},
    ledger::{Book, LedgerLine, Phase},
};

/// Reasons for which hosts go out as a group, and stay out until a line asks for them.
const BY_GROUP: [&str; 2] = ["only", "flip"];

/// Reasons for which hosts go out to be changed, and come back afterwards.
const TO_CHANGE: [&str; 4] = ["deploy", "release", "restart", "abort"];

/// Why a host is out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutReason {
    /// With its group, as a line asked.
    WithGroup,
    /// To be changed and put back, by this run or by one that ended before it put the host back.
    Returning,
    /// By this run, or by the one that it aborts; it comes back only if their script puts it back.
    Ours,
    /// By somebody else, or the ledger doesn't say by whom.
    Strange,
}

/// Refuses to put back a host that somebody else took out, unless the user typed its name; live hosts are allowed.
///
/// Notes where each host is put back: it stays out of a pool that it was out of before it was taken out.
pub(super) fn may_put_back(
    set: &SetAdmin,
    balance: &Balance,
    run: &Run,
    observed: &Observed,
    call: Call<'_>,
    rest: InnerLayers<'_>,
) -> Result<(), Failure> {
    let live = |host: &Host| balance.standing(&set.fleet, host) == Ok(PoolState::Live);
    if set.typed || set.hosts.iter().all(live) {
        set.hosts.iter().for_each(|host| observed.moves(host, None));
        return Ok(());
    }
    let book = rest.ask(&call).read(ReadLedger { fleet: set.fleet.clone() })?;
    for host in &set.hosts {
        let line = book.last_admin(&host.name);
        if !live(host) && run.out_as(&book, &host.name) == OutReason::Strange {
            return Err(Failure::refused(format!("{}: not touched", by_whom(line)))
                .on(&host.name)
                .help(format!("type its name to put it back: `proxy.all:{host}`")));
        }
        observed.moves(host, line.map(|line| line.places.clone()).filter(|places| !places.is_empty()));
    }
    Ok(())
}

impl Run {
    /// Returns why a host is out, by its last line in the ledger of a fleet that this run has locked or may lock.
    ///
    /// The holder of the lock knows that all other runs are over, even if the ledger has no end of them.
    pub fn out_as(&self, book: &Book, host: &str) -> OutReason {
        let Some(line) = book.last_admin(host) else { return OutReason::Strange };
        let reason = line.reason.as_deref().unwrap_or_default();
        match &*line.effect {
            "drain" if BY_GROUP.contains(&reason) => OutReason::WithGroup,
            "drain" if TO_CHANGE.contains(&reason) => OutReason::Returning,
            "drain" if self.is_about(book, line) => OutReason::Ours,
            "drain" if book.ended_early(&line.run) => OutReason::Returning,
            // Its run died when it was about to put the host back.
            "ready" if line.phase == Phase::Intent => OutReason::Returning,
            _ => OutReason::Strange,
        }
    }

    /// Returns whether a host that is out may be put back without being named.
    pub fn may_end(&self, book: &Book, host: &str) -> bool {
        self.out_as(book, host) != OutReason::Strange
    }

    /// Returns whether a ledger line belongs to this run, to the one that it aborts, or to another abort of that run.
    pub fn is_about(&self, book: &Book, line: &LedgerLine) -> bool {
        let given_up = |run: &Name| *run == line.run || book.undoing(run).contains(&&line.run);
        line.run == self.id || self.undoes.as_ref().is_some_and(given_up)
    }
}

/// Returns who took a host out, with the host's name.
pub fn taken_out(host: &Host, line: Option<&LedgerLine>) -> String {
    format!("`{host}` {}", by_whom(line))
}

/// Returns who took a host out, if the ledger tells.
fn by_whom(line: Option<&LedgerLine>) -> String {
    match line {
        Some(line) if line.effect == "drain" => {
            format!("was taken out by {} at {} ({}), not by this run", line.who, line.at, line.why())
        }
        _ => "was out before this run, and the ledger doesn't say who took it out".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(id: &str, undoes: Option<&str>) -> Run {
        Run { id: id.into(), undoes: undoes.map(Into::into), who: "anna".into(), from: "mac".into(), ..Run::default() }
    }

    #[test]
    fn why_a_host_is_out_follows_from_its_last_line_and_from_how_that_lines_run_ended() {
        use Phase::{Failed, Intent, Ok, Unknown};
        let own = run("r1", None);
        let line = |effect: &str, reason: &str, phase| LedgerLine {
            effect: effect.into(),
            host: Some("web1".into()),
            reason: Some(reason.into()),
            ..own.line(phase)
        };
        // How the line's run ended, if it did; then the reasons for the run itself, for one that aborts it, and for any
        // other.
        let mut all = Vec::new();
        for (end, kept) in [(Some(Intent), false), (Some(Unknown), false), (Some(Ok), true), (None, true)] {
            let others = if kept { OutReason::Strange } else { OutReason::Returning };
            all.extend([
                ("drain", "only", Ok, end, [OutReason::WithGroup; 3]),
                ("drain", "flip", Intent, end, [OutReason::WithGroup; 3]),
                ("drain", "deploy", Ok, end, [OutReason::Returning; 3]),
                ("drain", "restart", Intent, end, [OutReason::Returning; 3]),
                ("drain", "disk", Ok, end, [OutReason::Ours, OutReason::Ours, others]),
                ("ready", "ready", Intent, end, [OutReason::Returning; 3]),
                ("ready", "ready", Ok, end, [OutReason::Strange; 3]),
                ("drain", "deploy", Failed, end, [OutReason::Strange; 3]),
            ]);
        }
        for (effect, reason, phase, end, is) in all {
            let mut lines = vec![line(effect, reason, Intent)];
            lines.extend((phase != Intent).then(|| line(effect, reason, phase)));
            lines.extend(end.map(|end| LedgerLine { host: None, ..line("run", "prod deploy:stable", end) }));
            let book = Book { lines, unread: 0 };
            let runs = [own.clone(), run("r2", Some("r1")), run("r3", None)];
            let out = runs.map(|run| run.out_as(&book, "web1"));
            assert_eq!(out, is, "{effect} {reason} {phase:?} {end:?}");
        }
        // Another abort of the run, which didn't finish, either.
        let tried = LedgerLine { run: "r4".into(), host: None, ..line("run", "--abort r1", Ok) };
        let by_it = LedgerLine { run: "r4".into(), ..line("drain", "disk", Ok) };
        let book = Book { lines: vec![tried, by_it], unread: 0 };
        let runs = [run("r2", Some("r1")), run("r3", None)];
        assert_eq!(runs.map(|run| run.out_as(&book, "web1")), [OutReason::Ours, OutReason::Strange]);
        assert_eq!(run("r1", None).out_as(&book, "web2"), OutReason::Strange);
    }
}
