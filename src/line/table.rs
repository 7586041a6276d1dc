//! Tests what typed lines mean, or why they're refused.
use super::*;
use crate::fabfile::task::Overload;
use rand::{RngExt, SeedableRng, rngs::StdRng};

/// Builds a task from its parameters, with `;` between overloads. A name with `!` in front names hosts.
fn task(name: &str, overloads: &str, doc: &str) -> Signature {
    let (names_hosts, name) = (name.starts_with('!'), name.trim_start_matches('!'));
    let overload = |text: &str| {
        let mut parameters: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        let options = parameters.pop_if(|last| last == "options").is_some();
        Overload { parameters, options }
    };
    let module = name.strip_prefix("db.").map(|_| "db".to_owned());
    let function = if module.is_some() { name.replace('.', "::") } else { name.replace('.', "_") };
    let overloads = overloads.split(';').map(overload).collect();
    Signature { name: name.to_owned(), function, module, overloads, names_hosts, doc: doc.to_owned() }
}

fn shop() -> Vec<Signature> {
    vec![
        task("!prod", "which;", "Production, or a part of it.\n\nMore of it."),
        task("!testing", "number;", "A testing environment."),
        task("deploy", "reference", "Deploys `reference` to the targets."),
        task("release", "reference", "Everything in one."),
        task("proxy.group2", "", "Makes group2 live."),
        task("proxy.flip", "", "Swaps the groups."),
        task("proxy.all", "hosts;", "Puts every healthy host back."),
        task("restart", "", "Restarts the service."),
        task("copy", "from to", "Copies a file."),
        task("roll", "what; what share pause", "Rolls."),
        task("tune", "pool options; options", "Tunes pools."),
        task("mark", "text; text options", "Marks."),
        task("odd", "a; x y", ""),
        Signature { function: "sync_".into(), ..task("sync", "", "Syncs.") },
        task("db.migrate", "", "Migrates."),
        task("status", "", ""),
    ]
}

fn words(typed: &[&str]) -> Vec<String> {
    typed.iter().map(|word| word.to_string()).collect()
}

fn understand(typed: &[&str]) -> Result<CommandLine, LineError> {
    let mut parts = typed.splitn(2, |word| *word == "--");
    let (before, behind) = (words(parts.next().unwrap()), parts.next().map(words));
    parse(&before, behind.as_deref(), &shop())
}

/// Writes a line as the calls that a script would make.
fn calls(line: &CommandLine) -> String {
    let call = |call: &TaskCall| {
        let mut values: Vec<String> = call.arguments.iter().map(|value| format!("<{value}>")).collect();
        if call.takes_options {
            let options = call.options.iter().map(|(name, value)| format!("{name}: <{value}>"));
            values.push(format!("#{{{}}}", options.collect::<Vec<_>>().join(", ")));
        }
        format!("{}({})", call.function, values.join(", "))
    };
    let mut calls: Vec<String> = line.calls.iter().map(call).collect();
    calls.extend(line.command.as_ref().map(|command| format!("{command:?}")));
    calls.join(" ")
}

/// The typed words, their normal form, and the calls.
const UNDERSTOOD: &[(&[&str], &str, &str)] = &[
    // Lines of a typical day.
    (&["prod", "proxy.group2"], "prod proxy.group2", "prod() proxy_group2()"),
    (&["prod:out", "deploy:stable"], "prod:out deploy:stable", "prod(<out>) deploy(<stable>)"),
    (&["prod", "proxy.flip"], "prod proxy.flip", "prod() proxy_flip()"),
    (&["prod", "out", "deploy", "stable"], "prod:out deploy:stable", "prod(<out>) deploy(<stable>)"),
    (&["deploy", "stable"], "deploy:stable", "deploy(<stable>)"),
    (&["prod", "release:stable"], "prod release:stable", "prod() release(<stable>)"),
    (&["testing", "deploy", "my-branch"], "testing deploy:my-branch", "testing() deploy(<my-branch>)"),
    (&["testing", "3", "deploy", "my-branch"], "testing:3 deploy:my-branch", "testing(<3>) deploy(<my-branch>)"),
    // Any number of tasks, from left to right.
    (&["prod", "deploy:stable"], "prod deploy:stable", "prod() deploy(<stable>)"),
    (&["restart", "restart"], "restart restart", "restart() restart()"),
    (
        &["prod", "restart", "testing", "restart"],
        "prod restart testing restart",
        "prod() restart() testing() restart()",
    ),
    (&["prod", "testing", "deploy", "x"], "prod testing deploy:x", "prod() testing() deploy(<x>)"),
    // Values after the first colon.
    (&["copy:a,b"], "copy:a,b", "copy(<a>, <b>)"),
    (&["copy:to=b,from=a"], "copy:a,b", "copy(<a>, <b>)"),
    (&["copy:a,to=b"], "copy:a,b", "copy(<a>, <b>)"),
    (&["copy:to=b,a"], "copy:a,b", "copy(<a>, <b>)"),
    (&["copy:,"], "copy:,", "copy(<>, <>)"),
    (&["roll:a,,b"], "roll:a,,b", "roll(<a>, <>, <b>)"),
    (&["deploy:reference="], "deploy:", "deploy(<>)"),
    (&["deploy:"], "deploy:", "deploy(<>)"),
    (&["prod:"], "prod:", "prod(<>)"),
    (&["deploy:a:b:c"], "deploy:a:b:c", "deploy(<a:b:c>)"),
    (&["copy:a:b,http://x:1/"], "copy:a:b,http://x:1/", "copy(<a:b>, <http://x:1/>)"),
    (&["copy:to=a:b=c,from=x"], "'copy:x,a:b\\=c'", "copy(<x>, <a:b=c>)"),
    (&["copy:a\\,b,c"], "'copy:a\\,b,c'", "copy(<a,b>, <c>)"),
    (&["copy:to\\=b,c"], "'copy:to\\=b,c'", "copy(<to=b>, <c>)"),
    (&["copy:a\\\\,b\\n,c\\"], "'copy:a\\\\,b\\n,c\\'", "copy(<a\\,b\\n>, <c\\>)"),
    (&["copy:from=x\\,to=y,to=z"], "'copy:x\\,to\\=y,z'", "copy(<x,to=y>, <z>)"),
    (&["copy:to=b,from=a\\"], "'copy:to=b,from=a\\'", "copy(<a\\>, <b>)"),
    (&["copy", "a\\", "b\\"], "copy 'a\\' 'b\\'", "copy(<a\\>, <b\\>)"),
    (&["copy", "a b", "it's"], "'copy:a b,it'\\''s'", "copy(<a b>, <it's>)"),
    (&["deploy:$(touch x)"], "'deploy:$(touch x)'", "deploy(<$(touch x)>)"),
    // Values that are left for `options`.
    (&["tune:web,size=3,at=1"], "tune:web,at=1,size=3", "tune(<web>, #{at: <1>, size: <3>})"),
    (&["tune:pool=web,size="], "tune:web,size=", "tune(<web>, #{size: <>})"),
    (&["tune:size=3"], "tune:size=3", "tune(#{size: <3>})"),
    (&["tune:size=a\\,b\\=c\\"], "'tune:size=a\\,b\\=c\\'", "tune(#{size: <a,b=c\\>})"),
    (&["tune:a\\,\\=b=c"], "'tune:a\\,\\=b=c'", "tune(#{a,=b: <c>})"),
    (&["tune:z=1\\\\,b=2,pool=p\\"], "'tune:z=1\\\\,b\\=2,pool=p\\'", "tune(<p\\>, #{z: <1\\,b=2>})"),
    (&["tune"], "tune", "tune(#{})"),
    (&["tune", "web"], "tune:web", "tune(<web>, #{})"),
    (&["mark:a"], "mark:a", "mark(<a>)"),
    (&["mark:a,b=c"], "mark:a,b=c", "mark(<a>, #{b: <c>})"),
    (&["mark:options=1,text=2"], "mark:2,options=1", "mark(<2>, #{options: <1>})"),
    // A single argument takes the whole text, unless an overload takes that many values.
    (&["prod:web1,web2"], "prod:web1,web2", "prod(<web1,web2>)"),
    (&["prod:web1,web2,^web3"], "prod:web1,web2,^web3", "prod(<web1,web2,^web3>)"),
    (&["prod:web1\\,web2"], "prod:web1,web2", "prod(<web1,web2>)"),
    (&["prod", "web1,web2"], "prod:web1,web2", "prod(<web1,web2>)"),
    (&["prod:a\\=b,c"], "'prod:a\\=b,c'", "prod(<a=b,c>)"),
    (&["prod", "a\\,b"], "'prod:a\\\\,b'", "prod(<a\\,b>)"),
    (&["prod:which=web1\\,web2"], "prod:web1,web2", "prod(<web1,web2>)"),
    (&["roll:a,b"], "roll:a,b", "roll(<a,b>)"),
    (&["roll", "a,b,c"], "'roll:a\\,b\\,c'", "roll(<a,b,c>)"),
    (&["deploy:,"], "deploy:,", "deploy(<,>)"),
    // A word is only a task if the part before its first `:` is one.
    (&["deploy", "http://x"], "deploy:http://x", "deploy(<http://x>)"),
    (&["prod", "web1:8080", "restart"], "prod:web1:8080 restart", "prod(<web1:8080>) restart()"),
    (&["deploy", "v1=v2,v3"], "'deploy:v1\\=v2,v3'", "deploy(<v1=v2,v3>)"),
    (&["deploy", ""], "deploy:", "deploy(<>)"),
    // Plain words: those that are required, then those of a longer overload that aren't tasks.
    (&["prod", "restart"], "prod restart", "prod() restart()"),
    (&["roll", "a", "restart"], "roll:a restart", "roll(<a>) restart()"),
    (&["roll", "a", "b", "c", "restart"], "roll:a,b,c restart", "roll(<a>, <b>, <c>) restart()"),
    (&["prod", "copy", "a", "b", "restart"], "prod copy:a,b restart", "prod() copy(<a>, <b>) restart()"),
    (&["proxy.all", "web1", "restart"], "proxy.all:web1 restart", "proxy_all(<web1>) restart()"),
    (&["prod", "depoly:stable"], "prod:depoly:stable", "prod(<depoly:stable>)"),
    // A task with a colon takes no plain words.
    (&["deploy:restart", "restart"], "deploy:restart restart", "deploy(<restart>) restart()"),
    (&["deploy:prod"], "deploy:prod", "deploy(<prod>)"),
    // Spellings of a name.
    (&["proxy-flip"], "proxy.flip", "proxy_flip()"),
    (&["proxy_flip"], "proxy.flip", "proxy_flip()"),
    (&["proxy-all:web1"], "proxy.all:web1", "proxy_all(<web1>)"),
    (&["prod", "proxy_flip"], "prod proxy.flip", "prod() proxy_flip()"),
    (&["db.migrate"], "db.migrate", "db::migrate()"),
    (&["db-migrate"], "db.migrate", "db::migrate()"),
    (&["db_migrate"], "db.migrate", "db::migrate()"),
    (&["sync"], "sync", "sync_()"),
    (&["sync_"], "sync", "sync_()"),
    // A command for the targets.
    (
        &["prod", "--", "df -h | tail -1"],
        "prod -- 'df -h | tail -1'",
        "prod() Line { line: \"df -h | tail -1\", values: [], secrets: [] }",
    ),
    (&["prod", "--", "df", "-h"], "prod -- df -h", "prod() Words([\"df\", \"-h\"])"),
    (&["--", "uptime"], "-- uptime", "Line { line: \"uptime\", values: [], secrets: [] }"),
    (
        &["prod:out", "restart", "--", "ls", "a b", "--"],
        "prod:out restart -- ls 'a b' --",
        "prod(<out>) restart() Words([\"ls\", \"a b\", \"--\"])",
    ),
    (&["--", "prod"], "-- prod", "Line { line: \"prod\", values: [], secrets: [] }"),
];

#[test]
fn what_is_typed_means_this() {
    for (typed, normal, meant) in UNDERSTOOD {
        let line = understand(typed).unwrap_or_else(|error| panic!("{typed:?}: {}", report(&error)));
        assert_eq!((line.to_string().as_str(), calls(&line).as_str()), (*normal, *meant), "{typed:?}");
    }
}

/// The typed words, and the whole report.
const REFUSED: &[(&[&str], &str)] = &[
    (&[], "no task is named\n`rfab --list` shows the tasks"),
    // Unknown tasks and modules.
    (
        &["depoly", "stable"],
        "`depoly` isn't a task\n\
         did you mean `deploy`?\n  deploy REFERENCE\n      Deploys `reference` to the targets.",
    ),
    (
        &["depoly:stable"],
        "`depoly` isn't a task\n\
         did you mean `deploy`?\n  deploy REFERENCE\n      Deploys `reference` to the targets.",
    ),
    (&["stauts"], "`stauts` isn't a task\ndid you mean `status`?\n  status"),
    (&["http://x"], "`http` isn't a task\n`rfab --list` shows the tasks"),
    (&[""], "`` isn't a task\n`rfab --list` shows the tasks"),
    (
        &["prod.", "deploy"],
        "`prod.` isn't a task\ndid you mean `prod`?\n  prod [WHICH]\n      Production, or a part of it.",
    ),
    (&["prxy.flip"], "`prxy.flip` isn't a task\ndid you mean `proxy.flip`?\n  proxy.flip\n      Swaps the groups."),
    (&["flip"], "`flip` isn't a task\ndid you mean `proxy.flip`?\n  proxy.flip\n      Swaps the groups."),
    (&["db.migrat"], "`db.migrat` isn't a task\ndid you mean `db.migrate`?\n  db.migrate\n      Migrates."),
    (&["db.remove"], "`db.remove` isn't a task\n`rfab --list` shows the tasks"),
    // The suggestions include words that were taken as optional arguments.
    (
        &["prod", "depoly", "stable"],
        "`stable` isn't a task\n\
         `depoly` was taken as `which` of `prod`: did you mean `deploy`?\n  \
         deploy REFERENCE\n      Deploys `reference` to the targets.",
    ),
    (
        &["prod", "relaese", "deploy"],
        "`deploy` takes 1 argument, but none is given\n\
         `relaese` was taken as `which` of `prod`: did you mean `release`?\n  \
         release REFERENCE\n      Everything in one.\n\
         usage:\n  deploy REFERENCE\n      Deploys `reference` to the targets.",
    ),
    // An extra word isn't a task.
    (
        &["deploy", "stable", "now"],
        "`now` isn't a task\n\
         `deploy` takes no more arguments\n  deploy REFERENCE\n      Deploys `reference` to the targets.",
    ),
    (
        &["prod:out", "live"],
        "`live` isn't a task\n\
         `prod` takes no more arguments\n  prod [WHICH]\n      Production, or a part of it.",
    ),
    (
        &["deploy:", "stable"],
        "`stable` isn't a task\nwrite `deploy:stable`\n\
         `deploy` takes no more arguments\n  deploy REFERENCE\n      Deploys `reference` to the targets.",
    ),
    (
        &["tune", "web", "size=3"],
        "`size=3` isn't a task\nwrite `tune:web,size=3`\n\
         `tune` takes no more arguments\n  tune [POOL] [NAME=VALUE...]\n      Tunes pools.",
    ),
    (
        &["deploy", "stable", "reference=x"],
        "`reference=x` isn't a task\n\
         `deploy` takes no more arguments\n  deploy REFERENCE\n      Deploys `reference` to the targets.",
    ),
    // Wrong counts.
    (
        &["prod", "deploy"],
        "`deploy` takes 1 argument, but none is given\n\
         usage:\n  deploy REFERENCE\n      Deploys `reference` to the targets.",
    ),
    (
        &["proxy.flip:a,b"],
        "`proxy.flip` takes no arguments, but 2 are given\nusage:\n  proxy.flip\n      Swaps the groups.",
    ),
    (
        &["prod", "restart:"],
        "`restart` takes no arguments, but 1 is given\nusage:\n  restart\n      Restarts the service.",
    ),
    (&["copy:a"], "`copy` takes 2 arguments, but 1 is given\nusage:\n  copy FROM TO\n      Copies a file."),
    (&["copy:a,b,c"], "`copy` takes 2 arguments, but 3 are given\nusage:\n  copy FROM TO\n      Copies a file."),
    (&["copy:to=b"], "`copy` takes 2 arguments, but 1 is given\nusage:\n  copy FROM TO\n      Copies a file."),
    (
        &["roll", "a", "b", "restart"],
        "`roll` takes 1 or 3 arguments, but 2 are given\nusage:\n  roll WHAT [SHARE PAUSE]\n      Rolls.",
    ),
    (
        &["mark:txet=1"],
        "`mark` takes 1 argument, but none is given\ndid you mean `text` by `txet`?\n\
         usage:\n  mark TEXT [NAME=VALUE...]\n      Marks.",
    ),
    // Names.
    (
        &["deploy:refrence=stable"],
        "`deploy` has no parameter `refrence`\ndid you mean `reference`?\n\
         usage:\n  deploy REFERENCE\n      Deploys `reference` to the targets.",
    ),
    (
        &["prod:role=web,^web3"],
        "`prod` has no parameter `role`\nwrite `role\\=web` if the `=` is text\n\
         usage:\n  prod [WHICH]\n      Production, or a part of it.",
    ),
    (
        &["deploy:stable,force=yes"],
        "`deploy` has no parameter `force`\nwrite `force\\=yes` if the `=` is text\n\
         usage:\n  deploy REFERENCE\n      Deploys `reference` to the targets.",
    ),
    (&["copy:a,b,from=c"], "`from` is passed to `copy` twice\nusage:\n  copy FROM TO\n      Copies a file."),
    (&["tune:a=1,a=2"], "`a` is passed to `tune` twice\nusage:\n  tune [POOL] [NAME=VALUE...]\n      Tunes pools."),
    (&["tune:=1"], "`=1` after `tune:` has no name\nwrite `\\=1` if the `=` is text"),
    (&["odd:a=1,y=2"], "no overload of `odd` accepts `a` and `y`\nusage:\n  odd A\n  odd X Y"),
    // A required argument that is a task's name.
    (
        &["deploy", "restart"],
        "`restart` is a task, and `deploy` needs an argument in its place\n\
         write `deploy:restart` for the argument, or `deploy:REFERENCE restart` for the task `restart`",
    ),
    (
        &["deploy", "deploy", "x"],
        "`deploy` is a task, and `deploy` needs an argument in its place\n\
         write `deploy:deploy` for the argument, or `deploy:REFERENCE deploy` for the task `deploy`",
    ),
    (
        &["prod", "copy", "a,b", "restart"],
        "`restart` is a task, and `copy` needs an argument in its place\n\
         write `'copy:a\\,b,restart'` for the argument, or `'copy:a\\,b,TO' restart` for the task `restart`",
    ),
    (
        &["copy", "restart", "b"],
        "`restart` is a task, and `copy` needs an argument in its place\n\
         write `copy:restart,TO` for the argument, or `copy:FROM,TO restart` for the task `restart`",
    ),
    (
        &["deploy", "prod:out"],
        "`prod:out` is a task, and `deploy` needs an argument in its place\n\
         write `deploy:prod:out` for the argument, or `prod:out deploy:REFERENCE` for the task `prod:out`",
    ),
    (
        &["prod", "deploy", "testing"],
        "`testing` is a task, and `deploy` needs an argument in its place\n\
         write `deploy:testing` for the argument, or `deploy:REFERENCE testing` for the task `testing`",
    ),
    // Order.
    (
        &["deploy", "stable", "prod"],
        "`prod` names hosts, but comes after `deploy`, which doesn't\nwrite `rfab prod deploy:stable`",
    ),
    (
        &["copy", "a", "b", "prod"],
        "`prod` names hosts, but comes after `copy`, which doesn't\nwrite `rfab prod copy:a,b`",
    ),
    (
        &["restart", "deploy:a b", "prod:out", "testing", "--", "uptime"],
        "`prod` names hosts, but comes after `restart`, which doesn't\n\
         write `rfab prod:out restart 'deploy:a b' testing -- uptime`",
    ),
    // Commands.
    (&["prod", "--"], "no command follows `--`\nwrite it as in `rfab prod -- uptime`"),
    (&["--", " "], "no command follows `--`\nwrite it as in `rfab prod -- uptime`"),
    (&["--", "", "x"], "no command follows `--`\nwrite it as in `rfab prod -- uptime`"),
    (&["--", "a\0"], "a command can't contain the character NUL"),
];

fn report(error: &LineError) -> String {
    format!("{error}{}", error.help().map(|help| format!("\n{help}")).unwrap_or_default())
}

#[test]
fn what_cannot_be_understood_is_one_report() {
    for (typed, expected) in REFUSED {
        match understand(typed) {
            Ok(line) => panic!("{typed:?} was understood as {line}"),
            Err(error) => {
                assert_eq!(report(&error), *expected, "{typed:?}");
                assert_eq!(error.exit(), crate::failure::Exit::Usage);
                assert_eq!(miette::Diagnostic::help(&error).map(|help| help.to_string()), error.help());
            }
        }
    }
}

#[test]
fn a_name_that_two_functions_share_is_refused_however_it_is_spelled() {
    let module = Signature { function: "proxy::flip".into(), ..task("proxy.flip", "", "") };
    let tasks = [task("deploy", "reference", ""), task("proxy_flip", "", ""), module];
    for typed in ["proxy.flip", "proxy-flip", "proxy_flip", "proxy.flip:x"] {
        let error = parse(&words(&[typed]), None, &tasks).unwrap_err();
        let name = typed.split(':').next().unwrap();
        let expected = format!("`{name}` is both `proxy_flip` and `proxy::flip`\nrename one of the two functions");
        assert_eq!((report(&error), error.exit()), (expected, crate::failure::Exit::Fabfile));
    }
    assert!(matches!(parse(&words(&["deploy", "proxy.flip"]), None, &tasks), Err(LineError::Ambiguous { .. })));
    assert_eq!(parse(&words(&["deploy", "x"]), None, &tasks).unwrap().to_string(), "deploy:x");
}

/// Splits a normal form into words without their quotes.
fn typed_again(normal: &str) -> Vec<String> {
    match Command::words(&format!("rfab {normal}"), &[]).unwrap() {
        Command::Words(words) => words[1..].to_vec(),
        Command::Line { .. } => unreachable!(),
    }
}

fn assert_normal(line: &CommandLine) {
    let again = typed_again(&line.to_string());
    let again: Vec<&str> = again.iter().map(String::as_str).collect();
    match understand(&again) {
        Ok(other) => assert_eq!(other, *line, "{line}"),
        Err(error) => panic!("{line}: {}", report(&error)),
    }
}

#[test]
fn a_normal_form_means_the_same_line() {
    for (typed, normal, _) in UNDERSTOOD {
        let line = understand(typed).unwrap();
        assert_eq!(line.to_string(), *normal);
        assert_normal(&line);
    }
}

#[test]
fn whatever_is_typed_is_refused_or_has_a_normal_form() {
    let pieces = [
        "prod",
        "deploy",
        "copy",
        "roll",
        "tune",
        "mark",
        "odd",
        "proxy.all",
        "restart",
        ":",
        ":",
        ",",
        "=",
        "\\",
        "a",
        "text",
        "pool",
        "from",
        "to",
        "x",
        " ",
        "'",
        "\"",
        "{a}",
        "é",
        "",
        "-",
        "\n",
    ];
    let (tasks, mut random) = (shop(), StdRng::seed_from_u64(3));
    let mut understood = 0;
    for _ in 0..6_000 {
        let word = |random: &mut StdRng| {
            let count = random.random_range(1..7);
            (0..count).map(|_| pieces[random.random_range(0..pieces.len())]).collect::<String>()
        };
        let mut typed = vec![pieces[random.random_range(0..9)].to_owned()];
        if random.random() {
            typed[0] += &format!(":{}", word(&mut random));
        }
        typed.extend((0..random.random_range(0..4)).map(|_| word(&mut random)));
        if let Ok(line) = parse(&typed, None, &tasks) {
            understood += 1;
            assert_normal(&line);
        }
    }
    assert!(understood > 1_000, "only {understood} lines were understood");
}

#[test]
fn the_table_is_long_enough() {
    assert!(UNDERSTOOD.len() + REFUSED.len() >= 60);
}
