//! Mistakes in a line, and questions in place of tasks.
use super::{says, shop};

#[test]
fn the_tasks_are_listed_by_what_they_do() {
    let folder = shop();
    says(
        folder.path(),
        &["--list"],
        0,
        "Tasks that name hosts:
  prod [WHICH]          Production, or the part of it that `which` selects: out, live, group1, a role, hosts.
  testing [NUMBER]      A testing environment.

Tasks:
  deploy REFERENCE      Deploys `reference` (`stable`, a tag, a branch or a commit) to the targets.
  hotfix WHAT           Starts a hotfix, such as `hotfix:3.0.1`; `hotfix:finish` merges, tags and releases it.
  pending               Shows the commits that a deploy of `stable` would add to each host, and those that it would remove.
  proxy_all [HOSTS]     Puts every healthy host back; `hosts` names those that somebody else took out.
  proxy_flip            Swaps the live group and the one that is out.
  proxy_group1          Makes group1 live and takes group2 out.
  proxy_group2          Makes group2 live and takes group1 out of the balancer.
  proxy_status          Shows whether each host is live, what it serves, and who took it out.
  release REFERENCE     Deploys group by group and ends with every host live; stops at the first failure.
  rollback [REFERENCE]  Rolls the targets back to the release that was good before, or to `reference`.
  setup [HOW]           Makes the app's folders on new hosts; `setup:adopt` takes over what Capistrano, Fabric or another tool deployed.
  status                Shows what each host serves, who deployed it, whether it is live, and which runs aren't done.
",
        "",
    );
}

#[test]
fn the_version_is_told() {
    let folder = shop();
    says(folder.path(), &["--version"], 0, concat!("rfab ", env!("CARGO_PKG_VERSION"), "\n"), "");
}

#[test]
fn help_for_a_word_is_its_whole_doc_and_nothing_is_done() {
    let folder = shop();
    says(
        folder.path(),
        &["deploy", "--help"],
        0,
        "deploy REFERENCE
    Deploys `reference` (`stable`, a tag, a branch or a commit) to the targets.
",
        "",
    );
    says(
        folder.path(),
        &["prod", "deploy:stable", "-h"],
        0,
        "prod [WHICH]
    Production, or the part of it that `which` selects: out, live, group1, a role, hosts.

deploy REFERENCE
    Deploys `reference` (`stable`, a tag, a branch or a commit) to the targets.
",
        "",
    );
}

#[test]
fn an_unknown_task_is_answered_by_the_nearest() {
    let folder = shop();
    says(
        folder.path(),
        &["depoly", "stable"],
        2,
        "",
        "error: `depoly` isn't a task
  help: did you mean `deploy`?
          deploy REFERENCE
              Deploys `reference` (`stable`, a tag, a branch or a commit) to the targets.
",
    );
    says(
        folder.path(),
        &["prod", "depoly", "stable"],
        2,
        "",
        "error: `stable` isn't a task
  help: `depoly` was taken as `which` of `prod`: did you mean `deploy`?
          deploy REFERENCE
              Deploys `reference` (`stable`, a tag, a branch or a commit) to the targets.
",
    );
    says(
        folder.path(),
        &["proxy.flop"],
        2,
        "",
        "error: `proxy.flop` isn't a task
  help: did you mean `proxy_flip`?
          proxy_flip
              Swaps the live group and the one that is out.
",
    );
    says(
        folder.path(),
        &["nothing"],
        2,
        "",
        "error: `nothing` isn't a task
  help: `rfab --list` shows the tasks
",
    );
}

#[test]
fn a_wrong_count_of_arguments_shows_how_the_task_is_written() {
    let folder = shop();
    says(
        folder.path(),
        &["deploy"],
        2,
        "",
        "error: `deploy` takes 1 argument, but none is given
  help: usage:
          deploy REFERENCE
              Deploys `reference` (`stable`, a tag, a branch or a commit) to the targets.
",
    );
    says(
        folder.path(),
        &["deploy", "a", "b"],
        2,
        "",
        "error: `b` isn't a task
  help: `deploy` takes no more arguments
          deploy REFERENCE
              Deploys `reference` (`stable`, a tag, a branch or a commit) to the targets.
",
    );
    says(
        folder.path(),
        &["deploy:a,b,c=d"],
        2,
        "",
        r#"error: `deploy` has no parameter `c`
  help: write `c\=d` if the `=` is text
        usage:
          deploy REFERENCE
              Deploys `reference` (`stable`, a tag, a branch or a commit) to the targets.
"#,
    );
}

#[test]
fn an_unknown_name_of_an_argument_is_answered_by_the_nearest() {
    let folder = shop();
    says(
        folder.path(),
        &["deploy:refrence=x"],
        2,
        "",
        "error: `deploy` has no parameter `refrence`
  help: did you mean `reference`?
        usage:
          deploy REFERENCE
              Deploys `reference` (`stable`, a tag, a branch or a commit) to the targets.
",
    );
    says(
        folder.path(),
        &["setup:x=1"],
        2,
        "",
        r#"error: `setup` has no parameter `x`
  help: write `x\=1` if the `=` is text
        usage:
          setup [HOW]
              Makes the app's folders on new hosts; `setup:adopt` takes over what Capistrano, Fabric or another tool deployed.
"#,
    );
}

#[test]
fn what_is_ambiguous_or_out_of_order_is_refused_with_what_to_write() {
    let folder = shop();
    says(
        folder.path(),
        &["deploy", "release"],
        2,
        "",
        "error: `release` is a task, and `deploy` needs an argument in its place
  help: write `deploy:release` for the argument, or `deploy:REFERENCE release` for the task `release`
",
    );
    says(
        folder.path(),
        &["deploy", "prod"],
        2,
        "",
        "error: `prod` is a task, and `deploy` needs an argument in its place
  help: write `deploy:prod` for the argument, or `prod deploy:REFERENCE` for the task `prod`
",
    );
    says(
        folder.path(),
        &["deploy", "stable", "prod"],
        2,
        "",
        "error: `prod` names hosts, but comes after `deploy`, which doesn't
  help: write `rfab prod deploy:stable`
",
    );
    says(
        folder.path(),
        &["prod", "--"],
        2,
        "",
        "error: no command follows `--`
  help: write it as in `rfab prod -- uptime`
",
    );
}

/// Lines with a wrong flag, and what rfab prints for each.
const WRONG_FLAGS: [(&[&str], &str); 9] = [
    (
        &["--flag"],
        "error: unexpected argument '--flag' found

Usage: rfab [FLAGS] TASK[:ARGUMENT,...] [ARGUMENT...] ... [-- COMMAND...]
",
    ),
    (
        &["--yess"],
        "error: unexpected argument '--yess' found

  tip: a similar argument exists: '--yes'

Usage: rfab [FLAGS] TASK[:ARGUMENT,...] [ARGUMENT...] ... [-- COMMAND...]
",
    ),
    (
        &["-q", "-v", "--list"],
        "error: the argument '--quiet' cannot be used with '--verbose...'

Usage: rfab [FLAGS] TASK[:ARGUMENT,...] [ARGUMENT...] ... [-- COMMAND...]
",
    ),
    (
        &["--list", "prod"],
        "error: the argument '--list' can't be used with tasks; leave out 'prod'

Usage: rfab [FLAGS] TASK[:ARGUMENT,...] [ARGUMENT...] ... [-- COMMAND...]
",
    ),
    (
        &["--set", "keep", "prod"],
        "error: invalid value 'keep' for '--set <KEY=VALUE>': it has no `=`
",
    ),
    (
        &["--parallel", "0", "prod"],
        "error: invalid value '0' for '--parallel <N>': 0 is not in 1..=65535
",
    ),
    (
        &["--color", "sometimes", "prod"],
        "error: invalid value 'sometimes' for '--color <WHEN>'
  [possible values: auto, always, never]
",
    ),
    (
        &["--read", "prod"],
        "error: the argument '--read' works only with a command after '--'

Usage: rfab [FLAGS] TASK[:ARGUMENT,...] [ARGUMENT...] ... [-- COMMAND...]
",
    ),
    (
        &["--trust"],
        "error: a value is required for '--trust <HOST>' but none was supplied
",
    ),
];

#[test]
fn wrong_flags_are_refused() {
    let folder = shop();
    for (words, error) in WRONG_FLAGS {
        says(folder.path(), words, 2, "", error);
    }
}

const CRON: &str = "\
std/cron

    The app's cron jobs: files in /etc/cron.d, each from a template in the fabfile's folder. rfab writes them as root.

std/cron::install(host, name, template, values)  Writes a file of jobs on one host. Cron reads it within a minute.
std/cron::remove(host, name)                     Removes a file of jobs from one host.
std/cron::show(name)                             Shows a file of jobs from each target.
";

#[test]
fn docs_show_a_name_a_list_or_that_there_is_none() {
    let folder = shop();
    says(
        folder.path(),
        &["--docs", "clock::retry"],
        0,
        r#"clock::retry(times, wait, f)

    Calls the closure until it succeeds, at most `times` times. It waits for `wait` between two calls.

    Example:

        clock::retry(3, "1s", || host.capture("bin/ping"));

"#,
        "",
    );
    for (name, help) in [
        ("nothing_such", "`rfab --docs` lists them all"),
        ("host.rn", "did you mean `host.run`?"),
        ("std/deplyo", "did you mean `std/deploy`?"),
    ] {
        let none = format!("there is no primitive, stdlib function or module `{name}`, and no page has that word");
        says(folder.path(), &["--docs", name], 2, "", &format!("error: {none}\n  help: {help}\n"));
    }
    says(folder.path(), &["--docs", "std/cron"], 0, CRON, "");
    // First come entries with that name, then those with the word in their first line.
    says(
        folder.path(),
        &["--docs", "half"],
        0,
        "\
std/proxy::only(name)  Makes one group live, takes out all others, and completes a switch that is half done.
std/proxy::flip()      Swaps the live groups and the group that is out.
",
        "",
    );
    says(
        folder.path(),
        &["--docs", "Requests arrive"],
        0,
        "\
balancer::drain(targets, reason)  Takes hosts out of all their pools: open requests can finish, but no new ones arrive.
",
        "",
    );
}

#[test]
fn the_help_is_one_text_with_every_flag_and_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    says(folder.path(), &["--help"], 0, include_str!("../../src/cli/help.txt"), "");
}

#[test]
fn a_pause_that_asks_is_refused_where_nobody_can_answer() {
    let folder = shop();
    for flag in ["--pause", "--pause=ask"] {
        says(
            folder.path(),
            &["testing", flag, "deploy:stable"],
            2,
            "",
            "error: `--pause` without a time requires a terminal, and rfab isn't running in one
  help: give it a time: `--pause=10m`
",
        );
    }
}
