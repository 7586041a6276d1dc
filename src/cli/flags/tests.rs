use super::*;
use crate::{
    cli::request::{Color, Detail},
    session::{Allowances, ConsentFlag},
    store::{Ending, Filter},
    ui::Pausing,
};
use std::os::unix::ffi::OsStringExt;

fn understand(typed: &[&str]) -> Result<Request, FlagError> {
    read(["rfab"].iter().chain(typed).map(OsString::from), false)
}

fn action(typed: &[&str]) -> Action {
    understand(typed).unwrap_or_else(|error| panic!("{typed:?}: {error}")).action
}

/// Returns the first line of the error, which is the part without the usage.
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
        no_persist: false,
        transport: None,
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
                 --exclude web2 -P8 --exclude web3,web4 --yes=prod --unproven --verify --no-fetch --wait --pause 10m --without-balancer bk_old --without-gate outage --allow-outage bk_web --json -v \
                 --allow-outage bk_api --color=always";
    let expected = Request {
        fabfile: Some("x/fabfile.rhai".into()),
        set: [("app.keep", "3"), ("a", "b=c"), ("user", "")].map(|(k, v)| (k.to_owned(), v.to_owned())).to_vec(),
        limit: Some("web1".into()),
        exclude: vec!["web2".into(), "web3,web4".into()],
        parallel: 8,
        allowed: Allowances {
            yes: ConsentFlag::Fleet("prod".into()),
            force: true,
            unproven: true,
            verify: true,
            wait: true,
            force_changed: false,
            pause: Some(Pausing::For(600_000)),
            allow_outage: vec!["bk_web".into(), "bk_api".into()],
            without_balancer: vec!["bk_old".into()],
            without_gate: Some("outage".into()),
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
    let expected = Request { read: true, ..plain(run(&["prod"], Some(&["ls", "--help", "-h", "--json", "--", "x"]))) };
    assert_eq!(understand(&typed), Ok(expected));
    assert_eq!(action(&["--", "uptime"]), run(&[], Some(&["uptime"])));
    assert_eq!(action(&["prod", "--"]), run(&["prod"], Some(&[])));
}

#[test]
fn yes_takes_a_name_only_behind_an_equals_sign() {
    let said = |typed: &[&str]| understand(typed).map(|request| (request.allowed.yes, request.action)).unwrap();
    assert_eq!(said(&["-y", "prod"]), (ConsentFlag::Unnamed, run(&["prod"], None)));
    assert_eq!(said(&["--yes", "prod"]), (ConsentFlag::Unnamed, run(&["prod"], None)));
    assert_eq!(said(&["-y=prod", "prod"]), (ConsentFlag::Fleet("prod".into()), run(&["prod"], None)));
    assert_eq!(refused(&["--yes=", "prod"]), "error: a value is required for '--yes[=<NAME>]' but none was supplied");
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
    for wrong in ["--bogus", "-f", "--set", "--limit", "--trust", "--set x", "--list --demo", "-P 0", "--color blue"] {
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
        ("prod --fleet x", "error: the argument '--fleet' works only with '--history'"),
        ("--list --task x", "error: the argument '--task' works only with '--history'"),
        ("--show a --since 2h", "error: the argument '--since' works only with '--history'"),
        ("--outcome done", "error: the argument '--outcome' works only with '--history'"),
        ("prod --newest 30", "error: the argument '--newest' works only with '--history'"),
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
fn the_arguments_of_a_request_are_understood_as_that_request() {
    for typed in [
        "--abort=a --limit a -P 4 --wait --unproven --allow-outage a --allow-outage b",
        "--abort=--x --exclude a --yes=prod",
        "--abort=a -y -f fabfile.rhai",
    ] {
        let request = understand(&typed.split(' ').collect::<Vec<_>>()).unwrap();
        let Action::Abort { run: Some(run) } = &request.action else { panic!("{request:?}") };
        let argv = [request.argv(), vec![format!("--abort={run}")]].concat();
        assert_eq!(understand(&argv.iter().map(String::as_str).collect::<Vec<_>>()), Ok(request), "{typed}");
    }
}
