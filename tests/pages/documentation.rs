//! The pages under `docs`: generated pages match the source, and what the others show is true.

use crate::project::{self, Project};
use lab::page;
use rfab::{
    command::Command,
    docs,
    failure::{Cause, Exit},
    fleet::schema,
    line,
};
use std::{collections::BTreeSet, env, fs, path::Path};

fn docs_folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/docs"))
}

#[test]
fn what_a_script_can_call_is_made_from_the_comments() {
    let (pages, definitions) = (docs::pages(), docs::definitions());
    let all: BTreeSet<String> = pages.keys().chain(definitions.keys()).cloned().collect();
    pages.iter().chain(&definitions).for_each(|(name, text)| page::check(&format!("api/{name}"), text));
    let there: BTreeSet<String> = fs::read_dir(docs_folder().join("api"))
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(there, all, "docs/api has files of what is gone; remove them");
}

#[test]
fn every_module_and_namespace_is_shown_by_its_name_and_a_misspelled_one_is_hinted_at() {
    let modules = docs::modules();
    let of_stdlib = modules.keys().filter(|name| name.starts_with("std/"));
    assert_eq!(of_stdlib.count(), fs::read_dir(docs_folder().join("../stdlib")).unwrap().count());
    let pages = docs::pages();
    assert_eq!(modules.len() + 1, pages.len(), "each page of docs/api but the list of them");
    for (name, about) in &modules {
        assert!(about.ends_with(['.', ';', ',']), "{name} doesn't say what it is: {about:?}");
        for typed in [name.clone(), format!("{name}::")] {
            let shown = docs::page(Some(&typed)).unwrap_or_else(|| panic!("nothing is shown of {name}"));
            assert!(shown.starts_with(&format!("{name}\n\n    {about}\n")), "{shown}");
            let first = pages[&format!("{}.md", name.replace('/', "-"))].matches("\n## `").count();
            let listed = shown.lines().skip(2).filter(|line| line.contains("  ") && !line.starts_with(' ')).count();
            assert!(listed >= first, "{name}: {listed} of {first}: {shown}");
        }
        // Swaps the last two letters.
        let (begin, end) = name.split_at(name.len() - 2);
        let misspelled = format!("{begin}{}{}", &end[1..], &end[..1]);
        assert_eq!(docs::page(Some(&misspelled)), None, "{misspelled}");
        assert_eq!(docs::near(&misspelled), Some(format!("did you mean `{name}`?")), "{misspelled}");
    }
    let misspelled = ["std/deplyo", "stdlib/deploy", "balancr", "hots", "targtes", "std/proxi"];
    for name in misspelled {
        assert!(docs::page(Some(name)).is_none() && docs::near(name).is_some(), "{name}");
    }
}

#[test]
fn the_page_of_exit_codes_is_made_from_the_enum() {
    let rows: String = Exit::ALL.iter().map(|(exit, text)| format!("| {} | {text} |\n", exit.code())).collect();
    let causes: String = Cause::ALL
        .iter()
        .map(|(cause, meaning)| {
            let kind = format!("{:?}", cause.reason()).to_lowercase();
            format!("| `{}` | `{kind}` | {} | {meaning} |\n", cause.name(), cause.exit().code())
        })
        .collect();
    let text = format!(
        "# Exit codes\n\n<!-- Made by `scripts/pages` from `src/failure/`; don't edit. -->\n\n\
         rfab ends with one of these codes. If several apply, the first of 9, 6, 4, 1, 8 counts.\n\n\
         | code | meaning |\n|---|---|\n{rows}\n\
         With `--json`, the [last event](events.md#run_finished) has the code as `exit`. The page on\n\
         [pipelines](ci.md#how-a-job-decides) shows how a job uses the codes. For what to do yourself, see\n\
         [at three in the morning](guide/night.md).\n\n\
         ## Causes\n\n\
         Each failure has a cause. Its name is stable: a script reads it as [`failure.cause`](api/failure.md), and\n\
         `--json` has it as `cause`. The kind of the cause decides the exit code.\n\n\
         | cause | kind | exit code | meaning |\n|---|---|---|---|\n{causes}"
    );
    page::check("exit-codes.md", &text);
}

#[test]
fn every_primitive_and_stdlib_function_says_what_it_does_and_every_function_of_rust_has_an_example() {
    for entry in docs::entries() {
        let first = entry.doc.lines().next().unwrap_or_default();
        assert!(first.ends_with(['.', ';', ':', ',']) || first.len() > 60, "{}: {first}", entry.name);
        assert!(first.starts_with(|c: char| c.is_uppercase() || c == '`'), "{}: {first}", entry.name);
        let property = !entry.signature.contains('(');
        assert!(
            property || entry.name.starts_with("std/") || entry.example().is_some(),
            "{} has no example",
            entry.name
        );
    }
}

/// Examples that the simulator refuses, with its message.
const REFUSED: [(&str, &str); 2] = [
    ("git::commit", "the simulator doesn't change repositories"),
    ("git::merge", "the simulator doesn't change repositories"),
];

#[test]
fn every_example_runs_in_the_simulator() {
    let entries: Vec<_> = docs::entries().into_iter().filter(|entry| entry.example().is_some()).collect();
    let task = |(i, entry): (usize, &docs::FunctionDoc)| {
        // Balancer and health need a host in a pool; the rest is refused on a host that is live in one.
        let host =
            if entry.name.starts_with("balancer") || entry.name.starts_with("health") { "web1" } else { "jobs1" };
        let example = entry.example().unwrap();
        format!("fn example_{i}() {{\n    let host = targets().host(\"{host}\");\n{example}}}\n")
    };
    let tasks: String = entries.iter().enumerate().map(task).collect();
    let project = Project::of(&tasks)
        .with("fleets/prod.toml", project::FLEET)
        .with("motd.txt", "welcome")
        .with("VERSION", "3.0.1\n")
        .with("shop.conf.j2", "workers {{ workers }}")
        .tagged();
    if let Err(failure) = project.load().and_then(|loaded| loaded.check()) {
        panic!("{failure:?}");
    }
    let mut failed = Vec::new();
    for (i, entry) in entries.iter().enumerate() {
        let ran = project.run(&format!("prod example_{i}"));
        let said = ran.ended.failures.first().map(|failure| failure.message.clone()).unwrap_or_default();
        let good = match REFUSED.iter().find(|(name, _)| *name == entry.name) {
            Some((_, why)) => said.starts_with(why),
            None => matches!(ran.ended.exit, Exit::Done | Exit::LeftOut),
        };
        if !good {
            failed.push(format!("{}: {said}", entry.signature));
        }
    }
    assert!(failed.is_empty(), "{} of {} examples fail:\n{}", failed.len(), entries.len(), failed.join("\n"));
}

/// Returns the text of a page's first block in this language.
fn block<'a>(page: &'a str, language: &str) -> &'a str {
    let (_, rest) = page.split_once(&format!("```{language}\n")).unwrap_or_else(|| panic!("no {language}"));
    rest.split_once("```").unwrap().0
}

/// Returns the cells of each line of a page's tables, without the lines under the heads.
pub fn cells(page: &str) -> Vec<Vec<String>> {
    let line = |line: &str| {
        let cells = line.strip_prefix("| ")?.strip_suffix('|')?.replace("\\|", "\u{0}");
        Some(cells.split('|').map(|cell| cell.trim().replace('\u{0}', "|")).collect())
    };
    page.lines().filter_map(line).collect()
}

/// Returns the cells of each row of a page's tables, without the heads.
fn rows(page: &str) -> Vec<Vec<String>> {
    cells(page).into_iter().filter(|cells| cells[0].starts_with('`')).collect()
}

#[test]
fn every_line_of_the_command_lines_page_is_understood_as_it_says() {
    let page = fs::read_to_string(docs_folder().join("command-line.md")).unwrap();
    let project = Project::bare(block(&page, "rhai")).load().unwrap();
    project.check().unwrap();
    let rows = rows(&page);
    assert!(rows.len() >= 24, "{}", rows.len());
    for row in rows {
        let (typed, said) = (row[0].trim_matches('`'), &row[1]);
        let Command::Words(words) = Command::words(typed, &[]).unwrap() else { unreachable!() };
        let at = words.iter().position(|word| word == "--");
        let command = at.map(|at| &words[at + 1..]);
        let understood = line::parse(&words[1..at.unwrap_or(words.len())], command, &project.tasks);
        match said.strip_prefix("refused: ") {
            Some(why) => assert_eq!(understood.unwrap_err().to_string(), why, "{typed}"),
            None => assert_eq!(understood.unwrap().to_string(), said.trim_matches('`'), "{typed}"),
        }
    }
}

/// The pages for people who come from another tool.
const MOVING: [&str; 2] = ["from-fabric.md", "from-capistrano.md"];

/// Returns the texts of a page's blocks in this language.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    page.split(&fence).skip(1).map(|rest| rest.split_once("```").unwrap().0).collect()
}

#[test]
fn every_fabfile_and_fleet_on_the_pages_for_who_moves_is_one() {
    for name in MOVING {
        let page = fs::read_to_string(docs_folder().join(name)).unwrap();
        let (fabfiles, fleets) = (blocks(&page, "rhai"), blocks(&page, "toml"));
        assert_eq!(page.matches("\n```").count(), 2 * (fabfiles.len() + fleets.len()), "{name} has other blocks");
        assert!(!fabfiles.is_empty() && !fleets.is_empty(), "{name}");
        for fabfile in fabfiles {
            let checked = Project::bare(fabfile).load().and_then(|project| project.check());
            checked.unwrap_or_else(|wrong| panic!("{name}: {wrong:?}\n{fabfile}"));
        }
        for fleet in fleets {
            let project = Project::bare("").with("fleet.toml", fleet);
            let read = rfab::fleet::read("fleet.toml", project.path(), &[]);
            read.unwrap_or_else(|wrong| panic!("{name}: {wrong:?}"));
        }
    }
}

/// Returns the names of rfab's own functions that code calls, such as `host.run` or `release::stage`.
fn called(code: &str) -> Vec<String> {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let mut all = Vec::new();
    for (at, _) in code.match_indices('(') {
        let before = &code[..at];
        let name = &before[before.rfind(|c| !word(c)).map_or(0, |i| i + 1)..];
        let owner = &before[..before.len() - name.len()];
        for (ending, prefix) in [("host.", "host."), ("targets().", "targets.")] {
            if owner.ends_with(ending) && !name.is_empty() {
                all.push(format!("{prefix}{name}"));
            }
        }
        if let Some(owner) = owner.strip_suffix("::") {
            let module = &owner[owner.rfind(|c| !word(c)).map_or(0, |i| i + 1)..];
            all.push(format!("{module}::{name}"));
        }
    }
    all
}

#[test]
fn what_the_pages_for_who_moves_say_instead_is_there() {
    let entries = docs::entries();
    let known: BTreeSet<&str> = entries.iter().map(|entry| &*entry.name).collect();
    let help = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/cli/help.txt")).unwrap();
    let mut seen = BTreeSet::new();
    for name in MOVING {
        let page = fs::read_to_string(docs_folder().join(name)).unwrap();
        let rows = cells(&page);
        assert!(rows.len() >= 80, "{name} has {} rows", rows.len());
        for row in rows {
            assert_eq!(row.len(), 3, "{name}: {row:?}");
            for cell in &row[1..] {
                for code in cell.split('`').skip(1).step_by(2) {
                    for call in called(code) {
                        assert!(known.contains(&*call), "{name}: there is no `{call}`: {row:?}");
                        seen.insert(call);
                    }
                    let ours = code.starts_with("rfab ") || code.starts_with("--");
                    for flag in code.split([' ', '=']).filter(|word| ours && word.len() > 2 && word.starts_with("--")) {
                        let there = [" ", "[", "\n"].iter().any(|end| help.contains(&format!("{flag}{end}")));
                        assert!(there, "{name}: there is no flag {flag}: {row:?}");
                    }
                }
            }
        }
    }
    let methods = entries.iter().filter(|entry| entry.name.starts_with("host.") && entry.signature.contains('('));
    let lost: BTreeSet<&str> = methods.map(|entry| &*entry.name).filter(|name| !seen.contains(*name)).collect();
    assert!(lost.is_empty(), "add a row about {lost:?} to one of {MOVING:?}");
}

/// Returns whether code from a table is complete enough to compile.
fn whole(code: &str) -> bool {
    let begins = [
        "host.",
        "targets()",
        "release::",
        "service::",
        "git::",
        "clock::",
        "ui::",
        "local::",
        "http::",
        "defer(",
        "try ",
        "if ",
        "let ",
    ];
    let ends = [')', '}', ';'];
    begins.iter().any(|begin| code.starts_with(begin)) && code.ends_with(ends)
}

#[test]
fn the_code_in_the_tables_for_who_moves_calls_nothing_that_is_not_there() {
    let pages = MOVING.map(|name| fs::read_to_string(docs_folder().join(name)).unwrap());
    let rows: Vec<Vec<String>> = pages.iter().flat_map(|page| cells(page)).collect();
    let codes = rows.iter().flat_map(|row| &row[1..]).flat_map(|cell| cell.split('`').skip(1).step_by(2));
    let codes: BTreeSet<&str> = codes.filter(|code| whole(code)).collect();
    assert!(codes.len() >= 80, "{}", codes.len());
    let mut wrong = Vec::new();
    for code in codes {
        let code = code.replace("{ … }", "{ }").replace(": … ", ": 1 ").replace("| …", "| ()");
        let known = "host, a, b, p, t, x, f, text, words, release, commit, others";
        let project = Project::of(&format!("fn shown({known}) {{\n    {code};\n}}\n"));
        if let Err(failure) = project.load().and_then(|loaded| loaded.check()) {
            wrong.push(format!("`{code}`: {}", failure.message));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The names that `from fabric.api import *` and `fabric.contrib` bring in.
const FABRIC: &str = "cd hide settings show path prefix lcd quiet warn_only remote_tunnel shell_env hosts roles runs_once \
    with_settings task serial parallel require prompt put get run sudo local reboot open_shell env output abort warn puts \
    fastprint execute exists is_link is_dir is_win first upload_template sed comment uncomment contains append confirm \
    rsync_project upload_project django Connection SerialGroup ThreadingGroup GroupResult GroupException Responder \
    forward_local forward_remote Collection Config Result";

/// The words of Capistrano 3 and SSHKit, with its flow and its variables.
const CAPISTRANO: &str = "set fetch set_if_empty append remove delete any ask role server primary roles release_roles \
    role_properties invoke before after desc task namespace on run_locally lock local_user revision_log_message execute \
    capture test upload download within with as background make rake sudo info warn error debug fatal starting started \
    updating updated publishing published finishing finished reverting reverted rollback failed check cleanup migrate \
    restart log_revision application repo_url branch deploy_to keep_releases linked_files linked_dirs repo_tree scm pty \
    default_env format log_level tmp_dir release_path current_path shared_path releases_path repo_path current_revision";

#[test]
fn every_verb_of_the_other_tools_has_a_row() {
    for (name, verbs) in MOVING.into_iter().zip([FABRIC, CAPISTRANO]) {
        let page = fs::read_to_string(docs_folder().join(name)).unwrap();
        let first: String = cells(&page).into_iter().map(|row| row[0].clone() + "\n").collect();
        let words: BTreeSet<&str> = first.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
        let lost: Vec<&str> = verbs.split_whitespace().filter(|verb| !words.contains(verb)).collect();
        assert!(lost.is_empty(), "{name} has no row for {lost:?}");
    }
}

#[test]
fn the_example_of_the_fleet_page_is_a_fleet_and_the_page_has_each_of_its_keys() {
    let page = fs::read_to_string(docs_folder().join("fleet.md")).unwrap();
    let example = block(&page, "toml");
    let project = Project::bare("").with("fleet.toml", example).with("ssh_config", "");
    let fleet = rfab::fleet::read("fleet.toml", project.path(), &[]).unwrap_or_else(|wrong| panic!("{wrong:?}"));
    assert_eq!((fleet.hosts.len(), fleet.balancers.len(), fleet.order.len()), (43, 1, 3));
    let mut shown: Vec<String> = rows(&page).into_iter().map(|row| row[0].trim_matches('`').to_owned()).collect();
    let whole: toml::Table = example.parse().unwrap();
    let table = |path: &str| path.split('.').fold(whole.clone(), |table, key| table[key].as_table().unwrap().clone());
    let tables = ["app", "app.service", "app.health", "balancer.lb1", "roll", "gate"].map(table);
    let mut keys: Vec<String> = tables.iter().chain([&whole]).flat_map(|table| table.keys().cloned()).collect();
    keys.retain(|key| !["app", "service", "health", "hosts", "balancer", "roll", "gate"].contains(&key.as_str()));
    keys.extend(["group", "roles", "address", "hosts_from", "server_name", "ca"].map(str::to_owned));
    shown.sort();
    keys.sort();
    assert_eq!(shown, keys);
}

/// Replaces each table on the fleet page by that of the source, under its heading.
fn with_tables(page: &str) -> String {
    let mut page = page.to_owned();
    for table in schema::TABLES {
        let heading = match table.path {
            "" => "\n## The fleet\n".to_owned(),
            path => format!("\n## `[{path}]`"),
        };
        let from = page.find(&heading).unwrap_or_else(|| panic!("docs/fleet.md has no heading{heading}"));
        let begin = from + page[from..].find("\n| ").expect("a table below the heading") + 1;
        let end = begin + page[begin..].find("\n\n").map_or(page.len() - begin, |at| at + 1);
        page.replace_range(begin..end, &table.markdown());
    }
    page
}

#[test]
fn the_tables_of_the_fleet_page_are_made_from_the_keys() {
    let page = fs::read_to_string(docs_folder().join("fleet.md")).unwrap();
    page::check("fleet.md", &with_tables(&page));
}

#[test]
fn the_schema_of_a_fleet_is_made_from_the_keys() {
    page::check("schema/fleet.json", &format!("{}\n", serde_json::to_string_pretty(&schema::json()).unwrap()));
}

#[test]
fn the_page_of_tasks_shows_the_fabfile_as_it_is() {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |name: &str| std::fs::read_to_string(here.join(name)).unwrap();
    assert!(read("docs/guide/tasks.md").contains(&format!("```rhai\n{}```\n", read("fabfile.rhai"))));
}
