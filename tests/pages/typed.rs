//! Every line of rfab on a page runs in the simulator, on the page's own fabfile or on the project's.
use super::{
    blocks::{Block, blocks, call, is_fabfile, project_of},
    book,
};
use crate::project::Project;
use rfab::{
    cli::{flags, request::Action},
    command::Command,
    docs,
    failure::Exit,
    line::{self, CommandLine},
    model::Model,
    simulate::{Scenario, Simulation, simulate},
};
use std::{collections::BTreeSet, fs, path::Path};

/// Lines that don't end with success on a fleet that is whole and live, and why.
const OTHERWISE: [(&str, Exit, &str); 26] = [
    ("rfab pick:3.1,9ab0c1d2e3f4", Exit::Failed, "its repository has no remote with a line"),
    ("rfab prod pick:3.1,9ab0c1d2e3f4", Exit::Failed, "its repository has no remote with a line"),
    ("rfab prod ship:3.1", Exit::Failed, "its repository has no line"),
    ("rfab prod ship_tagged:3.1", Exit::Failed, "its repository has no line"),
    ("rfab prod proxy.flip", Exit::Refused, "all are live, and no group is out"),
    ("rfab prod rollback", Exit::Refused, "nothing was good before"),
    ("rfab prod rollback:v2.9.4", Exit::Refused, "nothing was good before"),
    ("rfab prod rollback:v3.0.0", Exit::Refused, "nothing was good before"),
    ("rfab prod:out deploy:stable", Exit::NoHosts, "no host is out"),
    ("rfab prod proxy.all:web5", Exit::Usage, "there are four web hosts"),
    ("rfab prod:db -- uptime", Exit::Usage, "the fleet of the project has no database"),
    ("rfab prod release:v3.0.2", Exit::Failed, "the tag is yet to come"),
    ("rfab prod hotfix:finish", Exit::Failed, "no hotfix is open"),
    ("rfab hotfix:3.0.2", Exit::Failed, "the project of the test has no branches that a hotfix begins at"),
    ("rfab testing release:v3.0.2", Exit::Failed, "the tag is yet to come"),
    ("rfab deploy my-branch", Exit::Failed, "the branch is the reader's"),
    ("rfab testing:2 deploy my-branch", Exit::Fabfile, "there is one testing fleet"),
    ("rfab production deploy:x", Exit::Failed, "`x` stands for a reference"),
    ("rfab production:app1 deploy:x", Exit::Usage, "`app1` stands for a host"),
    ("rfab production ns.task:a,b", Exit::Usage, "it stands for a task"),
    ("rfab production ns.task a b", Exit::Fabfile, "it stands for a task"),
    ("rfab production rollback", Exit::Usage, "the task is in the fabfile that `rfab --init` writes"),
    ("rfab production rollback:v3.0.0", Exit::Usage, "the task is in the fabfile that `rfab --init` writes"),
    ("rfab production setup:adopt", Exit::Fabfile, "the task is in the fabfile that `rfab --init` writes"),
    ("rfab --yes=prod prod artifact:dist/shop.tar.gz,$sum,$CI_COMMIT_TAG", Exit::Usage, "its task is of another block"),
    ("rfab prod artifact:dist/shop-3.0.1.tar.gz,SHA256,v3.0.1", Exit::Fabfile, "its archive isn't there"),
];

/// Messages that no test sees yet, because no simulated world produces them.
const UNSEEN: [&str; 1] = ["was taken out by"];

/// Returns each line of rfab on a page, with the page's name: from blocks, sentences and tables.
fn lines() -> BTreeSet<(String, String)> {
    let mut all = BTreeSet::new();
    for block in blocks().iter().filter(|block| block.is_valid()) {
        let prompted = match &*block.language {
            "sh" | "yaml" | "console" | "indented" => false,
            "" => true,
            _ => continue,
        };
        let typed = block.text.lines().filter(|line| !prompted || line.starts_with("$ ")).filter_map(call);
        all.extend(typed.map(|line| (block.page.clone(), line.to_owned())));
    }
    for page in book::pages().into_iter().chain(["README.md".to_owned()]) {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(&page)).unwrap();
        let prose = book::prose(&text).replace("\\|", "|");
        let typed = prose.split('`').skip(1).step_by(2).filter(|code| !code.contains('…')).filter_map(call);
        all.extend(typed.map(|line| (page.clone(), line.to_owned())));
    }
    all
}

/// Returns a line, if its words fit the tasks of a project.
fn understood(project: &Project, words: &[String], command: Option<&[String]>) -> Option<CommandLine> {
    line::parse(words, command, &project.load().ok()?.tasks).ok()
}

fn run(project: &Project, line: &CommandLine) -> Simulation {
    simulate(&project.load().unwrap(), line, Model::new(), Scenario { seed: 1, ..Scenario::default() })
}

#[test]
fn every_line_of_rfab_on_a_page_is_carried_out_in_the_simulator() {
    let all = blocks();
    let (mut counted, mut wrong) = (0, Vec::new());
    // Another test checks the lines on the page of the command line, because that page tells what each one does.
    for (page, typed) in lines().into_iter().filter(|(page, _)| page != "docs/command-line.md") {
        let Ok(Command::Words(words)) = Command::words(&typed, &[]) else { continue };
        let Ok(request) = flags::read(words.into_iter().map(Into::into), true) else { continue };
        let (words, command) = match request.action {
            Action::Run { words, command } if !words.is_empty() => (words, command),
            Action::Docs { name: Some(name) } if !name.contains(char::is_uppercase) => {
                if docs::page(Some(&name)).is_none() {
                    wrong.push(format!("{page}: `{typed}` knows no such page"));
                }
                continue;
            }
            _ => continue,
        };
        let on_page = |block: &&Block| block.page == page && block.language == "rhai" && block.is_valid();
        let fabfiles = all.iter().filter(on_page).filter(|block| is_fabfile(&block.text));
        let projects = fabfiles.map(|block| project_of(&block.text)).filter(|project| project.load().is_ok());
        let found = projects.chain([project_of(include_str!("../../fabfile.rhai"))]).find_map(|project| {
            let line = understood(&project, &words, command.as_deref())?;
            Some((project, line))
        });
        let Some((project, line)) = found else { continue };
        counted += 1;
        let ran = run(&project, &line);
        let expected = OTHERWISE.iter().find(|(line, ..)| *line == typed).map(|(_, exit, _)| *exit);
        let well = match expected {
            Some(exit) if ran.ended.exit == exit => true,
            _ => matches!(ran.ended.exit, Exit::Done | Exit::LeftOut),
        };
        if !well {
            let why = ran.ended.failures.iter().map(|failure| &*failure.message).collect::<Vec<_>>().join("; ");
            wrong.push(format!("{page}: `{typed}` ends with {:?}: {why}", ran.ended.exit));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(counted >= 60, "{counted}");
}

/// Returns the texts of the project's own tests, except the tests of pages.
fn tests() -> String {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = String::new();
    for folder in ["src", "tests"] {
        book::walk(&top.join(folder), &mut |file| {
            let text = fs::read_to_string(file).unwrap_or_default();
            let of_tests = match folder {
                "src" => text.split_once("#[cfg(test)]").map_or("", |(_, tests)| tests).to_owned(),
                _ if file.components().any(|part| part.as_os_str() == "pages") => String::new(),
                _ => text,
            };
            all += &of_tests;
        });
    }
    all
}

#[test]
fn what_one_sees_at_night_is_printed_by_a_run_of_some_test() {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/guide/night.md")).unwrap();
    let own = project_of(include_str!("../../fabfile.rhai"));
    let flip = run(&own, &understood(&own, &["prod", "proxy.flip"].map(str::to_owned), None).unwrap());
    let said: String = flip.ended.failures.iter().map(|failure| format!("{}\n", failure.message)).collect();
    let tests = tests() + said.as_str();
    let seen: Vec<String> = crate::documentation::cells(&page)
        .into_iter()
        .skip(2)
        .flat_map(|row| row[0].split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let unseen: Vec<&str> = seen.iter().map(String::as_str).filter(|seen| !tests.contains(seen)).collect();
    assert_eq!(unseen, UNSEEN, "what no test sees");
    assert!(seen.len() >= 20, "{}", seen.len());
}
