use super::{github::harmless, *};
use crate::{
    event::{EffectKind, HostRow, Outcome, PoolState, Stream},
    failure::{Excerpt, Exit, Failure},
};
use std::{fs, sync::Arc};

#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn logged(pipeline: Pipeline, folder: &Path, events: Vec<EventKind>) -> String {
    let paper = Paper::default();
    let ci = Ci::new(paper.clone(), pipeline, folder, Loud::Normal, Palette { color: false }, || 1_700_000_000);
    for what in events {
        ci.tell(&Event { v: 1, at: 0, run: "r".into(), lane: "".into(), what });
    }
    String::from_utf8(paper.0.lock().unwrap().clone()).unwrap()
}

/// Makes a project in a folder of a repository.
fn repository() -> tempfile::TempDir {
    let top = tempfile::tempdir().unwrap();
    fs::create_dir_all(top.path().join(".git")).unwrap();
    fs::create_dir_all(top.path().join("deploy, a:b%")).unwrap();
    fs::write(top.path().join("deploy, a:b%/fabfile.rhai"), "fn deploy() {}\n").unwrap();
    top
}

fn step(step: &str) -> EventKind {
    EventKind::StepStarted { step: step.into(), host: None }
}

fn step_over(step: &str) -> EventKind {
    EventKind::StepFinished { step: step.into(), host: None, took: 1, failed: false }
}

fn did(host: &str, text: &str) -> EventKind {
    let host = Some(host.into());
    EventKind::EffectFinished { effect: "x", kind: EffectKind::Change, host, text: text.into(), took: 1, failure: None }
}

fn printed(line: &str) -> EventKind {
    EventKind::Printed { host: "web1".into(), stream: Stream::Out, line: line.into() }
}

/// Returns the events of a run with two steps; the second one fails.
fn run() -> Vec<EventKind> {
    let place = |file: &str| Excerpt::word(file, "\nfn deploy() {}\n", 2, 4);
    let failed = Failure::failed("the disk is full: 100%, really")
        .on(&"web2".into())
        .help("free some space")
        .at(place("std/deploy"))
        .at(place("fabfile.rhai").labelled("called here"));
    let row = |host: &str, result, note: Option<&str>| HostRow {
        host: host.into(),
        old: Some("0001-aaaaaaaaaaaa".into()),
        new: Some("0002-bbbbbbbbbbbb".into()),
        balancer: PoolState::Live,
        result,
        note: note.map(str::to_owned),
        looked: None,
        old_name: None,
        new_name: None,
    };
    vec![
        EventKind::RunStarted { line: "prod deploy:stable".into(), who: "ci".into(), world: "real" },
        EventKind::TaskStarted { task: "prod".into() },
        EventKind::TargetsChanged {
            fleet: "prod".into(),
            hosts: vec!["web1".into(), "web2".into()],
            of: 3,
            selection: "all".into(),
        },
        EventKind::TaskFinished { task: "prod".into(), took: 1, failure: None },
        EventKind::TaskStarted { task: "deploy:stable".into() },
        did("web1", "make ready"),
        EventKind::Warned { host: None, text: "web3 was taken out by anna: it stays out".into() },
        step("stage 0002"),
        did("web1", "stage 0002"),
        printed("ok"),
        step_over("stage 0002"),
        step("nothing is said in this one"),
        step_over("nothing is said in this one"),
        step("switch"),
        did("web1", "activate 0002"),
        EventKind::HostUnreachable { host: "web2".into(), message: "no answer, 10 s long".into() },
        EventKind::TaskFinished { task: "deploy:stable".into(), took: 1, failure: Some(failed.clone()) },
        EventKind::RunFinished {
            exit: Exit::Failed,
            took: 9,
            table: vec![row("web1", Outcome::Ok, None), row("web2", Outcome::Failed, Some("disk | <b>full</b> @anna"))],
            next: vec!["--resume r".into()],
            failures: vec![failed, Failure::failed("elsewhere").at(place("std/proxy"))],
            logs: vec![],
        },
    ]
}

const TABLE: &str = "
host  old                new                balancer  result
web1  0001-aaaaaaaaaaaa  0002-bbbbbbbbbbbb  live      ok
web2  0001-aaaaaaaaaaaa  0002-bbbbbbbbbbbb  live      failed  disk | <b>full</b> @anna
2 hosts: 1 ok, 1 failed
";

const REPORT: &str = "
error: host `web2`: the disk is full: 100%, really (it is live and gets traffic)
   ╭─[std/deploy:2:4]
 1 │ \n 2 │ fn deploy() {}
   ·    ──────
   ╰────
   ╭─[fabfile.rhai:2:4]
 1 │ \n 2 │ fn deploy() {}
   ·    ───┬──
   ·       ╰── called here
   ╰────
  help: free some space

error: elsewhere
   ╭─[std/proxy:2:4]
 1 │ \n 2 │ fn deploy() {}
   ·    ──────
   ╰────
";

const NEXT: &str = "
next: rfab --resume r   continues where it stopped; what is done isn't repeated
";

#[test]
fn github_has_a_group_a_step_annotations_at_their_places_and_the_table_as_a_summary() {
    let top = repository();
    let summary = top.path().join("summary.md");
    fs::write(&summary, "before\n").unwrap();
    let github = Pipeline::GitHub { summary: Some(summary.clone()) };
    let log = logged(github, &top.path().join("deploy, a:b%"), run());
    let expected = format!(
        "\
rfab prod deploy:stable
targets: prod, 2 of 3 hosts
::group::deploy:stable
web1  make ready
::warning title=rfab prod deploy%3Astable::web3 was taken out by anna: it stays out
::endgroup::
::group::deploy:stable > stage 0002
web1  stage 0002
web1  | ok
::endgroup::
::group::deploy:stable > switch
web1  activate 0002
::warning title=web2::no answer, 10 s long
::endgroup::
::error file=deploy%2C a%3Ab%25/fabfile.rhai,line=2,col=4,title=rfab prod deploy%3Astable::host `web2`: the disk is full: 100%25, really%0Ahelp: free some space
::error title=rfab prod deploy%3Astable::elsewhere
{REPORT}{TABLE}{NEXT}"
    );
    assert_eq!(log, expected);
    assert_eq!(
        fs::read_to_string(summary).unwrap(),
        "\
before
### rfab prod deploy:stable

a task failed (exit code 1)

| host | old | new | balancer | result | |
|---|---|---|---|---|---|
| web1 | 0001-aaaaaaaaaaaa | 0002-bbbbbbbbbbbb | live | ok |  |
| web2 | 0001-aaaaaaaaaaaa | 0002-bbbbbbbbbbbb | live | failed | disk \\| &lt;b&gt;full&lt;/b&gt; &#64;anna |

2 hosts: 1 ok, 1 failed

- host \\`web2\\`: the disk is full: 100\\%, really
- elsewhere

next: rfab --resume r

"
    );
}

#[test]
fn gitlab_has_a_section_a_step() {
    let top = repository();
    let log = logged(Pipeline::GitLab, top.path(), run());
    let begin = |number: u32, title: &str| {
        format!("\x1b[0Ksection_start:1700000000:rfab_{number}[collapsed=false]\r\x1b[0K{title}\n")
    };
    let end = |number: u32| format!("\x1b[0Ksection_end:1700000000:rfab_{number}\r\x1b[0K\n");
    let expected = [
        "rfab prod deploy:stable\ntargets: prod, 2 of 3 hosts\n".to_owned(),
        begin(1, "deploy:stable"),
        "web1  make ready\nwarning: web3 was taken out by anna: it stays out\n".to_owned(),
        end(1),
        begin(2, "deploy:stable > stage 0002"),
        "web1  stage 0002\nweb1  | ok\n".to_owned(),
        end(2),
        begin(3, "deploy:stable > switch"),
        "web1  activate 0002\nweb2  no answer, 10 s long\n".to_owned(),
        end(3),
        format!("{REPORT}{TABLE}{NEXT}"),
    ];
    assert_eq!(log, expected.concat());
}

#[test]
fn a_summary_that_cannot_be_written_is_a_warning() {
    let top = repository();
    let log = logged(Pipeline::GitHub { summary: Some(top.path().join("none/summary.md")) }, top.path(), run());
    let warning = "::warning title=rfab prod deploy%3Astable::the job's summary can't be written: No such file or directory (os error 2)\n";
    assert!(log.contains(warning) && log.ends_with(&format!("{REPORT}{TABLE}{NEXT}")), "{log}");
}

/// Returns whether GitHub's runner takes a line for a command of either kind; it skips invisible characters.
fn is_command(line: &str) -> bool {
    let seen: String = line.chars().filter(char::is_ascii).collect();
    let new = |rest: &str| rest.contains("::");
    seen.trim_start().strip_prefix("::").is_some_and(new)
        || seen.split_once("##[").is_some_and(|(_, rest)| rest.contains(']'))
}

const ATTACKS: [&str; 12] = [
    "::error::forged",
    "  \t::add-mask::a",
    "\u{a0}::set-env name=PATH::/tmp",
    "::stop-commands::x",
    "##[error]forged",
    "and later ##[group]x",
    "#\u{ad}##[add-mask]a",
    "#\u{ad}#\u{34f}[error]x",
    "\u{ad}:\u{ad}:error::x",
    "\r::error::x",
    "\x1b[0Ksection_start:1:x\r\x1b[0Kforged",
    "\x1b[0Ksection_end:1700000000:rfab_1\r\x1b[0K",
];

#[test]
fn what_hosts_and_failures_say_is_no_command_of_a_runner() {
    let top = repository();
    let mut events = vec![
        EventKind::RunStarted { line: ATTACKS.join(" "), who: "x".into(), world: "real" },
        EventKind::TaskStarted { task: ATTACKS.join("\n") },
    ];
    for attack in ATTACKS {
        events.push(printed(attack));
        events.push(EventKind::Noted { host: None, text: attack.into() });
        events.push(did(attack, attack));
        events.push(EventKind::Warned { host: Some(attack.into()), text: format!("one\n{attack}") });
        events.push(step(attack));
    }
    let failed = |attack: &&str| {
        let excerpt = Excerpt::word(attack, &format!("{attack}\n{attack}\n"), 1, 1);
        Failure::failed(format!("one\n{attack}")).help(format!("two\n{attack}")).at(excerpt)
    };
    events.push(EventKind::RunFinished {
        exit: Exit::Failed,
        took: 1,
        table: vec![],
        next: ATTACKS.iter().map(|attack| attack.to_string()).collect(),
        failures: ATTACKS.iter().map(failed).collect(),
        logs: vec![],
    });
    let github = logged(Pipeline::GitHub { summary: None }, top.path(), events.clone());
    let ours = ["::group::", "::endgroup::", "::warning title=", "::error title="];
    let (mut commands, mut others) = (0, 0);
    for line in github.lines() {
        assert!(!line.contains(['\x1b', '\r']), "{line:?}");
        if ours.iter().any(|own| line.starts_with(own)) {
            commands += 1;
            // The runner would look for an old-style command in the line only if this weren't a command.
            let title = line.split_once("::").unwrap().1.split_once("::").unwrap().0;
            assert!(!title.contains('\n') && line.matches("title=").count() <= 1, "{line:?}");
        } else {
            others += 1;
            assert!(!is_command(line), "{line:?}");
        }
    }
    assert!(commands > 40 && others > 60, "{commands} {others}");
    let gitlab = logged(Pipeline::GitLab, top.path(), events);
    let marks = gitlab.matches("\r\x1b[0K").count();
    let own = gitlab.lines().filter(|line| line.starts_with("\x1b[0Ksection_")).count();
    assert_eq!(
        (marks, gitlab.matches('\r').count(), gitlab.matches('\x1b').count()),
        (own, own, 2 * own),
        "{gitlab:?}"
    );
}

#[test]
fn a_text_that_looks_like_a_command_is_shown_with_a_blank_in_it_and_json_stays_the_same_json() {
    for (hostile, shown) in [
        ("::error::x\nfine\n", ": :error::x\nfine\n"),
        (" \t::error::x", " \t: :error::x"),
        ("a ##[error]x", "a ## [error]x"),
        ("###[x", "### [x"),
        ("a::b [c] # [d", "a::b [c] # [d"),
        ("web1  | ::error::x", "web1  | ::error::x"),
        ("\u{ad}:\u{ad}:x", "\u{ad}:\u{ad} :x"),
    ] {
        assert_eq!(harmless(hostile), shown);
    }
    for attack in ATTACKS {
        let json = serde_json::to_string(&[attack, "##", "[]"]).unwrap();
        let shown = harmless_json(&json);
        assert!(!is_command(&shown), "{shown}");
        assert_eq!(serde_json::from_str::<Vec<String>>(&shown).unwrap(), [attack, "##", "[]"]);
    }
}
