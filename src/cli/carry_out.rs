//! Carries out a process's arguments and returns its exit code.
use super::{
    attempt::Resuming,
    completing::{self, Completer, Shell},
    connections, demo, flags, folders, history, listing, meant, overview,
    project::{folder, here, home, project},
    request::{Action, Request},
    shown,
    start::{abort, resume, run, understood, which},
    stopped::{Stopped, of_reason},
    style::color,
    trust, when,
};
use crate::{
    fabfile,
    failure::{Exit, Failure},
    init,
    report::{self, Palette},
    store::Filter,
};
use std::{
    env,
    ffi::OsString,
    io::{self, IsTerminal},
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

fn carry_out(request: &Request) -> Result<Exit, Stopped> {
    match &request.action {
        Action::Help { words } => help(request, words),
        Action::History { filter, most } => {
            let listed = folders::runs().and_then(|runs| runs.list(filter, *most)).map_err(of_reason)?;
            let any = *filter == Filter::default();
            if request.json {
                report::say_json(&history::json(&listed))
            } else {
                report::say(&history::text(&listed, any, &when::here()))
            }
        }
        Action::Show { run } => show(request, run).map_err(of_reason)?,
        Action::Resume { run, doubt, force_changed } => {
            let run = which(request, "--resume", run.as_deref())?;
            let resumed = meant::open(request, &run).map_err(of_reason)?;
            return resume(request, Resuming { resumed, doubt: *doubt, force_changed: *force_changed });
        }
        Action::Abort { run } => {
            let run = which(request, "--abort", run.as_deref())?;
            return abort(request, &run, None);
        }
        Action::Version => report::say(&flags::version()),
        Action::List => {
            let project = project(request)?;
            if request.json {
                report::say_json(&listing::json(&project.tasks))
            } else {
                report::say(&listing::text(&project.tasks))
            }
        }
        Action::Connections => connections::list().map_err(of_reason)?,
        Action::Disconnect => connections::close().map_err(of_reason)?,
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

/// Prints one run.
fn show(request: &Request, run: &str) -> Result<(), Failure> {
    let runs = folders::runs()?;
    if request.json {
        report::say_json(&shown::json(&runs.texts(run)?));
        return Ok(());
    }
    let palette = Palette { color: color(request, io::stdout().is_terminal()) };
    let records = runs.records(run)?;
    let logs = shown::logs(&folders::logs()?, &records);
    report::say(&format!("{}{logs}", shown::text(&records, palette)));
    Ok(())
}

/// Prints the help, and never fails: if the fabfile doesn't compile, the help has no tasks.
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

/// Prints what can be typed here. Nothing was asked for, so the exit code isn't success.
fn overview(request: &Request) -> Result<Exit, Stopped> {
    let here = here()?;
    if request.fabfile.is_none() && fabfile::nearest(&here, home().as_deref()).is_none() {
        report::say(&overview::without(&here));
        return Ok(Exit::Usage);
    }
    report::say(&overview::text(&project(request)?));
    Ok(Exit::Usage)
}

/// Prints completions. A mistake only means fewer choices: the reader learns of it when the line runs.
fn complete(request: &Request, shell: Shell, words: &[String]) {
    let load = |fabfile| project(&Request { fabfile, ..request.clone() }).ok();
    let mut known = Completer { flags: completing::all(&flags::command()), request, file: None, load: &load };
    report::say(&completing::shown(shell, &completing::choices(words, &mut known)));
}

/// Writes a fabfile and its fleets into this folder, unless this folder or one above it has a fabfile.
fn init() -> Result<(), Stopped> {
    let here = here()?;
    if let Some(file) = fabfile::nearest(&here, home().as_deref()) {
        let failure = Failure::failed(format!("`{}` already exists, so rfab wrote nothing", file.display()));
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
