//! What a word may become, by the fabfile, the line's fleets and this machine's runs; rfab asks no host.
use super::{
    choice::{Choice, within},
    flag::Flag,
    flag_choices::FlagChoices,
    sources,
    typed::Typed,
};
use crate::{
    cli::{request::Request, trust},
    fabfile::{Project, Signature},
    fleet::Fleet,
    line,
    world::nowhere::Nowhere,
};
use std::{path::PathBuf, sync::Arc};

/// Parameters that are references.
const REFERENCES: [&str; 5] = ["reference", "ref", "commit", "revision", "version"];

/// Parameters that select hosts.
const SELECTIONS: [&str; 9] = ["which", "hosts", "host", "selection", "targets", "target", "group", "role", "server"];

/// Where choices come from; each source is read when it's first needed.
pub struct Completer<'a> {
    pub flags: Vec<Flag>,
    pub request: &'a Request,
    /// The fabfile that the line names.
    pub file: Option<PathBuf>,
    /// Loads the fabfile.
    pub load: &'a dyn Fn(Option<PathBuf>) -> Option<Project>,
}

/// The argument that is being typed.
struct TypedArgument<'a> {
    task: &'a Signature,
    parameter: &'a str,
    /// The part that was already typed.
    text: &'a str,
    /// The words before its task.
    before: &'a [&'a str],
}

impl Completer<'_> {
    fn project(&self) -> Option<Project> {
        (self.load)(self.file.clone())
    }

    /// Returns the choices for a flag's value; `text` is the part that was already typed.
    pub fn value(&self, flag: &str, text: &str, words: &[&str]) -> Vec<Choice> {
        let all = |project: &Project, of: fn(&Fleet) -> Vec<Choice>| {
            self.fleets(project, words).iter().flat_map(|fleet| of(fleet)).collect()
        };
        let of_project = |of: &dyn Fn(&Project) -> Vec<Choice>| self.project().map(|project| of(&project));
        let known = match FlagChoices::of(flag) {
            None | Some(FlagChoices::Typed) => None,
            Some(FlagChoices::Words(words)) => Some(words().into_iter().map(|word| Choice::new(word, "")).collect()),
            Some(FlagChoices::Runs) => Some(sources::runs(|_| true)),
            Some(FlagChoices::RunsToResume) => Some(sources::runs(|ending| !ending.is_done())),
            Some(FlagChoices::Functions) => Some(sources::functions()),
            Some(FlagChoices::Fleets) => of_project(&sources::fleets),
            Some(FlagChoices::Tasks) => of_project(&|project| sources::tasks(&project.tasks)),
            Some(FlagChoices::Machines) => of_project(&|project| all(project, sources::machines)),
            Some(FlagChoices::Pools) => of_project(&|project| all(project, sources::pools)),
            Some(FlagChoices::Selections) => {
                of_project(&|project| sources::selected(text, all(project, sources::selections)))
            }
        };
        known.unwrap_or_default()
    }

    /// Returns the choices for the word that is being typed: an argument of the task before it, or a task.
    pub fn word(&self, typed: &Typed) -> Vec<Choice> {
        let Some(project) = self.project() else {
            let begin = ["--init", "--demo"];
            let flags = self.flags.iter().filter(|flag| begin.contains(&flag.long.as_str()) && typed.last.is_empty());
            return flags.map(|flag| Choice::new(&flag.long, &flag.about)).collect();
        };
        match typed.last.split_once(':').and_then(|(name, rest)| Some((named(&project, name)?, rest))) {
            Some((task, rest)) => self.behind_colon(&project, task, rest, typed),
            None => self.plain(&project, typed),
        }
    }

    /// Returns the choices for an argument after the first `:` of a word.
    fn behind_colon(&self, project: &Project, task: &Signature, rest: &str, typed: &Typed) -> Vec<Choice> {
        // If the task takes only one argument, the whole text is that argument.
        let single = task.counts().last() == Some(&1);
        let before = if single { None } else { rest.rsplit_once(',').map(|(before, _)| before) };
        let place = before.map_or(0, |before| before.split(',').count());
        let mut text = &rest[before.map_or(0, |before| before.len() + 1)..];
        let mut parameter = task.parameter(place);
        let is_named = |name: &str| task.overloads.iter().any(|one| one.parameters.iter().any(|known| known == name));
        if let Some((name, value)) = text.split_once('=').filter(|(name, _)| is_named(name)) {
            (parameter, text) = (Some(name), value);
        }
        let Some(parameter) = parameter else { return Vec::new() };
        let begun = &typed.last[..typed.last.len() - text.len()];
        within(begun, self.argument(project, &TypedArgument { task, parameter, text, before: &typed.words }))
    }

    /// Returns the choices for a word without a `:`: a task, or an argument that the task before it needs or takes.
    fn plain(&self, project: &Project, typed: &Typed) -> Vec<Choice> {
        let (mut task, mut filled, mut before): (Option<&Signature>, usize, &[&str]) = (None, 0, &[]);
        let needs = |task: Option<&Signature>, filled| {
            task.and_then(|task| task.counts().first().copied()).is_some_and(|least| filled < least)
        };
        for (at, word) in typed.words.iter().enumerate() {
            match named(project, word).filter(|_| !needs(task, filled)) {
                // After a colon, plain words don't add arguments.
                Some(new) => {
                    (task, before, filled) =
                        (Some(new), &typed.words[..at], if word.contains(':') { usize::MAX } else { 0 })
                }
                None => filled = filled.saturating_add(1),
            }
        }
        let mut choices =
            if needs(task, filled) { Vec::new() } else { sources::spelled(typed.last, sources::tasks(&project.tasks)) };
        if let Some((task, parameter)) = task.and_then(|task| Some((task, task.parameter(filled)?))) {
            choices.extend(self.argument(project, &TypedArgument { task, parameter, text: typed.last, before }));
        }
        choices
    }

    /// Returns the choices for an argument, by the name of its parameter.
    fn argument(&self, project: &Project, argument: &TypedArgument) -> Vec<Choice> {
        let TypedArgument { task, parameter, text, before } = *argument;
        let fleet = || {
            let own = task.names_hosts && task.counts().contains(&0);
            let words: Vec<&str> = before.iter().copied().chain(own.then_some(task.name.as_str())).collect();
            self.fleets(project, &words).pop()
        };
        match parameter {
            _ if SELECTIONS.contains(&parameter) => {
                sources::selected(text, fleet().map(|fleet| sources::selections(&fleet)).unwrap_or_default())
            }
            _ if REFERENCES.contains(&parameter) => sources::references(project, fleet().as_deref(), true, true),
            "tag" | "branch" => {
                sources::references(project, fleet().as_deref(), parameter == "tag", parameter == "branch")
            }
            "pool" => fleet().map(|fleet| sources::pools(&fleet)).unwrap_or_default(),
            "fleet" => sources::fleets(project),
            "task" => sources::tasks(&project.tasks),
            // `testing:2` means `fleets/testing2.toml`.
            _ if task.names_hosts => sources::numbers(project, &task.name, parameter),
            _ => Vec::new(),
        }
    }

    /// Returns the fleets that the last word which names hosts means, or else the default fleets.
    fn fleets(&self, project: &Project, words: &[&str]) -> Vec<Arc<Fleet>> {
        let at = words.iter().rposition(|word| named(project, word).is_some_and(|task| task.names_hosts));
        let line = at.and_then(|at| {
            // The next word may be its argument.
            let words: Vec<String> = words[at..].iter().take(2).map(|word| word.to_string()).collect();
            let parse = |words: &[String]| line::parse(words, None, &project.tasks).ok();
            parse(&words).or_else(|| parse(&words[..1]))
        });
        if at.is_some() && line.is_none() {
            Vec::new()
        } else {
            trust::fleets(self.request, project, line.as_ref(), Nowhere::default()).unwrap_or_default()
        }
    }
}

/// Returns the task that a word calls.
fn named<'a>(project: &'a Project, word: &str) -> Option<&'a Signature> {
    let name = word.split(':').next().unwrap_or(word);
    project.tasks.iter().find(|task| task.answers_to(name))
}
