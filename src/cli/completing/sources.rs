//! The choices that this machine offers.
use super::choice::{Choice, within};
use crate::{
    cli::folders,
    docs,
    fabfile::{Project, Signature},
    fleet::{Accept, Fleet, WORDS},
    git,
    host::Host,
    report::count,
    store::{Ending, Filter, RunEntry},
};
use std::{collections::BTreeMap, fs, path::Path};

/// The most runs to search.
const RUNS: usize = 50;

/// The most tags of a repository to offer.
const TAGS: usize = 500;

/// Returns tasks with the first line of their docs; those that name hosts come first.
pub(super) fn tasks(tasks: &[Signature]) -> Vec<Choice> {
    let (mut naming, others): (Vec<&Signature>, Vec<&Signature>) = tasks.iter().partition(|task| task.names_hosts);
    naming.extend(others);
    naming.into_iter().map(|task| Choice::new(&task.name, task.summary())).collect()
}

/// Returns the fleets that have files.
pub(super) fn fleets(project: &Project) -> Vec<Choice> {
    stems(&project.script.folder).into_iter().map(|name| Choice::new(name, "fleet")).collect()
}

/// Returns the names of fleet files without the task's name that they begin with.
pub(super) fn numbers(project: &Project, task: &str, parameter: &str) -> Vec<Choice> {
    let rest = |stem: String| Some(stem.strip_prefix(task)?.trim_start_matches(['-', '_']).to_owned());
    let rests = stems(&project.script.folder).into_iter().filter_map(rest).filter(|rest| !rest.is_empty());
    rests.map(|rest| Choice::new(rest, parameter)).collect()
}

/// Spells choices as they are being typed: `.`, `-` and `_` are the same in a task's name.
pub(super) fn spelled(text: &str, choices: Vec<Choice>) -> Vec<Choice> {
    let same = |a: u8, b: u8| a == b || (b"._-".contains(&a) && b"._-".contains(&b));
    let spell = |choice: Choice| {
        let begins = choice.text.len() >= text.len() && choice.text.bytes().zip(text.bytes()).all(|(a, b)| same(a, b));
        let spelled = if begins { choice.text.get(text.len()..).map(|rest| format!("{text}{rest}")) } else { None };
        Choice { text: spelled.unwrap_or(choice.text), ..choice }
    };
    choices.into_iter().map(spell).collect()
}

/// Returns the names of the fleet files beside a fabfile.
pub fn stems(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder.join("fleets")).into_iter().flatten().flatten();
    let mut stems: Vec<String> =
        entries.filter_map(|entry| Some(entry.file_name().to_str()?.strip_suffix(".toml")?.to_owned())).collect();
    stems.sort();
    stems
}

/// Completes only the last part of a selection.
pub(super) fn selected(text: &str, choices: Vec<Choice>) -> Vec<Choice> {
    let begun = text.rfind([',', '+', '^']).map_or(0, |at| at + 1);
    within(&text[..begun], choices)
}

/// Returns what selects hosts of a fleet.
pub(super) fn selections(fleet: &Fleet) -> Vec<Choice> {
    let mut choices = vec![Choice::new("all", count(fleet.hosts.len(), "host"))];
    if !fleet.balancers.is_empty() {
        choices.push(Choice::new(WORDS[1], "ready in the balancer"));
        choices.push(Choice::new(WORDS[2], "out of the balancer"));
    }
    let (mut groups, mut roles): (BTreeMap<&str, usize>, BTreeMap<&str, usize>) = Default::default();
    for host in &fleet.hosts {
        host.group.iter().for_each(|group| *groups.entry(group).or_default() += 1);
        host.roles.iter().for_each(|role| *roles.entry(role).or_default() += 1);
    }
    let counted = |word: &'static str| {
        move |(name, hosts): (&str, usize)| Choice::new(name, format!("{word}, {}", count(hosts, "host")))
    };
    choices.extend(groups.into_iter().map(counted("group")));
    choices.extend(roles.into_iter().map(counted("role")));
    let host = |host: &Host| {
        let parts: Vec<&str> = host.group.iter().chain(&host.roles).map(|name| &**name).collect();
        Choice::new(&*host.name, parts.join(" "))
    };
    choices.extend(fleet.hosts.iter().map(host));
    choices
}

/// Returns the hosts of a fleet and the machines of its balancers.
pub(super) fn machines(fleet: &Fleet) -> Vec<Choice> {
    let hosts = fleet.hosts.iter().map(|host| Choice::new(&*host.name, format!("host of {}", fleet.name)));
    let balancers =
        fleet.balancers.iter().map(|balancer| Choice::new(&*balancer.host.name, format!("balancer of {}", fleet.name)));
    let all = Choice::new("all", format!("every machine of {}", fleet.name));
    hosts.chain(balancers).chain([all]).collect()
}

/// Returns the pools of a fleet's balancers.
pub(super) fn pools(fleet: &Fleet) -> Vec<Choice> {
    let pools =
        fleet.balancers.iter().flat_map(|balancer| balancer.pools.keys().map(move |pool| (pool, &balancer.name)));
    pools.map(|(pool, balancer)| Choice::new(&**pool, format!("pool of {balancer}"))).collect()
}

/// Returns `stable`, tags and branches, if the fleet accepts them.
pub(super) fn references(project: &Project, fleet: Option<&Fleet>, tags: bool, branches: bool) -> Vec<Choice> {
    let accepts = |what| fleet.is_none_or(|fleet| fleet.accept.contains(&what));
    let app = fleet.and_then(|fleet| fleet.app.as_ref());
    let pattern = app.and_then(|app| app.tags.as_ref());
    let source = app.map(|app| app.repository.clone()).unwrap_or_else(|| project.script.folder.display().to_string());
    // For a URL, rfab would have to make a mirror, which is left to a run.
    let folder = source.starts_with('/').then(|| git::Repository::locate(&source, Path::new("")).ok()).flatten();
    let names = folder.and_then(|repository| git::known(&repository).ok()).unwrap_or_default();
    let mut choices = Vec::new();
    if tags && branches && accepts(Accept::Stable) {
        let means = names.stable(pattern).ok().flatten().map(|tag| format!("{}, the newest stable tag", tag.name));
        choices.push(Choice::new("stable", means.unwrap_or_else(|| "the newest stable tag".to_owned())));
    }
    if tags && accepts(Accept::Tag) {
        choices.extend(
            names
                .newest_first(pattern)
                .into_iter()
                .take(TAGS)
                .map(|tag| Choice::new(&tag.name, format!("tag of {}", &tag.commit[..7]))),
        );
    }
    if branches && accepts(Accept::Branch) {
        choices.extend(
            names.branches.iter().map(|branch| Choice::new(&branch.name, format!("branch at {}", &branch.commit[..7]))),
        );
    }
    choices
}

/// Returns the newest runs of this machine.
pub(super) fn runs(wanted: impl Fn(Ending) -> bool) -> Vec<Choice> {
    let listed = folders::runs().and_then(|runs| runs.list(&Filter::default(), RUNS));
    let runs = listed.map(|listed| listed.runs).unwrap_or_default().into_iter();
    let about = |run: &RunEntry| format!("{}: {}", run.outcome, run.line);
    runs.filter(|run| wanted(run.outcome)).map(|run| Choice::new(&*run.run, about(&run))).collect()
}

/// Returns what a script can call, and the modules and namespaces that contain it.
pub(super) fn functions() -> Vec<Choice> {
    let first = |doc: &str| doc.lines().next().unwrap_or_default().to_owned();
    let modules = docs::modules().into_iter().map(|(name, about)| Choice::new(name, about));
    let functions = docs::entries().into_iter().map(|entry| Choice::new(entry.name, first(&entry.doc)));
    modules.chain(functions).collect()
}
