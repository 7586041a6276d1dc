//! The log of a pipeline: plain lines in foldable groups, and problems as annotations.
mod github;
mod gitlab;
mod pipeline;
mod summary;
#[cfg(test)]
mod tests;

pub(super) use github::{harmless, harmless_json};
pub(super) use pipeline::{Pipeline, annotation};

use super::{
    Palette,
    filter::visible,
    lines::{Loud, Wording},
    outlet::Outlet,
};
use crate::event::{Event, EventKind, Listener};
use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::Mutex,
};

/// Writes a run into a pipeline's log.
pub(super) struct Ci<W: Write + Send>(Mutex<JobLog<W>>);

struct JobLog<W> {
    to: Outlet<W>,
    pipeline: Pipeline,
    /// The fabfile's folder.
    folder: PathBuf,
    clock: fn() -> i64,
    wording: Wording,
    /// The run's line.
    line: String,
    task: Option<String>,
    steps: Vec<String>,
    /// The title of the open group.
    open: Option<String>,
    groups: u32,
}

impl<W: Write + Send> Ci<W> {
    /// Makes the log; `clock` returns the seconds since 1970.
    pub(super) fn new(
        to: W,
        pipeline: Pipeline,
        folder: &Path,
        loud: Loud,
        palette: Palette,
        clock: fn() -> i64,
    ) -> Self {
        Self(Mutex::new(JobLog {
            to: Outlet::new(to),
            pipeline,
            folder: folder.to_owned(),
            clock,
            wording: Wording::new(loud, palette),
            line: String::new(),
            task: None,
            steps: Vec::new(),
            open: None,
            groups: 0,
        }))
    }
}

impl<W: Write + Send> Listener for Ci<W> {
    fn tell(&self, event: &Event) {
        let mut log = self.0.lock().unwrap();
        let text = log.of(&event.what);
        if !text.is_empty() {
            log.to.write(&text, &event.run);
        }
    }

    /// Writes nothing while `talk` runs.
    fn aside(&self, talk: &mut dyn FnMut()) {
        let _silent = self.0.lock().unwrap();
        talk();
    }
}

impl<W> JobLog<W> {
    fn of(&mut self, what: &EventKind) -> String {
        match what {
            EventKind::RunStarted { line, .. } => self.line = format!("rfab {}", visible(line, false)),
            EventKind::TaskStarted { task } => self.task = Some(task.clone()),
            EventKind::StepStarted { step, host: None } => self.steps.push(step.clone()),
            _ => {}
        }
        let said = self.wording.of(what);
        let text = match (what, said) {
            // The group's title shows it.
            (EventKind::StepStarted { host: None, .. }, _) | (_, None) => String::new(),
            (EventKind::Warned { host, text }, Some(said)) => self.warning(host.as_deref(), text, said),
            (EventKind::HostUnreachable { host, message }, Some(said)) => self.warning(Some(host), message, said),
            (_, Some(said)) => self.pipeline.harmless(&said),
        };
        let apart = matches!(
            what,
            EventKind::RunStarted { .. } | EventKind::TargetsChanged { .. } | EventKind::RunFinished { .. }
        );
        let mut all = if text.is_empty() && !apart { String::new() } else { self.folded(apart) };
        match what {
            EventKind::TaskFinished { .. } => (self.task, self.steps) = (None, Vec::new()),
            EventKind::StepFinished { host: None, .. } => drop(self.steps.pop()),
            // Before the report, so that nothing comes below the table and the next lines to type.
            EventKind::RunFinished { .. } => all += &self.end(what),
            _ => {}
        }
        all.push_str(&text);
        all
    }

    /// Returns what opens and closes groups, so that the right group is open, or none.
    fn folded(&mut self, apart: bool) -> String {
        let path = self.task.iter().chain(&self.steps).map(|part| visible(part, false)).collect::<Vec<_>>();
        let wanted = Some(path.join(" > ")).filter(|title| !apart && !title.is_empty());
        if wanted == self.open {
            return String::new();
        }
        let mut text = String::new();
        if self.open.is_some() {
            text += &match self.pipeline {
                Pipeline::GitHub { .. } => github::end_of_group(),
                Pipeline::GitLab => gitlab::end_of_section(self.groups, (self.clock)()),
            };
        }
        if let Some(title) = &wanted {
            self.groups += 1;
            text += &match self.pipeline {
                Pipeline::GitHub { .. } => github::group(title),
                Pipeline::GitLab => gitlab::section(self.groups, (self.clock)(), title),
            };
        }
        self.open = wanted;
        text
    }

    fn warning(&self, host: Option<&str>, text: &str, said: String) -> String {
        match self.pipeline {
            Pipeline::GitHub { .. } => github::warning(host.unwrap_or(&self.line), text),
            Pipeline::GitLab => said,
        }
    }

    /// Returns the annotations of what failed, and writes the summary.
    fn end(&self, what: &EventKind) -> String {
        let (Pipeline::GitHub { summary }, EventKind::RunFinished { failures, .. }) = (&self.pipeline, what) else {
            return String::new();
        };
        let mut text: String = failures.iter().map(|f| github::error(&self.line, f, &self.folder)).collect();
        if let Some(file) = summary
            && let Err(e) = summary::append(file, &summary::markdown(&self.line, what))
        {
            text += &github::warning(&self.line, &format!("the job's summary can't be written: {e}"));
        }
        text
    }
}
