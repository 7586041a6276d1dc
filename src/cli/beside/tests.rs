use super::*;
use crate::cli::flags;
use std::{collections::BTreeSet, ffi::OsString};

/// What stands in the columns of the table below.
const ACTIONS: [&str; 15] = [
    "prod",
    "prod -- uptime",
    "--list",
    "--docs",
    "--trust web1",
    "--history",
    "--show a",
    "--resume",
    "--abort",
    "--connections",
    "--disconnect",
    "--init",
    "--completions zsh",
    "--demo",
    "--version",
];

/// Each flag, and whether it's taken beside each action: `x`, or `.` where it's refused.
const TABLE: &str = "
    --fabfile x              xx xxxx xxx xx xx xx
    --set a.b=1              xx ..x. ... .. .. ..
    --limit x                xx .... ..x .. .. ..
    --exclude x              xx .... ..x .. .. ..
    --parallel 4             xx .... ..x .. .. ..
    --no-persist             xx .... ..x .. .. ..
    --transport native       xx .... ..x .. .. x.
    --read                   .x .... ... .. .. ..
    --yes=prod               xx .... .xx .. .. ..
    --no-fetch               xx .... ... .. .. ..
    --force                  xx .... ... .. .. ..
    --unproven               xx .... ..x .. .. ..
    --verify                 xx .... ... .. .. ..
    --wait                   xx .... .xx .. .. ..
    --pause=10m              xx .... ... .. .. ..
    --allow-outage x         xx .... ..x .. .. ..
    --without-balancer x     xx .... ... .. .. ..
    --without-gate x         xx .... ... .. .. ..
    --json                   xx x..x xxx .. .. x.
    --verbose                xx xxxx xxx xx xx xx
    --quiet                  xx xxxx xxx xx xx xx
    --color always           xx xxxx xxx xx xx xx
    --retry                  .. .... .x. .. .. ..
    --skip                   .. .... .x. .. .. ..
    --force-changed          .. .... .x. .. .. ..
    --fleet x                .. ...x ... .. .. ..
    --task x                 .. ...x ... .. .. ..
    --outcome done           .. ...x ... .. .. ..
    --since 2h               .. ...x ... .. .. ..
    --until 2h               .. ...x ... .. .. ..
    --newest 3               .. ...x ... .. .. ..
";

fn read(words: &str) -> Result<(), String> {
    let args = ["rfab"].into_iter().chain(words.split(' ')).map(OsString::from);
    flags::read(args, false).map(drop).map_err(|error| error.to_string().lines().next().unwrap_or_default().to_owned())
}

#[test]
fn each_flag_is_taken_where_it_means_something_and_refused_elsewhere() {
    let mut seen = BTreeSet::new();
    for row in TABLE.trim().lines() {
        let (flag, taken) = row.trim().split_once("  ").expect("a flag and its places");
        let taken: Vec<char> = taken.chars().filter(|c| !c.is_whitespace()).collect();
        assert_eq!(taken.len(), ACTIONS.len(), "{row}");
        let name = flag.split([' ', '=']).next().unwrap();
        seen.insert(name.trim_start_matches('-').to_owned());
        for (action, taken) in ACTIONS.iter().zip(taken) {
            match read(&format!("{flag} {action}")) {
                Ok(()) => assert_eq!(taken, 'x', "{flag} {action} is taken"),
                Err(why) => {
                    assert!(
                        taken == '.' && why.starts_with(&format!("error: the argument '{name}' works only with ")),
                        "{flag} {action}: {why}"
                    )
                }
            }
        }
    }
    let definition = flags::command();
    seen.extend(instead(&definition).into_iter().map(str::to_owned));
    seen.insert("help".to_owned());
    let all = definition.get_arguments().filter_map(|flag| flag.get_long().map(str::to_owned)).collect();
    assert_eq!(seen, all, "a flag is missing here or in FOR");
}

#[test]
fn what_is_refused_says_what_it_is_for() {
    for (line, said) in [
        ("--force --list", "error: the argument '--force' works only with tasks"),
        ("--wait --list", "error: the argument '--wait' works only with tasks, '--resume' and '--abort'"),
        ("--retry prod", "error: the argument '--retry' works only with '--resume'"),
        ("--read prod", "error: the argument '--read' works only with a command after '--'"),
        ("prod out --list", "error: the argument '--list' can't be used with tasks; leave out 'prod out'"),
        (
            "--trust web1 -- uptime",
            "error: the argument '--trust' can't be used with a command; leave out what comes after '--'",
        ),
    ] {
        assert_eq!(read(line), Err(said.to_owned()), "{line}");
    }
}
