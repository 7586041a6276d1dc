//! Reads words from left to right.
use super::{
    LineError, Misread, TaskCall,
    argument::{self, Bound},
};
use crate::{command::quoted, fabfile::task::Signature, misspelled};

/// Reads all words as calls of tasks with their arguments, and lists the arguments that resemble a task.
pub(super) fn calls(words: &[String], tasks: &[Signature]) -> Result<(Vec<TaskCall>, Vec<Misread>), LineError> {
    let mut reader = WordReader { tasks, rest: words, calls: Vec::new(), filled: Vec::new() };
    while let [word, rest @ ..] = reader.rest {
        reader.rest = rest;
        reader.read(word)?;
    }
    let misread = reader.misread();
    Ok((reader.calls, misread))
}

struct WordReader<'a> {
    tasks: &'a [Signature],
    rest: &'a [String],
    calls: Vec<TaskCall>,
    /// Words that were taken as arguments because they follow a task.
    filled: Vec<Filled<'a>>,
}

/// A plain word that was taken as an argument.
struct Filled<'a> {
    task: &'a Signature,
    place: usize,
    word: &'a str,
}

impl<'a> WordReader<'a> {
    fn read(&mut self, word: &'a str) -> Result<(), LineError> {
        let Some(task) = find(word, self.tasks)? else {
            return Err(self.unknown(word));
        };
        let bound = match word.split_once(':') {
            Some((_, text)) => argument::from_text(task, text)?,
            None => self.fill(task)?,
        };
        self.calls.push(TaskCall::new(task, bound));
        Ok(())
    }

    /// Takes plain words after a task: first those that its shortest overload needs, then those for a longer one.
    fn fill(&mut self, task: &'a Signature) -> Result<Bound, LineError> {
        let counts = task.counts();
        let (least, most) = (counts.first().copied().unwrap_or(0), counts.last().copied().unwrap_or(0));
        let mut values: Vec<String> = Vec::new();
        while values.len() < most
            && let [word, rest @ ..] = self.rest
        {
            if self.tasks.iter().any(|task| task.answers_to(before_colon(word))) {
                if values.len() < least {
                    return Err(self.ambiguous(task, least, values, word));
                }
                break;
            }
            self.filled.push(Filled { task, place: values.len(), word });
            values.push(word.clone());
            self.rest = rest;
        }
        argument::fit(task, &values, &[]).ok_or_else(|| LineError::WrongCount {
            task: Box::new(task.clone()),
            given: values.len(),
            misspelt: None,
            misread: self.misread(),
        })
    }

    /// The tasks whose names are near a word, the nearest first; what follows its first `:` doesn't matter.
    fn near(&self, word: &str) -> impl Iterator<Item = &'a Signature> {
        let typed = word.split(':').next().unwrap_or(word);
        let names = misspelled::near_in_parts(typed, self.tasks.iter().map(|task| &*task.name));
        names.into_iter().filter_map(|name| self.tasks.iter().find(|task| task.name == name))
    }

    /// Builds the error of a word in a task's place that isn't a task.
    fn unknown(&self, word: &str) -> LineError {
        let before = self.calls.last().and_then(|call| self.tasks.iter().find(|task| task.name == call.task));
        let (split, misread) = self.split(word);
        let near = match split {
            Some(_) if misread.is_some() => Vec::new(),
            Some(task) => vec![task.clone()],
            None => self.near(word).cloned().collect(),
        };
        LineError::UnknownTask {
            word: before_colon(word).to_owned(),
            near,
            misread: misread.map_or_else(|| self.misread(), |misread| vec![misread]),
            before: before.cloned().map(Box::new),
            instead: self.joined(word, before),
        }
    }

    /// Finds the task that was typed as two words, and the first of these if it was taken as an argument.
    fn split(&self, word: &str) -> (Option<&'a Signature>, Option<Misread>) {
        let task = |first: &str, last: &str| find(&format!("{first}_{last}"), self.tasks).ok().flatten();
        if let Some(filled) = self.filled.last()
            && let Some(near) = task(filled.word, word)
            && let Some(parameter) = filled.task.parameter(filled.place)
        {
            let (word, parameter, task) = (filled.word.to_owned(), parameter.to_owned(), filled.task.name.clone());
            return (Some(near), Some(Misread { word, parameter, task, near: near.clone() }));
        }
        (self.rest.first().and_then(|next| task(word, next)), None)
    }

    /// Returns what was meant, if a space follows a task's `:` or `,`, or a named value isn't joined with `:`.
    fn joined(&self, word: &str, before: Option<&Signature>) -> Option<String> {
        let (call, task) = (self.calls.last()?, before?);
        let [written] = &call.normal[..] else { return None };
        let instead = if call.options.is_empty() && call.arguments.last().is_some_and(String::is_empty) {
            format!("{written}{}", argument::escaped(word))
        } else {
            let (name, value) = word.split_once('=')?;
            let separator = if written.contains(':') { ',' } else { ':' };
            format!("{written}{separator}{name}={}", argument::escaped(value))
        };
        let (_, text) = instead.split_once(':')?;
        argument::from_text(task, text).is_ok().then(|| quoted(&instead))
    }

    /// Lists the words so far that were taken as arguments, but resemble a task.
    fn misread(&self) -> Vec<Misread> {
        let like = |filled: &Filled| {
            let near = self.near(filled.word).next().cloned()?;
            let parameter = filled.task.parameter(filled.place)?.to_owned();
            Some(Misread { word: filled.word.to_owned(), parameter, task: filled.task.name.clone(), near })
        };
        self.filled.iter().filter_map(like).collect()
    }

    fn ambiguous(&self, task: &Signature, least: usize, values: Vec<String>, word: &str) -> LineError {
        let place = values.len();
        let parameter = |place: usize| task.parameter(place).unwrap_or("argument").to_uppercase();
        let spelled = |own: String| {
            let pieces = values.iter().map(|value| argument::escaped(value)).chain([own]);
            let pieces: Vec<String> = pieces.chain((place + 1..least).map(parameter)).collect();
            quoted(&format!("{}:{}", task.name, pieces.join(",")))
        };
        let (argument, other) = (spelled(argument::escaped(word)), spelled(parameter(place)));
        let names_hosts = find(word, self.tasks).ok().flatten().is_some_and(|task| task.names_hosts);
        let late = names_hosts && !task.names_hosts && self.calls.iter().all(|call| !call.names_hosts);
        let as_task = if late { format!("{} {other}", quoted(word)) } else { format!("{other} {}", quoted(word)) };
        LineError::Ambiguous { task: task.name.clone(), word: word.to_owned(), as_argument: argument, as_task }
    }
}

/// Finds the task that a word calls.
fn find<'a>(word: &str, tasks: &'a [Signature]) -> Result<Option<&'a Signature>, LineError> {
    let mut found = tasks.iter().filter(|task| task.answers_to(before_colon(word)));
    match (found.next(), found.next()) {
        (Some(one), Some(other)) => Err(LineError::TwoTasks {
            word: before_colon(word).to_owned(),
            functions: [one.function.clone(), other.function.clone()],
        }),
        (one, _) => Ok(one),
    }
}

fn before_colon(word: &str) -> &str {
    word.split_once(':').map_or(word, |(name, _)| name)
}
