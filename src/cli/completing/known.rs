//! What this machine knows without asking anybody: the fabfile, fleet files, the repository's names, the runs.
use super::{Choice, Flag, Typed, within};
use crate::{
    cli::{
        request::Request,
        trust::{self},
        wiring,
    },
    docs,
    fabfile::{Project, Signature},
    fleet::{Accept, Fleet, WORDS},
    git, line, report,
    store::{Ending, Filter},
};
use std::{collections::BTreeMap, fs, path::Path, path::PathBuf, sync::Arc};

/// So many runs are looked through.
const RUNS: usize = 50;

/// How many of a repository's tags are offered.
const TAGS: usize = 500;

/// Parameters that are references.
const REFERENCES: [&str; 5] = ["reference", "ref", "commit", "revision", "version"];

/// Parameters that select hosts.
const SELECTIONS: [&str; 9] = ["which", "hosts", "host", "selection", "targets", "target", "group", "role", "server"];

/// Where answers come from; each is read when it is first needed.
pub struct Known<'a> {
    pub flags: Vec<Flag>,
    pub request: &'a Request,
    /// The fabfile that the line names.
    pub file: Option<PathBuf>,
    /// Loads the fabfile.
    pub load: &'a dyn Fn(Option<PathBuf>) -> Option<Project>,
}

impl Known<'_> {
    fn project(&self) -> Option<Project> {
        (self.load)(self.file.clone())
    }

    /// What a flag's value may be; `text` is what there is of it.
    pub fn value(&self, flag: &str, text: &str, words: &[&str]) -> Vec<Choice> {
        let plain = |texts: &[&str]| texts.iter().map(|text| Choice::new(*text, "")).collect();
        match flag {
            "--show" | "--abort" => runs(|_| true),
            "--resume" => runs(|ending| !ending.is_done()),
            "--docs" => functions(),
            "--color" => plain(&["auto", "always", "never"]),
            "--completions" => plain(&super::Shell::ALL.map(super::Shell::word)),
            "--outcome" => plain(&Ending::ALL.map(Ending::word)),
            "--fleet" | "--yes" => {
                let project = self.project();
                let names = project.map(|project| stems(&project.script.folder)).unwrap_or_default();
                names.into_iter().map(|name| Choice::new(name, "fleet")).collect()
            }
            "--task" => self.project().map(|project| tasks(&project.tasks)).unwrap_or_default(),
            "--trust" | "--limit" | "--exclude" | "--allow-outage" => {
                let Some(project) = self.project() else { return Vec::new() };
                let fleets = self.fleets(&project, words);
                match flag {
                    "--trust" => fleets.iter().flat_map(|fleet| machines(fleet)).collect(),
                    "--allow-outage" => fleets.iter().flat_map(|fleet| pools(fleet)).collect(),
                    _ => selected(text, fleets.iter().flat_map(|fleet| selections(fleet)).collect()),
                }
            }
            _ => Vec::new(),
        }
    }

    /// What the word may be that is being typed: an argument of the task before it, or a task.
    pub fn word(&self, typed: &Typed) -> Vec<Choice> {
        let Some(project) = self.project() else {
            let begin = ["--init", "--demo"];
            let flags = self.flags.iter().filter(|flag| begin.contains(&flag.long.as_str()) && typed.last.is_empty());
            return flags.map(|flag| Choice::new(&flag.long, &flag.about)).collect();
        };
        let named =
            |word: &str| project.tasks.iter().find(|task| task.answers_to(word.split(':').next().unwrap_or(word)));
        if let Some((name, arguments)) = typed.last.split_once(':')
            && let Some(task) = named(name)
        {
            let single = task.counts().last() == Some(&1);
            let before = if single { "" } else { arguments.rsplit_once(',').map_or("", |(before, _)| before) };
            let place =
                if before.is_empty() && (single || !arguments.contains(',')) { 0 } else { before.split(',').count() };
            let mut begun = typed.last.len() - arguments.len();
            begun += if place == 0 { 0 } else { before.len() + 1 };
            let part = &typed.last[begun..];
            let parameters = task.overloads.iter().flat_map(|overload| &overload.parameters);
            let by_name = part.split_once('=').filter(|(name, _)| parameters.clone().any(|known| known == name));
            let parameter = by_name.map(|(name, _)| name).or_else(|| task.parameter(place));
            begun += by_name.map_or(0, |(name, _)| name.len() + 1);
            let Some(parameter) = parameter else { return Vec::new() };
            let values = self.argument(&project, &typed.words, task, parameter, &typed.last[begun..]);
            return within(&typed.last[..begun], values);
        }
        // Plain words fill what the task needs, then what it takes, unless they are tasks themselves.
        let (mut task, mut filled, mut before): (Option<&Signature>, usize, &[&str]) = (None, 0, &[]);
        for (at, word) in typed.words.iter().enumerate() {
            let needs = task.is_some_and(|task| task.counts().first().is_some_and(|least| filled < *least));
            match named(word) {
                Some(new) if !needs => {
                    (task, before) = (Some(new), &typed.words[..at]);
                    // A colon ends the filling by plain words.
                    filled = if word.contains(':') { usize::MAX } else { 0 };
                }
                _ => filled = filled.saturating_add(1),
            }
        }
        let counts = task.map(Signature::counts).unwrap_or_default();
        let mut choices = Vec::new();
        if let Some((task, parameter)) = task.and_then(|task| Some((task, task.parameter(filled)?))) {
            choices = self.argument(&project, before, task, parameter, typed.last);
        }
        if counts.first().is_none_or(|least| filled >= *least) {
            choices.splice(0..0, spelled(typed.last, tasks(&project.tasks)));
        }
        choices
    }

    /// What an argument may be, by the name of its parameter; `before` are the words before its task.
    fn argument(
        &self,
        project: &Project,
        before: &[&str],
        task: &Signature,
        parameter: &str,
        text: &str,
    ) -> Vec<Choice> {
        let fleets = || {
            let own = task.names_hosts && task.counts().contains(&0);
            let words: Vec<&str> = before.iter().copied().chain(own.then_some(task.name.as_str())).collect();
            self.fleets(project, &words)
        };
        if SELECTIONS.contains(&parameter) {
            return selected(text, fleets().last().map(|fleet| selections(fleet)).unwrap_or_default());
        }
        match parameter {
            "pool" => fleets().last().map(|fleet| pools(fleet)).unwrap_or_default(),
            "tag" | "branch" => references(project, fleets().last(), parameter == "tag", parameter == "branch"),
            "fleet" => stems(&project.script.folder).into_iter().map(|name| Choice::new(name, "fleet")).collect(),
            "task" => tasks(&project.tasks),
            _ if REFERENCES.contains(&parameter) => references(project, fleets().last(), true, true),
            // `testing:2` is of `fleets/testing2.toml`.
            _ if task.names_hosts => {
                let stems = stems(&project.script.folder).into_iter();
                let rest = |stem: String| {
                    Some(stem.strip_prefix(task.name.as_str())?.trim_start_matches(['-', '_']).to_owned())
                };
                stems
                    .filter_map(rest)
                    .filter(|rest| !rest.is_empty())
                    .map(|rest| Choice::new(rest, parameter))
                    .collect()
            }
            _ => Vec::new(),
        }
    }

    /// The fleets that words name, else the default ones; nothing is asked or done for it.
    fn fleets(&self, project: &Project, words: &[&str]) -> Vec<Arc<Fleet>> {
        let naming = |word: &&&str| {
            project.tasks.iter().any(|task| task.names_hosts && task.answers_to(word.split(':').next().unwrap_or(word)))
        };
        // What follows a task may be its argument; the last that names hosts is whose hosts are meant.
        let at = words.iter().rposition(|word| naming(&&word));
        let line = at.and_then(|at| {
            let words: Vec<String> = words[at..].iter().take(2).map(|word| word.to_string()).collect();
            let parse = |words: &[String]| line::parse(words, None, &project.tasks).ok();
            parse(&words).or_else(|| parse(&words[..1]))
        });
        if at.is_some() && line.is_none() {
            return Vec::new();
        }
        trust::fleets(self.request, project, line.as_ref()).unwrap_or_default()
    }
}

fn tasks(tasks: &[Signature]) -> Vec<Choice> {
    let (mut naming, others): (Vec<&Signature>, Vec<&Signature>) = tasks.iter().partition(|task| task.names_hosts);
    naming.extend(others);
    naming.into_iter().map(|task| Choice::new(&task.name, task.summary())).collect()
}

/// Tasks as they are being typed: `.`, `-` and `_` are the same in their names.
fn spelled(text: &str, choices: Vec<Choice>) -> Vec<Choice> {
    let same = |a: u8, b: u8| a == b || (b"._-".contains(&a) && b"._-".contains(&b));
    let spell = |choice: Choice| {
        let begins = choice.text.len() >= text.len() && choice.text.bytes().zip(text.bytes()).all(|(a, b)| same(a, b));
        let spelled = if begins { choice.text.get(text.len()..).map(|rest| format!("{text}{rest}")) } else { None };
        Choice { text: spelled.unwrap_or(choice.text), ..choice }
    };
    choices.into_iter().map(spell).collect()
}

/// The names of the fleet files beside a fabfile.
pub fn stems(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder.join("fleets")).into_iter().flatten().flatten();
    let mut stems: Vec<String> =
        entries.filter_map(|entry| Some(entry.file_name().to_str()?.strip_suffix(".toml")?.to_owned())).collect();
    stems.sort();
    stems
}

/// Each part of a selection is chosen by itself.
fn selected(text: &str, choices: Vec<Choice>) -> Vec<Choice> {
    let begun = text.rfind([',', '+', '^']).map_or(0, |at| at + 1);
    within(&text[..begun], choices)
}

fn selections(fleet: &Fleet) -> Vec<Choice> {
    let mut choices = vec![Choice::new("all", report::count(fleet.hosts.len(), "host"))];
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
        move |(name, count): (&str, usize)| Choice::new(name, format!("{word}, {}", report::count(count, "host")))
    };
    choices.extend(groups.into_iter().map(counted("group")));
    choices.extend(roles.into_iter().map(counted("role")));
    let host = |host: &crate::host::Host| {
        let parts: Vec<&str> = host.group.iter().chain(&host.roles).map(|name| &**name).collect();
        Choice::new(&*host.name, parts.join(" "))
    };
    choices.extend(fleet.hosts.iter().map(host));
    choices
}

/// Hosts, and the machines of balancers.
fn machines(fleet: &Fleet) -> Vec<Choice> {
    let hosts = fleet.hosts.iter().map(|host| Choice::new(&*host.name, format!("host of {}", fleet.name)));
    let balancers =
        fleet.balancers.iter().map(|balancer| Choice::new(&*balancer.host.name, format!("balancer of {}", fleet.name)));
    hosts.chain(balancers).collect()
}

fn pools(fleet: &Fleet) -> Vec<Choice> {
    let pools =
        fleet.balancers.iter().flat_map(|balancer| balancer.pools.keys().map(move |pool| (pool, &balancer.name)));
    pools.map(|(pool, balancer)| Choice::new(&**pool, format!("pool of {balancer}"))).collect()
}

/// `stable`, tags and branches, as far as the fleet accepts them.
fn references(project: &Project, fleet: Option<&Arc<Fleet>>, tags: bool, branches: bool) -> Vec<Choice> {
    let accepts = |what| fleet.is_none_or(|fleet| fleet.accept.contains(&what));
    let of_fleet = fleet.and_then(|fleet| Some(fleet.app.as_ref()?.repository.clone()));
    let source = of_fleet.unwrap_or_else(|| project.script.folder.display().to_string());
    // A mirror of a URL would be made, which is for a run to do.
    let folder = source.starts_with('/').then(|| git::Repository::locate(&source, Path::new("")).ok()).flatten();
    let names = folder.and_then(|repository| git::known(&repository).ok()).unwrap_or_default();
    let mut choices = Vec::new();
    if tags && branches && accepts(Accept::Stable) {
        let means = names.stable().ok().flatten().map(|tag| format!("{}, the newest stable tag", tag.name));
        choices.push(Choice::new("stable", means.unwrap_or_else(|| "the newest stable tag".to_owned())));
    }
    if tags && accepts(Accept::Tag) {
        choices.extend(
            names
                .newest_first()
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

fn runs(wanted: impl Fn(Ending) -> bool) -> Vec<Choice> {
    let listed = wiring::runs().and_then(|runs| runs.list(&Filter::default(), RUNS));
    let runs = listed.map(|listed| listed.runs).unwrap_or_default().into_iter();
    let about = |run: &crate::store::Entry| format!("{}: {}", run.outcome, run.line);
    runs.filter(|run| wanted(run.outcome)).map(|run| Choice::new(&*run.run, about(&run))).collect()
}

fn functions() -> Vec<Choice> {
    let first = |doc: &str| doc.lines().next().unwrap_or_default().to_owned();
    docs::entries().into_iter().map(|entry| Choice::new(entry.name, first(&entry.doc))).collect()
}
