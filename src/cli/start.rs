//! Starts a run: types a line, resumes a run or aborts one.
use super::{
    attempt::Resuming,
    flags, meant, memory,
    project::{here, home, project},
    request::{Action, Color, Request},
    stopped::{Stopped, of_reason},
    style::style,
    wiring,
    work::{Aborted, RunWork},
};
use crate::{
    fabfile::{self, Project},
    failure::{Exit, Failure},
    line, report,
    session::{ConsentFlag, Drill},
    ui::Pausing,
};
use std::{
    env,
    ffi::OsString,
    io::{self, IsTerminal},
};

/// Returns the run that a flag names; without a name, the run of this fabfile that the flag can mean.
pub(super) fn which(request: &Request, flag: &str, run: Option<&str>) -> Result<String, Stopped> {
    if let Some(run) = run {
        return Ok(run.to_owned());
    }
    let found = || fabfile::find(&here().map_err(|(failure, _)| failure)?, home().as_deref());
    let fabfile = request.fabfile.clone().map_or_else(found, Ok);
    let fabfile = fabfile.map_err(|missing| of_reason(meant::without(flag, missing)))?;
    meant::meant(flag, &fabfile).map_err(of_reason)
}

/// Types a run's line again, with what its journal has; without it, if a person did something meanwhile.
pub(super) fn resume(request: &Request, resuming: Resuming) -> Result<Exit, Stopped> {
    let head = &resuming.resumed.head;
    let argv = head.argv.iter().map(OsString::from);
    let again = flags::read([OsString::from("rfab")].into_iter().chain(argv), request.color == Color::Never);
    let again =
        again.map_err(|e| {
            let failure = Failure::failed(format!("rfab doesn't understand this run's line any more: {e}"));
            let run = &head.run;
            of_reason(failure.help(format!(
                "undo the run, `rfab --abort {run}`, or type its line again as this version understands it"
            )))
        })?;
    let mut allowed = again.allowed;
    allowed.wait |= request.allowed.wait;
    if request.allowed.yes != ConsentFlag::Unsaid {
        allowed.yes = request.allowed.yes.clone();
    }
    let again = Request {
        fabfile: Some(head.fabfile.clone().into()),
        allowed,
        json: request.json,
        detail: request.detail,
        color: request.color,
        ..again
    };
    match &again.action {
        Action::Run { words, command } if resuming.resumed.is_typed_again() => {
            report::complain(&format!("run `{}` stopped to ask a person, so its line starts over", head.run));
            drop(resuming);
            run_line(&again, words, command.as_deref(), None)
        }
        Action::Run { words, command } => run_line(&again, words, command.as_deref(), Some(resuming)),
        Action::Abort { run: Some(run) } => abort(&again, run, Some(resuming)),
        _ => Err(of_reason(Failure::failed("this run's line had no tasks"))),
    }
}

/// Aborts a run, with the current version of the fabfile that it began with.
pub(super) fn abort(request: &Request, run: &str, resuming: Option<Resuming>) -> Result<Exit, Stopped> {
    let drill = drill()?;
    let mut of = meant::open(request, run).map_err(of_reason)?;
    // A run that aborts another one isn't aborted itself: rfab completes it.
    if let Some(other) = of.head.line.strip_prefix("--abort ").map(str::to_owned) {
        drop(of);
        of = meant::open(request, &other).map_err(of_reason)?;
    }
    let request = Request { fabfile: Some(of.head.fabfile.clone().into()), ..request.clone() };
    let project = project(&request)?;
    project.check().map_err(of_reason)?;
    let aborted = Aborted { run: of.head.run, journal: of.journal, records: of.records };
    let listener = report::listener(style(&request), &project.script.folder);
    wiring::run(&request, &project, RunWork::Abort(&aborted), listener, resuming, drill).map_err(of_reason)
}

/// Carries out words, and the command after `--`.
pub(super) fn run(request: &Request, words: &[String], command: Option<&[String]>) -> Result<Exit, Stopped> {
    run_line(request, words, command, None)
}

fn run_line(
    request: &Request,
    words: &[String],
    command: Option<&[String]>,
    resuming: Option<Resuming>,
) -> Result<Exit, Stopped> {
    if request.allowed.pause == Some(Pausing::Ask) && !io::stdin().is_terminal() {
        let failure = Failure::failed("`--pause` without a time requires a terminal, and rfab isn't running in one");
        return Err((failure.help("give it a time: `--pause=10m`"), Exit::Usage));
    }
    memory::enough().map_err(of_reason)?;
    let (project, drill) = (project(request).map_err(|stopped| of_the_tool(stopped, request, words))?, drill()?);
    let line = understood(words, command, &project)?;
    project.check().map_err(of_reason)?;
    let listener = report::listener(style(request), &project.script.folder);
    wiring::run(request, &project, RunWork::Line(&line), listener, resuming, drill).map_err(of_reason)
}

/// Returns the help for a word that names a flag of rfab: without a fabfile, there are no tasks that it could mean.
fn of_the_tool(stopped: Stopped, request: &Request, words: &[String]) -> Stopped {
    let there = || Some(fabfile::nearest(&here().ok()?, home().as_deref()).is_some());
    let flag = words.first().filter(|_| request.fabfile.is_none() && there() == Some(false));
    match flag.and_then(|word| Some((word, line::flag_for(word)?))) {
        Some((word, help)) => (Failure::failed(format!("`{word}` isn't a task")).help(help), Exit::Usage),
        None => stopped,
    }
}

/// Reads from the environment what is to happen to this run, to test how rfab resumes it.
fn drill() -> Result<Option<Drill>, Stopped> {
    let Some(text) = env::var("RFAB_DRILL").ok().filter(|text| !text.is_empty()) else { return Ok(None) };
    text.parse().map(Some).map_err(|wrong: String| {
        let help = "write `kill:before:LANE#NUMBER`: `kill`, `int` or `int2`, `before`, `amid` or `after`, and an effect of a run's journal";
        (Failure::failed(format!("`RFAB_DRILL={text}`: {wrong}")).help(help), Exit::Usage)
    })
}

/// Returns what the words of a line mean.
pub(super) fn understood(
    words: &[String],
    command: Option<&[String]>,
    project: &Project,
) -> Result<line::CommandLine, Stopped> {
    line::parse(words, command, &project.tasks).map_err(|error| {
        let failure = Failure::failed(error.to_string());
        let failure = error.help().map_or(failure.clone(), |help| failure.help(help));
        (failure, error.exit())
    })
}
