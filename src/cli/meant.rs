//! The run that `--resume` or `--abort` is about.
use super::{
    folders,
    request::Request,
    when::{self, shown},
};
use crate::{
    failure::{Failure, Reason},
    port::Person,
    report,
    store::{ResumableRuns, Resumed, RunEntry},
};
use jiff::Zoned;
use std::{path::Path, slice, thread::sleep, time::Duration};

/// How often to check a run that is under way.
const EVERY: Duration = Duration::from_millis(500);

/// The most runs to show.
const SHOWN: usize = 9;

/// Opens a run to resume or abort it; waits for a run that is under way, if the request says so.
pub(super) fn open(request: &Request, run: &str) -> Result<Resumed, Failure> {
    let runs = folders::runs()?;
    let mut told = false;
    loop {
        match runs.resume(run) {
            Err(busy) if busy.reason() == Reason::Locked && request.allowed.wait => {
                if !told {
                    report::complain(&format!("waiting: {}", report::visible(&busy.message, false)));
                }
                told = true;
                sleep(EVERY);
            }
            opened => return opened,
        }
    }
}

/// Returns the id of the one run of a fabfile that `flag` can mean; a person chooses if there are several.
///
/// `Refused` if nobody is there to choose, `Locked` if the only run is under way, `Failed` if there is none.
pub(super) fn meant(flag: &str, fabfile: &Path) -> Result<String, Failure> {
    let runs = folders::runs()?;
    let meant = runs.meant(fabfile)?;
    let now = when::here();
    match &meant.open[..] {
        [] => {
            let busy = meant.running.first().and_then(|run| runs.resume(&run.run).err());
            Err(busy.unwrap_or_else(|| none(flag, fabfile, &meant, &now)))
        }
        [one] => Ok(one.run.to_string()),
        several => chosen(flag, several, &now),
    }
}

/// Returns the failure of a flag that names no run in a folder without a fabfile.
pub(super) fn without(flag: &str, missing: Failure) -> Failure {
    let help = format!(
        "without a name, rfab looks for a run of the fabfile; name one of the runs that `rfab --history` lists: `rfab \
         {flag} RUN`"
    );
    let help = missing.help.as_ref().map_or(help.clone(), |known| format!("{known}\n{help}"));
    missing.help(help)
}

fn none(flag: &str, fabfile: &Path, meant: &ResumableRuns, now: &Zoned) -> Failure {
    let message = format!("there is no run of `{}` that changed something and isn't done", fabfile.display());
    let mut help = format!("`rfab --history` lists all runs, and `rfab {flag} RUN` picks one");
    let said = [
        (meant.overtaken.first(), "isn't done, but a later run changed what it had changed"),
        (meant.idle.first(), "isn't done, and changed nothing"),
    ];
    for (run, how) in said.iter().filter_map(|(run, how)| Some((run.as_ref()?, how))) {
        let again = [&run.flags[..], slice::from_ref(&run.line)].concat().join(" ");
        help += &format!("\nrun `{}` {how} ({}): type it again, `rfab {again}`", run.run, about(run, now));
    }
    Failure::failed(message).help(help).unchanged()
}

fn chosen(flag: &str, runs: &[RunEntry], now: &Zoned) -> Result<String, Failure> {
    let several = format!("{} runs of this fabfile changed something and aren't done", runs.len());
    let more = if runs.len() > SHOWN {
        format!("\nand {} older ones: see `rfab --history`", runs.len() - SHOWN)
    } else {
        String::new()
    };
    let listed = |line: &dyn Fn(usize, &RunEntry) -> String| {
        let lines: Vec<String> =
            runs.iter().take(SHOWN).enumerate().map(|(at, run)| report::visible(&line(at, run), false)).collect();
        format!("{}{more}", lines.join("\n"))
    };
    let numbered = listed(&|at, run| format!("{}  {}  {}", at + 1, run.run, about(run, now)));
    let question = format!(
        "{several}, the newest first:\n{numbered}\nWhich one do you mean? Type its number; any other answer chooses \
         none:"
    );
    let lines = listed(&|_, run| format!("  rfab {flag} {}   {}", run.run, about(run, now)));
    let help = format!("name the one that you mean:\n{lines}");
    let Some(answer) = report::Terminal.ask(&question, false) else {
        return Err(Failure::refused(format!(
            "{several}; choosing one requires a terminal, and rfab isn't running in one"
        ))
        .help(help)
        .unchanged());
    };
    let number = answer.trim().parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    let run = number.and_then(|at| runs.iter().take(SHOWN).nth(at));
    run.map(|run| run.run.to_string()).ok_or_else(|| Failure::refused("no run was chosen").help(help).unchanged())
}

/// Describes a run in a few words: its line, how and when it ended, and who ran it.
fn about(run: &RunEntry, now: &Zoned) -> String {
    let whom = run.on_behalf_of.as_ref().map(|whom| format!(" for {whom}")).unwrap_or_default();
    let ended = super::history::outcome(run);
    format!("`rfab {}`, {ended}, {} of {}{whom}", run.line, shown(&run.since, now).trim_start(), run.who)
}
