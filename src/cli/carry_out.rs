//! From a process's arguments to its exit code.
use super::{
    attempt::Going,
    completing::{self, Completer, Shell},
    demo, flags, folders, history, line, listing, meant, memory, overview,
    request::{Action, Color, Detail, Request},
    shown, trust, when, wiring,
    work::{Aborted, Work},
};
use crate::{
    fabfile::{self, Options, Project},
    failure::{Exit, Failure},
    fleet::Set,
    init,
    report::{self, Loud, Palette, Style},
    session::{Drill, Yes},
    store::Filter,
    ui::Pausing,
};
use std::{
    env,
    ffi::OsString,
    io::{self, IsTerminal},
    path::PathBuf,
};

/// Does what the arguments ask for.
pub fn main(args: impl IntoIterator<Item = OsString>) -> Exit {
    let no_color = env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
    let request = match flags::read(args, no_color) {
        Ok(request) => request,
        Err(error) => {
            report::complain(&error.to_string());
            return error.exit();
        }
    };
    match carry_out(&request) {
        Ok(exit) => exit,
        Err((failure, exit)) => {
            let palette = Palette { color: color(&request, io::stderr().is_terminal()) };
            report::refuse(&failure, palette, &folder(&request).unwrap_or_default());
            exit
        }
    }
}

type Stopped = (Failure, Exit);

fn of_reason(failure: Failure) -> Stopped {
    let exit = failure.reason().exit();
    (failure, exit)
}

fn color(request: &Request, terminal: bool) -> bool {
    match request.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => terminal && env::var_os("TERM").is_some_and(|t| t != "dumb"),
    }
}

fn carry_out(request: &Request) -> Result<Exit, Stopped> {
    match &request.action {
        Action::Help { words } => help(request, words),
        Action::History { filter, most } => {
            let listed = folders::runs().and_then(|runs| runs.list(filter, *most)).map_err(of_reason)?;
            let any = *filter == Filter::default();
            match request.json {
                true => report::say_json(&history::json(&listed)),
                false => report::say(&history::text(&listed, any, &when::here())),
            }
        }
        Action::Show { run } => {
            let runs = folders::runs().map_err(of_reason)?;
            if request.json {
                report::say_json(&shown::json(&runs.texts(run).map_err(of_reason)?));
            } else {
                let palette = Palette { color: color(request, io::stdout().is_terminal()) };
                let records = runs.records(run).map_err(of_reason)?;
                let logs = shown::logs(&folders::logs().map_err(of_reason)?, &records);
                report::say(&format!("{}{logs}", shown::text(&records, palette)));
            }
        }
        Action::Resume { run, doubt, force_changed } => {
            let run = which(request, "--resume", run.as_deref())?;
            let resumed = meant::open(request, &run).map_err(of_reason)?;
            return resume(request, Going { resumed, doubt: *doubt, force_changed: *force_changed });
        }
        Action::Abort { run } => {
            let run = which(request, "--abort", run.as_deref())?;
            return abort(request, &run, None);
        }
        Action::Version => report::say(&flags::version()),
        Action::List => {
            let project = project(request)?;
            match request.json {
                true => report::say_json(&listing::json(&project.tasks)),
                false => report::say(&listing::text(&project.tasks)),
            }
        }
        Action::Init => init()?,
        Action::Completions { shell } => report::say(shell.script()),
        Action::Complete { shell, words } => complete(request, *shell, words),
        Action::Docs { name } => docs(name.as_deref())?,
        Action::Demo => {
            let palette = Palette { color: color(request, io::stdout().is_terminal()) };
            return demo::run(request, palette).map_err(of_reason);
        }
        Action::Trust { host, words } => {
            let project = project(request)?;
            let line = if words.is_empty() { None } else { Some(understood(words, None, &project)?) };
            return trust::trust(request, &project, line.as_ref(), host).map_err(of_reason);
        }
        Action::Run { words, command: None } if words.is_empty() && !request.json => return overview(request),
        Action::Run { words, command } => return run(request, words, command.as_deref()),
    }
    Ok(Exit::Done)
}

/// Help never fails: a fabfile that does not compile only has no tasks to tell about.
fn help(request: &Request, words: &[String]) {
    let about = (!words.is_empty()).then(|| project(request).ok()).flatten();
    match about.and_then(|project| listing::about(words, &project.tasks)) {
        Some(text) => report::say(&text),
        None => report::say(&flags::help()),
    }
}

fn docs(name: Option<&str>) -> Result<(), Stopped> {
    match crate::docs::page(name) {
        Some(text) => {
            report::say(&text);
            Ok(())
        }
        None => {
            let name = name.unwrap_or_default();
            let failure = Failure::failed(format!(
                "there is no primitive, stdlib function or module `{name}`, and no page has that word"
            ));
            let help = crate::docs::near(name).unwrap_or_else(|| "`rfab --docs` lists them all".to_owned());
            Err((failure.help(help), Exit::Usage))
        }
    }
}

/// Says what can be typed here. Nothing was asked for, so it is no success.
fn overview(request: &Request) -> Result<Exit, Stopped> {
    let here = here()?;
    if request.fabfile.is_none() && fabfile::nearest(&here, home().as_deref()).is_none() {
        report::say(&overview::without(&here));
        return Ok(Exit::Usage);
    }
    report::say(&overview::text(&project(request)?));
    Ok(Exit::Usage)
}

/// Whatever is wrong is told when the line is run; here there are only fewer choices.
fn complete(request: &Request, shell: Shell, words: &[String]) {
    let load = |fabfile| project(&Request { fabfile, ..request.clone() }).ok();
    let mut known = Completer { flags: completing::all(&flags::command()), request, file: None, load: &load };
    report::say(&completing::shown(shell, &completing::choices(words, &mut known)));
}

/// Writes a fabfile and its fleets into this folder, unless one is there or above it.
fn init() -> Result<(), Stopped> {
    let here = here()?;
    if let Some(file) = fabfile::nearest(&here, home().as_deref()) {
        let failure = Failure::failed(format!("`{}` is there already, so nothing was written", file.display()));
        return Err((failure.help("type `rfab` to see what you can type here"), Exit::Usage));
    }
    let found = init::look(&here);
    let fleets = init::fleets(&found);
    let files = init::files(&found, &fleets);
    init::write(&here, &files).map_err(|failure| (failure, Exit::Usage))?;
    let said = init::said(&found, &fleets, &files);
    report::say(&said.lines().map(|line| report::visible(line, false) + "\n").collect::<String>());
    Ok(())
}

/// The run that a flag names; without a name the one of this fabfile that can be meant.
fn which(request: &Request, flag: &str, run: Option<&str>) -> Result<String, Stopped> {
    if let Some(run) = run {
        return Ok(run.to_owned());
    }
    let found = || fabfile::find(&here().map_err(|(failure, _)| failure)?, home().as_deref());
    let fabfile = request.fabfile.clone().map_or_else(found, Ok);
    let fabfile = fabfile.map_err(|missing| of_reason(meant::without(flag, missing)))?;
    meant::meant(flag, &fabfile).map_err(of_reason)
}

/// Types a run's line anew, with what its journal has.
fn resume(request: &Request, going: Going) -> Result<Exit, Stopped> {
    let head = &going.resumed.head;
    let typed = head.typed.iter().map(OsString::from);
    let again = flags::read([OsString::from("rfab")].into_iter().chain(typed), request.color == Color::Never);
    let again = again
        .map_err(|e| of_reason(Failure::failed(format!("rfab doesn't understand this run's line any more: {e}"))))?;
    let mut allowed = again.allowed;
    allowed.wait |= request.allowed.wait;
    if request.allowed.yes != Yes::Unsaid {
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
        Action::Run { words, command } => run_line(&again, words, command.as_deref(), Some(going)),
        Action::Abort { run: Some(run) } => abort(&again, run, Some(going)),
        _ => Err(of_reason(Failure::failed("this run's line had no tasks"))),
    }
}

/// Takes back what a run did, with the fabfile that it was begun with as it is now.
fn abort(request: &Request, run: &str, going: Option<Going>) -> Result<Exit, Stopped> {
    let drill = drill()?;
    let mut of = meant::open(request, run).map_err(of_reason)?;
    // A run that was to take another back is not taken back itself: what it began is completed.
    if let Some(other) = of.head.line.strip_prefix("--abort ").map(str::to_owned) {
        drop(of);
        of = meant::open(request, &other).map_err(of_reason)?;
    }
    let request = Request { fabfile: Some(of.head.fabfile.clone().into()), ..request.clone() };
    let project = project(&request)?;
    project.check().map_err(of_reason)?;
    let aborted = Aborted { run: of.head.run, journal: of.journal, records: of.records };
    let listener = report::listener(style(&request), &project.script.folder);
    wiring::run(&request, &project, Work::Abort(&aborted), listener, going, drill).map_err(of_reason)
}

fn run(request: &Request, words: &[String], command: Option<&[String]>) -> Result<Exit, Stopped> {
    run_line(request, words, command, None)
}

fn run_line(
    request: &Request,
    words: &[String],
    command: Option<&[String]>,
    going: Option<Going>,
) -> Result<Exit, Stopped> {
    if request.allowed.pause == Some(Pausing::Ask) && !io::stdin().is_terminal() {
        let failure =
            Failure::failed("`--pause` without a time asks a person, and nobody is there: this isn't a terminal");
        return Err((failure.help("give it a time: `--pause=10m`"), Exit::Usage));
    }
    memory::enough().map_err(of_reason)?;
    let (project, drill) = (project(request).map_err(|stopped| of_the_tool(stopped, request, words))?, drill()?);
    let line = understood(words, command, &project)?;
    project.check().map_err(of_reason)?;
    let listener = report::listener(style(request), &project.script.folder);
    wiring::run(request, &project, Work::Line(&line), listener, going, drill).map_err(of_reason)
}

/// Without a fabfile there are no tasks: a word for what the tool itself does was meant for that.
fn of_the_tool(stopped: Stopped, request: &Request, words: &[String]) -> Stopped {
    let there = || Some(fabfile::nearest(&here().ok()?, home().as_deref()).is_some());
    let flag = words.first().filter(|_| request.fabfile.is_none() && there() == Some(false));
    match flag.and_then(|word| Some((word, line::flag_for(word)?))) {
        Some((word, help)) => (Failure::failed(format!("`{word}` isn't a task")).help(help), Exit::Usage),
        None => stopped,
    }
}

/// What the environment wants to happen to this run, to see how one goes on.
fn drill() -> Result<Option<Drill>, Stopped> {
    let Some(text) = env::var("RFAB_DRILL").ok().filter(|text| !text.is_empty()) else { return Ok(None) };
    text.parse().map(Some).map_err(|wrong: String| {
        let help = "write `kill:before:LANE#NUMBER`: `kill`, `int` or `int2`, `before`, `amid` or `after`, and an effect of a run's journal";
        (Failure::failed(format!("`RFAB_DRILL={text}`: {wrong}")).help(help), Exit::Usage)
    })
}

fn style(request: &Request) -> Style {
    let loud = match request.detail {
        Detail::Quiet => Loud::Quiet,
        Detail::Normal => Loud::Normal,
        Detail::Verbose => Loud::Verbose,
    };
    Style { json: request.json, loud, color: color(request, io::stdout().is_terminal()) }
}

fn understood(words: &[String], command: Option<&[String]>, project: &Project) -> Result<line::Line, Stopped> {
    line::parse(words, command, &project.tasks).map_err(|error| {
        let failure = Failure::failed(error.to_string());
        let failure = error.help().map_or(failure.clone(), |help| failure.help(help));
        (failure, error.exit())
    })
}

/// The fabfile, found and compiled.
fn project(request: &Request) -> Result<Project, Stopped> {
    let file = match &request.fabfile {
        Some(file) => file.clone(),
        None => fabfile::find(&here()?, home().as_deref()).map_err(of_reason)?,
    };
    let set = request.set.iter().map(|(key, value)| {
        format!("{key}={value}")
            .parse::<Set>()
            .map_err(|e| (Failure::failed(format!("`--set {key}={value}`: {e}")).help(e.help()), Exit::Usage))
    });
    let set = set.collect::<Result<_, _>>()?;
    let options = Options { set, limit: request.limit.clone(), exclude: request.exclude.clone() };
    fabfile::load(&file, options).map_err(of_reason)
}

/// Where the fabfile lies, if there is one.
fn folder(request: &Request) -> Option<PathBuf> {
    let found = || fabfile::find(&here().ok()?, home().as_deref()).ok();
    Some(request.fabfile.clone().or_else(found)?.parent()?.to_owned())
}

fn here() -> Result<PathBuf, Stopped> {
    env::current_dir().map_err(|e| of_reason(Failure::failed(format!("this folder: {e}"))))
}

fn home() -> Option<PathBuf> {
    env::var_os("HOME").map(PathBuf::from)
}
