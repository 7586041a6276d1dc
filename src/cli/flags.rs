//! The flags: what the tool itself does.
use super::{
    allowed::{self, Allowed},
    completing::{self, Shell},
    habits,
    listed::Listed,
    request::{Action, Color, Detail, Request},
};
use crate::{failure::Exit, session::UnknownOutcome};
use clap::{
    ArgAction, Args, CommandFactory, Parser,
    builder::{NonEmptyStringValueParser, PossibleValuesParser, Styles, TypedValueParser},
    error::{ContextKind, ErrorKind},
    value_parser,
};
use std::{ffi::OsString, fmt, path::PathBuf};

const ABOUT: &str = "Deploys software to groups of servers behind a load balancer, from a script.

Every word is a task of the fabfile, or an argument of the task before it. Flags can be anywhere
before `--`. A command after `--` runs on the targets: one word is a shell line, several are a
program and its arguments.";

/// Every word is a task of the fabfile, or an argument of the task before it.
#[derive(Parser)]
#[command(
    name = "rfab",
    version,
    about = ABOUT,
    disable_help_flag = true,
    disable_version_flag = true,
    override_usage = "rfab [FLAGS] TASK[:ARGUMENT,...] [ARGUMENT...] ... [-- COMMAND...]",
    term_width = 100,
    styles = Styles::plain()
)]
struct Flags {
    #[arg(value_name = "TASK", hide = true)]
    words: Vec<String>,
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    allowed: Allowed,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    instead: Instead,
    #[command(flatten)]
    listed: Listed,
}

#[derive(Args)]
#[command(next_help_heading = "What to run, and where")]
struct Scope {
    /// Use this fabfile, not the nearest fabfile.rhai from here upward
    #[arg(short, long, value_name = "FILE")]
    fabfile: Option<PathBuf>,
    /// Set a key of the fleet file for this run; repeatable
    #[arg(long, value_name = "KEY=VALUE", value_parser = setting)]
    set: Vec<(String, String)>,
    /// Limit the targets to these hosts
    #[arg(long, value_name = "SELECTION", value_parser = NonEmptyStringValueParser::new())]
    limit: Option<String>,
    /// Exclude these hosts from the targets; repeatable
    #[arg(long, value_name = "SELECTION", value_parser = NonEmptyStringValueParser::new())]
    exclude: Vec<String>,
    /// Work on at most N hosts in parallel
    #[arg(short = 'P', long, value_name = "N", default_value = "32", value_parser = value_parser!(u16).range(1..))]
    parallel: u16,
    /// Promise that the command after `--` only reads
    #[arg(long)]
    read: bool,
}

#[derive(Args)]
#[command(next_help_heading = "Output")]
struct Output {
    /// Write events, or the list of tasks, as JSON
    #[arg(long)]
    json: bool,
    /// Show more
    #[arg(short, long, action = ArgAction::Count)]
    verbose: u8,
    /// Show only what went wrong, and the closing table
    #[arg(short, long, conflicts_with = "verbose")]
    quiet: bool,
    /// Color the output: auto, always, or never; NO_COLOR means never
    #[arg(long, value_name = "WHEN", value_parser = color_parser(), hide_possible_values = true)]
    color: Option<Color>,
}

#[derive(Args)]
#[command(next_help_heading = "Instead of tasks")]
struct Instead {
    /// List the tasks
    #[arg(long, group = "instead", conflicts_with = "words")]
    list: bool,
    /// Show what a script can call, the page of NAME, or those with that word
    #[arg(long, value_name = "NAME", num_args = 0..=1, group = "instead", conflicts_with = "words", value_parser = NonEmptyStringValueParser::new())]
    docs: Option<Option<String>>,
    /// Trust the key of HOST, or of `all`, after showing it and asking
    #[arg(long, value_name = "HOST", group = "instead", value_parser = NonEmptyStringValueParser::new())]
    trust: Option<String>,
    /// List the runs of this machine, the newest first
    #[arg(long, group = "instead", conflicts_with = "words")]
    history: bool,
    /// Show what RUN did, by the beginning of its id
    #[arg(long, value_name = "RUN", group = "instead", conflicts_with = "words", value_parser = NonEmptyStringValueParser::new())]
    show: Option<String>,
    /// Resume RUN, or the run of this fabfile that isn't done; what it did isn't repeated
    #[arg(long, value_name = "RUN", num_args = 0..=1, group = "instead", conflicts_with = "words", value_parser = NonEmptyStringValueParser::new())]
    resume: Option<Option<String>>,
    /// With --resume: repeat a step if rfab can't tell whether it was done
    #[arg(long, requires = "resume", conflicts_with = "skip")]
    retry: bool,
    /// With --resume: skip a step if rfab can't tell whether it was done
    #[arg(long, requires = "resume")]
    skip: bool,
    /// With --resume: continue although the fabfile or a fleet was changed since
    #[arg(long, requires = "resume")]
    force_changed: bool,
    /// Abort RUN, or the run of this fabfile that isn't done: hosts return to their old releases
    #[arg(long, value_name = "RUN", num_args = 0..=1, group = "instead", conflicts_with = "words", value_parser = NonEmptyStringValueParser::new())]
    abort: Option<Option<String>>,
    /// Write a fabfile and fleet files for this folder, from what is found in it; nothing is overwritten
    #[arg(long, group = "instead", conflicts_with = "words")]
    init: bool,
    /// Print what SHELL (bash, zsh or fish) needs to complete lines of rfab
    #[arg(long, value_name = "SHELL", group = "instead", conflicts_with = "words", value_parser = completing::parser(), hide_possible_values = true)]
    completions: Option<Shell>,
    /// Show the five commands of a release on a fleet inside this process
    #[arg(long, group = "instead", conflicts_with = "words")]
    demo: bool,
    /// Show the version, and the commit that it is built from
    #[arg(long, group = "instead", conflicts_with = "words")]
    version: bool,
    /// Show this help, and that of the tasks in the line; do nothing else
    #[arg(short, long)]
    help: bool,
}

/// Flags that cannot be understood; displayed as the whole text to print.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Error {
    text: String,
}

impl Error {
    /// The exit code.
    pub fn exit(&self) -> Exit {
        Exit::Usage
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text.trim_end())
    }
}

/// Turns a process's arguments, the program's name first, into what they ask for.
///
/// `no_color` says whether the environment has a `NO_COLOR` that is not empty. Where `--help` or `-h` stands before
/// `--`, the answer is help, whatever else is there.
pub fn read(args: impl IntoIterator<Item = OsString>, no_color: bool) -> Result<Request, Error> {
    let mut before: Vec<OsString> = allowed::joined(args);
    if let Some(action) = completing::asked(&before) {
        return Ok(request(action, Flags::try_parse_from(&before[..1]).map_err(told)?, no_color));
    }
    let command = before.iter().position(|arg| arg == "--").map(|at| {
        let behind = before.split_off(at);
        behind.into_iter().skip(1)
    });
    if before.iter().skip(1).any(|arg| arg == "--help" || arg == "-h") {
        // What else is wrong with the line must not stand in the way of help.
        let flags = Flags::try_parse_from(&before).or_else(|_| Flags::try_parse_from(&before[..1])).map_err(told)?;
        return Ok(request(Action::Help { words: flags.words.clone() }, flags, no_color));
    }
    let flags = Flags::try_parse_from(&before).map_err(told)?;
    if flags.instead.help {
        return Ok(request(Action::Help { words: flags.words.clone() }, flags, no_color));
    }
    let command = command
        .map(|words| words.map(|word| word.into_string()).collect::<Result<Vec<String>, OsString>>())
        .transpose()
        .map_err(|word| conflict(format!("a word after '--' isn't UTF-8: {}", word.to_string_lossy())))?;
    if flags.scope.read && command.is_none() {
        return Err(conflict("the argument '--read' needs a command after '--'".to_owned()));
    }
    if let Some(flag) = flags.listed.given().filter(|_| !flags.instead.history) {
        return Err(conflict(format!("the argument '{flag}' is for '--history'")));
    }
    let words = flags.words.clone();
    let Instead {
        list,
        docs,
        trust,
        history,
        show,
        resume,
        abort,
        retry,
        skip,
        force_changed,
        init,
        completions,
        demo,
        version,
        help: _,
    } = &flags.instead;
    let doubt = match (retry, skip) {
        (true, _) => UnknownOutcome::Retry,
        (_, true) => UnknownOutcome::Skip,
        _ => UnknownOutcome::Ask,
    };
    let action = match (list, docs, trust, (history, show, resume, abort), (init, completions, demo), version) {
        (false, None, None, (false, None, None, None), (false, None, false), false) => Action::Run { words, command },
        _ if command.is_some() => {
            return Err(conflict("a command after '--' is for targets; a flag can't replace them".to_owned()));
        }
        (true, ..) => Action::List,
        (_, Some(name), ..) => Action::Docs { name: name.clone() },
        (_, _, Some(host), ..) => Action::Trust { host: host.clone(), words },
        (.., (true, ..), _, _) => {
            let (filter, most) = flags.listed.chosen();
            Action::History { filter, most }
        }
        (.., (_, Some(run), ..), _, _) => Action::Show { run: run.clone() },
        (.., (_, _, Some(run), _), _, _) => Action::Resume { run: run.clone(), doubt, force_changed: *force_changed },
        (.., (.., Some(run)), _, _) => Action::Abort { run: run.clone() },
        (.., (true, ..), _) => Action::Init,
        (.., (_, Some(shell), _), _) => Action::Completions { shell: *shell },
        (.., (.., true), _) => Action::Demo,
        (.., true) => Action::Version,
    };
    Ok(request(action, flags, no_color))
}

/// The text of `--help`.
pub fn help() -> String {
    let codes = Exit::ALL.iter().map(|(exit, text)| format!("{:>5}  {text}\n", exit.code())).collect::<String>();
    let help = Flags::command().after_help(format!("Exit codes:\n{codes}")).render_help();
    format!("{}\n", help.to_string().trim_end())
}

/// Every flag, as clap knows it.
pub fn command() -> clap::Command {
    Flags::command()
}

/// The text of `--version`; a build from an archive, and one that is no release, does not know its commit.
pub fn version() -> String {
    worded(option_env!("RFAB_COMMIT").zip(option_env!("RFAB_DATE")))
}

fn worded(built: Option<(&str, &str)>) -> String {
    let from = built.map(|(commit, date)| format!(" ({commit}, {date})")).unwrap_or_default();
    format!("{}{from}\n", Flags::command().render_version().trim_end())
}

fn request(action: Action, flags: Flags, no_color: bool) -> Request {
    let Flags { words: _, scope, allowed, output, instead: _, listed: _ } = flags;
    Request {
        action,
        fabfile: scope.fabfile,
        set: scope.set,
        limit: scope.limit,
        exclude: scope.exclude,
        parallel: scope.parallel.into(),
        no_fetch: allowed.no_fetch,
        read: scope.read,
        allowed: allowed.into(),
        json: output.json,
        detail: match (output.quiet, output.verbose) {
            (true, _) => Detail::Quiet,
            (false, 0) => Detail::Normal,
            (false, _) => Detail::Verbose,
        },
        color: output.color.unwrap_or(if no_color { Color::Never } else { Color::Auto }),
    }
}

/// Clap's own words, without its tip to write a flag behind `--`, where a command for the targets stands.
fn told(mut error: clap::Error) -> Error {
    error.remove(ContextKind::Suggested);
    Error { text: habits::told(error).render().to_string() }
}

fn conflict(message: String) -> Error {
    told(Flags::command().error(ErrorKind::ArgumentConflict, message))
}

fn setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        None => Err("it has no `=`".to_owned()),
        Some((key, _)) if key.split('.').any(|part| part.trim().is_empty()) => Err(format!("`{key}` isn't a key")),
        Some((key, value)) => Ok((key.to_owned(), value.to_owned())),
    }
}

fn color_parser() -> impl TypedValueParser<Value = Color> {
    PossibleValuesParser::new(["auto", "always", "never"]).map(|when| match when.as_str() {
        "always" => Color::Always,
        "never" => Color::Never,
        _ => Color::Auto,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        session::{Allowances, Yes},
        store::{Ending, Filter},
        ui::Pausing,
    };
    use std::os::unix::ffi::OsStringExt;

    fn understand(typed: &[&str]) -> Result<Request, Error> {
        read(["rfab"].iter().chain(typed).map(OsString::from), false)
    }

    fn action(typed: &[&str]) -> Action {
        understand(typed).unwrap_or_else(|error| panic!("{typed:?}: {error}")).action
    }

    /// The first line of what is said, which is the part without the usage.
    fn refused(typed: &[&str]) -> String {
        match understand(typed) {
            Ok(request) => panic!("{typed:?} was understood as {request:?}"),
            Err(error) => error.to_string().lines().next().unwrap_or("").to_owned(),
        }
    }

    fn run(words: &[&str], command: Option<&[&str]>) -> Action {
        let owned = |words: &[&str]| words.iter().map(|word| word.to_string()).collect();
        Action::Run { words: owned(words), command: command.map(owned) }
    }

    fn help_for(words: &[&str]) -> Action {
        Action::Help { words: words.iter().map(|word| word.to_string()).collect() }
    }

    fn plain(action: Action) -> Request {
        Request {
            action,
            fabfile: None,
            set: vec![],
            limit: None,
            exclude: vec![],
            parallel: 32,
            allowed: Allowances::default(),
            no_fetch: false,
            read: false,
            json: false,
            detail: Detail::Normal,
            color: Color::Auto,
        }
    }

    #[test]
    fn nothing_is_asked_for_that_is_not_typed() {
        assert_eq!(understand(&[]), Ok(plain(run(&[], None))));
        assert_eq!(understand(&["prod", "deploy:stable"]), Ok(plain(run(&["prod", "deploy:stable"], None))));
    }

    #[test]
    fn flags_stand_anywhere_before_the_two_dashes() {
        let typed = "--force prod -f x/fabfile.rhai out --set app.keep=3 deploy --set a=b=c --set user= stable --limit web1 \
                     --exclude web2 -P8 --exclude web3,web4 --yes=prod --unproven --no-fetch --wait --pause 10m --without-balancer bk_old --allow-outage bk_web --json -v \
                     --allow-outage bk_api --color=always";
        let expected = Request {
            fabfile: Some("x/fabfile.rhai".into()),
            set: [("app.keep", "3"), ("a", "b=c"), ("user", "")].map(|(k, v)| (k.to_owned(), v.to_owned())).to_vec(),
            limit: Some("web1".into()),
            exclude: vec!["web2".into(), "web3,web4".into()],
            parallel: 8,
            allowed: Allowances {
                yes: Yes::Fleet("prod".into()),
                force: true,
                unproven: true,
                wait: true,
                force_changed: false,
                pause: Some(Pausing::For(600_000)),
                allow_outage: vec!["bk_web".into(), "bk_api".into()],
                without_balancer: vec!["bk_old".into()],
            },
            no_fetch: true,
            json: true,
            detail: Detail::Verbose,
            color: Color::Always,
            ..plain(run(&["prod", "out", "deploy", "stable"], None))
        };
        assert_eq!(understand(&typed.split_whitespace().collect::<Vec<_>>()), Ok(expected));
    }

    #[test]
    fn what_stands_behind_the_two_dashes_is_a_command_whatever_it_looks_like() {
        let typed = ["prod", "--read", "--", "ls", "--help", "-h", "--json", "--", "x"];
        let expected =
            Request { read: true, ..plain(run(&["prod"], Some(&["ls", "--help", "-h", "--json", "--", "x"]))) };
        assert_eq!(understand(&typed), Ok(expected));
        assert_eq!(action(&["--", "uptime"]), run(&[], Some(&["uptime"])));
        assert_eq!(action(&["prod", "--"]), run(&["prod"], Some(&[])));
    }

    #[test]
    fn yes_takes_a_name_only_behind_an_equals_sign() {
        let said = |typed: &[&str]| understand(typed).map(|request| (request.allowed.yes, request.action)).unwrap();
        assert_eq!(said(&["-y", "prod"]), (Yes::Unnamed, run(&["prod"], None)));
        assert_eq!(said(&["--yes", "prod"]), (Yes::Unnamed, run(&["prod"], None)));
        assert_eq!(said(&["-y=prod", "prod"]), (Yes::Fleet("prod".into()), run(&["prod"], None)));
        assert_eq!(
            refused(&["--yes=", "prod"]),
            "error: a value is required for '--yes[=<NAME>]' but none was supplied"
        );
        assert_eq!(refused(&["-yprod"]), "error: unexpected argument '-p' found");
    }

    #[test]
    fn help_before_the_two_dashes_is_help_whatever_else_is_there() {
        assert_eq!(action(&["--help"]), help_for(&[]));
        assert_eq!(action(&["prod", "--help"]), help_for(&["prod"]));
        assert_eq!(action(&["prod:out", "-h", "deploy", "stable"]), help_for(&["prod:out", "deploy", "stable"]));
        assert_eq!(action(&["prod", "-vh"]), help_for(&["prod"]));
        assert_eq!(action(&["prod", "--help", "--", "reboot"]), help_for(&["prod"]));
        for others in ["--list", "--version", "--demo", "--docs", "--trust web1", "--read", "--yes=prod"] {
            let typed: Vec<&str> = others.split(' ').chain(["--help"]).collect();
            assert_eq!(action(&typed), help_for(&[]), "{others}");
        }
        for wrong in
            ["--bogus", "-f", "--set", "--limit", "--trust", "--set x", "--list --demo", "-P 0", "--color blue"]
        {
            for flag in ["--help", "-h"] {
                let before: Vec<&str> = [flag].into_iter().chain(wrong.split(' ')).collect();
                let behind: Vec<&str> = ["deploy"].into_iter().chain(wrong.split(' ')).chain([flag]).collect();
                assert_eq!((action(&before), action(&behind)), (help_for(&[]), help_for(&[])), "{wrong}");
            }
        }
    }

    #[test]
    fn help_alone_does_nothing_and_its_likes_are_refused() {
        for typed in ["--hel", "--help=x", "-help", "--usage", "-?"] {
            let answer = understand(&["deploy:x", typed]);
            assert!(!matches!(answer, Ok(Request { action: Action::Run { .. }, .. })), "{typed}: {answer:?}");
        }
    }

    #[test]
    fn some_flags_stand_instead_of_tasks() {
        assert_eq!(understand(&["--list", "--json"]), Ok(Request { json: true, ..plain(Action::List) }));
        assert_eq!(action(&["--version"]), Action::Version);
        assert_eq!(action(&["--demo"]), Action::Demo);
        assert_eq!(action(&["--docs"]), Action::Docs { name: None });
        assert_eq!(action(&["--docs", "host.run"]), Action::Docs { name: Some("host.run".into()) });
        let trust = |words: &[&str]| Action::Trust {
            host: "web1".into(),
            words: words.iter().map(|word| word.to_string()).collect(),
        };
        assert_eq!(action(&["--trust", "web1"]), trust(&[]));
        assert_eq!(action(&["prod", "--trust", "web1"]), trust(&["prod"]));
        assert_eq!(refused(&["--list", "--demo"]), "error: the argument '--list' cannot be used with '--demo'");
        assert_eq!(refused(&["prod", "--list"]), "error: the argument '[TASK]...' cannot be used with '--list'");
        for instead in [&["--list"][..], &["--docs"], &["--demo"], &["--version"], &["--trust", "web1"]] {
            let typed = [instead, &["--", "uptime"]].concat();
            assert_eq!(refused(&typed), "error: a command after '--' is for targets; a flag can't replace them");
        }
    }

    #[test]
    fn which_runs_are_listed_is_said_beside_history_and_nowhere_else() {
        let listed = |typed: &[&str]| match action(&[&["--history"], typed].concat()) {
            Action::History { filter, most } => (filter, most),
            other => panic!("{other:?}"),
        };
        assert_eq!(listed(&[]), (Filter::default(), 30));
        let typed = "--fleet prod --task deploy --outcome failed --outcome left-out --since 2026-11-24T18:00:00Z --until \
                     2026-11-24T19:00:00Z --newest 5";
        let filter = Filter {
            fleet: Some("prod".into()),
            task: Some("deploy".into()),
            endings: vec![Ending::Failed, Ending::LeftOut],
            since: Some(1_795_543_200_000),
            until: Some(1_795_546_800_000),
        };
        assert_eq!(listed(&typed.split_whitespace().collect::<Vec<_>>()), (filter, 5));
        for (typed, said) in [
            ("prod --fleet x", "error: the argument '--fleet' is for '--history'"),
            ("--list --task x", "error: the argument '--task' is for '--history'"),
            ("--show a --since 2h", "error: the argument '--since' is for '--history'"),
            ("--outcome done", "error: the argument '--outcome' is for '--history'"),
            ("prod --newest 30", "error: the argument '--newest' is for '--history'"),
            ("--history --outcome dnoe", "error: invalid value 'dnoe' for '--outcome <ENDING>'"),
            ("--history --newest 0", "error: invalid value '0' for '--newest <N>': 0 is not in 1..=4294967295"),
        ] {
            assert_eq!(refused(&typed.split(' ').collect::<Vec<_>>()), said, "{typed}");
        }
        let error = understand(&["--history", "--outcome", "dnoe"]).unwrap_err().to_string();
        assert!(error.ends_with("\n  tip: a similar value exists: 'done'"), "{error}");
    }

    #[test]
    fn detail_and_color_are_as_asked_for() {
        let detail = |typed: &[&str]| understand(typed).unwrap().detail;
        assert_eq!((detail(&["-q", "x"]), detail(&["-vv", "x"])), (Detail::Quiet, Detail::Verbose));
        assert_eq!(refused(&["-v", "-q"]), "error: the argument '--verbose...' cannot be used with '--quiet'");
        let color = |typed: &str, no_color| read(["rfab", typed].map(OsString::from), no_color).unwrap().color;
        assert_eq!((color("x", false), color("x", true)), (Color::Auto, Color::Never));
        assert_eq!((color("--color=always", true), color("--color=auto", true)), (Color::Always, Color::Auto));
        assert_eq!(color("--color=never", false), Color::Never);
    }

    #[test]
    fn a_flag_that_is_not_understood_is_refused() {
        let usage = "Usage: rfab [FLAGS] TASK[:ARGUMENT,...] [ARGUMENT...] ... [-- COMMAND...]";
        let error = understand(&["prod", "--plan", "deploy:stable"]).unwrap_err();
        assert_eq!(error.to_string(), format!("error: unexpected argument '--plan' found\n\n{usage}"));
        assert_eq!(error.exit(), Exit::Usage);
        let error = understand(&["prod", "--lst"]).unwrap_err().to_string();
        let tip = "  tip: a similar argument exists: '--list'";
        assert_eq!(error, format!("error: unexpected argument '--lst' found\n\n{tip}\n\n{usage}"));
        for (typed, said) in [
            ("prod -5", "error: unexpected argument '-5' found"),
            ("-P 0 x", "error: invalid value '0' for '--parallel <N>': 0 is not in 1..=65535"),
            ("--set keep x", "error: invalid value 'keep' for '--set <KEY=VALUE>': it has no `=`"),
            ("--set app..a=1 x", "error: invalid value 'app..a=1' for '--set <KEY=VALUE>': `app..a` isn't a key"),
            ("--set =1 x", "error: invalid value '=1' for '--set <KEY=VALUE>': `` isn't a key"),
            ("--limit= x", "error: a value is required for '--limit <SELECTION>' but none was supplied"),
            ("--limit a --limit b x", "error: the argument '--limit <SELECTION>' cannot be used multiple times"),
            ("-f -- x", "error: a value is required for '--fabfile <FILE>' but none was supplied"),
            (
                "--pause=x y",
                "error: invalid value 'x' for '--pause[=<TIME>]': it is neither a time such as `10m` nor `ask`",
            ),
            ("--color blue x", "error: invalid value 'blue' for '--color <WHEN>'"),
            ("prod deploy:x --read", "error: the argument '--read' needs a command after '--'"),
        ] {
            assert_eq!(refused(&typed.split(' ').collect::<Vec<_>>()), said, "{typed}");
        }
    }

    #[test]
    fn words_that_are_not_utf_8_are_refused() {
        let wrong = || OsString::from_vec(vec![b'a', 0xff]);
        let said = |args: Vec<OsString>| read(args, false).unwrap_err().to_string();
        let before = said(vec!["rfab".into(), wrong()]);
        assert!(before.starts_with("error: invalid UTF-8 was detected"), "{before}");
        let behind = said(vec!["rfab".into(), "--".into(), "echo".into(), wrong()]);
        assert!(behind.starts_with("error: a word after '--' isn't UTF-8: a\u{fffd}\n"), "{behind}");
    }

    #[test]
    fn the_definition_holds_together() {
        Flags::command().debug_assert();
        let version = concat!("rfab ", env!("CARGO_PKG_VERSION"));
        assert_eq!(worded(None), format!("{version}\n"));
        assert_eq!(worded(Some(("31422108d2df", "2026-11-24"))), format!("{version} (31422108d2df, 2026-11-24)\n"));
    }

    #[test]
    fn help_is_this_text() {
        assert_eq!(help(), include_str!("help.txt"));
    }
}
